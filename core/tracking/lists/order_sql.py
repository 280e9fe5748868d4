"""What a list can be sorted by, as SQL. No queries."""

from dataclasses import dataclass

from core.tracking.list_filter import ListScope, Sort, SortBy
from core.tracking.lists.list_filter_sql import IS_THERE, PERIODS, SCOPES


@dataclass(frozen=True, slots=True)
class Order:
    """How a column orders a list: first the rows with a value, then the others."""

    table: str  # the table with the column: t, p, l, c or x
    column: str
    known: str
    unknown: str
    direction: str

    @property
    def product_id(self) -> str:
        """Return the product's id in the column's table, which the column's index has."""
        return "p.id" if self.table == "p" else f"{self.table}.product_id"

    @property
    def ordered(self) -> str:
        """Return the column's part of ORDER BY."""
        if self.column == _ASIN:  # as in the index that finds ASINs by prefix
            return f"{self.column} USING {'~>~' if self.direction == 'DESC' else '~<~'}"
        return f"{self.column} {self.direction}"

    @property
    def is_change(self) -> bool:
        """Return whether the column has no index: all changes are read."""
        return self.table == "c" and self.column != _ATTENTION


_Column = tuple[str, str, str, str]  # table, column, known, unknown


def _always(table: str, column: str) -> _Column:
    return table, column, f"({column}) IS NOT NULL", "false"


def _of_latest(column: str) -> _Column:
    return "l", f"l.{column}", f"l.{column} IS NOT NULL", f"l.{column} IS NULL"


def _of_page(column: str) -> _Column:
    """Return the order by a value of the page; the last values of a removed page don't count."""
    known = f"(l.{column} IS NOT NULL AND {IS_THERE})"
    return "l", f"l.{column}", known, f"(l.{column} IS NULL OR NOT {IS_THERE})"


def _of_change(column: str) -> _Column:
    return "c", f"c.{column}", f"c.{column} IS NOT NULL", f"c.{column} IS NULL"


# As in the index: a whole title may be longer than an index entry can be.
_TITLE = "lower(left(x.title, 60))"
_ATTENTION = "c.attention"
_ASIN = "p.asin"
_COLUMNS: dict[SortBy, _Column] = {
    SortBy.ATTENTION: ("c", _ATTENTION, "c.attention > 0", "c.attention <= 0"),
    SortBy.TITLE: ("x", _TITLE, f"{_TITLE} IS NOT NULL", "x.title IS NULL"),
    SortBy.MARKETPLACE: _always("p", "p.marketplace"),
    SortBy.PRICE: _of_page("price"),
    SortBy.RANK: _of_page("bsr"),
    SortBy.RATING: _of_page("rating"),
    SortBy.RATINGS_COUNT: _of_page("ratings_count"),
    SortBy.SELLER: _of_page("buy_box_seller"),
    SortBy.SELLER_SHARE: _of_change("seller_share"),
    SortBy.AVAILABILITY: _of_latest("availability"),
    SortBy.TAGS: ("t", "t.tags", "t.tags <> '{}'", "t.tags = '{}'"),
    SortBy.ROLE: _always("t", "array_position(ARRAY['own', 'competitor', 'watched'], t.role)"),
    SortBy.ASIN: _always("p", _ASIN),
    SortBy.OBSERVED_AT: _of_latest("captured_at"),
}
_CHANGES = {SortBy.PRICE_CHANGE: "price_change", SortBy.RANK_CHANGE: "rank_change"}

_JOINS = {
    "t": "JOIN tracking t ON t.product_id = o.id AND {scope}",
    "p": "JOIN product p ON p.id = o.id",
    "l": "JOIN product_latest l ON l.product_id = o.id",
    "c": "JOIN product_change c ON c.product_id = o.id",
    "x": "LEFT JOIN product_text x ON x.product_id = o.id",
}


def make_order(sort: Sort) -> Order:
    """Return an order's SQL. Raises KeyError for another number of days than CHANGE_DAYS."""
    is_descending = sort.descending or sort.by is SortBy.ATTENTION
    change = _CHANGES.get(sort.by)
    column = _of_change(f"{PERIODS[sort.days]}_{change}") if change else _COLUMNS[sort.by]
    return Order(*column, direction="DESC" if is_descending else "ASC")


def order_rows(sort: Sort, scope: ListScope) -> str:
    """Return the joins and the ORDER BY of rows `o (id)`; unknown values last, by id.

    Its parameters are those of `scope_values`.
    """
    order = make_order(sort)
    key = f"CASE WHEN {order.known} THEN o.id END"
    return (
        f"{_JOINS[order.table].format(scope=SCOPES[scope])} ORDER BY ({order.known}) DESC, "
        f"{order.ordered}, {key} {order.direction}, o.id"
    )
