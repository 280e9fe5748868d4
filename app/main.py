"""Entry point of the pages: navigation, footer, one error boundary. No screen of its own."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Streamlit puts this folder on the path, not the project's.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app import boundary, keys  # noqa: E402

SIDEBAR_WIDTH = 210  # px: the tables need the rest
# As data: for a Material icon the browser would ask a server outside of this machine.
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E"
    "%3Crect width='24' height='24' rx='5' fill='%230f766e'/%3E"
    "%3Cpath d='M4 16h5V9h5v4h6' fill='none' stroke='white' stroke-width='2.5'/%3E%3C/svg%3E"
)

st.set_page_config(
    page_title="Amazcope",
    page_icon=ICON,
    layout="wide",
    initial_sidebar_state=SIDEBAR_WIDTH,
)


def page(name: str, title: str, icon: str, about: str, *, default: bool = False) -> st.Page:
    """Return one page of the navigation, at the address of its name."""
    return st.Page(
        ROOT / "pages" / f"{name}.py",
        title=title,
        icon=f":material/{icon}:",
        help=about,
        url_path=name,
        default=default,
    )


NAVIGATION = {
    "Watch": [
        page(keys.OVERVIEW, "Overview", "dashboard", "What changed since yesterday.", default=True),
        page(keys.PRODUCTS, "Products", "inventory_2", "All products, to search and sort."),
        page(keys.PRODUCT, "Product", "monitoring", "One product's price and rank over time."),
    ],
    "System": [
        page(keys.ADD, "Add products", "add_circle", "Paste, upload or fetch products."),
        page(keys.HEALTH, "Health", "ecg_heart", "Fetches, failures, due products and cost."),
    ],
}


def footer() -> None:
    """Say in the sidebar that the products are invented, while they are."""
    from app import data  # after the navigation, so that a dead database can't hide it

    if data.has_demo():
        st.sidebar.caption("Demo market · invented products")


current = st.navigation(NAVIGATION, expanded=True)
try:
    footer()
    current.run()
except Exception as error:
    boundary.tell(error)
