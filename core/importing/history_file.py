"""Rows of tidy history tables: a product, a time, and what was seen then. Pure.

A blank price or rank means that there was none; a blank rating, count or
sentence about stock means that the file doesn't say. A count called "review
count" counts ratings, as pages show them, unless there is a column for those too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from core.catalog.categories import UNNAMED_CATEGORY
from core.catalog.marketplaces import Marketplace
from core.catalog.money import find_currency
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
from core.importing.cells import ProductColumns, find_column, read_product
from core.importing.moments import find_zone, read_moment
from core.importing.rows import (
    PartOf,
    ReadContext,
    Refusal,
    Row,
    bad_row,
    shortened,
    shown_price,
)
from core.importing.statuses import OK, Status, read_status
from core.importing.tables import Record
from core.scraping import phrases, text
from core.scraping.text import UnreadableValueError

T = TypeVar("T")

TIME_NAMES = (
    "captured_at", "timestamp", "fetched_at", "scraped_at", "tracked_at", "observed_at",
    "recorded_at", "checked_at", "run_at", "datetime", "captured_on", "date", "day", "time",
)  # fmt: skip
_NAMES: dict[str, tuple[str, ...]] = {
    "time": TIME_NAMES,
    "price": ("price", "current_price", "final_price", "price_value"),
    "list_price": ("list_price", "msrp", "msrp_price", "rrp", "was_price", "initial_price"),
    "buy_box_price": ("buy_box_price", "buybox_price", "buy_box", "buybox"),
    "amazon_price": ("amazon_price",),
    "new_price": ("new_price", "lowest_new_price"),
    "new_fba_price": ("new_fba_price",),
    "used_price": ("used_price", "lowest_used_price"),
    "deal_price": ("deal_price", "lightning_deal_price"),
    "rank": ("bsr", "sales_rank", "rank", "best_sellers_rank", "bestseller_rank",
             "root_bs_rank"),
    "rank_category": ("bsr_category", "rank_category", "main_category", "root_category",
                      "root_bs_category"),
    "further_rank": ("category_rank", "sub_rank", "subcategory_rank"),
    "category": ("category", "category_path", "breadcrumbs", "sub_category", "subcategory"),
    "rating": ("rating", "stars", "star_rating", "average_rating"),
    "ratings_count": ("ratings_count", "rating_count", "ratings", "ratings_total"),
    "reviews_count": ("review_count", "reviews_count", "reviews", "num_reviews", "reviews_total"),
    "offers_new": ("offer_count_new", "offers_new", "new_offers"),
    "offers_used": ("offer_count_used", "offers_used", "used_offers"),
    "availability": ("availability", "stock_status", "stock", "in_stock_text"),
    "is_available": ("available", "in_stock", "is_available"),
    "seller": ("buy_box_seller", "sold_by", "seller", "seller_name",
               "buybox_seller"),
    "coupon": ("coupon", "coupon_or_promo", "coupon_text", "promo_text"),
    "currency": ("currency", "currency_code"),
    "status": ("status", "scrape_status", "fetch_status", "outcome"),
    "changed": ("changed", "changed_fields"),
    "title": ("title", "name", "product_name", "product_title"),
    "brand": ("brand", "manufacturer"),
    "image": ("image_url", "image", "main_image", "thumbnail"),
}  # fmt: skip
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
_VALUES = ("price", "buy_box_price", "new_price", "rank", "further_rank", "rating", "status")
_REVIEW_NAMES = ("review_id", "review_text", "review_body", "review_header", "review_title")
_SAME_MOMENT = timedelta(seconds=1)
_PATH_MARKS = (" › ", " > ", "›", ">")
_OUTCOMES = {
    Availability.UNAVAILABLE: Outcome.UNAVAILABLE,
    Availability.NO_OFFERS: Outcome.NO_OFFER,
    Availability.BUY_BOX_SUPPRESSED: Outcome.NO_FEATURED_OFFER,
    Availability.GONE: Outcome.NOT_FOUND,
}


@dataclass(frozen=True, slots=True)
class HistoryColumns:
    """Which of a file's columns hold what."""

    product: ProductColumns
    by_field: Mapping[str, str]
    are_reviews: bool

    @classmethod
    def among(cls, columns: Iterable[str]) -> "HistoryColumns":
        present = list(columns)
        found = {field: find_column(present, names) for field, names in _NAMES.items()}
        by_field = {field: column for field, column in found.items() if column}
        if "reviews_count" in by_field and "ratings_count" not in by_field:
            by_field["ratings_count"] = by_field.pop("reviews_count")
        are_reviews = find_column(present, _REVIEW_NAMES) is not None
        return cls(ProductColumns.among(present), by_field, are_reviews)

    @property
    def has_time(self) -> bool:
        return "time" in self.by_field

    @property
    def has_values(self) -> bool:
        """True for values of products; a review's rating is none."""
        return not self.are_reviews and any(field in self.by_field for field in _VALUES)


