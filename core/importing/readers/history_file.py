"""Read rows of tidy history tables: a product, a time, and the values at that time. Pure.

A blank price or rank means that there was none. A blank rating, count or stock
sentence means that it is unknown, as "N/A" does everywhere. A column "review count"
counts ratings, as Amazon's pages show them, unless there is a column for ratings too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from core.catalog.categories import UNNAMED_CATEGORY
from core.catalog.marketplaces import Marketplace
from core.history.observation import (
    Availability,
    CategoryRank,
    Failure,
    Kind,
    Listing,
    Observation,
    Outcome,
    PriceBasis,
    Seen,
    Source,
)
from core.importing.files.tabular_reader import Record
from core.importing.readers.check_status import CHECK_FIELDS, OK, Status, read_check
from core.importing.readers.columns import plain_name, read_product
from core.importing.readers.history_cells import HistoryCells, OtherMarketplaceError
from core.importing.readers.history_columns import ERROR_NAMES, HistoryColumns, rank_cell
from core.importing.values.local_clock import LocalClock
from core.importing.values.rows import (
    ReadContext,
    Refusal,
    Row,
    RowPart,
    RowResult,
    bad_row,
    explain_nothing_read,
    shorten_asked,
    shown_price,
)
from core.importing.values.timestamps import as_universal, find_zone, noon_of, read_written
from core.scraping.parsers import localized_text, value_parsers
from core.scraping.parsers.value_parsers import UnreadableValueError

T = TypeVar("T")

_AMOUNTS = (
    ("price", Seen.PRICE), ("list_price", Seen.LIST_PRICE), ("buy_box_price", Seen.BUY_BOX),
    ("amazon_price", Seen.AMAZON_PRICE), ("new_price", Seen.NEW_PRICE),
    ("new_fba_price", Seen.NEW_FBA_PRICE), ("used_price", Seen.USED_PRICE),
    ("deal_price", Seen.DEAL),
)  # fmt: skip
_COUNTS = (
    ("ratings_count", Seen.RATINGS_COUNT), ("reviews_count", Seen.REVIEWS_COUNT),
    ("offers_new", Seen.OFFERS_NEW), ("offers_used", Seen.OFFERS_USED),
)  # fmt: skip
_SAME_MOMENT = timedelta(seconds=1)
_PATH_MARKS = (" › ", " > ", "›", ">")
_OUTCOMES = {
    Availability.UNAVAILABLE: Outcome.UNAVAILABLE,
    Availability.NO_OFFERS: Outcome.NO_OFFER,
    Availability.BUY_BOX_SUPPRESSED: Outcome.NO_FEATURED_OFFER,
    Availability.GONE: Outcome.NOT_FOUND,
}


def flatten_object(number: int, item: object) -> Record:
    """Return a JSON object's plain values as a record, without nested ones."""
    if not isinstance(item, Mapping):
        return Record(number, {}, "This entry isn't an object.")
    item = {
        name: json.dumps(each) if _is_error(name, each) else each for name, each in item.items()
    }
    plain = {
        str(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in item.items()
        if isinstance(value, str | int | float)
    }
    return Record(number, plain)


def _is_error(name: object, value: object) -> bool:
    """Return whether a value is an error written as an object, which must not be left out."""
    return isinstance(value, dict | list) and bool(value) and plain_name(str(name)) in ERROR_NAMES


def read_history(
    records: Iterable[Record],
    columns: HistoryColumns,
    default: Marketplace | None,
    context: ReadContext,
) -> Iterator[Row]:
    """Yield one row for each record, in order.

    With a column for further ranks, a product's rows of one moment become one
    observation in the first of them.
    """
    pending: list[Row] = []
    joins = "further_rank" in columns.by_field
    zone = find_zone(columns.time_zone or context.time_zone)
    reading = HistoryReading(columns, default, context.captured_at, LocalClock(zone, joins))
    for record in records:
        row = read_record(record, reading)
        if joins and isinstance(row.result, Observation):
            if pending and not _is_same_moment(pending[0].result, row.result):
                yield from _join_rows(pending)
                pending = []
            pending.append(row)
            continue
        yield from _join_rows(pending)
        pending = []
        yield row
    yield from _join_rows(pending)


def _is_same_moment(first: RowResult, other: Observation) -> bool:
    return (
        isinstance(first, Observation)
        and (first.marketplace, first.asin) == (other.marketplace, other.asin)
        and abs(other.captured_at - first.captured_at) <= _SAME_MOMENT
        and first.ranks[:1] == other.ranks[:1]
    )


def _join_rows(pending: Sequence[Row]) -> Iterator[Row]:
    if not pending:
        return
    first = pending[0]
    observations = [row.result for row in pending if isinstance(row.result, Observation)]
    ranks = {rank.category: rank for each in observations for rank in each.ranks}
    whole = replace(observations[0], ranks=tuple(ranks.values()))
    yield replace(first, asked=whole.asin, result=whole)
    for row in pending[1:]:
        yield replace(row, asked=whole.asin, result=RowPart(first.number))


@dataclass(frozen=True, slots=True)
class HistoryReading:
    """The settings by which all rows of a history table are read."""

    columns: HistoryColumns
    default: Marketplace | None  # of rows that name none
    captured_at: datetime | None  # of rows without a time
    clock: LocalClock


def read_record(record: Record, reading: HistoryReading) -> Row:
    """Return a record's observation or why there is none, and its unreadable cells."""
    asked = _find_asked_text(record, reading.columns)
    if record.problem:
        return Row(record.number, asked, bad_row(record.problem))
    product = read_product(record.cells, reading.columns.product, reading.default)
    if isinstance(product, Refusal):
        return Row(record.number, asked, product)
    cells = HistoryCells(record.cells, reading.columns, product[0])
    try:
        result = _read_cells(cells, product[1], reading)
    except OtherMarketplaceError as error:
        result = Failure(
            outcome=Outcome.WRONG_LOCALE, detail=str(error), marketplace=product[0].code,
            asin=product[1],
        )  # fmt: skip
    except UnreadableValueError as error:
        result = bad_row(str(error), product[1], product[0].code)
    return Row(record.number, asked, result, cells.unreadable)


def _read_cells(row: HistoryCells, asin: str, reading: HistoryReading) -> Observation | Failure:
    captured_at = _read_time(row, asin, reading)
    status = _read_status(row)
    if status.detail:
        return Failure(
            outcome=status.outcome, detail=status.detail, marketplace=row.marketplace.code,
            asin=asin, captured_at=captured_at,
        )  # fmt: skip
    if captured_at is None:
        return bad_row(
            "The row has no time: enter when the file was captured.", asin, row.marketplace.code
        )
    observation = _make_observation(row, asin, captured_at, status)
    if observation.seen or observation.outcome is not Outcome.OK:
        return observation
    return Failure(
        outcome=Outcome.PARSE_ERROR, detail=explain_nothing_read(row.unreadable),
        marketplace=row.marketplace.code, asin=asin, captured_at=captured_at,
    )  # fmt: skip


def _read_status(row: HistoryCells) -> Status:
    """Return how the check ended; the page's stock sentence wins over a missing price."""
    status = read_check(*(row.get_cell(name) for name in CHECK_FIELDS))
    if status.outcome is not Outcome.PARSE_ERROR:
        return status
    state, _ = _read_stock_sentence(row)
    if state in _OUTCOMES:
        return Status(_OUTCOMES[state], availability=state)
    return status


def _make_observation(
    row: HistoryCells, asin: str, captured_at: datetime, status: Status
) -> Observation:
    if status.outcome is Outcome.NOT_FOUND:
        return _observe_removed(row, asin, captured_at)
    currency = row.read_row_currency()
    amounts = {name: row.read_amount(name, bit, currency) for name, bit in _AMOUNTS}
    counts = {
        name: row.read_value(name, bit, value_parsers.parse_whole_number) for name, bit in _COUNTS
    }
    rating = row.read_value("rating", Seen.RATING, localized_text.parse_rating)
    ranks = _read_ranks(row)
    availability, stock_left = _read_availability(row, status)
    coupon = row.read_value(
        "coupon", Seen.COUPON, lambda cell: localized_text.parse_coupon(cell, row.marketplace)
    )
    price, basis = _choose_price(amounts)
    if price is not None:
        row.seen |= Seen.PRICE
    seller = row.read_value("seller", Seen.SELLER, row.clean_name)
    seller_id = row.read_value("seller_id", Seen.SELLER_ID, value_parsers.parse_seller_id)
    listing = _read_listing(row)
    return Observation(
        marketplace=row.marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.HISTORY_FILE,
        kind=Kind.CHANGE if row.has_field("changed") else Kind.SAMPLE,
        outcome=_choose_outcome(status, availability),
        seen=row.seen,
        unreadable=row.unreadable_fields(),
        flags=status.flags,
        currency=currency,
        price_basis=basis,
        ranks=ranks,
        rating=rating,
        buy_box_seller=seller,
        buy_box_seller_id=seller_id,
        availability=availability,
        stock_left=stock_left,
        coupon_amount=coupon[0] if coupon else None,
        coupon_percent=coupon[1] if coupon else None,
        listing=listing,
        price=price,
        list_price=amounts["list_price"],
        buy_box_price=amounts["buy_box_price"],
        amazon_price=amounts["amazon_price"],
        new_price=amounts["new_price"],
        new_fba_price=amounts["new_fba_price"],
        used_price=amounts["used_price"],
        deal_price=amounts["deal_price"],
        ratings_count=counts["ratings_count"],
        reviews_count=counts["reviews_count"],
        offers_new=counts["offers_new"],
        offers_used=counts["offers_used"],
    )


def _observe_removed(row: HistoryCells, asin: str, captured_at: datetime) -> Observation:
    return Observation(
        marketplace=row.marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.HISTORY_FILE,
        outcome=Outcome.NOT_FOUND,
        seen=Seen.AVAILABILITY,
        availability=Availability.GONE,
    )


def _read_time(row: HistoryCells, asin: str, reading: HistoryReading) -> datetime | None:
    """Return the row's time, otherwise the confirmed one. Raises UnreadableValueError."""
    cell = row.get_cell("time")[:60]
    try:
        written = read_written(cell, reading.columns.day_order)
        if written is None:
            return reading.captured_at
        if not isinstance(written, datetime):
            return as_universal(noon_of(written, find_zone(row.marketplace.time_zone)))
        if written.tzinfo is None:
            written = reading.clock.place_time((row.marketplace.code, asin), written)
        return as_universal(written)
    except UnreadableValueError as error:
        raise UnreadableValueError(f"“{cell}” in “{row.name_column('time')}”: {error}") from error


def _choose_price(amounts: Mapping[str, int | None]) -> tuple[int | None, PriceBasis | None]:
    """Return the price and its basis: the column "price", otherwise the price a buyer is shown."""
    if amounts["price"] is not None:
        is_buy_box = amounts["price"] == amounts["buy_box_price"]
        return amounts["price"], PriceBasis.BUY_BOX if is_buy_box else PriceBasis.AS_LISTED
    return shown_price(amounts)


def _read_ranks(row: HistoryCells) -> tuple[CategoryRank, ...]:
    found = row.read_value("rank", Seen.BSR, rank_cell) or ()
    further = row.read_value("further_rank", Seen.BSR, value_parsers.parse_rank_number)
    if row.has_field("rank") and not row.get_cell("rank"):
        row.seen |= Seen.BSR  # a blank rank means that the page showed none
    path = split_category_path(row.get_cell("category"))
    if not found:
        return ()
    if found[0].category == UNNAMED_CATEGORY:
        root = path[0] if path and not row.has_field("further_rank") else UNNAMED_CATEGORY
        found = (
            CategoryRank(row.clean_name(row.get_cell("rank_category")) or root, found[0].rank),
        )
    if further is not None and path:
        found = (*found, CategoryRank(path[-1], further))
    return found


def split_category_path(written: str) -> tuple[str, ...]:
    """Return the categories of a path such as "Home & Kitchen › Kitchen › Fryers", root first."""
    mark = next((mark for mark in _PATH_MARKS if mark in written), None)
    steps = written.split(mark) if mark else [written]
    return value_parsers.clean_lines(steps, value_parsers.LONGEST_NAME)


def _read_availability(row: HistoryCells, status: Status) -> tuple[Availability | None, int | None]:
    """Return the availability and the stock left, from the status, a sentence, or yes and no."""
    state, left = _read_stock_sentence(row)
    if state is None and row.get_cell("is_available"):
        is_there = row.read_value("is_available", Seen.AVAILABILITY, value_parsers.parse_bool)
        if is_there is not None:
            state = Availability.IN_STOCK if is_there else Availability.UNAVAILABLE
    state = status.availability or state
    if state is not None:
        row.seen |= Seen.AVAILABILITY
    if left is not None:
        row.seen |= Seen.STOCK_LEFT
    return state, left


def _read_stock_sentence(row: HistoryCells) -> tuple[Availability | None, int | None]:
    """Return the availability and the stock left by the page's stock sentence."""
    return row.read_value("availability", Seen.AVAILABILITY, _parse_stock_sentence) or (None, None)


def _parse_stock_sentence(cell: str) -> tuple[Availability | None, int | None]:
    state, left = localized_text.parse_availability(cell)
    if state is None:
        raise UnreadableValueError("This stock sentence is unknown.")
    return state, left


def _choose_outcome(status: Status, availability: Availability | None) -> Outcome:
    if status.outcome is not OK.outcome or availability is None:
        return status.outcome
    return _OUTCOMES.get(availability, Outcome.OK)


def _read_listing(row: HistoryCells) -> Listing | None:
    title = value_parsers.clean_text(row.get_cell("title"), value_parsers.LONGEST_TITLE)
    if title is None:
        return None
    row.seen |= Seen.LISTING
    path = split_category_path(row.get_cell("category"))
    return Listing(
        title=title,
        brand=row.clean_name(row.get_cell("brand")),
        category_path=path if len(path) > 1 else (),
        images=value_parsers.clean_lines([row.get_cell("image")]),
    )


def _find_asked_text(record: Record, columns: HistoryColumns) -> str:
    product = columns.product
    cells = (record.cells.get(column or "", "") for column in (product.asin, product.address))
    return shorten_asked(next((each for each in cells if each.strip()), ""))
