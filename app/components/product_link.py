"""The product that the URL names, links to products, the names of periods."""

from dataclasses import dataclass

import streamlit as st

from app import keys
from app.web import url_parameters
from core.catalog.asin import find_asin, product_url
from core.catalog.marketplaces import find_by_name

PERIOD_NAMES = {
    7: "the last 7 days",
    30: "the last 30 days",
    90: "the last 90 days",
    180: "the last 180 days",
    365: "the last year",
    0: "the whole history",
}


@dataclass(frozen=True, slots=True)
class ProductLink:
    """A product as the URL names it; it may not exist."""

    marketplace: str
    asin: str

    @property
    def url(self) -> str | None:
        """The product's page on Amazon, None for an invalid marketplace or ASIN."""
        place, asin = find_by_name(self.marketplace), find_asin(self.asin)
        return product_url(place.code, asin) if place and asin else None


def find_product_link() -> ProductLink | None:
    """Return the product in the URL, None when there is none."""
    marketplace = url_parameters.read_text(keys.MARKETPLACE)
    asin = url_parameters.read_text(keys.ASIN)
    if not marketplace or not asin:
        return None
    return ProductLink(marketplace.strip().upper()[:8], asin.strip().upper()[:20])


def restore_list() -> None:
    """Show the list with its last filters when the browser goes back to it.

    Streamlit adds a history entry of its own between list and product: the list's URL
    with the product's parameters instead of the filters. Without these parameters it
    restores the filters itself.
    """
    if keys.ASIN not in st.query_params:
        return
    for name in (keys.ASIN, keys.MARKETPLACE):
        st.query_params.pop(name, None)
    st.rerun()


def product_parameters(marketplace: str, asin: str) -> dict[str, str]:
    """Return the URL parameters of a product's page."""
    return {keys.MARKETPLACE: marketplace, keys.ASIN: asin}


def open_product(marketplace: str, asin: str) -> None:
    """Open a product's page."""
    st.switch_page(
        f"../pages/{keys.PRODUCT}.py", query_params=product_parameters(marketplace, asin)
    )
