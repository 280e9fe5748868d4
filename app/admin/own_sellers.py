"""The team's own sellers on the Team screen."""

from collections.abc import Sequence

import streamlit as st

from app.commands import account, admin
from core.catalog.marketplaces import MARKETPLACES
from core.text.escaping import escape_markdown
from core.text.numbers import format_count
from core.tracking.sellers.queries import ListedSeller, SeenSeller

LONGEST_ID = 20  # characters


def show_own_sellers(own: Sequence[ListedSeller], seen: Sequence[SeenSeller]) -> None:
    """Show the team's own sellers, the form to add one, and sellers seen on own products."""
    with st.container(border=True):
        st.header("Own sellers", anchor=False)
        st.caption(
            "The sellers that are your team, by marketplace. They decide whether a Buy Box is "
            "yours. Sellers are compared by id where a source reports one, otherwise by name."
        )
        if not own:
            st.caption("None is set.")
        for each in own:
            _show_own(each)
        _show_form()
        if seen:
            st.caption("In the Buy Box of your own products:")
        for place, candidate in enumerate(seen):
            _show_seen(place, candidate)


def _row() -> st.delta_generator.DeltaGenerator:
    return st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        wrap=False,
    )


def _show_own(each: ListedSeller) -> None:
    with _row():
        st.markdown(_seller_text(each.marketplace, each.seller_id, each.name))
        st.button(
            "Remove",
            key=f"remove_seller_{each.id}",
            on_click=account.run_with_toast,
            args=(admin.remove_own_seller, each.id),
        )


def _show_form() -> None:
    with st.form("own_seller", clear_on_submit=False, border=False):
        left, middle, right = st.columns(3)
        marketplace = left.selectbox("Marketplace", list(MARKETPLACES))
        seller_id = middle.text_input(
            "Seller id",
            max_chars=LONGEST_ID,
            help="Begins with A. It is in the address of your page as a seller, after “seller=”.",
        )
        name = right.text_input(
            "Name",
            max_chars=200,
            help="As Amazon shows it after “Sold by”. Needed where a source reports no id.",
        )
        if st.form_submit_button("Add", icon=":material/add:"):
            account.run_from_form(admin.add_own_seller, marketplace, seller_id, name)


def _show_seen(place: int, each: SeenSeller) -> None:
    noun = "product" if each.products == 1 else "products"
    with _row():
        st.markdown(
            f"{_seller_text(each.marketplace, each.seller_id, each.name)}  \n"
            f":small[{format_count(each.products)} {noun}]"
        )
        st.button(
            "Add",
            key=f"add_seller_{place}",
            on_click=account.run_with_toast,
            args=(
                admin.add_own_seller, each.marketplace, each.seller_id or "", each.name or "",
            ),
        )  # fmt: skip


def _seller_text(marketplace: str, seller_id: str | None, name: str | None) -> str:
    """Return a seller's name and id, the name escaped."""
    named = f"**{escape_markdown(name)}**" if name else ""
    return " ".join(filter(None, (marketplace, named, f"`{seller_id}`" if seller_id else "")))
