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
WIDTH: Final = 64  # px, of a picture
_STYLE: Final = (
    "<style>"
    f"@media (max-width:799px){{.st-key-{table.TABLE}{{display:none}}}}"
    f"@media (min-width:800px){{.st-key-{_CARDS}{{display:none}}}}"
    ".card{display:flex;gap:12px;padding:10px 0;color:inherit!important;"
    "text-decoration:none!important;border-bottom:1px solid light-dark(#dededa,#32373c)}"
    ".card>:first-child{flex:none}.card>:last-child{min-width:0}"
    ".card-title{display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;"
    "overflow:hidden;font-weight:600;line-height:1.35;overflow-wrap:anywhere}"
    ".card-facts{display:flex;flex-wrap:wrap;gap:2px 12px;margin-top:4px;font-size:.92em}"
    ".card .worse{color:light-dark(#b42318,#f97066)}"
    ".card .better{color:light-dark(#126f35,#4ade80)}"
    ".card .quiet{color:light-dark(#5b626b,#9aa3ad)}"
    "</style>"
)
_WORSE: Final = "worse"  # classes of the style
_BETTER: Final = "better"
_QUIET: Final = "quiet"


def show_narrow(rows: pd.DataFrame, thumbnails: Mapping[int, str], period: ChangePeriod) -> None:
    """Show the cards where the window is narrow; the table hides there by its container's key.

    The server doesn't know a window's width: except on phones, the browser gets both.
    """
    cards = format_cards(table.to_records(rows), thumbnails, period, datetime.now(UTC))
    with st.container(key=_CARDS):
        st.html(_STYLE + cards)


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
        f'<a href="{keys.PRODUCT}?{escape(address)}" class="card">'
        f"<span>{format_thumbnail(thumbnail, '', WIDTH)}</span>"
        f'<span><span dir="auto" class="card-title">'
        f"{escape(cells.make_title(row))}</span>"
        f'<span class="card-facts">{"".join(facts)}</span></span></a>'
    )


def _color(change: float) -> str:
    if cells.is_word(change) or abs(change) < cells.GREAT_CHANGE:
        return ""
    return _WORSE if change > 0 else _BETTER


def _figure(
    before: str, number: float, write: Any, kind: str = "", *, optional: bool = False
) -> str:
    """Return a figure; a word is quiet, and left out where it is optional."""
    if cells.is_word(number):
        return "" if optional else _fact(before + cells.format_cell(number, write), _QUIET)
    return _fact(before + write(number), kind)


def _fact(text: str, kind: str) -> str:
    return f'<span class="{kind}">{escape(text)}</span>' if kind else f"<span>{escape(text)}</span>"
