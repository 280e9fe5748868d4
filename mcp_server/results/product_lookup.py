"""Finding the product of an argument or URI."""

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.asin import find_asin
from core.catalog.marketplaces import find_by_name
from core.errors import InvalidInputError, NotFoundError
from core.history.product_summary import ProductSummary, find_product_summary
from core.tracking.product_reference import REFERENCE_HELP, find_product_reference
from mcp_server.results.base import format_product_name


def find_product(session: Session, principal: Principal, name: str) -> ProductSummary:
    """Return the product that a name refers to.

    Raises InvalidInputError for a wrong name, NotFoundError for an unknown product.
    """
    return _get_summary(session, principal, *find_product_reference(session, principal, name))


def find_product_by_code(
    session: Session, principal: Principal, marketplace: str, asin: str
) -> ProductSummary:
    """Return the product of a marketplace code and an ASIN, as in resource URIs.

    Raises as `find_product` does.
    """
    place, plain = find_by_name(marketplace), find_asin(asin)
    if place is None or plain is None:
        wrong = f"{marketplace[:40]}/{asin[:40]}"
        raise InvalidInputError(f"{wrong!r} is not a product. {REFERENCE_HELP}")
    return _get_summary(session, principal, place.code, plain)


def _get_summary(
    session: Session, principal: Principal, marketplace: str, asin: str
) -> ProductSummary:
    head = find_product_summary(session, principal, marketplace, asin)
    if head is None:
        raise NotFoundError(
            f"{format_product_name(marketplace, asin)} is not in Amazcope. `search_products` "
            "finds tracked products; `track_products` starts tracking one."
        )
    return head
