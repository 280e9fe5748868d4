"""The tab Competitors: the product's competitors and its price caps."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from app.commands import products
from app.commands import suggestions as suggestion_actions
from app.components import data_table, downloads, product_link
from app.data import get_principal, images
from app.data import suggestions as data
from app.data.product.competitors import read_month_lines
from app.data.product.period import PeriodView
from app.products.cells import LINE_HEIGHT, make_rank_line
from core.accounts.access.permissions import Permission
from core.history.current import competitor_rows
from core.history.current.competitor_rows import CompetitorRow
from core.history.current.competitor_values import CompetitorValues
from core.history.product_summary import ProductSummary
from core.suggestions.review import labels
from core.text.escaping import escape_markdown, shorten
from core.text.spreadsheets import csv_of_frame

LONGEST_TITLE = 70
_PASTED = "pasted_competitor"
_OPEN: Final = "open_competitor"
_ROW_HEIGHT: Final = 58  # px; titles in two lines
_IN_FILE: Final = [each.name for each in fields(CompetitorRow)]
_BLANK: Final[tuple[list[float | None], list[float | None]]] = ([], [])


def show_competitors(head: ProductSummary, _period: PeriodView) -> None:
    """Show the product's competitors; users who may track can add and remove them."""
    may = get_principal().may(Permission.TRACK) and head.tracking is not None
    rows = data.list_competitors(head.product_id)
    if rows:
        _show_table(head, rows)
    else:
        st.caption(
            "No competitor is chosen yet. Advice on price and content compares with those "
            "chosen here."
        )
    if may:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            _show_add_form(head)
            if rows:
                _show_removal(head, rows)
    caps = labels.price_caps_text(data.get_price_caps(head.product_id), head.marketplace)
    st.caption(f":material/straighten: Price caps for suggestions: {escape_markdown(caps)}.")


def _show_table(head: ProductSummary, rows: Sequence[CompetitorValues]) -> None:
    """Show the competitors side by side; a button opens each one's page."""
    now = datetime.now(UTC)
    ids = tuple(row.product_id for row in rows)
    lines = read_month_lines(ids)
    pictures = images.find_thumbnails(ids)
    frame = pd.DataFrame(
        [
            {
                "image": pictures.get(row.product_id),
                "open": ":material/open_in_new:",
                **asdict(competitor_rows.make_row(row, head.price, head.bsr_category_id, now)),
                "price_line": competitor_rows.make_price_line(lines.get(row.product_id, _BLANK)[0]),
                "rank_line": make_rank_line(lines.get(row.product_id, _BLANK)[1]),
            }
            for row in rows
        ],
        columns=list(_configure()),
    )
    shown = [name for name in frame.columns if name != "image" or pictures]
    data_table.show_exported_table(
        frame,
        key="competitor_table",
        column_order=shown,
        column_config=_configure(),
        row_height=_ROW_HEIGHT,
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        downloads.show_download_button(
            "CSV",
            "amazcope-competitors.csv",
            downloads.CSV,
            lambda _who: csv_of_frame(frame[_IN_FILE].assign(asin=[row.asin for row in rows])),
            key="competitors_csv",
            is_quiet=True,
        )
    clicked = st.session_state.get(_OPEN)
    if clicked and clicked["row"] < len(rows):
        row = rows[clicked["row"]]
        product_link.open_product(row.marketplace, row.asin)


def _configure() -> dict[str, Any]:
    config = st.column_config
    height = competitor_rows.LINE_HEIGHT
    return {
        "image": config.ImageColumn("Image", width=60),
        "open": config.ButtonColumn("Open", type="tertiary", key=_OPEN, width=60),
        "title": config.TextColumn("Product", width=240),
        "price": config.TextColumn("Price", alignment="right"),
        "change": config.TextColumn(
            "vs yours", alignment="right", help="Its price against this product's."
        ),
        "rank": config.TextColumn("BSR", alignment="right"),
        "rating": config.TextColumn("Rating", alignment="right"),
        "ratings": config.TextColumn("Ratings", alignment="right"),
        "seller": config.TextColumn("Buy Box"),
        "price_line": config.LineChartColumn(
            "30-day price", y_min=-height, y_max=height, color="green",
            help="Relative to its first day; the edges are 20 % above and below.",
        ),
        "rank_line": config.LineChartColumn(
            "30-day BSR", y_min=-LINE_HEIGHT, y_max=LINE_HEIGHT, color="violet",
            help="Relative to its first day; up is better.",
        ),
        "checked": config.TextColumn("Last checked"),
    }  # fmt: skip


def _show_removal(head: ProductSummary, rows: Sequence[CompetitorValues]) -> None:
    with st.popover("Remove", icon=":material/close:"):
        st.caption("It is compared no longer, and stays on the list of products.")
        for row in rows:
            st.button(
                escape_markdown(shorten(row.title or row.asin, LONGEST_TITLE)),
                icon=":material/close:",
                key=f"remove_competitor_{row.product_id}",
                on_click=products.run_with_toast,
                args=(suggestion_actions.remove_competitor, head.product_id, row.product_id),
            )


def _show_add_form(head: ProductSummary) -> None:
    st.text_input(
        "Add a competitor",
        key=_PASTED,
        placeholder="Address of its page, or its ASIN",
        max_chars=2000,
        width=360,
    )
    st.button(
        "Add",
        icon=":material/add:",
        key="add_competitor",
        on_click=_add_pasted,
        args=(head.product_id, head.marketplace),
    )


def _add_pasted(product_id: int, marketplace: str) -> None:
    # Read on the click: the run that drew the button has the text before.
    pasted = st.session_state.get(_PASTED) or ""
    products.run_with_toast(suggestion_actions.add_competitor, product_id, marketplace, pasted)
    st.session_state[_PASTED] = ""
