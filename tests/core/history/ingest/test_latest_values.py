"""How observations update the newest accepted values, and how they are written back."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.catalog.models import ProductLatest
from core.history.ingest import latest_values
from core.history.ingest.latest_values import (
    LatestValues,
    apply_observation,
    lock_latest,
    write_latest,
)
from core.history.observation import Availability, Confirmed, Flag, Observation, Seen
from tests.factories.observations import NOON, make_observation, make_price_observation
from tests.factories.products import KETTLE, LAMP, add_product
from tests.factories.tables import fetch_latest

HOUR = timedelta(hours=1)


@pytest.fixture
def state(session: Session) -> LatestValues:
    number = add_product(session)
    return lock_latest(session, [number])[number]


def apply(state: LatestValues, observation: Observation, flags: int = 0) -> None:
    apply_observation(state, observation, flags, 7 if observation.ranks else None)


def test_a_new_product_knows_nothing(state: LatestValues) -> None:
    assert state.captured_at is None
    assert state.make_reference().price is None


def test_an_observation_updates_every_group_it_reports(state: LatestValues) -> None:
    apply(state, make_observation(coupon_percent=10, list_price=2500))
    assert (state.price, state.list_price, state.coupon_percent) == (2000, 2500, 10)
    assert (state.bsr, state.bsr_category_id) == (500, 7)
    assert (state.rating, state.ratings_count) == (45, 1000)
    assert (state.availability, state.buy_box_seller) == (Availability.IN_STOCK, "Bright Shop")
    assert {state.price_at, state.bsr_at, state.rating_at, state.availability_at} == {NOON}


def test_an_older_observation_changes_nothing(state: LatestValues) -> None:
    apply(state, make_observation(at=NOON + HOUR))
    apply(state, make_observation(price=1, rank=1, rating=1, ratings_count=1))
    assert (state.price, state.bsr, state.rating, state.ratings_count) == (2000, 500, 45, 1000)
    assert state.captured_at == NOON + HOUR


def test_an_older_observation_fills_a_group_that_the_newer_one_does_not_report(
    state: LatestValues,
) -> None:
    apply(state, make_price_observation(at=NOON + HOUR, price=2100))
    apply(state, make_observation())
    assert (state.price, state.bsr, state.bsr_at) == (2100, 500, NOON)


@pytest.mark.parametrize(
    ("flag", "name", "kept"),
    [
        (Flag.PRICE_JUMP, "price", 2000),
        (Flag.PRICE_ZERO, "price", 2000),
        (Flag.CURRENCY_MISMATCH, "price", 2000),
        (Flag.STALE_VALUE, "price", 2000),
        (Flag.RANK_INVALID, "bsr", 500),
        (Flag.RATING_OUT_OF_RANGE, "rating", 45),
        (Flag.RATINGS_COLLAPSED, "ratings_count", 1000),
    ],
)
def test_a_flagged_value_does_not_replace_the_accepted_one(
    state: LatestValues, flag: Flag, name: str, kept: int
) -> None:
    apply(state, make_observation())
    apply(
        state,
        make_observation(at=NOON + HOUR, price=9, rank=9, rating=9, ratings_count=9),
        int(flag),
    )
    values = {"price": state.price, "bsr": state.bsr, "rating": state.rating}
    values["ratings_count"] = state.ratings_count
    expected = {"price": 9, "bsr": 9, "rating": 9, "ratings_count": 9} | {name: kept}
    assert values == expected
    assert state.flags == flag


@pytest.mark.parametrize("flags", [int(Flag.STALE_VALUE), int(Confirmed.STALE)])
def test_a_stale_row_changes_neither_stock_nor_seller(state: LatestValues, flags: int) -> None:
    apply(state, make_observation())
    gone = {"availability": Availability.GONE, "stock_left": 0, "buy_box_seller": "Dim Shop"}
    apply(state, make_observation(at=NOON + HOUR, **gone), flags)
    assert state.availability == Availability.IN_STOCK
    assert (state.stock_left, state.buy_box_seller) == (None, "Bright Shop")
    assert state.availability_at == NOON


def test_a_price_that_is_reported_as_none_is_unknown(state: LatestValues) -> None:
    apply(state, make_observation())
    apply(state, make_observation(at=NOON + HOUR, price=None, price_basis=None))
    assert (state.price, state.price_at) == (None, NOON + HOUR)


def test_a_source_without_sellers_keeps_the_known_one(state: LatestValues) -> None:
    apply(state, make_observation())
    apply(state, make_observation(at=NOON + HOUR, seen=Seen.AVAILABILITY, buy_box_seller=None))
    assert state.buy_box_seller == "Bright Shop"


def hold(state: LatestValues, hours: int, seen: Seen, **seller: str | None) -> None:
    values = {"buy_box_seller": None} | seller
    apply(state, make_observation(at=NOON + hours * HOUR, seen=Seen.AVAILABILITY | seen, **values))


def holder(state: LatestValues) -> tuple[str | None, str | None]:
    return state.buy_box_seller, state.buy_box_seller_id


BOTH = Seen.SELLER | Seen.SELLER_ID


def test_a_name_and_an_id_of_different_sellers_are_never_kept_together(state: LatestValues) -> None:
    hold(state, 0, BOTH, buy_box_seller="Lumo", buy_box_seller_id="A1DEMOSELLER")
    hold(state, 1, Seen.SELLER, buy_box_seller="Lumo")
    assert holder(state) == ("Lumo", "A1DEMOSELLER")
    hold(state, 2, Seen.SELLER_ID, buy_box_seller_id="A1DEMOSELLER")
    assert holder(state) == ("Lumo", "A1DEMOSELLER")
    hold(state, 3, Seen.SELLER_ID, buy_box_seller_id="A2DEMOSELLER")
    assert holder(state) == (None, "A2DEMOSELLER")
    hold(state, 4, Seen.SELLER, buy_box_seller="Lumo")
    assert holder(state) == ("Lumo", None)
    hold(state, 5, BOTH)
    assert holder(state) == (None, None)


def test_a_late_seller_never_replaces_a_newer_one(state: LatestValues) -> None:
    hold(state, 5, BOTH, buy_box_seller="Lumo", buy_box_seller_id="A1DEMOSELLER")
    hold(state, 1, BOTH, buy_box_seller="Other", buy_box_seller_id="A2DEMOSELLER")
    assert holder(state) == ("Lumo", "A1DEMOSELLER")


def test_what_is_written_is_what_is_read_and_raises_the_version(session: Session) -> None:
    number = add_product(session)
    state = lock_latest(session, [number])[number]
    apply(state, make_observation())
    state.pending = [{"flag": 1, "value": 5, "at": NOON.isoformat(), "source": 1}]
    write_latest(session, [state])
    again = lock_latest(session, [number])[number]
    assert again == state
    assert again.make_reference().pending[0].value == 5
    assert fetch_latest(session, number)["data_version"] == 1


def test_many_rows_are_written_at_once(session: Session) -> None:
    numbers = [add_product(session, LAMP), add_product(session, KETTLE)]
    states = lock_latest(session, numbers)
    for n, number in enumerate(numbers):
        apply(states[number], make_observation(price=1000 + n))
    write_latest(session, list(states.values()))
    assert [fetch_latest(session, number)["price"] for number in numbers] == [1000, 1001]


def unread(at_hour: int, text: str = "Pozycja ?? w kategorii Dom") -> Observation:
    return make_price_observation(at=NOON + at_hour * HOUR, unreadable={Seen.BSR: text})


def test_a_text_that_could_not_be_read_is_kept_until_a_newer_one_is_read(
    state: LatestValues,
) -> None:
    apply(state, unread(1))
    assert state.unreadable == {
        "bsr": {
            "text": "Pozycja ?? w kategorii Dom",
            "at": (NOON + HOUR).isoformat(),
        }
    }
    apply(state, make_observation())  # older: the page may have changed since
    assert state.unreadable is not None
    assert state.bsr == 500
    apply(state, make_observation(at=NOON + 2 * HOUR))
    assert state.unreadable is None


def test_an_older_unreadable_text_does_not_concern_a_newer_value(
    state: LatestValues,
) -> None:
    apply(state, make_observation(at=NOON + 2 * HOUR))
    apply(state, unread(1))
    assert state.unreadable is None


def test_the_newest_of_two_unreadable_texts_is_kept_in_either_order(
    session: Session, state: LatestValues
) -> None:
    apply(state, unread(2, "newest"))
    apply(state, unread(1, "older"))
    write_latest(session, [state])
    kept = fetch_latest(session, state.product_id)["unreadable"]
    assert kept is not None
    assert kept["bsr"]["text"] == "newest"


def test_the_state_has_every_column_of_the_table_but_the_version() -> None:
    columns = set(ProductLatest.__table__.columns.keys())
    assert set(latest_values._NAMES) == columns - {"data_version"}
