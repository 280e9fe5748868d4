"""The product list as cards, for phones and narrow windows. One element for all cards."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from app import keys
from app.components import product_link
from app.components.thumbnail import format_thumbnail
from app.products import cells, table
from core.catalog.money import format_price
from core.history.periods.change_period import ChangePeriod
from core.text.numbers import format_rank, format_rank_percent, format_relative_change

_CARDS: Final = "products_cards"
_BY_WIDTH: Final = (
    f"<style>@media (max-width:799px){{.st-key-{table.TABLE}{{display:none}}}}"
    f"@media (min-width:800px){{.st-key-{_CARDS}{{display:none}}}}</style>"
)
WIDTH: Final = 64  # px, of a picture
_CARD: Final = (
    "display:flex;gap:12px;padding:10px 0;border-bottom:1px solid light-dark(#dededa,#32373c);"
    "color:inherit;text-decoration:none"
)
_TITLE: Final = (
    "display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden;"
    "font-weight:600;line-height:1.35;overflow-wrap:anywhere"
)
_FACTS: Final = "display:flex;flex-wrap:wrap;gap:2px 12px;margin-top:4px;font-size:.92em"
_WORSE: Final = "color:light-dark(#b42318,#f97066)"
_BETTER: Final = "color:light-dark(#126f35,#4ade80)"
_QUIET: Final = "color:light-dark(#5b626b,#9aa3ad)"


def show_narrow(rows: pd.DataFrame, thumbnails: Mapping[int, str], period: ChangePeriod) -> None:
    """Show the cards where the window is narrow; the table hides there by its container's key.

    No server is told a window's width: other than on phones, the browser gets both.
    """
    cards = format_cards(table.to_records(rows), thumbnails, period, datetime.now(UTC))
    with st.container(key=_CARDS):
        st.html(_BY_WIDTH + cards)


def format_cards(
    rows: Sequence[Mapping[str, Any]],
    thumbnails: Mapping[int, str],
    period: ChangePeriod,
    now: datetime,
) -> str:
    """Return the HTML of the cards: picture, title, price, BSR with their changes, status."""
    return "".join(
        _format_card(row, thumbnails.get(row["product_id"]), period, now) for row in rows
    )


def _format_card(
    row: Mapping[str, Any], thumbnail: str | None, period: ChangePeriod, now: datetime
) -> str:
    place = row["marketplace"]
    status = cells.make_status(row, now)
    price = cells.make_figure(row, "price", "price_at")
    rank = cells.make_figure(row, "bsr", "bsr_at")
    change = cells.make_rank_change(row, period)
    facts = [
        _fact(place, _QUIET),
        _figure("", price, lambda minor: format_price(minor, place))
        + _figure(" ", cells.make_price_change(row, period), format_relative_change, optional=True),
        _figure("BSR ", rank, format_rank)
        + _figure(" ", change, format_rank_percent, _color(change), optional=True),
        _fact(status, _WORSE if cells.is_bad_status(status) else ""),
    ]
    address = urlencode(product_link.product_parameters(place, row["asin"]))
    return (
        f'<a href="{keys.PRODUCT}?{escape(address)}" style="{_CARD}">'
        f'<span style="flex:none">{format_thumbnail(thumbnail, "", WIDTH)}</span>'
        f'<span style="min-width:0"><span dir="auto" style="{_TITLE}">'
        f"{escape(cells.make_title(row))}</span>"
        f'<span style="{_FACTS}">{"".join(facts)}</span></span></a>'
    )


def _color(change: float) -> str:
    if cells.is_word(change) or abs(change) < cells.GREAT_CHANGE:
        return ""
    return _WORSE if change > 0 else _BETTER


def _figure(
    before: str, number: float, write: Any, style: str = "", *, optional: bool = False
) -> str:
    """Return a figure; a word is quiet, and left out where it is optional."""
    if cells.is_word(number):
        return "" if optional else _fact(before + cells.format_cell(number, write), _QUIET)
    return _fact(before + write(number), style)


def _fact(text: str, style: str) -> str:
    return f'<span style="{style}">{escape(text)}</span>' if text else ""
