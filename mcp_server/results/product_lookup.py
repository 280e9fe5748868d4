"""What several tools look up: the product that a name means. No rules of its own."""

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.asin import find_asin
from core.catalog.marketplaces import find_by_name
from core.errors import InvalidInputError, NotFoundError
from core.history.product_summary import ProductSummary, find_product_summary
from core.tracking.product_reference import REFERENCE_HELP, find_product_reference
from mcp_server.results.base import format_product_name


def find_product(session: Session, principal: Principal, name: str) -> ProductSummary:
    """Return the product that a name means.

    Raises InvalidInputError for what names none, NotFoundError for one not known here.
    """
    return _known(session, principal, *find_product_reference(session, principal, name))


def find_product_by_code(
    session: Session, principal: Principal, marketplace: str, asin: str
) -> ProductSummary:
    """Return the product of a marketplace's code and an ASIN, as addresses of resources say it.

    Raises as `find_product` does.
    """
    place, plain = find_by_name(marketplace), find_asin(asin)
    if place is None or plain is None:
        wrong = f"{marketplace[:40]}/{asin[:40]}"
        raise InvalidInputError(f"{wrong!r} names no product. {REFERENCE_HELP}")
    return _known(session, principal, place.code, plain)


def _known(session: Session, principal: Principal, marketplace: str, asin: str) -> ProductSummary:
    head = find_product_summary(session, principal, marketplace, asin)
    if head is None:
        raise NotFoundError(
            f"{format_product_name(marketplace, asin)} is not known here. `search_products` "
            "finds tracked products; `track_products` tracks one from now on."
        )
    return head
