"""Reads the accepted values of stored snapshots and listing versions. Never commits.

A value is accepted where its source reports it and no flag concerns it. What was reported and not
there has no value here: it neither opens nor ends an incident. Of a deal and a coupon, that is 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.alerts.evaluation.fold import Measured, Reading
from core.alerts.evaluation.series import SELLER_ID, SELLER_NAME, ReadingPlan, Series
from core.alerts.rules.rule import Subject
from core.catalog.models import Category
from core.database.bulk_write import execute_with_arrays
from core.history.ingest.quality_gate import (
    COUNT_FLAGS,
    LIST_PRICE_FLAGS,
    PRICE_FLAGS,
    RANK_FLAGS,
    RATING_FLAGS,
    STALE_FLAGS,
)
from core.history.observation import Flag, Seen

_TICK: Final = timedelta(microseconds=1)
_AMOUNT_FLAGS: Final = PRICE_FLAGS | int(Flag.AMOUNTS_DISAGREE)


class Span(NamedTuple):
    """The time of a product to read: from `since` on, up to `until`, both included."""

    product_id: int
    since: datetime
    until: datetime | None = None  # None: all there is


@dataclass(slots=True)
class Observed:
    """The accepted values of one second, over all sources; of two for a series, the later."""

    at: datetime  # the second
    values: dict[str, Measured]  # by the keys of their series
    fetch_run_id: int | None
    is_imported: bool  # nothing of it was fetched
    # Values with figures of the days before, by key and number of days.
    figures: dict[tuple[str, int], Measured] = field(default_factory=dict)


class _Source(NamedTuple):
    """Where a snapshot has a subject's value."""

    column: str
    seen: Seen
    flags: int  # with one of these it is not accepted
    none_is_zero: bool = False


_SOURCES: Final[Mapping[Subject, _Source]] = {
    Subject.PRICE: _Source("price", Seen.PRICE, PRICE_FLAGS),
    Subject.LIST_PRICE: _Source("list_price", Seen.LIST_PRICE, PRICE_FLAGS | LIST_PRICE_FLAGS),
    Subject.BUY_BOX_PRICE: _Source("buy_box_price", Seen.BUY_BOX, _AMOUNT_FLAGS),
    Subject.AMAZON_PRICE: _Source("amazon_price", Seen.AMAZON_PRICE, _AMOUNT_FLAGS),
    Subject.NEW_PRICE: _Source("new_price", Seen.NEW_PRICE, _AMOUNT_FLAGS),
    Subject.NEW_FBA_PRICE: _Source("new_fba_price", Seen.NEW_FBA_PRICE, _AMOUNT_FLAGS),
    Subject.USED_PRICE: _Source("used_price", Seen.USED_PRICE, _AMOUNT_FLAGS),
    Subject.DEAL_PRICE: _Source("deal_price", Seen.DEAL, _AMOUNT_FLAGS, none_is_zero=True),
    Subject.COUPON_AMOUNT: _Source("coupon_amount", Seen.COUPON, _AMOUNT_FLAGS, none_is_zero=True),
    Subject.COUPON_PERCENT: _Source("coupon_percent", Seen.COUPON, 0, none_is_zero=True),
    Subject.RANK: _Source("bsr", Seen.BSR, RANK_FLAGS),
    Subject.RATING: _Source("rating", Seen.RATING, RATING_FLAGS),
    Subject.RATINGS_COUNT: _Source("ratings_count", Seen.RATINGS_COUNT, COUNT_FLAGS),
    Subject.STOCK_LEFT: _Source("stock_left", Seen.STOCK_LEFT, STALE_FLAGS),
    Subject.OFFERS_NEW: _Source("offers_new", Seen.OFFERS_NEW, 0),
    Subject.OFFERS_USED: _Source("offers_used", Seen.OFFERS_USED, 0),
    Subject.AVAILABILITY: _Source("availability", Seen.AVAILABILITY, STALE_FLAGS),
    Subject.SELLER: _Source("buy_box_seller", Seen.SELLER, STALE_FLAGS),
}


class _Column(NamedTuple):
    """A series as SQL on `snapshot AS s`: its value, and what it is comparable within."""

    key: str
    value: str
    scope: str  # "NULL": comparable with all others


