"""Converts facts into plain values for an advisor. Pure; no database, no prompt.

A figure is stored under the key by which reasoning cites it. Listing text is data under
`listing` and `competitors`. Long text is cut here, never in the facts themselves.

`fingerprints.facts_hash` hashes these values: a change of keys or texts makes all facts new.
"""

from typing import Any

from core.suggestions.rules import CompetitorFacts, Evidence, Facts, ListingFacts

LONGEST_DESCRIPTION = 500  # characters of the description
LONGEST_TEXT = 300  # characters of a title or bullet
LONGEST_COMPETITOR_TITLE = 120  # characters of a competitor's title
MOST_BULLETS = 8
MOST_COMPETITORS = 5
PERIODS = "A key that ends in _30 or _90 is of so many whole days before today."


def make_facts_payload(facts: Facts) -> dict[str, Any]:
    """Return the facts of one product in JSON types, without unknown values."""
    return _drop_unknown(
        {
            "marketplace": facts.marketplace,
            "asin": facts.asin,
            "as_of": facts.as_of.isoformat(timespec="minutes"),
            "currency": facts.currency,
            "bsr_category": facts.bsr_category,
            "cadence": facts.cadence,
            "price_caps": _drop_unknown(
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
    """Return [value, unit], or the value if it is text. The key names the period."""
    return evidence.value if isinstance(evidence.value, str) else [evidence.value, evidence.unit]


def _listing(listing: ListingFacts) -> dict[str, Any]:
    description = listing.description
    return _drop_unknown(
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
    """Return a competitor's ASIN and title; its numbers are among the figures."""
    title = competitor.listing.title
    return _drop_unknown(
        {"asin": competitor.asin, "title": title and title[:LONGEST_COMPETITOR_TITLE]}
    )


def _drop_unknown(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
