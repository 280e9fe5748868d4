"""The products that the token's owner tracks."""

from typing import Annotated

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import (
    CursorText,
    Descending,
    Order,
    PageSize,
    Roles,
    States,
    Tags,
)
from mcp_server.results.product import ProductList, list_products


@tool(Permission.READ, "My products")
def get_my_products(
    call: Call,
    roles: Roles = (),
    tags: Tags = (),
    states: States = (),
    paused: Annotated[bool | None, Described(description="Only paused, or only running.")] = None,
    sort: Order = SortBy.ATTENTION,
    descending: Descending = False,
    limit: PageSize = 20,
    cursor: CursorText = None,
) -> ProductList:
    """List the products that the token's owner tracks, with current values. For the team's, or
    to search by words, use `search_products`."""
    asked = ListFilter(
        roles=roles, tags=tags, states=states, scope=ListScope.MINE, is_paused=paused
    )
    return list_products(call.principal, call.now, asked, Sort(sort, descending), limit, cursor)
