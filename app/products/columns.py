"""The columns of the product list: labels, widths, and by what a header sorts. Pure."""

from dataclasses import dataclass
from typing import Final

from core.tracking.list_filter import SortBy


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column as the list shows it. Widths are those of type of 14 px."""

    name: str
    label: str
    width: int  # px
    sort: SortBy | None = None  # None: its header sorts nothing
    is_usual: bool = True  # shown to users who chose no columns
    is_right: bool = False  # figures
    about: str | None = None
    has_period: bool = False  # the label is followed by the chosen period


_ALWAYS: Final = (
    ListColumn("open", "", 36),
    ListColumn("image", "", 56),
    ListColumn("title", "Product", 198, SortBy.TITLE),
)
CHOOSABLE: Final = (
    ListColumn("marketplace", "Marketplace", 82, SortBy.MARKETPLACE),
    ListColumn("price", "Price", 74, SortBy.PRICE, is_right=True),
    ListColumn(
        "price_change",
        "Price",
        66,
        SortBy.PRICE_CHANGE,
        is_right=True,
        about="Change of the price, in percent of the close that the period begins with",
        has_period=True,
    ),
    ListColumn(
        "rank",
        "BSR",
        68,
        SortBy.RANK,
        is_right=True,
        about="Best Sellers Rank in the main category: 1 is the best",
    ),
    ListColumn(
        "rank_change",
        "BSR",
        74,
        SortBy.RANK_CHANGE,
        is_right=True,
        about="Change of the rank in the same category. ▲ is better: the rank became smaller",
        has_period=True,
    ),
    ListColumn("rating", "Rating", 66, SortBy.RATING, is_right=True, about="Out of 5 stars"),
    ListColumn(
        "ratings",
        "Ratings",
        64,
        SortBy.RATINGS_COUNT,
        is_right=True,
        about="How many gave stars",
    ),
    ListColumn(
        "seller",
        "Buy Box",
        104,
        SortBy.SELLER,
        is_usual=False,
        about="The seller who has the Buy Box",
    ),
    ListColumn(
        "share",
        "Buy Box, 30 d",
        92,
        SortBy.SELLER_SHARE,
        is_right=True,
        about="On how many of the last 30 days the seller who has the Buy Box now closed with it, "
        "in percent of the days whose holder is known",
    ),
    ListColumn(
        "rank_history",
        "BSR, 30 d",
        80,
        about="Steps, the same scale in every row: from twice to half the rank 30 days ago. "
        "Up is better",
    ),
    ListColumn("status", "Status", 100, SortBy.AVAILABILITY),
    ListColumn("tags", "Tags", 110, SortBy.TAGS, is_usual=False),
    ListColumn("role", "Role", 96, SortBy.ROLE, is_usual=False),
    ListColumn("asin", "ASIN", 104, SortBy.ASIN, is_usual=False),
    ListColumn("checked", "Last checked", 100, SortBy.OBSERVED_AT, is_usual=False),
)
_BY_NAME: Final = {column.name: column for column in (*_ALWAYS, *CHOOSABLE)}


def choose_columns(names: tuple[str, ...]) -> list[ListColumn]:
    """Return the shown columns in their order; the usual ones if none of these exists."""
    chosen = [column for column in CHOOSABLE if column.name in names]
    return [*_ALWAYS, *(chosen or [column for column in CHOOSABLE if column.is_usual])]


def find_column(name: str) -> ListColumn:
    """Return a column by its name. Raises KeyError."""
    return _BY_NAME[name]


def format_label(column: ListColumn, period: str) -> str:
    """Return a column's label: "BSR 7 d" for a change over seven days."""
    return f"{column.label} {period}" if column.has_period else column.label
