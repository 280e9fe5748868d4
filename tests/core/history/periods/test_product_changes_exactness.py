"""Kept changes are those that the snapshots give, whatever was stored in which order."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from math import log
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.history.accepted_values import AcceptedValues
from core.history.ingest.quality_gate import COUNT_FLAGS, PRICE_FLAGS, RANK_FLAGS, RATING_FLAGS
from core.history.observation import Availability, Kind, Observation, Seen
from core.history.periods.change_detection import find_change, make_change_rule
from core.history.periods.change_period import ChangePeriod
from core.thresholds import USUAL_THRESHOLDS
from tests.core.history.periods.test_roll import roll_all
from tests.factories.observations import (
    EVERYTHING,
    make_change,
    make_observation,
    make_ranks,
    store_observations,
)
from tests.factories.products import add_product
from tests.factories.tables import fetch_change, fetch_snapshots
from tests.hypothesis_runs import examples

ZONES = {"US": ZoneInfo("America/Los_Angeles"), "DE": ZoneInfo("Europe/Berlin")}
# Clocks change in the US on 8 March and in Germany on 29 March.
START = datetime(2026, 3, 1, 3, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


WITHOUT_BUY_BOX = (Availability.NO_OFFERS, Availability.GONE)


class Day(NamedTuple):
    """A product's accepted values at the close of a day. The rank is with its category."""

    price: int | None = None
    rank: tuple[int, int] | None = None
    rating: int | None = None
    ratings_count: int | None = None
    availability: int | None = None
    seller: str | None = None


def accepted(row: dict[str, Any]) -> Day:
    """Return a snapshot's values without the flagged ones."""
    flags = row["flags"]
    rank = None if row["bsr"] is None else (row["bsr"], row["bsr_category_id"])
    return Day(
        None if flags & PRICE_FLAGS else row["price"],
        None if flags & RANK_FLAGS else rank,
        None if flags & RATING_FLAGS else row["rating"],
        None if flags & COUNT_FLAGS else row["ratings_count"],
        row["availability"],
        row["buy_box_seller"],
    )


def newer(older: Day, newest: Day) -> Day:
    """Return the values of both, of each the newest that is known."""
    return Day(*(old if new is None else new for old, new in zip(older, newest, strict=True)))


def make_days(rows: Sequence[dict[str, Any]], zone: ZoneInfo) -> dict[date, Day]:
    """Return the close of each day. A row of a series of changes holds until the next row."""
    days: dict[date, Day] = {}
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        day = row["captured_at"].astimezone(zone).date()
        days[day] = newer(days.get(day, Day()), accepted(row))
        if following is not None and row["kind"] == Kind.CHANGE:
            last = following["captured_at"].astimezone(zone).date()
            while day < last:
                day += DAY
                days[day] = accepted(row)
    return days


def close_of(days: dict[date, Day], day: date) -> Day:
    """Return what was known at the close of a day, of that day and the seven before it."""
    found = Day()
    for back in range(7, -1, -1):
        found = newer(found, days.get(day - back * DAY, Day()))
    return found


Row = dict[str, Any]


def newest_value(rows: Sequence[Row], seen: Seen, name: str, flags: int) -> tuple[Any, Row | None]:
    """Return the newest accepted value that was reported, which may be none, and its row.

    A rating and the count of ratings are observed together, also if one of them is flagged.
    """
    found = [row for row in rows if row["seen"] & seen and not row["flags"] & flags]
    value = accepted(found[-1])._asdict()[name] if found else None
    if name in ("rating", "ratings_count"):
        return value, rows[-1]
    return value, found[-1] if found else None


NEWEST = {
    "price": (Seen.PRICE, PRICE_FLAGS),
    "rank": (Seen.BSR, RANK_FLAGS),
    "rating": (Seen.RATING, RATING_FLAGS),
    "ratings_count": (Seen.RATINGS_COUNT, COUNT_FLAGS),
    "availability": (Seen.AVAILABILITY, 0),
    "seller": (Seen.SELLER, 0),
}


