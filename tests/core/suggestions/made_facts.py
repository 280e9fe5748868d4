"""Builds the facts of a lamp that sells as usual, as input for the rules."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.suggestions.evidence.lookup import EvidenceLookup
from core.suggestions.rules import CompetitorFacts, Evidence, Facts, ListingFacts, SnapshotKey
from core.tracking.price_caps.rules import PriceCaps

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
TITLE = "Lumo Reading Lamp with a Long Neck, Dimmable, Black"
BULLETS = (
    "BENDS: the neck keeps every position.",
    "SHINES: five steps from dim to bright.",
    "STANDS: a base that is heavy enough.",
)
USUAL: Mapping[str, float | str] = {
    "price_now": 2000,
    "bsr_now": 500,
    "rating_now": 45,
    "price_days_30": 30,
    "price_days_90": 88,
    "price_median_30": 2000,
    "price_median_90": 2000,
    "price_low_90": 1800,
    "price_high_90": 2200,
    "rank_days_30": 30,
    "rank_days_90": 90,
    "bsr_median_30": 500,
    "bsr_median_90": 500,
    "stock_days_30": 30,
    "stock_days_90": 90,
    "out_of_stock_30": 0.0,
    "out_of_stock_90": 0.0,
    "price_threshold": 5.0,
    "price_moves_90": 87,
    "price_alerts_90": 3,
    "price_wide_move_90": 0.0,
    "rank_threshold": 50.0,
    "rank_moves_90": 89,
    "rank_alerts_90": 2,
    "rank_wide_move_90": 18.2,
    "looks_per_day_30": 1.0,
    "price_changes_30": 1,
    "price_ranges_30": 0,
    "title_length": len(TITLE),
    "bullet_count": 3,
    "bullets_length": sum(map(len, BULLETS)),
    "image_count": 6,
}


def listing(**values: Any) -> ListingFacts:
    """Return a listing that breaks no policy."""
    usual: dict[str, Any] = {
        "title": TITLE,
        "brand": "Lumo",
        "bullets": BULLETS,
        "description": "A lamp for long evenings.",
        "category_path": ("Home", "Lamps"),
        "image_count": 6,
    }
    return ListingFacts(**(usual | values))


def facts(figures: Mapping[str, float | str | None] | None = None, **values: Any) -> Facts:
    """Return the facts of the lamp with these figures changed; None makes one unknown."""
    known_figures = {
        key: each for key, each in (USUAL | (figures or {})).items() if each is not None
    }
    price = known_figures.get("price_now")
    usual: dict[str, Any] = {
        "product_id": 1,
        "marketplace": "US",
        "asin": "B0TEST0001",
        "as_of": AT,
        "currency": "USD",
        "price": price,
        "bsr": known_figures.get("bsr_now"),
        "bsr_category": "Home",
        "bsr_category_id": 7,
        "rating": known_figures.get("rating_now"),
        "ratings_count": 1000,
        "availability": 1,
        "listing": listing(),
        "price_change_percent": None,
        "rank_change_percent": None,
        "cadence": "daily",
        "caps": PriceCaps(),
        "evidence": tuple(evidence(key, value) for key, value in known_figures.items()),
    }
    return Facts(**(usual | values))


def evidence(key: str, value: float | str) -> Evidence:
    """Return a figure with the observation it came from."""
    unit = "rank" if "bsr" in key else "USD minor" if "price" in key else "%"
    return Evidence(key, key, value, unit, None, (SnapshotKey(1, AT, 1),))


def make_lookup(
    figures: Mapping[str, float | str | None] | None = None, **values: Any
) -> EvidenceLookup:
    """Return the same facts as the lookup that the rules read."""
    return EvidenceLookup(facts(figures, **values))


def make_competitor_figures(
    *prices: int, rank: int = 100, rating: int = 45, **more: float
) -> dict[str, Any]:
    """Return the figures of competitors at these prices."""
    found: dict[str, Any] = {}
    for number, price in enumerate(prices, 1):
        name = f"competitor_{number}"
        found |= {name: f"B0COMP{number:04d}", f"{name}_price": price}
        found |= {f"{name}_bsr": rank + number, f"{name}_rating": rating}
        found |= {f"{name}_{key}": value for key, value in more.items()}
    return found


def make_chosen_competitors(count: int) -> tuple[CompetitorFacts, ...]:
    """Return the facts of competitors that the team chose."""
    return tuple(
        CompetitorFacts(100 + n, f"B0COMP{n:04d}", 1900, 100, 7, 45, 900, ListingFacts())
        for n in range(count)
    )
