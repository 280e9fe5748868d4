"""What several tools look up: the product that a name means. No rules of its own."""

from sqlalchemy.orm import Session

from core.accounts.rules import Acting
from core.errors import NotFoundError
from core.history.product_head import ProductHead, find_product_head
from core.tracking.naming import get_named
from mcp_server.answers import name_of


def head_of(session: Session, acting: Acting, name: str) -> ProductHead:
    """Return the product that a name means.

    Raises InvalidInputError for what names none, NotFoundError for one not known here.
    """
    marketplace, asin = get_named(session, acting, name)
    head = find_product_head(session, acting, marketplace, asin)
    if head is None:
        raise NotFoundError(
            f"{name_of(marketplace, asin)} is not known here. `search_products` finds what is "
            "followed; `track_products` has a product followed from now on."
        )
    return head
