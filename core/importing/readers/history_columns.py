"""Recognise what the columns of a history table hold, by their names and cells. Pure.

The name alone does not decide: tools call stars "Ratings", a seller "Buy Box", counts of
offers "newPrice".
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from core.catalog.categories import UNNAMED_CATEGORY
from core.history.observation import CategoryRank
from core.importing.readers.check_status import is_check_word, is_listing_state
from core.importing.readers.columns import (
    ProductColumns,
    find_column,
    find_columns,
    is_absent,
    plain_name,
    share_of,
)
from core.importing.values.rows import DayOrder
from core.importing.values.timestamps import is_serial, read_written
from core.scraping.parsers import localized_text, ranks, value_parsers
from core.scraping.parsers.value_parsers import UnreadableValueError

Cells = Mapping[str, Sequence[str]]

TIME_NAMES = (
    "captured_at", "timestamp", "fetched_at", "scraped_at", "tracked_at", "observed_at",
    "recorded_at", "checked_at", "run_at", "datetime", "date_time", "captured_on", "date", "day",
    "time", "datum", "fecha", "data", "日付", "日時",
)  # fmt: skip
_NAMES: dict[str, tuple[str, ...]] = {
    "time": TIME_NAMES,
    "price": ("price", "current_price", "final_price", "price_value", "your_price", "item_price",
              "preis", "prix", "prezzo", "precio", "価格"),
    "list_price": ("list_price", "msrp", "msrp_price", "rrp", "was_price", "initial_price"),
    "buy_box_price": ("buy_box_price", "buybox_price", "buy_box", "buybox"),
    "amazon_price": ("amazon_price",),
    "new_price": ("new_price", "lowest_new_price"),
    "new_fba_price": ("new_fba_price",),
    "used_price": ("used_price", "lowest_used_price"),
    "deal_price": ("deal_price", "lightning_deal_price"),
    "rank": ("bsr", "sales_rank", "rank", "best_sellers_rank", "bestseller_rank",
             "root_bs_rank", "bs_rank"),
    "rank_category": ("bsr_category", "rank_category", "main_category", "root_category",
                      "root_bs_category", "bs_category"),
    "further_rank": ("category_rank", "sub_rank", "subcategory_rank"),
    "category": ("category", "category_path", "breadcrumbs", "sub_category", "subcategory"),
    "rating": ("rating", "stars", "star_rating", "average_rating", "review_rating"),
    "ratings_count": ("ratings_count", "rating_count", "ratings", "ratings_total", "num_ratings",
                      "number_of_ratings"),
    "reviews_count": ("review_count", "reviews_count", "reviews", "num_reviews", "reviews_total",
                      "number_of_reviews"),
    "offers_new": ("offer_count_new", "offers_new", "new_offers"),
    "offers_used": ("offer_count_used", "offers_used", "used_offers"),
    "availability": ("availability", "stock_status", "stock", "in_stock_text"),
    "is_available": ("available", "in_stock", "is_available"),
    "seller": ("buy_box_seller", "sold_by", "seller", "seller_name",
               "buybox_seller"),
    "seller_id": ("buy_box_seller_id", "buybox_seller_id", "seller_id", "merchant_id"),
    "coupon": ("coupon", "coupon_or_promo", "coupon_text", "promo_text"),
    "currency": ("currency", "currency_code"),
    "status": ("status", "scrape_status", "fetch_status", "outcome"),
    "error": ("error", "error_message", "error_text", "errors", "failure", "failure_reason",
              "failed", "has_error", "exception"),
    "blocked": ("blocked", "is_blocked", "captcha", "robot_check"),
    "success": ("success", "is_success", "succeeded", "ok"),
    "http_status": ("http_status", "status_code", "http_code", "http_status_code",
                    "response_code"),
    "changed": ("changed", "changed_fields"),
    "title": ("title", "name", "product_name", "product_title", "item_name", "product_details"),
    "brand": ("brand", "manufacturer"),
    "image": ("image_url", "image", "main_image", "thumbnail"),
}  # fmt: skip
# Their labels on screens.
FIELD_LABELS = {
    "time": "Time", "price": "Price", "list_price": "List price",
    "buy_box_price": "Buy Box price", "amazon_price": "Amazon's price",
    "new_price": "Lowest new price", "new_fba_price": "Lowest new FBA price",
    "used_price": "Lowest used price", "deal_price": "Deal price", "rank": "Best Sellers Rank",
    "rank_category": "Category of the rank", "further_rank": "Rank in a further category",
    "category": "Category", "rating": "Rating (stars)", "ratings_count": "Number of ratings",
    "reviews_count": "Number of reviews", "offers_new": "New offers",
    "offers_used": "Used offers", "availability": "Availability",
    "is_available": "Available (yes or no)", "seller": "Buy Box seller",
    "seller_id": "Id of the Buy Box seller", "coupon": "Coupon",
    "currency": "Currency", "status": "Outcome of the check", "error": "Error of the check",
    "blocked": "Check blocked", "success": "Check succeeded",
    "http_status": "HTTP status of the check", "changed": "Changed fields", "title": "Title",
    "brand": "Brand", "image": "Image",
}  # fmt: skip
AMOUNTS = (
    "price", "list_price", "buy_box_price", "amazon_price", "new_price", "new_fba_price",
    "used_price", "deal_price",
)  # fmt: skip
_VALUES = (
    "price", "buy_box_price", "new_price", "rank", "further_rank", "rating", "status",
    "ratings_count", "availability",
)  # fmt: skip
_REVIEW_NAMES = ("review_id", "review_text", "review_body", "review_header", "review_title")
_TIME_SUFFIXES = {"utc": "UTC", "gmt": "UTC", "z": "UTC"}
_NO_ZONE = ("local", "iso", "iso8601", "unix", "epoch", "ms", "s", "at", "time")
_MONEY = re.compile(r"\D{0,6}\d[\d.,:'\s\u00a0\u202f]*\D{0,8}")
_STAR = re.compile(r"[0-5](?:[.,]\d{1,2})?")
_WHOLE = re.compile(r"\d+(?:[.,]0+)?")
_SMALL_COUNT = re.compile(r"\d{1,2}(?:[.,]0+)?")
_HIGHEST_SCALE = 100  # of ratings: tenths of stars, percent
_COUNTS_APART = 20  # times: values this far below the other amounts are not amounts


@dataclass(frozen=True, slots=True)
class HistoryColumns:
    """What a file's columns hold."""

    product: ProductColumns
    by_field: Mapping[str, str]
    are_reviews: bool
    time_zone: str | None = None  # of the time column, by its name ("timestamp_utc")
    day_order: DayOrder | None = None  # how the time column writes "03/04/2026"
    problems: tuple[str, ...] = ()  # sentences for the user who confirms the import
    unused_fields: frozenset[str] = frozenset()  # fields whose values are implausible
    needs_day_order: bool = False  # its dates can be read in two ways, and none shows which

    @classmethod
    def from_header(
        cls, columns: Iterable[str], cells: Cells | None = None, day_order: DayOrder | None = None
    ) -> "HistoryColumns":
        """Return the columns by their names and their `cells`, a sample without blanks."""
        present, cells = list(columns), cells or {}
        by_field = _find_fields(present, cells)
        problems = [*_move_misnamed(by_field, cells), *_drop_listing_states(by_field, cells)]
        if "reviews_count" in by_field and "ratings_count" not in by_field:
            by_field["ratings_count"] = by_field.pop("reviews_count")
        counts, unused_fields = _find_counts_among_amounts(by_field, cells)
        time = by_field.get("time", "")
        if cells.get(time) and all(map(is_serial, cells[time])):
            problems.append(_SERIALS.format(time, cells[time][0], read_written(cells[time][0])))
        return cls(
            ProductColumns.from_header(present, cells),
            by_field,
            find_column(present, _REVIEW_NAMES) is not None,
            _find_zone_in_name(time),
            day_order,
            (*problems, *counts),
            unused_fields,
        )

    def list_meanings(self, columns: Iterable[str]) -> dict[str, str | None]:
        """Return what each column is read as, None for one that is not used."""
        used = {
            column: FIELD_LABELS[field]
            for field, column in self.by_field.items()
            if field not in self.unused_fields
        } | self.product.list_meanings()
        return {column: used.get(column) for column in columns if column}

    @property
    def has_time(self) -> bool:
        return "time" in self.by_field

    @property
    def has_values(self) -> bool:
        """Return whether there are values of products; ratings of single reviews don't count."""
        return not self.are_reviews and any(field in self.by_field for field in _VALUES)


