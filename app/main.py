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

st.set_page_config(
    page_title="Amazcope",
    page_icon=":material/monitoring:",
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