_IS_SELLER_REPORTED: Final = f"s.seen & {int(Seen.SELLER)} <> 0"
_SELLER_COLUMNS: Final = [
    _Column(key, f"CASE WHEN {_IS_SELLER_REPORTED} THEN s.{column} END", "NULL")
    for key, column in ((SELLER_ID, "buy_box_seller_id"), (SELLER_NAME, "buy_box_seller"))
]


def _column(series: Series, categories: Mapping[str, Sequence[int]]) -> _Column:
    source = _SOURCES[series.subject]
    is_reported = f"s.seen & {int(source.seen)} <> 0"
    accepted = f"{is_reported} AND s.flags & {source.flags} = 0" if source.flags else is_reported
    value = f"COALESCE(s.{source.column}, 0)" if source.none_is_zero else f"s.{source.column}"
    if series.subject is Subject.SELLER:  # an id says nothing of a name
        value = "COALESCE(s.buy_box_seller_id, s.buy_box_seller)"
        scope = "CASE WHEN s.buy_box_seller_id IS NULL THEN 0 ELSE 1 END"
        return _Column(series.key, f"CASE WHEN {accepted} THEN {value} END", scope)
    if series.subject is not Subject.RANK:
        return _Column(series.key, f"CASE WHEN {accepted} THEN {value} END", "NULL")
    if series.category is None:
        return _Column(series.key, f"CASE WHEN {accepted} THEN {value} END", "s.bsr_category_id")
    ids = ",".join(map(str, categories.get(series.category, ()))) or "-1"
    further = (
        "(SELECT r.rank FROM snapshot_rank AS r WHERE r.product_id = s.product_id AND "
        f"r.captured_at = s.captured_at AND r.source = s.source AND r.category_id IN ({ids}) "
        "LIMIT 1)"
    )
    value = (
        f"CASE WHEN NOT ({is_reported}) THEN NULL "
        f"WHEN s.bsr_category_id IN ({ids}) THEN CASE WHEN {accepted} THEN s.bsr END "
        f"WHEN s.sub_category_id IN ({ids}) THEN s.sub_rank ELSE {further} END"
    )
    return _Column(series.key, value, "NULL")


def _list_columns(session: Session, plan: ReadingPlan) -> list[_Column]:
    names = {each.category for each in plan.of_snapshots if each.category is not None}
    categories: dict[str, list[int]] = {}
    if names:
        found = session.execute(
            select(Category.name, Category.id).where(Category.name.in_(sorted(names)))
        )
        for name, number in found:
            categories.setdefault(name, []).append(number)
    columns = [_column(each, categories) for each in plan.of_snapshots]
    return columns + _SELLER_COLUMNS if plan.needs_seller else columns


# New values


def read_observed(
    session: Session, spans: Sequence[Span], plan: ReadingPlan
) -> dict[int, list[Observed]]:
    """Return what was observed of each product in its time, by second, oldest first."""
    found: dict[int, list[Observed]] = {}
    for number, rows in _read_snapshots(session, spans, plan):
        found.setdefault(number, []).extend(rows)
    if plan.of_listings:
        _add_listings(session, spans, plan, found)
    return found


# The bound is in the text, so that the plan opens only the partitions it needs.
_FROM_SPANS: Final = """
FROM unnest(%s::int8[], %s::timestamptz[], %s::timestamptz[]) AS w (id, since, until)
JOIN snapshot AS s ON s.product_id = w.id AND s.captured_at >= w.since
    AND s.captured_at <= COALESCE(w.until, 'infinity')
WHERE s.captured_at >= '{first}' AND {wanted}
ORDER BY s.product_id, s.captured_at, s.source
"""


def read_series(
    session: Session, spans: Sequence[Span], series: Series
) -> dict[int, list[Reading]]:
    """Return the readings of one series of snapshots, by product, oldest first.

    They are those of `read_observed`, in a third of its time.
    """
    [column] = _list_columns(session, ReadingPlan([series]))
    rows = execute_with_arrays(
        session,
        f"SELECT s.product_id, s.captured_at, {column.value}, ({column.scope})::int4 "
        + _FROM_SPANS.format(
            first=min(each.since for each in spans).isoformat(),
            wanted=f"({column.value}) IS NOT NULL",
        ),
        spans,
        fetch=True,
    )
    found: dict[int, list[Reading]] = {}
    number, readings = -1, list[Reading]()
    for product_id, captured_at, value, scope in rows:
        if product_id != number:
            number, readings = product_id, found.setdefault(product_id, [])
        second = floor_second(captured_at)
        reading = Reading(second, (Measured(value, captured_at, scope),))
        if readings and readings[-1].at == second:
            readings[-1] = reading
        else:
            readings.append(reading)
    return found


