"""What is followed: the list, one product, and how much and how fresh all of it is."""

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
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.resources import resource
from mcp_server.results.base import Moment, ResultPart, format_moment, format_moment_or_none
from mcp_server.results.product import (
    ProductDetails,
    ProductList,
    list_products,
    make_product_details,
)
from mcp_server.results.product_lookup import find_product_by_code

LIST_SIZE = 100


@resource("product://list", Permission.READ, "Tracked products")
def followed_products(call: Call) -> ProductList:
    """What the token's owner follows (sellers), or the whole team does (everybody else), worst
    changes first: the first 100.

    Where it is truncated, hand `next_cursor` to `search_products` with `limit` 100 and the
    same `whose`.
    """
    asked = ListFilter(scope=default_list_scope(call.principal))
    return list_products(call.principal, call.now, asked, Sort(), LIST_SIZE, None)


@resource("product://{marketplace}/{asin}", Permission.READ, "A product")
def product(call: Call, marketplace: str, asin: str) -> ProductDetails:
    """The newest accepted values of one product, each with its unit and when it was seen, who
    follows it, and when it is looked at next: what `get_product_details` answers."""
    with read_scope() as session:
        head = find_product_by_code(session, call.principal, marketplace, asin)
    return make_product_details(head, call.now)


class Count(ResultPart):
    """How many; beyond the cap counting ends."""

    count: int
    is_exact: Annotated[bool, Described(description="False: there are more than `count`.")] = True


class Following(ResultPart):
    """How many products are followed, and how fresh what is known of them is."""

    followed: Count
    expected_daily: Annotated[
        Count, Described(description="Neither paused nor weekly: a look a day at least.")
    ]
    looked_at_in_24_hours: Annotated[Count, Described(description="Of `expected_daily`.")]
    last_look: Annotated[Moment | None, Described(description="Null: never yet.")]
    by_state: Annotated[dict[State, Count], Described(description="One product may be in several.")]


class Summary(ResultPart):
    """How much is watched, how fresh it is, and what waits."""

    as_of: Moment
    mine: Annotated[Following, Described(description="What the token's owner tracks.")]
    team: Annotated[Following, Described(description="What any user of the team tracks.")]
    suggestions_waiting: Annotated[int, Described(description="For a manager to decide.")]


@resource("metrics://summary", Permission.READ, "Counts and freshness")
def summary(call: Call) -> Summary:
    """How many products are followed and looked at, by state, when the last check was, and how
    many suggestions wait for a decision. Counts are exact to 10,000."""
    with read_scope() as session:
        waiting = read_queue(session, call.principal, QueueFilter(), 1, 1, call.now).counts.total
        return Summary(
            as_of=format_moment(call.now),
            mine=_following(session, call, ListScope.MINE),
            team=_following(session, call, ListScope.TEAM),
            suggestions_waiting=waiting,
        )


def _following(session: Session, call: Call, whose: ListScope) -> Following:
    found = measure_freshness(session, call.principal, whose)

    def in_state(state: State) -> Count:
        asked = ListFilter(states=(state,), scope=whose)
        return _count(count_products(session, call.principal, asked))

    return Following(
        followed=_count(found.tracked),
        expected_daily=_count(found.expected),
        looked_at_in_24_hours=_count(found.checked),
        last_look=format_moment_or_none(found.last_observed_at),
        by_state={state: in_state(state) for state in State},
    )


def _count(number: int) -> Count:
    return Count(count=min(number, COUNT_CAP), is_exact=number <= COUNT_CAP)
