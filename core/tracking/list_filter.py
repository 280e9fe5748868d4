"""Filters, order and pages of product lists. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from core.accounts.access.permissions import Principal
from core.accounts.access.permissions import Role as AccountRole
from core.tracking.rules import Role

COUNT_CAP = 10_000  # counts are exact up to here
LARGEST_PAGE = 200
RANK_WORSE_PERCENT = 10  # from which a rank counts as worse in the filter of that name
CHANGE_DAYS = (1, 7, 30)  # the periods over which changes are kept; 1: since yesterday's close


class State(StrEnum):
    """A state to filter a list by."""

    ATTENTION = "attention"
    OPPORTUNITY = "opportunity"
    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    SUPPRESSED = "buy_box_suppressed"
    BUY_BOX_LOST = "buy_box_lost"  # an open issue of the team's rule of that name
    GONE = "gone"
    UNKNOWN = "unknown"
    FLAGGED = "doubtful"
    PAUSED = "paused"


class SortBy(StrEnum):
    """What to sort a list by."""

    ATTENTION = "attention"
    TITLE = "title"
    MARKETPLACE = "marketplace"
    PRICE = "price"
    PRICE_CHANGE = "price_change"
    RANK = "rank"
    RANK_CHANGE = "rank_change"
    RATING = "rating"
    RATINGS_COUNT = "ratings"
    SELLER = "buy_box_seller"
    SELLER_SHARE = "buy_box_share"
    AVAILABILITY = "availability"
    TAGS = "tags"
    ROLE = "role"
    ASIN = "asin"
    OBSERVED_AT = "last_look"


class ListScope(StrEnum):
    """Which products a list includes."""

    MINE = "mine"  # those that the principal tracks
    TEAM = "team"  # those that anyone in the team tracks, each once


def default_list_scope(principal: Principal) -> ListScope:
    """Return the default list scope: own products for sellers, the team's for everyone else."""
    return ListScope.MINE if principal.role is AccountRole.SELLER else ListScope.TEAM


@dataclass(frozen=True, slots=True)
class Sort:
    """An order; unknown values come last in either direction."""

    by: SortBy = SortBy.ATTENTION
    descending: bool = False  # attention is always worst first
    days: int = 1  # of a change: one of CHANGE_DAYS


@dataclass(frozen=True, slots=True)
class ListFilter:
    """A filter of a product list. Empty: all; the values of one field are alternatives."""

    search: str = ""
    marketplaces: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    states: tuple[State, ...] = ()
    tags: tuple[str, ...] = ()
    scope: ListScope = ListScope.MINE
    is_paused: bool | None = None  # None: either
    # Only ranks that are worse than so many days ago (CHANGE_DAYS) by RANK_WORSE_PERCENT.
    rank_worse_days: int | None = None
    import_id: int | None = None  # only products that an import of the team added or gave values

    @property
    def is_empty(self) -> bool:
        """True if nothing but the scope is filtered."""
        return self == ListFilter(scope=self.scope)
