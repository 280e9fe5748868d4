"""Finds the product of a reference: marketplace and ASIN, an address, or an ASIN alone."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.asin import Mention, MentionVerdict, find_asin, read_mentions
from core.catalog.marketplaces import find_by_name
from core.catalog.models import Product
from core.errors import InvalidInputError, NotFoundError
from core.tracking.models import Tracking

REFERENCE_HELP = (
    "Name a product as marketplace and ASIN, such as US:B0ABCDEFGH, or by the address of its "
    "page; `search_products` finds tracked products by words of their titles."
)
# The form that Amazcope writes, also in addresses of resources.
_PAIR = re.compile(r"\s*(?:product://)?([A-Za-z]{2})\s*[:/ ]\s*([A-Za-z0-9]{10})\s*")


@requires(Permission.READ)
def find_product_reference(session: Session, principal: Principal, name: str) -> tuple[str, str]:
    """Return the (marketplace, ASIN) of a reference. The product may be unknown to Amazcope.

    An ASIN alone is searched among the team's tracked products. Raises InvalidInputError,
    with advice, for a reference to no product or to several.
    """
    return resolve_product(session, principal, name)


def resolve_product(session: Session, principal: Principal, name: str) -> tuple[str, str]:
    """Do the same as `find_product_reference`, for operations that check another permission."""
    mention = parse_reference(name)
    if mention.marketplace is not None and mention.asin is not None:
        return mention.marketplace, mention.asin
    if mention.verdict is MentionVerdict.NEEDS_MARKETPLACE and mention.asin is not None:
        return _find_tracked_marketplace(session, principal, mention.asin), mention.asin
    raise InvalidInputError(f"{mention.detail} {REFERENCE_HELP}")


def parse_reference(name: str, default_marketplace: str | None = None) -> Mention:
    """Return the product of a reference, or its problem, as a mention.

    An ASIN alone belongs to the default marketplace, else it needs one. Raises
    InvalidInputError for a reference to nothing, or to several products.
    """
    pair = _as_pair(name)
    if pair is not None:
        return Mention(name, MentionVerdict.FOUND, *pair, "A product.")
    return _only_mention(name, default_marketplace)


def _as_pair(name: str) -> tuple[str, str] | None:
    found = _PAIR.fullmatch(name)
    if found is None:
        return None
    marketplace, asin = find_by_name(found[1]), find_asin(found[2])
    return (marketplace.code, asin) if marketplace and asin else None


def _only_mention(name: str, default_marketplace: str | None) -> Mention:
    mentions = read_mentions(name, default_marketplace)
    if not mentions:
        raise InvalidInputError(f"This names no product. {REFERENCE_HELP}")
    meant = {(each.marketplace, each.asin) for each in mentions if each.asin}
    if len(meant) > 1:
        raise InvalidInputError(f"This names {len(meant)} products; name one. {REFERENCE_HELP}")
    return next((each for each in mentions if each.asin), mentions[0])


def _find_tracked_marketplace(session: Session, principal: Principal, asin: str) -> str:
    """Return the one marketplace on which the team tracks an ASIN."""
    where = sorted(
        session.scalars(
            select(Product.marketplace)
            .join(Tracking, Tracking.product_id == Product.id)
            .where(Product.asin == asin, Tracking.team_id == principal.team_id)
            .distinct()
        )
    )
    if len(where) == 1:
        return where[0]
    if not where:
        raise InvalidInputError(f"Your team tracks no product {asin}. {REFERENCE_HELP}")
    raise InvalidInputError(
        f"{asin} is tracked on {', '.join(where)}. Choose one: {where[0]}:{asin}, for example."
    )


def get_tracked_marketplace(session: Session, team_id: int, product_id: int) -> str:
    """Return the marketplace of a product that the team tracks. Raises NotFoundError."""
    marketplace = session.scalar(
        select(Product.marketplace)
        .join(Tracking, Tracking.product_id == Product.id)
        .where(Product.id == product_id, Tracking.team_id == team_id)
        .limit(1)
    )
    if marketplace is None:
        raise NotFoundError("Your team does not track this product. Add it first.")
    return marketplace