def _read_snapshots(
    session: Session, spans: Sequence[Span], plan: ReadingPlan
) -> Iterator[tuple[int, list[Observed]]]:
    columns = _list_columns(session, plan)
    chosen = "".join(f", {each.value}" for each in columns)
    scoped = [place for place, each in enumerate(columns) if each.scope != "NULL"]
    chosen += "".join(f", {columns[place].scope}" for place in scoped)
    statement = (
        f"SELECT s.product_id, s.captured_at, s.fetch_run_id, s.import_run_id{chosen} "
        + _FROM_SPANS.format(first=min(each.since for each in spans).isoformat(), wanted="true")
    )
    rows = execute_with_arrays(session, statement, spans, fetch=True)
    keys = [each.key for each in columns]
    end = 4 + len(keys)
    scopes = {keys[place]: end + number for number, place in enumerate(scoped)}
    number, observed = -1, list[Observed]()
    for row in rows:
        product_id, captured_at, run_id, import_id = row[:4]
        if product_id != number:
            if observed:
                yield number, observed
            number, observed = product_id, []
        values = {
            key: Measured(value, captured_at)
            for key, value in zip(keys, row[4:end])  # noqa: B905 - once per snapshot
            if value is not None
        }
        for key, place in scopes.items():
            if key in values:
                values[key] = Measured(values[key].value, captured_at, row[place])
        _add(observed, captured_at, values, run_id, is_imported=import_id is not None)
    if observed:
        yield number, observed


def _add(
    observed: list[Observed],
    captured_at: datetime,
    values: dict[str, Measured],
    run_id: int | None,
    *,
    is_imported: bool,
) -> None:
    second = floor_second(captured_at)
    if observed and observed[-1].at == second:
        same = observed[-1]
        same.values.update(values)
        same.fetch_run_id = run_id if same.fetch_run_id is None else same.fetch_run_id
        same.is_imported = same.is_imported and is_imported
    else:
        observed.append(Observed(second, values, run_id, is_imported))


def floor_second(at: datetime) -> datetime:
    """Return the second in which a moment lies."""
    return at.replace(microsecond=0) if at.microsecond else at


# Listings

_LISTING_PARTS: Final[Mapping[Subject, str]] = {
    Subject.TITLE: "NULLIF(v.title, '')",
    Subject.BULLETS: "NULLIF(array_to_string(v.bullets, E'\\x1f'), '')",
    Subject.DESCRIPTION: "NULLIF(v.description, '')",
    Subject.IMAGES: "NULLIF(array_to_string(v.images, E'\\x1f'), '')",
    Subject.CATEGORY: "NULLIF(array_to_string(v.category_path, E'\\x1f'), '')",
}


def _list_part_columns(plan: ReadingPlan) -> str:
    """Return the parts' content as short hashes, in SQL on `listing_version AS v`."""
    return "".join(f", left(md5({_LISTING_PARTS[each.subject]}), 12)" for each in plan.of_listings)


def _add_listings(
    session: Session, spans: Sequence[Span], plan: ReadingPlan, found: dict[int, list[Observed]]
) -> None:
    """Add the parts of listing versions where they were first observed."""
    statement = (
        f"SELECT v.product_id, v.first_seen_at{_list_part_columns(plan)} "
        "FROM unnest(%s::int8[], %s::timestamptz[], %s::timestamptz[]) AS w (id, since, until) "
        "JOIN listing_version AS v ON v.product_id = w.id AND v.first_seen_at >= w.since "
        "AND v.first_seen_at <= COALESCE(w.until, 'infinity') "
        "ORDER BY v.product_id, v.first_seen_at, v.source"
    )
    for number, seen_at, *parts in execute_with_arrays(session, statement, spans, fetch=True):
        values = {
            each.key: Measured(part, seen_at)
            for each, part in zip(plan.of_listings, parts, strict=True)
            if part is not None
        }
        add_values(found.setdefault(number, []), seen_at, values)


def add_values(observed: list[Observed], at: datetime, values: Mapping[str, Measured]) -> None:
    """Add values to what was observed in the same second, or as a second of their own."""
    second = floor_second(at)
    place = next((each for each in observed if each.at == second), None)
    if place is not None:
        place.values.update(values)
    else:
        observed.append(Observed(second, dict(values), None, is_imported=False))
        observed.sort(key=lambda each: each.at)


