"""Which product and which period a page is about: read from the address, chosen on the page."""

from dataclasses import dataclass

import streamlit as st

from app import keys
from app.web import url_parameters
from core.catalog.asin import find_asin, product_url
from core.catalog.marketplaces import find_by_name

RANGES = {7: "7 d", 30: "30 d", 90: "90 d", 180: "180 d", 365: "1 y", 0: "All"}  # 0: all
IN_WORDS = {
    7: "the last 7 days",
    30: "the last 30 days",
    90: "the last 90 days",
    180: "the last 180 days",
    365: "the last year",
    0: "the whole history",
}
USUAL_RANGE = 90


@dataclass(frozen=True, slots=True)
class ProductLink:
    """A product as the address names it; it may not exist."""

    marketplace: str
    asin: str

    @property
    def url(self) -> str | None:
        """The product's page on Amazon, None where no product can be called like this."""
        place, asin = find_by_name(self.marketplace), find_asin(self.asin)
        return product_url(place.code, asin) if place and asin else None


def find_product_link() -> ProductLink | None:
    """Return the product that the address names, None when it names none."""
    marketplace = url_parameters.read_text(keys.MARKETPLACE)
    asin = url_parameters.read_text(keys.ASIN)
    if not marketplace or not asin:
        return None
    return ProductLink(marketplace.strip().upper()[:8], asin.strip().upper()[:20])


def choose_days() -> int:
    """Show the ranges and return the chosen number of days (0: all), kept in the address."""
    asked = url_parameters.read_text(keys.DAYS)
    known = {str(number) if number else "all": number for number in RANGES}
    chosen = st.segmented_control(
        "Period",
        list(RANGES),
        default=known.get(asked or "", USUAL_RANGE),
        required=True,
        format_func=lambda number: RANGES[number],
        key=keys.PERIOD,
        label_visibility="collapsed",
    )
    number = USUAL_RANGE if chosen is None else chosen
    written = str(number) if number else "all"
    if asked != written and (asked is not None or number != USUAL_RANGE):
        st.query_params[keys.DAYS] = written
    return number
