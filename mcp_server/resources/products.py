"""Tracked products: the list, one product, counts and freshness."""

from typing import Annotated

from pydantic import Field as Described
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission
from core.database.session import read_scope
from core.suggestions.queue_filter import QueueFilter
from core.suggestions.review.queries import read_queue
from core.tracking.list_filter import (
    COUNT_CAP,
    ListFilter,
    ListScope,
    Sort,
    State,
    default_list_scope,
)
from core.tracking.lists.freshness import measure_freshness
from core.tracking.lists.queries import count_products
from core.tracking.sellers.queries import read_own_sellers
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.resources import resource
from mcp_server.results.base import Moment, ResultPart, format_moment, format_moment_or_none
from mcp_server.results.product import ProductList, list_products
from mcp_server.results.product_details import ProductDetails, make_product_details
from mcp_server.results.product_lookup import find_product_by_code

LIST_SIZE = 100


@resource("product://list", Permission.READ, "Tracked products")
def tracked_products(call: Call) -> ProductList:
    """Return the first 100 tracked products, worst changes first: the seller's own, or the
    team's for other roles.

    If truncated, continue with `search_products`: pass `next_cursor`, `limit` 100 and the same
    `whose`.
    """
    asked = ListFilter(scope=default_list_scope(call.principal))
    return list_products(call.principal, call.now, asked, Sort(), LIST_SIZE, None)


@resource("product://{marketplace}/{asin}", Permission.READ, "A product")
def product(call: Call, marketplace: str, asin: str) -> ProductDetails:
    """Return one product's current values with units and times, its tracking settings and its
    next check, like `get_product_details`."""
    with read_scope() as session:
        head = find_product_by_code(session, call.principal, marketplace, asin)
        own = read_own_sellers(session, call.principal.team_id)
    return make_product_details(head, own, call.now)


class Count(ResultPart):
    """A count; counting stops at a cap."""

    count: int
    is_exact: Annotated[bool, Described(description="False: there are more than `count`.")] = True


class TrackedCounts(ResultPart):
    """How many products are tracked, and how fresh their values are."""

    followed: Count
    expected_daily: Annotated[
        Count, Described(description="Neither paused nor weekly: checked daily or more often.")
    ]
    looked_at_in_24_hours: Annotated[Count, Described(description="Of `expected_daily`.")]
    last_look: Annotated[Moment | None, Described(description="Null: never.")]
    by_state: Annotated[
        dict[State, Count], Described(description="A product may count in several states.")
    ]


class Summary(ResultPart):
    """Counts of products and pending suggestions."""

    as_of: Moment
    mine: Annotated[TrackedCounts, Described(description="Tracked by the token's owner.")]
    team: Annotated[TrackedCounts, Described(description="Tracked by any user of the team.")]
    suggestions_waiting: Annotated[int, Described(description="Pending, for a manager's approval.")]


@resource("metrics://summary", Permission.READ, "Counts and freshness")
def summary(call: Call) -> Summary:
    """Return how many products are tracked and were checked, by state, the time of the last
    check, and the number of pending suggestions. Counts are exact to 10,000."""
    with read_scope() as session:
        pending = read_queue(session, call.principal, QueueFilter(), 1, 1, call.now).counts.total
        return Summary(
            as_of=format_moment(call.now),
            mine=_count_tracked(session, call, ListScope.MINE),
            team=_count_tracked(session, call, ListScope.TEAM),
            suggestions_waiting=pending,
        )


def _count_tracked(session: Session, call: Call, whose: ListScope) -> TrackedCounts:
    found = measure_freshness(session, call.principal, whose)

    def in_state(state: State) -> Count:
        asked = ListFilter(states=(state,), scope=whose)
        return _count(count_products(session, call.principal, asked))

    return TrackedCounts(
        followed=_count(found.tracked),
        expected_daily=_count(found.expected),
        looked_at_in_24_hours=_count(found.checked),
        last_look=format_moment_or_none(found.last_observed_at),
        by_state={state: in_state(state) for state in State},
    )


def _count(number: int) -> Count:
    return Count(count=min(number, COUNT_CAP), is_exact=number <= COUNT_CAP)
