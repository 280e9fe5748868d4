"""How snapshots become days: in the database, and carried forward."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.history.ingest.daily_rollup import carry_days, make_product_day
from core.history.observation import Availability, Flag, Kind
from tests.factories.observations import NOON, make_change, make_observation, store_observations
from tests.factories.products import KETTLE, LAMP, add_product
from tests.factories.tables import fetch_days
from tests.hypothesis_runs import examples

pytestmark = pytest.mark.dates  # what it stores is of today

BERLIN, TOKYO, LOS_ANGELES = (
    ZoneInfo(name) for name in ("Europe/Berlin", "Asia/Tokyo", "America/Los_Angeles")
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COLUMNS = (
    "price",
    "list_price",
    "bsr",
    "bsr_category_id",
    "rating",
    "ratings_count",
    "availability",
)


def frame_of(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return snapshots as `carried_days` reads them; what a row leaves out is unknown."""
    frame = pd.DataFrame(
        {
            "captured_at": pd.to_datetime([row["at"] for row in rows], utc=True).as_unit("us"),
            "kind": np.array([int(row.get("kind", Kind.SAMPLE)) for row in rows], "i8"),
            "flags": np.array([int(row.get("flags", 0)) for row in rows], "i8"),
        }
    )
    for name in COLUMNS:
        values = [row.get(name) for row in rows]
        frame[name] = np.array([np.nan if v is None else float(v) for v in values])
    sellers = [row.get("buy_box_seller") for row in rows]
    frame["buy_box_seller"] = pd.Series(sellers, dtype=object)
    return frame


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)],
)
def test_a_day_has_23_or_25_hours_where_the_clocks_change(day: date, hours: int) -> None:
    bounds = make_product_day(1, day, BERLIN)
    assert bounds.ends_at - bounds.starts_at == timedelta(hours=hours)


def test_a_day_is_the_marketplaces() -> None:
    bounds = make_product_day(1, date(2026, 3, 2), TOKYO)
    assert bounds.starts_at == datetime(2026, 3, 1, 15, tzinfo=UTC)


def test_no_snapshots_give_no_days() -> None:
    assert carry_days(frame_of(), BERLIN).empty


def test_a_day_opens_with_its_first_observation_and_closes_with_its_last() -> None:
    frame = frame_of(
        {"at": NOON, "price": 10, "bsr": 5},
        {"at": NOON + HOUR, "price": 30, "bsr": 9},
        {"at": NOON + 2 * HOUR, "price": 20, "bsr": 7},
    )
    (day,) = carry_days(frame, BERLIN).to_dict("records")
    prices = [day[f"price_{name}"] for name in ("open", "low", "high", "close")]
    ranks = [day[f"bsr_{name}"] for name in ("open", "best", "worst", "close")]
    assert prices == [10, 10, 30, 20]
    assert ranks == [5, 5, 9, 7]
    assert day["looks"] == 3


def test_a_sample_is_not_carried_over_a_day_without_snapshots() -> None:
    frame = frame_of({"at": NOON, "price": 10}, {"at": NOON + 3 * DAY, "price": 20})
    assert list(carry_days(frame, BERLIN)["day"].dt.day) == [2, 5]


def test_a_change_is_carried_over_days_without_any() -> None:
    frame = frame_of(
        {"at": NOON, "price": 10, "kind": Kind.CHANGE},
        {"at": NOON + 3 * DAY, "price": 20, "kind": Kind.CHANGE},
    )
    found = carry_days(frame, BERLIN)
    assert list(found["price_close"]) == [10, 10, 10, 20]
    assert list(found["price_open"]) == [10, 10, 10, 10]
    assert list(found["looks"]) == [1, 0, 0, 1]


def test_a_change_is_not_carried_past_its_last_entry() -> None:
    frame = frame_of({"at": NOON, "price": 10, "kind": Kind.CHANGE})
    assert len(carry_days(frame, BERLIN)) == 1


@pytest.mark.parametrize(
    ("flag", "column"),
    [
        (Flag.PRICE_JUMP, "price_high"),
        (Flag.RANK_INVALID, "bsr_worst"),
        (Flag.RATING_OUT_OF_RANGE, "rating"),
        (Flag.RATINGS_COLLAPSED, "ratings_count"),
    ],
)
def test_a_flagged_value_is_left_out_of_its_day(flag: Flag, column: str) -> None:
    good = {"price": 10, "bsr": 10, "rating": 10, "ratings_count": 10}
    bad = dict.fromkeys(good, 99)
    frame = frame_of({"at": NOON, **good}, {"at": NOON + HOUR, "flags": flag, **bad})
    (day,) = carry_days(frame, BERLIN).to_dict("records")
    assert day[column] == 10
    assert day["looks"] == 2


def test_the_share_in_stock_counts_only_known_availabilities() -> None:
    frame = frame_of(
        {"at": NOON, "availability": Availability.IN_STOCK},
        {"at": NOON + HOUR, "availability": Availability.LIMITED},
        {"at": NOON + 2 * HOUR, "availability": Availability.UNAVAILABLE},
        {"at": NOON + 3 * HOUR},
    )
    assert carry_days(frame, BERLIN)["in_stock_share"][0] == pytest.approx(2 / 3)


