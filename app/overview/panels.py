"""A card of the Overview: its heading, and rows of a picture beside a linked title."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import keys
from app.commands import frozen_files
from app.components import downloads, product_link, thumbnail
from app.data.overview import OverviewChoice
from core.text.escaping import escape_markdown, shorten
from core.text.locale import get_formats

LONGEST_TITLE: Final = 46
_HEAD, _ROW = "overview_head", "overview_row"
# Cards beside each other start alike, and a title where the text below it does: Streamlit has no
# option for either.
STYLE: Final = f"""<style>
[class*="st-key-{_HEAD}"] {{ min-height: 2.5rem; }}
[class*="st-key-{_ROW}"] [data-testid="stPageLink"] a {{ padding-inline: 0; }}
</style>"""


def show_heading(
    name: str, title: str, about: str | None = None, caption: str = ""
) -> DeltaGenerator:
    """Show a card's heading; return the container at its right, for a link or a control.

    `name`: of the card, once on the page.
    """
    row = st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"{_HEAD}_{name}"
    )
    row.header(title, anchor=False, width="content", help=about)
    if caption:
        row.caption(caption, width="content")
    row.space("stretch")
    return row


def show_more_link(beside: DeltaGenerator, page: str, label: str, **parameters: str) -> None:
    """Show a link to the list behind a card, in its heading."""
    beside.page_link(
        f"../pages/{page}.py",
        label=label,
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params=parameters or None,
        width="content",
    )


def show_product_row(
    name: str,
    product: Mapping[str, str | None],
    text: str,
    address: str | None,
    size: int,
) -> DeltaGenerator:
    """Show a product's picture, its linked title and Markdown below; return the row.

    `product`: its marketplace, asin and title. `name`: of the row, once on the page.
    """
    marketplace, asin = str(product["marketplace"]), str(product["asin"])
    title = product["title"] or asin
    label = f"**{escape_markdown(shorten(title, LONGEST_TITLE))}** :gray[· {marketplace}]"
    row = st.container(
        horizontal=True,
        vertical_alignment="center",
        gap="small",
        wrap=False,
        key=f"{_ROW}_{name}",
    )
    with row:
        thumbnail.show_thumbnail(address, "", size)
        with st.container(gap=None):
            st.page_link(
                f"../pages/{keys.PRODUCT}.py",
                label=label,
                help=escape_markdown(title) if len(title) > LONGEST_TITLE else None,
                query_params=product_link.product_parameters(marketplace, asin),
            )
            st.markdown(text)
    return row


def show_frozen_button(choice: OverviewChoice) -> None:
    """Show the button that downloads a report of the chosen period and list as a file."""
    downloads.show_download_button(
        "Frozen report",
        f"amazcope-{choice.period.value}.html",
        downloads.HTML,
        partial(frozen_files.freeze_period, choice.scope, choice.period, get_formats()),
        key="frozen_period",
        is_quiet=True,
    )