def expected(rows: Sequence[Row], zone: ZoneInfo, today: date) -> dict[str, Any]:
    """Return a row of `product_change` for these snapshots on a day."""
    days = make_days(rows, zone)
    now = {name: newest_value(rows, seen, name, flags) for name, (seen, flags) in NEWEST.items()}
    found: dict[str, Any] = {"day": today}
    for period in ChangePeriod:
        base_day = today - period.days * DAY
        base = close_of(days, base_day)
        rank, category = base.rank or (None, None)
        found |= {f"{period}_{name}": value for name, value in base._asdict().items()}
        found |= {f"{period}_bsr": rank, f"{period}_bsr_category_id": category}
        del found[f"{period}_rank"]

        def compare(
            name: str,
            change: Callable[[Any, Any], Any],
            base: Day = base,
            base_day: date = base_day,
        ) -> Any:
            value, row = now[name]
            before = getattr(base, name)
            if row is None or value is None or before is None:
                return None
            if now["availability"][0] == Availability.GONE:
                return None
            is_since = row["captured_at"].astimezone(zone).date() > base_day
            return change(before, value) if is_since else None

        found[f"{period}_price_change"] = compare("price", lambda a, b: (b - a) / a)
        found[f"{period}_rank_change"] = compare(
            "rank", lambda a, b: log(b[0] / a[0]) if a[1] == b[1] else None
        )
        found[f"{period}_rating_change"] = compare("rating", lambda a, b: b - a)
        found[f"{period}_ratings_change"] = compare("ratings_count", lambda a, b: b - a)
        found[f"{period}_seller_changed"] = compare("seller", lambda a, b: a != b)
    seller = now["seller"][0]
    closed = [days[day] for back in range(1, 31) if (day := today - back * DAY) in days]
    known = [day.seller for day in closed if day.seller or day.availability in WITHOUT_BUY_BOX]
    holder = None if now["availability"][0] == Availability.GONE else seller
    found["seller_share"] = known.count(holder) / len(known) if holder and known else None
    found["share_seller"] = holder
    found["attention_kind"], found["attention"] = None, 0.0
    if rows[-1]["captured_at"].astimezone(zone).date() == today:
        rule = make_change_rule(USUAL_THRESHOLDS)
        kind, score = find_change(values_of(close_of(days, today - DAY)), current(now), False, rule)
        found["attention_kind"], found["attention"] = kind and kind.value, score
    return found


def values_of(day: Day) -> AcceptedValues:
    rank, category = day.rank or (None, None)
    return AcceptedValues(
        day.price, rank, category, day.rating, day.ratings_count, day.availability, day.seller
    )


def current(now: dict[str, tuple[Any, Row | None]]) -> AcceptedValues:
    return values_of(Day(**{name: value for name, (value, _) in now.items()}))


RANKS = [
    {"ranks": ()},
    make_ranks("Lamps", 500),
    make_ranks("Lamps", 900),
    make_ranks("Desks", 5),
]


@st.composite
def observations(draw: st.DrawFn, marketplace: str) -> list[Observation]:
    """Return a product's observations in random order, one an hour at most."""
    hours = draw(st.lists(st.integers(0, 45 * 24), min_size=2, max_size=14, unique=True))
    return [
        draw(st.sampled_from([make_observation, make_observation, make_change]))(
            at=START + hour * HOUR,
            marketplace=marketplace,
            # A jump is flagged until a second observation confirms it.
            price=draw(st.sampled_from([None, 2000, 2100, 250_000])),
            **draw(st.sampled_from(RANKS)),
            rating=draw(st.sampled_from([None, 43, 45])),
            ratings_count=draw(st.sampled_from([None, 1000, 1010, 40])),
            availability=draw(
                st.sampled_from([Availability.IN_STOCK, *WITHOUT_BUY_BOX]),
            ),
            buy_box_seller=draw(st.sampled_from([None, "Bright Shop", "Other"])),
            seen=EVERYTHING,
        )
        for hour in hours
    ]


CASES = st.sampled_from(sorted(ZONES)).flatmap(
    lambda code: st.tuples(
        st.just(code),
        observations(code),
        st.lists(st.integers(1, 5), min_size=1, max_size=4),  # sizes of batches
        st.lists(st.integers(1, 9 * 24), min_size=1, max_size=4),  # hours between rolls
    )
)


@settings(max_examples=examples(15), phases=[Phase.explicit, Phase.generate])
@given(CASES)
def test_kept_changes_are_those_of_the_snapshots(
    session: Session, case: tuple[str, list[Observation], list[int], list[int]]
) -> None:
    marketplace, seen, sizes, steps = case
    zone = ZONES[marketplace]
    now = START
    with session.begin_nested() as savepoint:
        while seen:
            size, step = sizes[len(seen) % len(sizes)], steps[len(seen) % len(steps)]
            batch, seen = seen[:size], seen[size:]
            now = max(now + step * HOUR, *(each.captured_at + HOUR for each in batch))
            if step % 2:
                roll_all(session, now)
            store_observations(session, *batch, now=now)
            check(session, marketplace, zone, now)
            now += step * HOUR
            roll_all(session, now)
            check(session, marketplace, zone, now)
        savepoint.rollback()


def check(session: Session, marketplace: str, zone: ZoneInfo, now: datetime) -> None:
    """Compare what is kept with what the snapshots give."""
    product_id = add_product(session, marketplace=marketplace)
    rows = fetch_snapshots(session, product_id)
    kept = fetch_change(session, product_id)
    for name, value in expected(rows, zone, now.astimezone(zone).date()).items():
        if isinstance(value, float):
            assert kept[name] == pytest.approx(value, rel=1e-5, abs=1e-6), name
        else:
            assert kept[name] == value, name