_SERIALS = "“{}” contains a spreadsheet's day numbers: {} is {}."


def _find_fields(columns: Sequence[str], cells: Cells) -> dict[str, str]:
    """Return a column for each field: among several candidates the first whose cells fit."""
    found: dict[str, str] = {}
    for field, names in _NAMES.items():
        candidates = find_columns(columns, names)
        if field == "time":
            candidates += [name for name in columns if _is_time_with_suffix(name)]
        fits = _FITS.get(field)
        fitting = [
            each for each in candidates if fits and share_of(cells.get(each, ()), fits) >= 0.5
        ]
        best = next(iter(fitting or candidates), None)
        if best is not None:
            found[field] = best
    return found


def _is_time_with_suffix(column: str) -> bool:
    """Return whether a name is that of a time with its kind as suffix: "captured_at_local"."""
    stem, _, suffix = plain_name(column).rpartition("_")
    return stem in TIME_NAMES and (suffix in _TIME_SUFFIXES or suffix in _NO_ZONE)


def _find_zone_in_name(column: str) -> str | None:
    return _TIME_SUFFIXES.get(plain_name(column).rpartition("_")[2])


def _move_misnamed(by_field: dict[str, str], cells: Cells) -> list[str]:
    """Move columns whose cells contradict their names to the field they hold; return sentences."""
    problems = []
    for field, other, holds, words in _MISNAMED:
        column = by_field.get(field)
        if column is None or not holds(cells.get(column, ())):
            continue
        del by_field[field]
        if other is not None and other not in by_field:
            by_field[other] = column
            problems.append(f"“{column}” contains {words} and is read as such.")
        else:
            problems.append(f"“{column}” contains {words}: it is not used.")
    return problems