# Values before


def read_known(
    session: Session, moments: Sequence[tuple[int, datetime]], plan: ReadingPlan
) -> dict[int, dict[str, Measured]]:
    """Return each product's newest accepted value of each series before its moment."""
    found: dict[int, dict[str, Measured]] = {number: {} for number, _ in moments}
    if not moments:
        return found
    for column in _list_columns(session, plan):
        _read_newest(session, moments, column, found)
    for each in plan.of_listings:
        _read_newest_part(session, moments, each, found)
    return found


def _read_newest(
    session: Session,
    moments: Sequence[tuple[int, datetime]],
    column: _Column,
    found: dict[int, dict[str, Measured]],
) -> None:
    statement = (
        "SELECT w.id, n.captured_at, n.value, n.scope "
        "FROM unnest(%s::int8[], %s::timestamptz[]) AS w (id, at) CROSS JOIN LATERAL ("
        f"SELECT s.captured_at, {column.value} AS value, ({column.scope})::int AS scope "
        "FROM snapshot AS s WHERE s.product_id = w.id AND s.captured_at < w.at "
        f"AND ({column.value}) IS NOT NULL "
        "ORDER BY s.captured_at DESC, s.source DESC LIMIT 1) AS n"
    )
    for number, at, value, scope in execute_with_arrays(session, statement, moments, fetch=True):
        found[number][column.key] = Measured(value, at, scope)


def _read_newest_part(
    session: Session,
    moments: Sequence[tuple[int, datetime]],
    series: Series,
    found: dict[int, dict[str, Measured]],
) -> None:
    content = _LISTING_PARTS[series.subject]
    statement = (
        "SELECT w.id, n.first_seen_at, n.part "
        "FROM unnest(%s::int8[], %s::timestamptz[]) AS w (id, at) CROSS JOIN LATERAL ("
        f"SELECT v.first_seen_at, left(md5({content}), 12) AS part FROM listing_version AS v "
        f"WHERE v.product_id = w.id AND v.first_seen_at < w.at AND {content} IS NOT NULL "
        "ORDER BY v.first_seen_at DESC, v.source DESC LIMIT 1) AS n"
    )
    for number, at, part in execute_with_arrays(session, statement, moments, fetch=True):
        found[number][series.key] = Measured(part, at)


def after(moment: datetime) -> datetime:
    """Return the first moment after another, as the database counts time."""
    return moment + _TICK


def before(moment: datetime) -> datetime:
    """Return the last moment before another, as the database counts time."""
    return moment - _TICK


# Sellers seen before

_SEEN_BEFORE: Final = f"""
SELECT w.place,
    EXISTS (SELECT 1 FROM snapshot AS s WHERE s.product_id = w.id AND s.captured_at < w.at
        AND s.captured_at >= w.since AND {_IS_SELLER_REPORTED}
        AND CASE WHEN w.scope = 1 THEN s.buy_box_seller_id = w.seller
            ELSE s.buy_box_seller = w.seller END),
    EXISTS (SELECT 1 FROM snapshot AS s WHERE s.product_id = w.id AND s.captured_at < w.at
        AND s.captured_at >= w.since AND {_IS_SELLER_REPORTED}
        AND CASE WHEN w.scope = 1 THEN s.buy_box_seller_id ELSE s.buy_box_seller END IS NOT NULL)
FROM unnest(%s::int4[], %s::int8[], %s::text[], %s::int4[], %s::timestamptz[], %s::timestamptz[])
    AS w (place, id, seller, scope, at, since)
"""


def find_first_sellers(
    session: Session, sellers: Sequence[tuple[int, Measured]], days: int
) -> list[bool]:
    """Return for each seller whether its product had only others in the days before.

    `sellers`: products and their sellers, by product, oldest first.
    """
    asked = []
    for place, (number, measured) in enumerate(sellers):
        last = sellers[place - 1] if place else None
        if last is None or last[0] != number or last[1].value != measured.value:
            since = measured.at - timedelta(days=days)
            asked.append((place, number, measured.value, measured.scope, measured.at, since))
    found = [False] * len(sellers)
    for place, was_seen, has_others in execute_with_arrays(
        session, _SEEN_BEFORE, asked, fetch=True
    ):
        found[place] = has_others and not was_seen
    return found
