"""The evidence that a suggestion for a product may cite."""

from typing import Annotated

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.database.session import read_scope
from core.suggestions.proposals.propose import get_citable_facts
from core.suggestions.review import labels
from core.suggestions.rules import (
    CompetitorFacts,
    Facts,
)
from core.text.numbers import format_count
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import ProductName
from mcp_server.results.base import (
    Moment,
    Number,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    format_moment,
    format_product_name,
    mark_untrusted,
)
from mcp_server.results.suggestion import (
    EvidenceFigure,
    make_evidence_figure,
)
from mcp_server.results.units import to_major_units


class Caps(ResultPart):
    """Limits of a product's price. Null: no limit."""

    floor: Number | None
    ceiling: Number | None
    largest_step_percent: Annotated[
        Number, Described(description="In one change, from the current price.")
    ]
    currency: str


class ListingText(ResultPart):
    """The current listing. Null: not reported."""

    title: Untrusted | None
    brand: Untrusted | None
    bullets: list[Untrusted] | None
    description: Untrusted | None
    category_path: list[Untrusted] | None
    images: int | None


class CompetitorRef(ProductRef):
    """A competitor."""

    title: Untrusted | None


class SuggestionEvidence(ProductRef, Result):
    """The evidence for a suggestion."""

    as_of: Moment
    total: int
    truncated: bool
    evidence: list[EvidenceFigure]
    price_caps: Caps
    listing: ListingText
    competitors: list[CompetitorRef]


@tool(Permission.READ, "Evidence for a suggestion")
def get_suggestion_evidence(call: Call, product: ProductName) -> SuggestionEvidence:
    """Return every figure that a suggestion for a tracked product may cite, by its key, with
    its price limits, current listing and competitors.

    Every number in a suggestion's texts must be one of these or a proposed one.
    """
    with read_scope() as session:
        facts = get_citable_facts(session, call.principal, product, call.now)
    limits = labels.price_caps_text(facts.caps, facts.marketplace)
    count = format_count(len(facts.evidence))
    name = format_product_name(facts.marketplace, facts.asin)
    return SuggestionEvidence(
        product=name,
        marketplace=facts.marketplace,
        asin=facts.asin,
        as_of=format_moment(facts.as_of),
        total=len(facts.evidence),
        truncated=False,
        evidence=[make_evidence_figure(each) for each in facts.evidence],
        price_caps=_caps(facts),
        listing=_listing(facts),
        competitors=[_make_competitor(facts, each) for each in facts.competitors],
        summary=f"{count} figures may be cited for {name}; price {limits}.",
    )


def _caps(facts: Facts) -> Caps:
    return Caps(
        floor=to_major_units(facts.caps.floor, facts.currency),
        ceiling=to_major_units(facts.caps.ceiling, facts.currency),
        largest_step_percent=facts.caps.step_percent,
        currency=facts.currency,
    )


def _listing(facts: Facts) -> ListingText:
    listing = facts.listing
    return ListingText(
        title=mark_untrusted(listing.title),
        brand=mark_untrusted(listing.brand),
        bullets=_mark_all(listing.bullets),
        description=mark_untrusted(listing.description),
        category_path=_mark_all(listing.category_path),
        images=listing.image_count,
    )


def _mark_all(texts: tuple[str, ...] | None) -> list[Untrusted] | None:
    return None if texts is None else [Untrusted(untrusted=each) for each in texts]


def _make_competitor(facts: Facts, competitor: CompetitorFacts) -> CompetitorRef:
    return CompetitorRef(
        product=format_product_name(facts.marketplace, competitor.asin),
        marketplace=facts.marketplace,
        asin=competitor.asin,
        title=mark_untrusted(competitor.listing.title),
    )
