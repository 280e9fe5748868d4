"""Search for products, and one product's current values."""

from typing import Annotated

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import get_by_name
from core.database.session import read_scope
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.tracking.sellers.queries import read_own_sellers
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import (
    CursorText,
    Descending,
    Marketplaces,
    Order,
    PageSize,
    ProductName,
    Roles,
    Scope,
    States,
    Tags,
)
from mcp_server.results.product import ProductList, list_products
from mcp_server.results.product_details import ProductDetails, make_product_details
from mcp_server.results.product_lookup import find_product


@tool(Permission.READ, "Search products")
def search_products(
    call: Call,
    search: Annotated[
        str,
        Described(
            max_length=200,
            description="Words of title or brand, or the start of an ASIN.",
            examples=["desk lamp", "B0ABC"],
        ),
    ] = "",
    marketplaces: Marketplaces = (),
    roles: Roles = (),
    states: States = (),
    tags: Tags = (),
    whose: Scope = ListScope.TEAM,
    sort: Order = SortBy.ATTENTION,
    descending: Descending = False,
    limit: PageSize = 20,
    cursor: CursorText = None,
) -> ProductList:
    """Find tracked products by words of title or brand, ASIN, marketplace, role, state or tag.

    Unknown values sort last.
    """
    places = tuple(get_by_name(code).code for code in marketplaces)
    asked = ListFilter(search, places, roles, states, tags, whose)
    return list_products(call.principal, call.now, asked, Sort(sort, descending), limit, cursor)


@tool(Permission.READ, "Product details")
def get_product_details(call: Call, product: ProductName) -> ProductDetails:
    """Return one product's current values, each with when it was seen, how the team tracks it,
    and when the next check is due."""
    with read_scope() as session:
        head = find_product(session, call.principal, product)
        own = read_own_sellers(session, call.principal.team_id)
    return make_product_details(head, own, call.now)
