"""What storing observations does to snapshots, days, newest values and listings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.history.ingest.quality_gate import PRICE_FLAGS
from core.history.observation import (
    Availability,
    CategoryRank,
    Confirmed,
    Flag,
    Kind,
    Listing,
    Seen,
    Source,
)
from tests.factories.observations import (
    NOON,
    NOW,
    make_change,
    make_observation,
    make_price_observation,
    store_observation,
    store_observations,
)
from tests.factories.products import KETTLE, LAMP, add_product, make_listing
from tests.factories.tables import (
    fetch_change,
    fetch_days,
    fetch_latest,
    fetch_row,
    fetch_rows,
    fetch_snapshots,
)
from tests.hypothesis_runs import examples

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_an_observation_stored_twice_is_stored_once(session: Session) -> None:
    first = store_observations(session, make_observation())
    version = fetch_latest(session, add_product(session))["data_version"]
    again = store_observations(session, make_observation(price=9900))
    assert (first.stored, first.known) == (1, 0)
    assert (again.stored, again.known) == (0, 1)
    (kept,) = fetch_snapshots(session, add_product(session))
    assert kept["price"] == 2000
    assert fetch_latest(session, add_product(session))["price"] == 2000
    assert fetch_latest(session, add_product(session))["data_version"] >= version


def test_an_observation_twice_in_one_batch_counts_once(session: Session) -> None:
    result = store_observations(session, make_observation(), make_observation())
    assert (result.stored, result.known, len(result.new_keys)) == (1, 1, 1)


def test_counts_add_up_to_the_size_of_the_batch(session: Session) -> None:
    store_observations(session, make_observation())
    result = store_observations(
        session,
        make_observation(),
        make_observation(at=NOON + HOUR),
        make_observation(at=NOON + HOUR),
        make_observation(KETTLE, at=NOW + DAY),
        make_observation(KETTLE, ranks=(CategoryRank("Lamps", 2**31),)),
    )
    assert (result.stored, result.known, len(result.refused)) == (1, 2, 2)


def test_two_sources_at_the_same_time_are_two_snapshots(session: Session) -> None:
    store_observations(
        session, make_observation(), make_observation(source=Source.JUNGLEE, price=2100)
    )
    found = [
        (kept["source"], kept["price"]) for kept in fetch_snapshots(session, add_product(session))
    ]
    assert found == [(1, 2000), (2, 2100)]


def test_observations_of_a_batch_are_processed_by_their_times(session: Session) -> None:
    store_observations(
        session, make_observation(at=NOON + HOUR, price=2200), make_observation(price=2000)
    )
    newest = fetch_latest(session, add_product(session))
    assert (newest["price"], newest["captured_at"]) == (2200, NOON + HOUR)
    (day,) = fetch_days(session, add_product(session))
    assert (day["price_open"], day["price_close"]) == (2000, 2200)


def test_a_late_observation_does_not_change_the_newest_values(session: Session) -> None:
    store_observations(
        session, make_observation(at=NOON + DAY, price=2200, listing=make_listing("New title"))
    )
    before = fetch_latest(session, add_product(session))
    store_observations(
        session, make_observation(price=1900, rank=90, listing=make_listing("Old title"))
    )
    after = fetch_latest(session, add_product(session))
    same = before.keys() - {"data_version"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["data_version"] > before["data_version"]
    assert [day["price_close"] for day in fetch_days(session, add_product(session))] == [1900, 2200]
    searched = fetch_row(session, "SELECT title FROM product_text")
    assert searched["title"] == "New title"


def test_a_late_observation_joins_the_existing_days(session: Session) -> None:
    store_observations(
        session,
        make_observation(at=NOON, price=2000),
        make_observation(at=NOON + 2 * HOUR, price=2200),
    )
    store_observations(session, make_observation(at=NOON + HOUR, price=2500))
    (day,) = fetch_days(session, add_product(session))
    shown = (day["price_open"], day["price_high"], day["price_close"], day["looks"])
    assert shown == (2000, 2500, 2200, 3)


def test_a_late_listing_between_two_observations_does_not_become_current(
    session: Session,
) -> None:
    store_observations(session, make_observation(listing=make_listing("Current")))
    store_observations(
        session, make_observation(at=NOON + 2 * DAY, listing=make_listing("Current"))
    )
    store_observations(
        session, make_observation(at=NOON + DAY, listing=make_listing("A day's trial"))
    )
    assert fetch_row(session, "SELECT title FROM product_text")["title"] == "Current"
    newest = fetch_latest(session, add_product(session))
    assert newest["listing_changed_at"] is None


def test_an_observation_with_another_listing_is_a_change(session: Session) -> None:
    store_observation(session, NOON, listing=make_listing("Lamp"))
    brass = make_listing("Lamp, now in brass")
    store_observation(session, NOON + DAY, listing=brass)
    assert fetch_latest(session, add_product(session))["listing_changed_at"] == NOON + DAY
    assert fetch_change(session, add_product(session))["attention_kind"] == "listing_changed"
    store_observation(session, NOON + DAY + HOUR, listing=brass)
    assert fetch_change(session, add_product(session))["attention_kind"] == "listing_changed"
    store_observation(session, NOON + 2 * DAY, listing=brass)
    assert fetch_change(session, add_product(session))["attention_kind"] is None


def test_a_listing_changes_on_its_marketplaces_day(session: Session) -> None:
    # 23:00 of 1 March in UTC is 08:00 of 2 March in Tokyo.
    early = NOON.replace(hour=23) - DAY
    store_observation(session, early - DAY, marketplace="JP", listing=make_listing("Lamp"))
    store_observation(session, early, marketplace="JP", listing=make_listing("Brass lamp"))
    kept = fetch_change(session, add_product(session, marketplace="JP"))
    assert (kept["day"].day, kept["attention_kind"]) == (2, "listing_changed")


def test_the_first_listing_that_is_seen_is_no_change(session: Session) -> None:
    store_observation(session, NOON)
    store_observation(session, NOON + DAY, listing=make_listing("Lamp"))
    assert fetch_latest(session, add_product(session))["listing_changed_at"] is None
    assert fetch_change(session, add_product(session))["attention_kind"] is None


def test_a_source_that_reports_no_rank_keeps_the_older_rank(session: Session) -> None:
    store_observations(
        session, make_observation(rank=500), make_price_observation(at=NOON + HOUR, price=2100)
    )
    newest = fetch_latest(session, add_product(session))
    assert (newest["bsr"], newest["bsr_at"]) == (500, NOON)
    assert (newest["price"], newest["price_at"]) == (2100, NOON + HOUR)


def test_a_rank_that_is_reported_as_none_is_unknown(session: Session) -> None:
    store_observations(
        session, make_observation(rank=500), make_observation(at=NOON + HOUR, rank=None)
    )
    newest = fetch_latest(session, add_product(session))
    assert (newest["bsr"], newest["bsr_category_id"], newest["bsr_at"]) == (
        None,
        None,
        NOON + HOUR,
    )


def test_a_price_a_hundred_times_too_high_is_stored_as_flagged_and_changes_nothing(
    session: Session,
) -> None:
    store_observations(session, make_observation())
    store_observations(session, make_observation(at=NOON + HOUR, price=200_000))
    assert fetch_snapshots(session, add_product(session))[-1]["flags"] == Flag.PRICE_JUMP
    newest = fetch_latest(session, add_product(session))
    assert (newest["price"], newest["price_at"]) == (2000, NOON)
    (day,) = fetch_days(session, add_product(session))
    assert (day["price_high"], day["looks"]) == (2000, 2)


def test_a_second_observation_confirms_a_flagged_value_and_corrects_its_day(
    session: Session,
) -> None:
    store_observations(session, make_observation())
    store_observations(session, make_observation(at=NOON + DAY, price=200_000))
    store_observations(session, make_observation(at=NOON + 2 * DAY, price=199_900))
    flags = [kept["flags"] for kept in fetch_snapshots(session, add_product(session))]
    assert flags == [0, Confirmed.PRICE, 0]
    assert [day["price_close"] for day in fetch_days(session, add_product(session))] == [
        2000,
        200_000,
        199_900,
    ]
    newest = fetch_latest(session, add_product(session))
    assert (newest["price"], newest["pending"]) == (199_900, None)


def test_a_confirmed_value_of_a_change_series_corrects_its_carried_days(session: Session) -> None:
    store_observations(session, make_change(price=2000))
    store_observations(session, make_change(at=NOON + 2 * DAY, price=200_000))
    store_observations(session, make_change(at=NOON + 5 * DAY, price=200_000, rank=400))
    opened = [
        (day["price_open"], day["price_close"]) for day in fetch_days(session, add_product(session))
    ]
    assert opened == [
        (2000, 2000),
        (2000, 2000),
        (2000, 200_000),
        (200_000, 200_000),
        (200_000, 200_000),
        (200_000, 200_000),
    ]


def test_an_observation_that_contradicts_a_flagged_value_leaves_it_flagged(
    session: Session,
) -> None:
    store_observations(session, make_observation())
    store_observations(session, make_observation(at=NOON + HOUR, price=200_000))
    store_observations(session, make_observation(at=NOON + 2 * HOUR, price=2010))
    store_observations(session, make_observation(at=NOON + 3 * HOUR, price=200_000))
    flags = [kept["flags"] for kept in fetch_snapshots(session, add_product(session))]
    assert flags == [0, Flag.PRICE_JUMP, 0, Flag.PRICE_JUMP]


def test_late_observations_do_not_change_what_new_ones_are_compared_with(
    session: Session,
) -> None:
    store_observations(
        session, make_observation(price=100), make_observation(at=NOON + 3 * DAY, price=1500)
    )
    store_observations(
        session,
        make_observation(at=NOON + HOUR, price=110),
        make_observation(at=NOON + 4 * DAY, price=3000),
    )
    assert [kept["flags"] for kept in fetch_snapshots(session, add_product(session))] == [
        0,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("absences", [1, 3])
def test_a_price_that_returns_is_compared_with_the_one_before_it_was_absent(
    session: Session, absences: int
) -> None:
    store_observations(session, make_observation())
    for hours in range(1, absences + 1):
        store_observations(
            session, make_observation(at=NOON + hours * HOUR, price=None, price_basis=None)
        )
    store_observations(session, make_observation(at=NOON + 5 * HOUR, price=200_000))
    assert fetch_snapshots(session, add_product(session))[-1]["flags"] == Flag.PRICE_JUMP
    assert fetch_latest(session, add_product(session))["price"] is None
    store_observations(session, make_observation(at=NOON + 6 * HOUR, price=2100))
    assert fetch_latest(session, add_product(session))["price"] == 2100


def test_a_ratings_count_that_returns_is_compared_with_the_one_before(session: Session) -> None:
    store_observations(session, make_observation())
    store_observations(session, make_observation(at=NOON + HOUR, ratings_count=None))
    store_observations(session, make_observation(at=NOON + 2 * HOUR, ratings_count=100))
    assert fetch_snapshots(session, add_product(session))[-1]["flags"] == Flag.RATINGS_COLLAPSED


def test_a_price_of_zero_is_unknown_and_flagged(session: Session) -> None:
    store_observations(session, make_observation(), make_observation(at=NOON + HOUR, price=0))
    kept = fetch_snapshots(session, add_product(session))[-1]
    assert (kept["price"], kept["flags"]) == (None, Flag.PRICE_ZERO)
    assert fetch_latest(session, add_product(session))["price"] == 2000


def test_a_text_that_could_not_be_read_is_stored_with_its_field(session: Session) -> None:
    store_observations(
        session, make_observation(ranks=(), seen=Seen.PRICE, unreadable={Seen.BSR: "Pozycja ??"})
    )
    store_observations(session, make_observation(at=NOON + HOUR))
    first, second = fetch_snapshots(session, add_product(session))
    assert (first["bsr"], first["unreadable"]) == (None, {"bsr": "Pozycja ??"})
    assert second["unreadable"] is None
    assert fetch_latest(session, add_product(session))["unreadable"] is None


def test_an_amount_in_another_currency_is_kept_as_observed_and_not_compared(
    session: Session,
) -> None:
    store_observations(
        session, make_observation(), make_observation(at=NOON + HOUR, currency="EUR", price=1800)
    )
    kept = fetch_snapshots(session, add_product(session))[-1]
    assert (kept["currency"], kept["price"], kept["flags"]) == (
        "EUR",
        1800,
        Flag.CURRENCY_MISMATCH,
    )
    assert fetch_latest(session, add_product(session))["price"] == 2000


def test_an_observation_from_the_future_is_refused_with_a_reason(session: Session) -> None:
    result = store_observations(session, make_observation(at=NOW + DAY))
    assert result.stored == 0
    assert "future" in result.refused[0][1]
    assert fetch_snapshots(session, add_product(session)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"ranks": (CategoryRank("Lamps", 2**31),)},
        {"ranks": (CategoryRank("Lamps", 1), CategoryRank("Desk lamps", 2**40))},
        {"ranks": tuple(CategoryRank(f"Lamps {n}", 2**40) for n in range(4))},
        {"ratings_count": 2**31},
        {"reviews_count": 2**63},
        {"stock_left": 2**31},
        {"offers_new": -(2**40)},
        {"offers_used": 2**31},
        {"coupon_percent": 2**15},
        {"rating": 2**15},
        {"price": 2**63},
        {"list_price": 2**80},
        {"buy_box_price": -(2**70)},
        {"buy_box_shipping": 2**63},
        {"amazon_price": 2**63},
        {"new_price": 2**63},
        {"new_fba_price": 2**63},
        {"used_price": 2**63},
        {"deal_price": 2**63},
        {"coupon_amount": 2**63},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_number_without_room_is_refused_and_the_rest_of_the_batch_is_stored(
    session: Session, values: dict[str, object]
) -> None:
    result = store_observations(session, make_observation(**values), make_observation(KETTLE))
    assert (result.stored, len(result.refused)) == (1, 1)
    assert "number" in result.refused[0][1]


def test_the_largest_numbers_with_room_are_stored(session: Session) -> None:
    most = 2**31 - 1
    result = store_observations(
        session,
        make_observation(price=2**53, ranks=(CategoryRank("Lamps", most),), ratings_count=most),
        make_observation(at=NOON + HOUR, price=2**53, ranks=(), ratings_count=most, rating=32767),
    )
    assert result.stored == 2
    assert fetch_days(session, add_product(session))[0]["bsr_worst"] == most


def test_a_listing_that_stays_the_same_has_one_version(session: Session) -> None:
    for hour in range(3):
        store_observations(session, make_observation(at=NOON + hour * HOUR, listing=make_listing()))
    assert fetch_row(session, "SELECT count(*) AS n FROM listing_version")["n"] == 1


def test_a_listing_that_changes_and_changes_back_has_three_versions(session: Session) -> None:
    for hour, title in enumerate(("One", "Two", "One")):
        store_observations(
            session, make_observation(at=NOON + hour * HOUR, listing=make_listing(title))
        )
    kept = fetch_rows(
        session, "SELECT title, first_seen_at, last_seen_at FROM listing_version ORDER BY 2"
    )
    assert [version["title"] for version in kept] == ["One", "Two", "One"]
    assert [version["last_seen_at"] for version in kept] == [
        NOON + HOUR,
        NOON + 2 * HOUR,
        NOON + 2 * HOUR,
    ]


def test_another_sources_partial_listing_does_not_empty_the_listing(session: Session) -> None:
    store_observations(session, make_observation(listing=make_listing()))
    partial = Listing(title="Reading lamp with a long neck", brand="Lumo")
    store_observations(
        session, make_observation(at=NOON + HOUR, source=Source.JUNGLEE, listing=partial)
    )
    store_observations(session, make_observation(at=NOON + 2 * HOUR, listing=make_listing()))
    assert fetch_row(session, "SELECT count(*) AS n FROM listing_version")["n"] == 1
    assert fetch_row(session, "SELECT image FROM product_text")["image"] is not None


def test_another_sources_new_title_is_a_version_with_the_other_known_parts(
    session: Session,
) -> None:
    store_observations(session, make_observation(listing=make_listing()))
    store_observations(
        session,
        make_observation(at=NOON + HOUR, source=Source.JUNGLEE, listing=Listing(title="Bright")),
    )
    newest = fetch_row(
        session, "SELECT title, bullets FROM listing_version ORDER BY first_seen_at DESC LIMIT 1"
    )
    assert newest == {"title": "Bright", "bullets": ["Bends", "Shines"]}


def test_every_rank_of_an_observation_is_stored(session: Session) -> None:
    ranks = tuple(CategoryRank(f"Category {n}", 10 * n + 1) for n in range(5))
    store_observations(session, make_observation(ranks=ranks))
    (kept,) = fetch_snapshots(session, add_product(session))
    assert (kept["bsr"], kept["sub_rank"]) == (1, 11)
    further = fetch_rows(session, "SELECT rank FROM snapshot_rank ORDER BY rank")
    assert [found["rank"] for found in further] == [21, 31, 41]


def test_a_change_holds_over_the_days_until_the_next_one_in_another_batch(
    session: Session,
) -> None:
    store_observations(session, make_change(price=2000))
    store_observations(session, make_change(at=NOON + 4 * DAY, price=2500))
    found = [
        (day["price_close"], day["looks"]) for day in fetch_days(session, add_product(session))
    ]
    assert found == [(2000, 1), (2000, 0), (2000, 0), (2000, 0), (2500, 1)]


def test_a_late_change_holds_until_the_observation_stored_before(session: Session) -> None:
    store_observations(session, make_change(at=NOON + 4 * DAY, price=2500))
    store_observations(session, make_change(price=2000))
    found = [
        (day["price_open"], day["price_close"]) for day in fetch_days(session, add_product(session))
    ]
    assert found == [(2000, 2000)] * 4 + [(2000, 2500)]


def test_a_sample_after_a_change_series_ends_its_values(session: Session) -> None:
    store_observations(session, make_change(price=2000))
    store_observations(session, make_observation(at=NOON + 2 * DAY, price=2500))
    store_observations(session, make_observation(at=NOON + 2 * DAY + HOUR, price=2600))
    found = [
        (day["price_open"], day["price_close"]) for day in fetch_days(session, add_product(session))
    ]
    assert found == [(2000, 2000), (2000, 2000), (2000, 2600)]


def test_a_huge_batch_is_stored_whole(session: Session) -> None:
    observations = [
        make_observation(f"B0TEST{n:04d}", at=NOON + hour * HOUR)
        for n in range(500)
        for hour in range(4)
    ]
    result = store_observations(session, *observations)
    assert result.stored == 2000
    assert fetch_row(session, "SELECT count(*) AS n, sum(looks) AS looks FROM product_daily") == {
        "n": 500,
        "looks": 2000,
    }


def test_a_sealed_day_does_not_change(session: Session) -> None:
    store_observations(session, make_observation())
    session.execute(text("UPDATE product_daily SET is_sealed = true"))
    store_observations(session, make_observation(at=NOON + HOUR, price=2500))
    assert fetch_days(session, add_product(session))[0]["price_close"] == 2000


DAILY_VALUES = (
    "day",
    "price_open",
    "price_low",
    "price_high",
    "price_close",
    "bsr_open",
    "bsr_best",
    "bsr_worst",
    "bsr_close",
    "rating",
    "ratings_count",
    "in_stock_share",
    "looks",
)
some_observations = st.lists(
    st.builds(
        lambda hours, kind, price, rank, stock: make_observation(
            at=NOON + hours * HOUR,
            kind=kind,
            source=Source.KEEPA_API if kind is Kind.CHANGE else Source.AXESSO,
            price=price,
            rank=rank,
            availability=stock,
        ),
        st.integers(0, 200),
        st.sampled_from(Kind),
        st.none() | st.integers(1000, 3000),
        st.none() | st.integers(1, 900),
        st.sampled_from([None, Availability.IN_STOCK, Availability.UNAVAILABLE]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda observation: observation.captured_at,
)


@settings(max_examples=examples(15))
@given(observations=some_observations, data=st.data())
def test_days_do_not_depend_on_the_order_in_which_observations_arrive(
    session: Session, observations: list, data: st.DataObject
) -> None:
    with session.begin_nested() as savepoint:
        store_observations(
            session, *[replace(observation, asin=KETTLE) for observation in observations]
        )
        for observation in data.draw(st.permutations(observations)):
            store_observations(session, observation)
        at_once, one_by_one = (
            [
                tuple(day[name] for name in DAILY_VALUES)
                for day in fetch_days(session, add_product(session, asin))
            ]
            for asin in (KETTLE, LAMP)
        )
        savepoint.rollback()
    assert one_by_one == at_once


def test_newest_values_in_order_are_those_of_one_batch(session: Session) -> None:
    observations = [
        make_observation(at=NOON + n * HOUR, price=2000 + n, rank=500 + n) for n in range(30)
    ]
    store_observations(
        session, *[replace(observation, asin=KETTLE) for observation in observations]
    )
    for observation in observations:
        store_observations(session, observation)
    apart = {"product_id", "data_version"}
    one, other = (fetch_latest(session, add_product(session, asin)) for asin in (KETTLE, LAMP))
    assert {k: v for k, v in one.items() if k not in apart} == {
        k: v for k, v in other.items() if k not in apart
    }


def test_the_flags_of_prices_are_those_the_days_leave_out(session: Session) -> None:
    store_observations(session, make_observation(price=2000))
    old_page = {"availability": Availability.UNAVAILABLE, "buy_box_seller": "Dim Shop"}
    stale = make_observation(at=NOON + HOUR, price=1500, flags=Flag.STALE_VALUE, **old_page)
    store_observations(session, stale)
    (day,) = fetch_days(session, add_product(session))
    assert int(Flag.STALE_VALUE) & PRICE_FLAGS
    assert day["price_low"] == 2000
    assert day["availability_close"] == Availability.IN_STOCK
    assert (day["in_stock_share"], day["seller_close"]) == (1, "Bright Shop")


def test_times_in_another_zone_are_the_same_times(session: Session) -> None:
    store_observations(session, make_observation())
    tokyo = datetime.fromisoformat("2026-03-02T21:00:00+09:00")
    assert tokyo.astimezone(UTC) == NOON
    assert store_observations(session, make_observation(at=tokyo)).known == 1


def test_the_presence_mask_distinguishes_not_reported_from_none(session: Session) -> None:
    store_observations(
        session, make_price_observation(), make_observation(at=NOON + HOUR, rank=None)
    )
    first, second = fetch_snapshots(session, add_product(session))
    assert (first["bsr"], first["seen"] & Seen.BSR) == (None, 0)
    assert (second["bsr"], second["seen"] & Seen.BSR) == (None, Seen.BSR)


def test_a_change_that_held_for_long_is_the_newest_value_though_the_next_one_is_flagged(
    session: Session,
) -> None:
    held = make_observation(kind=Kind.CHANGE, price=1)
    store_observations(session, held)
    assert fetch_latest(session, add_product(session))["price"] is None
    store_observations(session, make_observation(at=NOON + 24 * HOUR, price=2000))
    latest = fetch_latest(session, add_product(session))
    assert (latest["price"], latest["price_at"]) == (1, NOON)
    assert latest["flags"] == Flag.PRICE_JUMP


# Any order of arrival


hours = st.integers(0, 60)
odd_observations = st.lists(
    st.builds(
        lambda at, kind, source, price, rank, category, count, flags: make_observation(
            at=NOON + at * HOUR,
            kind=kind,
            source=source,
            price=price,
            ranks=() if rank is None else (CategoryRank(category, rank),),
            ratings_count=count,
            flags=flags,
        ),
        hours,
        st.sampled_from(Kind),
        st.sampled_from([Source.AXESSO, Source.KEEPA_API]),
        st.sampled_from([None, 1, 2000, 2100, 200_000, 205_000]),
        st.sampled_from([None, 1, 2, 1264, 1270]),
        st.sampled_from(["Lamps", "Lamps", "Light"]),
        st.sampled_from([None, 135, 138, 4090, 4100]),
        st.sampled_from([Flag.NONE, Flag.NONE, Flag.STALE_VALUE]),
    ),
    min_size=2,
    max_size=9,
    unique_by=lambda observation: (observation.captured_at, observation.source),
)
BY_ORDER = (
    "flags", "price", "bsr", "bsr_category_id", "ratings_count", "price_at", "bsr_at",
)  # fmt: skip


@settings(max_examples=examples(12))
@given(observations=odd_observations, data=st.data())
def test_flags_do_not_depend_on_the_order_in_which_observations_arrive(
    session: Session, observations: list, data: st.DataObject
) -> None:
    arrivals = data.draw(st.permutations(observations))
    cut = data.draw(st.integers(0, len(observations)))
    with session.begin_nested() as savepoint:
        store_observations(
            session, *[replace(observation, asin=KETTLE) for observation in observations]
        )
        store_observations(session, *arrivals[:cut])
        for observation in arrivals[cut:]:
            store_observations(session, observation)
        in_order, as_it_came = (add_product(session, asin) for asin in (KETTLE, LAMP))
        expected, found = (
            [kept["flags"] for kept in fetch_snapshots(session, number)]
            for number in (in_order, as_it_came)
        )
        newest = [
            {name: fetch_latest(session, number)[name] for name in BY_ORDER}
            for number in (in_order, as_it_came)
        ]
        waiting = [
            sorted(fetch_latest(session, number)["pending"] or [], key=str)
            for number in (in_order, as_it_came)
        ]
        by_day = [
            [tuple(day[name] for name in DAILY_VALUES) for day in fetch_days(session, number)]
            for number in (in_order, as_it_came)
        ]
        savepoint.rollback()
    assert found == expected
    assert newest[1] == newest[0]
    assert waiting[1] == waiting[0]
    assert by_day[1] == by_day[0]


COUNTS = (52, 52, 1900, 50, 52)  # by day: merged with another listing for a night


@pytest.mark.parametrize(
    "order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (0, 1, 3, 4, 2), (2, 3, 4, 0, 1)]
)
def test_a_count_that_was_wrong_for_a_day_loses_no_ratings_in_any_order(
    session: Session, order: tuple[int, ...]
) -> None:
    for day in order:
        store_observations(
            session,
            make_observation(at=NOON + day * DAY, ratings_count=COUNTS[day]),
            now=NOON + 4 * DAY + HOUR,
        )
    flags = [kept["flags"] for kept in fetch_snapshots(session, add_product(session))]
    assert flags == [0, 0, Flag.RATINGS_JUMPED, 0, 0]
    assert fetch_latest(session, add_product(session))["ratings_count"] == 52
    kept = fetch_change(session, add_product(session))
    assert (kept["day_ratings_count"], kept["attention_kind"]) == (50, None)
    assert [day["ratings_count"] for day in fetch_days(session, add_product(session))] == [
        52,
        52,
        None,
        50,
        52,
    ]