def flat_record(number: int, item: object) -> Record:
    """Return a JSON object's plain values as a record; what is nested is left out."""
    if not isinstance(item, Mapping):
        return Record(number, {}, "This entry is no object.")
    plain = {
        str(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in item.items()
        if isinstance(value, str | int | float)
    }
    return Record(number, plain)


def read_history(
    records: Iterable[Record],
    columns: HistoryColumns,
    default: Marketplace | None,
    context: ReadContext,
) -> Iterator[Row]:
    """Yield one row for each record, in order.

    With a column for further ranks, a product's rows of one moment become one
    observation, which the first of them carries.
    """
    waiting: list[tuple[Record, Observation]] = []
    joins = "further_rank" in columns.by_field
    for record in records:
        result = parse_record(record, columns, default, context)
        if joins and isinstance(result, Observation):
            if waiting and not _is_same_moment(waiting[0][1], result):
                yield from _joined(waiting)
                waiting = []
            waiting.append((record, result))
            continue
        yield from _joined(waiting)
        waiting = []
        yield Row(record.number, _asked(record, columns), result)
    yield from _joined(waiting)


def _is_same_moment(first: Observation, other: Observation) -> bool:
    return (
        (first.marketplace, first.asin) == (other.marketplace, other.asin)
        and abs(other.captured_at - first.captured_at) <= _SAME_MOMENT
        and first.ranks[:1] == other.ranks[:1]
    )


def _joined(waiting: list[tuple[Record, Observation]]) -> Iterator[Row]:
    if not waiting:
        return
    first, observation = waiting[0]
    ranks = {rank.category: rank for _, each in waiting for rank in each.ranks}
    yield Row(first.number, observation.asin, replace(observation, ranks=tuple(ranks.values())))
    for record, each in waiting[1:]:
        yield Row(record.number, each.asin, PartOf(first.number))


def parse_record(
    record: Record, columns: HistoryColumns, default: Marketplace | None, context: ReadContext
) -> Observation | Failure | Refusal:
    """Return what one record says, or why it says nothing."""
    if record.problem:
        return bad_row(record.problem)
    product = read_product(record.cells, columns.product, default)
    if isinstance(product, Refusal):
        return product
    marketplace, asin = product
    row = _Row(record.cells, columns, marketplace)
    status = read_status(row.cell("status"))
    try:
        captured_at = _captured_at(row, context)
        if status.detail:
            return Failure(
                outcome=status.outcome, detail=status.detail, marketplace=marketplace.code,
                asin=asin, captured_at=captured_at,
            )  # fmt: skip
        if captured_at is None:
            return bad_row("The row has no time: say when it was seen.", asin, marketplace.code)
        return _observe(row, asin, captured_at, status)
    except UnreadableValueError as error:
        return bad_row(str(error), asin, marketplace.code)


def _observe(row: "_Row", asin: str, captured_at: datetime, status: Status) -> Observation:
    if status.outcome is Outcome.NOT_FOUND:
        return _gone(row, asin, captured_at)
    currency = row.currency()
    amounts = {name: row.amount(name, bit, currency) for name, bit in _AMOUNTS}
    counts = {name: row.read(name, bit, text.whole_number) for name, bit in _COUNTS}
    rating = row.read("rating", Seen.RATING, phrases.rating)
    ranks = _ranks(row)
    availability, stock_left = _availability(row, status)
    coupon = row.read("coupon", Seen.COUPON, lambda cell: phrases.coupon(cell, row.marketplace))
    price, basis = _price(amounts)
    if price is not None:
        row.seen |= Seen.PRICE
    listing = _listing(row)
    return Observation(
        marketplace=row.marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.HISTORY_FILE,
        kind=Kind.CHANGE if row.has("changed") else Kind.SAMPLE,
        outcome=_outcome(status, availability),
        seen=row.seen,
        flags=status.flags,
        currency=currency,
        price_basis=basis,
        ranks=ranks,
        rating=rating,
        buy_box_seller=row.read("seller", Seen.SELLER, row.name),
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


def _gone(row: "_Row", asin: str, captured_at: datetime) -> Observation:
    return Observation(
        marketplace=row.marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.HISTORY_FILE,
        outcome=Outcome.NOT_FOUND,
        seen=Seen.AVAILABILITY,
        availability=Availability.GONE,
    )


class _Row:
    """A record's cells by our names, noting which of them say something."""

    def __init__(
        self, cells: Mapping[str, str], columns: HistoryColumns, marketplace: Marketplace
    ) -> None:
        self._cells = cells
        self._by_field = columns.by_field
        self.marketplace = marketplace
        self.seen = Seen.NONE

    def has(self, name: str) -> bool:
        return name in self._by_field

    def cell(self, name: str) -> str:
        return self._cells.get(self._by_field.get(name, ""), "").strip()

    def name(self, cell: str) -> str | None:
        return text.clean_text(cell, text.LONGEST_NAME)

    def currency(self) -> str:
        """Return the currency the row names; the marketplace's when it names none."""
        written = self.cell("currency")
        if len(written) == 3 and written.isascii() and written.isalpha():
            return written.upper()
        return find_currency(written, self.marketplace) or self.marketplace.currency

    def amount(self, name: str, bit: Seen, currency: str) -> int | None:
        """Return an amount; a blank cell says that there was none."""
        if not self.has(name):
            return None
        value = self._parsed(name, lambda cell: text.amount(cell, self.marketplace, currency))
        self.seen |= bit
        return value

    def read(self, name: str, bit: Seen, parse: Callable[[str], T | None]) -> T | None:
        """Return a value; a blank cell says nothing."""
        if not self.cell(name):
            return None
        value = self._parsed(name, parse)
        self.seen |= bit
        return value

    def _parsed(self, name: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(self.cell(name))
        except UnreadableValueError as error:
            raise UnreadableValueError(
                f"“{self.cell(name)[:40]}” in “{self._by_field[name]}” can't be read. {error}"
            ) from error


def _captured_at(row: _Row, context: ReadContext) -> datetime | None:
    zone, day_zone = find_zone(context.time_zone), find_zone(row.marketplace.time_zone)
    return read_moment(row.cell("time")[:60], zone, day_zone) or context.captured_at


def _price(amounts: Mapping[str, int | None]) -> tuple[int | None, PriceBasis | None]:
    """Return the price and which it is: a file's "price" is what the file calls so."""
    if amounts["price"] is not None:
        is_buy_box = amounts["price"] == amounts["buy_box_price"]
        return amounts["price"], PriceBasis.BUY_BOX if is_buy_box else PriceBasis.AS_LISTED
    return shown_price(amounts)


def _ranks(row: _Row) -> tuple[CategoryRank, ...]:
    main = row.read("rank", Seen.BSR, text.rank_number)
    further = row.read("further_rank", Seen.BSR, text.rank_number)
    if row.has("rank"):
        row.seen |= Seen.BSR  # a blank rank: the page showed none
    path = category_path(row.cell("category"))
    if main is None:
        return ()
    root = path[0] if path and not row.has("further_rank") else UNNAMED_CATEGORY
    ranks = [CategoryRank(row.name(row.cell("rank_category")) or root, main)]
    if further is not None and path:
        ranks.append(CategoryRank(path[-1], further))
    return tuple(ranks)


def category_path(written: str) -> tuple[str, ...]:
    """Return the steps of a path such as "Home & Kitchen › Kitchen › Fryers", the root first."""
    mark = next((mark for mark in _PATH_MARKS if mark in written), None)
    steps = written.split(mark) if mark else [written]
    return text.clean_lines(steps, text.LONGEST_NAME)


def _availability(row: _Row, status: Status) -> tuple[Availability | None, int | None]:
    """Return the state and how many are left, from the status, a sentence or a yes or no."""
    state, left = row.read("availability", Seen.NONE, phrases.availability) or (None, None)
    if state is None and row.cell("is_available"):
        is_there = row.read("is_available", Seen.NONE, text.truth)
        state = Availability.IN_STOCK if is_there else Availability.UNAVAILABLE
    state = status.availability or state
    if state is not None:
        row.seen |= Seen.AVAILABILITY
    if left is not None:
        row.seen |= Seen.STOCK_LEFT
    return state, left


def _outcome(status: Status, availability: Availability | None) -> Outcome:
    if status.outcome is not OK.outcome or availability is None:
        return status.outcome
    return _OUTCOMES.get(availability, Outcome.OK)


def _listing(row: _Row) -> Listing | None:
    title = text.clean_text(row.cell("title"), text.LONGEST_TITLE)
    if title is None:
        return None
    row.seen |= Seen.LISTING
    path = category_path(row.cell("category"))
    return Listing(
        title=title,
        brand=row.name(row.cell("brand")),
        category_path=path if len(path) > 1 else (),
        images=text.clean_lines([row.cell("image")]),
    )


def _asked(record: Record, columns: HistoryColumns) -> str:
    product = columns.product
    said = (record.cells.get(column or "", "") for column in (product.asin, product.address))
    return shortened(next((each for each in said if each.strip()), ""))
