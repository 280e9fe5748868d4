"""Builds the facts of a lamp for the tests of the model. No tests here."""

from typing import Any

from core.suggestions.rules import CompetitorFacts, Evidence, Facts, ListingFacts
from core.tracking.price_caps.rules import PriceCaps
from tests.factories.observations import NOW
from tests.factories.products import LAMP

TITLE = "Lumo Reading Lamp with Long Neck, 12 W, Black"
BULLETS = (
    "Bends 60 cm in every direction and stays where it is put",
    "Gives an even and warm light for the whole page of a book",
    "Stands on the desk and is clamped to the bed in a moment",
)
LISTING = ListingFacts(
    title=TITLE,
    brand="Lumo",
    bullets=BULLETS,
    description="A lamp for those who read in bed, with a switch on the cable.",
    category_path=("Home", "Lamps"),
    image_count=4,
)
COMPETITOR = CompetitorFacts(
    2, "B0TEST0002", 1799, 480, 7, 44, 900, ListingFacts(title="Shiny lamp of 20 W")
)
EVIDENCE = (
    Evidence("price_now", "Buy Box price now", 2000, "USD minor"),
    Evidence("price_median", "Median price", 2150, "USD minor", "last 30 days"),
    Evidence("bsr_now", "Best Sellers Rank now", 1204, "rank"),
    Evidence("rating_now", "Rating now", 45, "stars/10"),
    Evidence("in_stock", "Share of the time in stock", 96.53, "%", "last 30 days"),
    Evidence("title_characters", "Characters of the title", 45, "characters"),
)


def lamp_facts(**values: Any) -> Facts:
    """Return the facts of a lamp that sells for 20.00, within 15.00 and 25.00."""
    usual: dict[str, Any] = {
        "product_id": 1,
        "marketplace": "US",
        "asin": LAMP,
        "as_of": NOW.replace(year=2026, month=11),
        "currency": "USD",
        "price": 2000,
        "bsr": 1204,
        "bsr_category": "Lamps",
        "bsr_category_id": 7,
        "rating": 45,
        "ratings_count": 1000,
        "availability": 0,
        "listing": LISTING,
        "price_change_percent": 5.0,
        "rank_change_percent": None,
        "cadence": "daily",
        "caps": PriceCaps(1500, 2500),
        "competitors": (COMPETITOR,),
        "evidence": EVIDENCE,
    }
    return Facts(**(usual | values))
