"""Suggestions for one product."""

from core.accounts.access.permissions import Permission
from core.database.session import read_scope
from core.suggestions.queue_filter import QueueFilter
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.resources import resource
from mcp_server.results.product_lookup import find_product_by_code
from mcp_server.tools.suggestions import SuggestionList, list_matching_suggestions

LIST_SIZE = 50


@resource("suggestions://{marketplace}/{asin}", Permission.READ, "Suggestions for a product")
def suggestions_for_product(call: Call, marketplace: str, asin: str) -> SuggestionList:
    """Return the first 50 suggestions for one product, in any state, newest first.

    `get_suggestion` returns one with its changes and evidence. If truncated, continue with
    `list_suggestions`: pass `next_cursor`, the product, `state` any and `limit` 50.
    """
    with read_scope() as session:
        head = find_product_by_code(session, call.principal, marketplace, asin)
    return list_matching_suggestions(
        call, QueueFilter(state=None, product_id=head.product_id), LIST_SIZE, None
    )
