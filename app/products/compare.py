"""What compares the selected products: as competitors of an own product, and in one file."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import streamlit as st

from app.commands import frozen_files, products, suggestions
from app.components import downloads
from app.data import get_principal
from app.data import suggestions as data
from core.accounts.access.permissions import Permission
from core.database.session import shared_time
from core.reports.frozen.product_page import MOST_COMPARED
from core.text.escaping import escape_markdown, shorten
from core.text.locale import get_formats
from core.tracking.competitors.queries import OwnProduct

LONGEST_TITLE = 60
COMPARED_TIME: Final = timedelta(days=90)
_OWN = "compare_with"


def show_compare_popover(
    product_ids: Sequence[int],
    marketplaces: Sequence[str],
    categories: Sequence[str | None] = (),
) -> None:
    """Show the popover to users who may track. `categories`: those of the products' ranks."""
    if not get_principal().may(Permission.TRACK):
        return
    with st.popover("Set as competitors of…", icon=":material/group_add:"):
        places = sorted(set(marketplaces))
        if len(places) > 1:
            st.caption(
                "Ranks and prices compare only within one marketplace. "
                "Select products of the same marketplace."
            )
            return
        own = data.list_own_products(places[0])
        _show_form(product_ids, own, places[0], {name for name in categories if name})


def show_frozen_button(selected: Sequence[Mapping[str, Any]]) -> None:
    """Show the button that downloads a comparison of a few products as a file."""
    if len(selected) > MOST_COMPARED:
        return
    now = shared_time()
    downloads.show_download_button(
        "Frozen report",
        "amazcope-comparison.html",
        downloads.HTML,
        partial(
            frozen_files.freeze_products,
            [(str(row["marketplace"]), str(row["asin"])) for row in selected],
            (now - COMPARED_TIME, now),
            get_formats(),
        ),
        key="frozen_products",
        is_quiet=True,
    )


def _show_form(
    product_ids: Sequence[int],
    own: Sequence[OwnProduct],
    marketplace: str,
    categories: set[str],
) -> None:
    names = {each.product_id: _name(each) for each in own if each.product_id not in product_ids}
    if not names:
        st.caption(
            f"No other product of {marketplace} is your own: set its role in its settings. "
            "Only own products have competitors."
        )
        return
    chosen = st.selectbox(
        "Your own product",
        list(names),
        format_func=names.__getitem__,
        key=_OWN,
    )
    others = categories - {each.category for each in own if each.product_id == chosen}
    if others and any(each.category for each in own if each.product_id == chosen):
        named = ", ".join(escape_markdown(shorten(name, LONGEST_TITLE)) for name in sorted(others))
        st.warning(
            f"Other category: {named}. Ranks of different categories don't compare.",
            icon=":material/category:",
        )
    st.caption("They stay its competitors until they are removed on its page.")
    st.button(
        "Set as competitors",
        icon=":material/add:",
        key="do_compare",
        on_click=_compare,
        args=(list(product_ids),),
    )


def _compare(product_ids: list[int]) -> None:
    # Read on the click: the run that drew the button has the choice before.
    products.run_with_toast(suggestions.set_competitors, st.session_state[_OWN], product_ids)


def _name(own: OwnProduct) -> str:
    return f"{shorten(own.title or 'no title seen yet', LONGEST_TITLE)} · {own.asin}"