def test_a_day_without_a_value_is_unknown_and_not_zero() -> None:
    (day,) = carry_days(frame_of({"at": NOON}), BERLIN).to_dict("records")
    assert np.isnan(day["price_close"])
    assert np.isnan(day["in_stock_share"])


def test_observations_around_midnight_belong_to_the_marketplaces_days(session: Session) -> None:
    midnight = make_product_day(1, date(2026, 3, 8), LOS_ANGELES)  # the clocks change that night
    second = timedelta(seconds=1)
    store_observations(
        session,
        make_observation(at=midnight.starts_at - second, price=1000),
        make_observation(at=midnight.starts_at, price=1100),
        make_observation(at=midnight.ends_at - second, price=1200),
        make_observation(at=midnight.ends_at, price=1300),
    )
    found = [(day["day"].day, day["looks"]) for day in fetch_days(session, add_product(session))]
    assert found == [(7, 1), (8, 2), (9, 1)]


def test_every_hour_of_a_25_hour_day_is_in_it(session: Session) -> None:
    day = make_product_day(1, date(2026, 10, 25), BERLIN)
    observations = [
        make_observation(marketplace="DE", at=day.starts_at + n * HOUR) for n in range(25)
    ]
    store_observations(session, *observations, now=day.ends_at + DAY)
    (kept,) = fetch_days(session, add_product(session, marketplace="DE"))
    assert (kept["day"], kept["looks"]) == (date(2026, 10, 25), 25)


VALUES = st.fixed_dictionaries(
    {
        "price": st.none() | st.integers(1000, 5000),
        "list_price": st.none() | st.integers(1000, 5000),
        "rank": st.none() | st.integers(1, 10**6),
        "rating": st.none() | st.integers(1, 50),
        "ratings_count": st.none() | st.integers(1000, 1100),
        "availability": st.none() | st.sampled_from(list(Availability)),
        "buy_box_seller": st.none() | st.sampled_from(["Bright Shop", "Other"]),
        "flags": st.sampled_from([Flag.NONE, Flag.NONE, Flag.STALE_VALUE, Flag.RANK_INVALID]),
    }
)


@settings(max_examples=examples(20))
@given(st.dictionaries(st.integers(0, 120), VALUES, min_size=1, max_size=10))
def test_the_database_rolls_samples_up_as_carried_days_does(
    session: Session, seen: dict[int, dict[str, Any]]
) -> None:
    observations = [
        make_observation(at=NOON + n * HOUR, **values) for n, values in sorted(seen.items())
    ]
    with session.begin_nested() as savepoint:
        store_observations(session, *observations)
        stored = fetch_days(session, add_product(session))
        kept = session.connection().exec_driver_sql(
            "SELECT captured_at, kind, flags, price, list_price, bsr, bsr_category_id, rating, "
            "ratings_count, availability, buy_box_seller FROM snapshot ORDER BY captured_at"
        )
        rows = [{"at": found.pop("captured_at"), **found} for found in map(dict, kept.mappings())]
        savepoint.rollback()
    computed = carry_days(frame_of(*rows), LOS_ANGELES)
    assert len(stored) == len(computed)
    for one, other in zip(stored, computed.to_dict("records"), strict=True):
        for name, value in other.items():
            if name == "day":
                assert one["day"] == value.date()
            elif name == "seller_close":
                assert one[name] == value
            elif np.isnan(value):
                assert one[name] is None, name
            else:
                assert one[name] == pytest.approx(value, rel=1e-6), name


def test_a_late_sample_recomputes_its_day_alone(session: Session) -> None:
    store_observations(
        session,
        make_observation(at=NOON, price=2000),
        make_observation(at=NOON + 2 * DAY, price=2200),
    )
    store_observations(session, make_observation(at=NOON + 2 * HOUR, price=1500))
    found = [(day["price_low"], day["looks"]) for day in fetch_days(session, add_product(session))]
    assert found == [(1500, 2), (2200, 1)]


def test_a_late_sample_ends_the_value_of_a_change(session: Session) -> None:
    store_observations(session, make_change(price=2000), make_change(at=NOON + 5 * DAY, price=2000))
    assert len(fetch_days(session, add_product(session))) == 6
    store_observations(session, make_observation(at=NOON + 2 * DAY, price=1500))
    found = {
        day["day"].day: day["price_close"] for day in fetch_days(session, add_product(session))
    }
    assert found == {2: 2000, 3: 2000, 4: 1500, 7: 2000}


def test_one_products_days_leave_anothers_alone(session: Session) -> None:
    store_observations(session, make_observation(KETTLE, price=9000))
    store_observations(session, make_observation(LAMP, price=1000))
    assert fetch_days(session, add_product(session, KETTLE))[0]["price_close"] == 9000