def _drop_listing_states(by_field: dict[str, str], cells: Cells) -> list[str]:
    """Drop a status that is the listing's (Active, Inactive), not a check's; return sentences."""
    column = by_field.get("status", "")
    if share_of(cells.get(column, ()), is_listing_state) < 1:
        return []
    del by_field["status"]
    return [f"“{column}” contains the listing's status, not how a check ended: it is not used."]


def _find_counts_among_amounts(
    by_field: Mapping[str, str], cells: Cells
) -> tuple[list[str], frozenset[str]]:
    """Return sentences, and the price fields that seem to hold counts.

    Small whole numbers far below every other amount of the file are counts of offers.
    """
    columns = {field: cells.get(by_field.get(field, ""), ()) for field in AMOUNTS}
    usual = {field: _compute_median(each) for field, each in columns.items() if each}
    unused_fields = []
    for field, middle in usual.items():
        if field not in _PERHAPS_COUNTS:
            continue
        others = [value for other, value in usual.items() if other != field and value]
        small = share_of(columns[field], lambda cell: bool(_SMALL_COUNT.fullmatch(cell))) == 1
        if small and others and middle and middle * _COUNTS_APART < min(others):
            unused_fields.append(field)
    if unused_fields == ["used_price"]:  # used books can cost that little
        return [], frozenset()
    return [_COUNTS.format(by_field[field]) for field in unused_fields], frozenset(unused_fields)


