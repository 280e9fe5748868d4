"""Finds tracked products for the search of every page: words, an ASIN, or a pasted link."""

from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.asin import Mention, MentionVerdict
from core.catalog.models import Product, ProductText
from core.errors import InvalidInputError
from core.tracking.lists.autocomplete import complete_name
from core.tracking.models import Tracking
from core.tracking.product_reference import parse_reference

_MEANS_A_PRODUCT = {MentionVerdict.FOUND, MentionVerdict.NEEDS_MARKETPLACE}


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """A tracked product as a search names it. `title` None: not seen yet."""

    marketplace: str
    asin: str
    title: str | None


@dataclass(frozen=True, slots=True)
class QuickSearch:
    """The first matches of a search.

    `has_more`: the list of products has further ones. `untracked`: the search names this product
    by its ASIN or link, and the team doesn't track it.
    """

    products: tuple[FoundProduct, ...] = ()
    has_more: bool = False
    untracked: Mention | None = None


@requires(Permission.READ)
def search_products(session: Session, principal: Principal, typed: str, most: int) -> QuickSearch:
    """Return at most `most` products that the team tracks, for any text."""
    mention = _find_mention(typed)
    if mention is not None:
        products = _find_mentioned(session, principal, mention, most)
        return QuickSearch(products, untracked=None if products else mention)
    found = complete_name(session, principal, typed, most)
    return QuickSearch(_read_titles(session, found.products), found.has_more)


def _find_mention(typed: str) -> Mention | None:
    """Return the one product that a text names by its ASIN, None for words or several."""
    try:
        mention = parse_reference(typed)
    except InvalidInputError:
        return None
    return mention if mention.verdict in _MEANS_A_PRODUCT and mention.asin else None


def _find_mentioned(
    session: Session, principal: Principal, mention: Mention, most: int
) -> tuple[FoundProduct, ...]:
    statement = (
        select(Product.marketplace, Product.asin)
        .join(Tracking, Tracking.product_id == Product.id)
        .where(Product.asin == mention.asin, Tracking.team_id == principal.team_id)
        .distinct()
        .order_by(Product.marketplace)
        .limit(most)
    )
    if mention.marketplace is not None:
        statement = statement.where(Product.marketplace == mention.marketplace)
    names = tuple((row.marketplace, row.asin) for row in session.execute(statement))
    return _read_titles(session, names)


def _read_titles(session: Session, names: tuple[tuple[str, str], ...]) -> tuple[FoundProduct, ...]:
    """Return products with their titles, in the order of their names."""
    if not names:
        return ()
    rows = session.execute(
        select(Product.marketplace, Product.asin, ProductText.title)
        .outerjoin(ProductText, ProductText.product_id == Product.id)
        .where(tuple_(Product.marketplace, Product.asin).in_(names))
    )
    titles = {(row.marketplace, row.asin): row.title for row in rows}
    return tuple(FoundProduct(*name, titles.get(name)) for name in names)
