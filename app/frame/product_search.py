"""The search of every page, at the top of the sidebar: matches appear while one types."""

import streamlit as st

from app import keys
from app.auth import session
from app.components import fragments
from app.components.product_link import product_parameters
from app.data import navigation
from app.imports.upload import TEXT
from app.web import url_parameters
from core.accounts.access.permissions import Permission
from core.catalog.asin import Mention
from core.text.escaping import escape_markdown, shorten
from core.tracking.lists.quick_search import FoundProduct

FIELD = "find_product"
_PLACE = "_searched_from"
LONGEST_TITLE = 60  # two lines of the sidebar


def clear_after_opening(url_path: str) -> None:
    """Empty the field once one of its links was opened; links call no function."""
    place = (url_path, url_parameters.read_text(keys.ASIN), url_parameters.read_text(keys.SEARCH))
    if st.session_state.get(_PLACE, place) != place:
        st.session_state[FIELD] = ""
    st.session_state[_PLACE] = place


@fragments.fragment()
def show_search() -> None:
    """Show the field and, below it, the products that match."""
    typed = st.text_input(
        "Search products",
        key=FIELD,
        type="search",
        placeholder="Title, ASIN or link",
        icon=":material/search:",
        label_visibility="collapsed",
        live=True,
    )
    if not typed or not typed.strip():
        return
    found = navigation.search_products(typed)
    with st.container(gap="xxsmall"):
        for product in found.products:
            _show_match(product)
        if found.has_more:
            st.page_link(
                f"../pages/{keys.PRODUCTS}.py",
                label="All matches",
                icon=":material/arrow_forward:",
                query_params={keys.SEARCH: typed.strip()},
            )
        if found.untracked is not None:
            _show_untracked(found.untracked)
        elif not found.products:
            st.caption("No tracked product matches. Try fewer words, or an ASIN.")


def _show_match(product: FoundProduct) -> None:
    title = product.title or product.asin
    st.page_link(
        f"../pages/{keys.PRODUCT}.py",
        label=f"{escape_markdown(shorten(title, LONGEST_TITLE))} :gray[{product.marketplace}]",
        help=escape_markdown(f"{title} · {product.marketplace} · {product.asin}"),
        query_params=product_parameters(product.marketplace, product.asin),
    )


def _show_untracked(mention: Mention) -> None:
    """Show that a product isn't tracked, with "Add it" for users who may."""
    where = f" in {mention.marketplace}" if mention.marketplace else ""
    st.caption(escape_markdown(f"{mention.asin}{where} is not tracked yet."))
    if session.get_principal().may(Permission.TRACK) and st.button(
        "Add it", icon=":material/add:", key="add_searched"
    ):
        st.session_state[TEXT] = mention.text
        st.switch_page(f"../pages/{keys.ADD}.py")