_PERHAPS_COUNTS = ("amazon_price", "new_price", "new_fba_price", "used_price")  # as Keepa's series
_COUNTS = (
    "“{}” contains small whole numbers, and the other amounts are many times larger: it seems to "
    "count offers. It is not used as a price."
)


def _compute_median(cells: Iterable[str]) -> float:
    digits = (re.sub(r"\D", "", re.sub(r"[.,]\d{1,2}\D*$", "", cell)) for cell in cells)
    return median([float(each) for each in digits if each] or [0.0])


def _are_stars(cells: Sequence[str]) -> bool:
    """Return whether cells are stars: none above 5, and at least one with a fraction or a unit.

    "3.0" doesn't count as a fraction: programs write counts like this if some are missing.
    """
    filled = [cell for cell in cells if not is_absent(cell)]
    if not filled or not all(
        _STAR.fullmatch(c) or localized_text.mentions_rating(c) for c in filled
    ):
        return False
    return not all(_WHOLE.fullmatch(cell) for cell in filled)


def _are_names(cells: Sequence[str]) -> bool:
    """Return whether cells are names: most have no digit and are not yes or no."""
    return share_of(cells, _is_name) > 0.5


def _is_name(cell: str) -> bool:
    return not any(sign.isdigit() for sign in cell) and len(cell) > 1 and not _is_truth(cell)


def _are_truths(cells: Sequence[str]) -> bool:
    return share_of(cells, _is_truth) == 1


def _are_counts(cells: Sequence[str]) -> bool:
    """Return whether cells are counts: whole numbers, some above any scale of ratings."""
    return share_of(cells, _is_count) == 1 and any(_is_above_scales(cell) for cell in cells)


def _is_above_scales(cell: str) -> bool:
    return _is_count(cell) and (value_parsers.parse_whole_number(cell) or 0) > _HIGHEST_SCALE


def _is_truth(cell: str) -> bool:
    return _can_read(value_parsers.parse_bool, cell)


def _is_count(cell: str) -> bool:
    return _can_read(value_parsers.parse_whole_number, cell)


def _is_money(cell: str) -> bool:
    return _MONEY.fullmatch(cell) is not None


def _can_read(parse: Callable[[str], object], cell: str) -> bool:
    try:
        return parse(cell) is not None
    except UnreadableValueError:
        return False


def rank_cell(cell: str) -> tuple[CategoryRank, ...]:
    """Return the ranks in a cell: a bare number, or the page's line "#1,204 in Kitchen (…)".

    Raises UnreadableValueError.
    """
    try:
        rank = value_parsers.parse_rank_number(cell)
    except UnreadableValueError:
        found = ranks.read_ranks(cell, is_named=True)
        if not found:
            raise
        return found
    return (CategoryRank(UNNAMED_CATEGORY, rank),) if rank else ()


def _is_moment(cell: str) -> bool:
    try:
        return read_written(cell, DayOrder.DAY_FIRST) is not None
    except UnreadableValueError:
        return False


_FITS: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(AMOUNTS, _is_money),
    **dict.fromkeys(("ratings_count", "reviews_count", "offers_new", "offers_used"), _is_count),
    "rank": lambda cell: _can_read(rank_cell, cell),
    "further_rank": lambda cell: _can_read(value_parsers.parse_rank_number, cell),
    "rating": lambda cell: _can_read(localized_text.parse_rating, cell),
    "time": _is_moment,
    "is_available": _is_truth,
    "status": is_check_word,
}
# Field, the field its column holds instead, the check for that, the word for it. In this order.
_MISNAMED: tuple[tuple[str, str | None, Callable[[Sequence[str]], bool], str], ...] = (
    ("ratings_count", "rating", _are_stars, "stars"),
    ("reviews_count", "rating", _are_stars, "stars"),
    ("rating", "ratings_count", _are_counts, "counts"),
    ("buy_box_price", "seller", _are_names, "names of sellers"),
    ("buy_box_price", None, _are_truths, "yes and no"),
)
ERROR_NAMES = frozenset(_NAMES["error"])
