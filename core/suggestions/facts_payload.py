"""Facts as the plain values that an advisor is told. Pure; no database, no prompt.

Every figure has the key by which reasoning cites it. Listing text is data under
`listing` and `competitors`; long text is cut here, never in the facts themselves.
"""

from typing import Any

from core.suggestions.rules import CompetitorFacts, Evidence, Facts, ListingFacts

LONGEST_DESCRIPTION = 500  # characters of it that are told
LONGEST_TEXT = 300  # characters of a title or bullet
LONGEST_RIVAL = 120  # characters of a competitor's title
MOST_BULLETS = 8
MOST_COMPETITORS = 5
PERIODS = "A key that ends in _30 or _90 is of so many whole days before today."


def make_facts_payload(facts: Facts) -> dict[str, Any]:
    """Return what is known of one product: JSON's own types only, unknown left out."""
    return _known(
        {
            "marketplace": facts.marketplace,
            "asin": facts.asin,
            "as_of": facts.as_of.isoformat(timespec="minutes"),
            "currency": facts.currency,
            "bsr_category": facts.bsr_category,
            "cadence": facts.cadence,
            "price_caps": _known(
                {
                    "floor": facts.caps.floor,
                    "ceiling": facts.caps.ceiling,
                    "largest_step_percent": facts.caps.step_percent,
                }
            ),
            "periods": PERIODS,
            "figures": {each.key: _figure(each) for each in facts.evidence},
            "listing": _listing(facts.listing),
            "competitors": [_competitor(each) for each in facts.competitors[:MOST_COMPETITORS]],
        }
    )


def _figure(evidence: Evidence) -> str | list[Any]:
    """Return a value with its unit; text stands for itself. The key names the period."""
    return evidence.value if isinstance(evidence.value, str) else [evidence.value, evidence.unit]


def _listing(listing: ListingFacts) -> dict[str, Any]:
    description = listing.description
    return _known(
        {
            "title": listing.title and listing.title[:LONGEST_TEXT],
            "brand": listing.brand and listing.brand[:LONGEST_TEXT],
            "bullets": None
            if listing.bullets is None
            else [bullet[:LONGEST_TEXT] for bullet in listing.bullets[:MOST_BULLETS]],
            "description": description and description[:LONGEST_DESCRIPTION],
            "category_path": listing.category_path and list(listing.category_path),
        }
    )


def _competitor(competitor: CompetitorFacts) -> dict[str, Any]:
    """Return who it is; its numbers are among the figures."""
    title = competitor.listing.title
    return _known({"asin": competitor.asin, "title": title and title[:LONGEST_RIVAL]})


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
