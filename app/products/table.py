"""The product list as a table: cells, columns, bulk actions; the demo banner."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from zlib import crc32

import pandas as pd
import streamlit as st

from app import data, keys
from app.commands import products as actions
from app.components import cards, data_table, fragments, product_link
from app.components.text_fit import fit_text
from app.data import products as lists
from app.products import compare
from core.accounts.access.permissions import Permission
from core.catalog.money import format_price
from core.history.changes import text as change_wording
from core.history.changes.change import read_change
from core.history.labels import availability_label
from core.history.observation import Availability, Outcome
from core.text.escaping import shorten
from core.text.numbers import format_count, format_rank, format_rating
from core.text.times import format_age
from core.tracking.list_filter import ListScope
from core.tracking.rules import LONGEST_TAG

NOT_YET: Final = "not yet"
NONE_THERE: Final = "none"
NOT_REPORTED: Final = "not reported"
UNKNOWN: Final = "unknown"  # the longest word that a column of figures has room for
GONE: Final = "gone"
NO_CHANGE: Final = "–"
LONGEST_TITLE: Final = 80
TITLE_COLUMN: Final = 36  # letters; a cell cuts longer titles without "…"
_RANK: Final = "Best Sellers Rank; unknown: no check reports it"
_FIGURE: Final = 68  # px; a narrower column cuts "unknown" at its left
_OPEN: Final = "open_product"
_NEW_TAG: Final = "new_tag"
# Streamlit draws the zero line wherever it is visible: these bounds exclude it.
_LOWEST, _HIGHEST = 100, 200

# Most important first: a narrow screen shows only these.
COLUMNS: Final = (
    "product",
    "price",
    "changed",
    "price_history",
    "rank",
    "rank_history",
    "state",
    "marketplace",
    "rating",
    "ratings",
    "role",
    "asin",
    "checked",
)


def product_cells(rows: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Return the table's cells, a row per product: text or a sparkline each."""
    cells = [_cells(row, now) for row in to_records(rows)]
    return pd.DataFrame(cells, columns=list(COLUMNS))


def to_records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a list as dicts by column."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _cells(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    market = row["marketplace"]
    return {
        "product": fit_text(short_title(row), TITLE_COLUMN),
        "changed": _change_text(row, now),
        "price": _figure(row, "price", "price_at", format_price(row["price"], market)),
        "price_history": scale_sparkline(row["price_history"]),
        "rank": _figure(row, "bsr", "bsr_at", format_rank(row["bsr"])),
        "rank_history": scale_sparkline(row["bsr_history"], higher_is_up=False),
        "rating": _figure(row, "rating", "rating_at", format_rating(row["rating"])),
        "ratings": _figure(row, "ratings_count", "rating_at", format_count(row["ratings_count"])),
        "state": state_text(row, now),
        "checked": NOT_YET if row["captured_at"] is None else format_age(row["captured_at"], now),
        "marketplace": market,
        "role": _role_text(row),
        "asin": row["asin"],
    }


def _role_text(row: dict[str, Any]) -> str:
    """Return a product's role, with "primary" and "demo"."""
    words = [row["role"]]
    if row["is_primary"]:
        words.append("primary")
    if row["is_demo"]:
        words.append("demo")
    return " · ".join(words)


def short_title(row: dict[str, Any]) -> str:
    """Return a product's shortened title, its ASIN without one."""
    return shorten(row["title"], LONGEST_TITLE) if row["title"] else row["asin"]


def _figure(row: dict[str, Any], name: str, seen_at: str, formatted: str) -> str:
    """Return a formatted figure, or in a word why there is none."""
    if row["availability"] == Availability.GONE:
        return GONE  # the product's page shows the last values with their age
    if row[name] is not None:
        return formatted
    if row["captured_at"] is None:
        return NOT_YET
    return UNKNOWN if row[seen_at] is None else NONE_THERE


def _change_text(row: dict[str, Any], now: datetime) -> str:
    """Return what changed since the day before, unless the last check is over 48 hours old."""
    if row["attention_kind"] is None or now - row["captured_at"] > timedelta(hours=48):
        return NO_CHANGE
    return change_wording.short_change(read_change(row))


def scale_sparkline(history: Sequence[float | None], *, higher_is_up: bool = True) -> list[float]:
    """Return the points of a sparkline; a flat line for a constant value."""
    known = [value for value in history if value is not None]
    flat = [50.0, 50.0] if len(known) > 1 else []
    return [_LOWEST + y for y in cards.scale_sparkline(known, higher_is_up=higher_is_up) or flat]


def state_text(row: dict[str, Any], now: datetime) -> str:
    """Return a product's state, with the reason where it is unknown."""
    state = _availability_text(row)
    if row["leased_until"] is not None and row["leased_until"] > now:
        return f"{state} · fetching now"
    if row["requested_at"] is not None and row["due_at"] <= now:
        return f"{state} · queued"
    if row["paused_at"] is not None:
        return f"{state} · paused"
    return f"{state} · flagged" if row["flags"] else state


def _availability_text(row: dict[str, Any]) -> str:
    if row["availability"] is not None:
        label = availability_label(Availability(row["availability"]))
        return label[:1].upper() + label[1:]
    if row["last_outcome"] not in (None, Outcome.OK):
        return "Unknown: " + Outcome(row["last_outcome"]).value.replace("_", " ")
    return "Unknown: " + ("not checked yet" if row["captured_at"] is None else NOT_REPORTED)


def show_products(rows: pd.DataFrame) -> None:
    """Show the table; a click on a title opens its product."""
    data_table.show_table(
        product_cells(rows, datetime.now(UTC)),
        "products",
        key=_key(rows),
        in_full={"product": [row["title"] or row["asin"] for row in to_records(rows)]},
        row_height=data_table.ROW_HEIGHT,
        height=(min(len(rows), 15) + 1) * data_table.ROW_HEIGHT,
        column_config=_columns(),
        on_select="rerun",
        selection_mode="multi-row",
        alt=f"{len(rows)} products with price, rank and rating",
    )
    clicked = st.session_state.get(_OPEN)
    if clicked:
        open_product(rows.iloc[clicked["row"]])


def _key(rows: pd.DataFrame) -> str:
    """Return a key of these rows, so that a selection doesn't move to other products."""
    ids = ",".join(map(str, rows["product_id"]))
    return f"{keys.PRODUCT_TABLE}_{crc32((ids + lists.get_cache_token()).encode()):08x}"


def _ticked(key: str) -> list[int]:
    table = st.session_state.get(key)
    return list(table["selection"]["rows"]) if table else []


def open_product(row: Any) -> None:
    """Open a product's page."""
    product_link.open_product(row["marketplace"], row["asin"])


def product_parameters(row: Any) -> dict[str, str]:
    """Return the URL parameters of a product's page."""
    return product_link.product_parameters(row["marketplace"], row["asin"])


def _columns() -> dict[str, Any]:
    text = st.column_config.TextColumn
    line = partial(st.column_config.LineChartColumn, y_min=_LOWEST, y_max=_HIGHEST)
    return {
        "product": st.column_config.ButtonColumn(
            "Product", width=230, alignment="left", type="tertiary", key=_OPEN
        ),
        "price": text("Price", width=78, alignment="right"),
        "changed": text("Since yesterday", width=140, help="– : no change above the thresholds"),
        "price_history": line("Price, 30 d", width=74),
        "rank": text(
            "Rank",
            width=_FIGURE,
            alignment="right",
            help=_RANK,
        ),
        "rank_history": line("Rank, 30 d", width=74, color="violet"),
        "state": text("State", width=190),
        "marketplace": text("Market", width=56),
        "rating": text("Rating", width=_FIGURE, alignment="right", help="Out of 5 stars"),
        "ratings": text("Ratings", width=_FIGURE, alignment="right", help="Number of ratings"),
        "role": text("Role", width=118),
        "asin": text("ASIN", width=104),
        "checked": text("Last checked", width=100),
    }


def show_action_bar(rows: pd.DataFrame, whose: ListScope) -> None:
    """Show the actions for the selected products."""
    places = _ticked(_key(rows))
    ids = [int(rows["product_id"].iloc[place]) for place in places]
    if not ids:
        st.caption(
            "Tick rows to check, pause, tag or remove them, or to set competitors.",
            width="content",
        )
        return
    st.markdown(f"**{len(ids)} ticked**", width="content")
    _button("Check now", "refresh", actions.request_checks, ids)
    _button("Pause", "pause", actions.pause_products, ids, whose)
    _button("Resume", "play_arrow", actions.resume_products, ids, whose)
    with st.popover("Add tag", icon=":material/sell:"):
        st.text_input("Tag", key=_NEW_TAG, max_chars=LONGEST_TAG)
        st.button("Add", icon=":material/add:", key="do_tag", on_click=_add_tag, args=(ids, whose))
    compare.show_compare_popover(ids, [str(rows["marketplace"].iloc[place]) for place in places])
    if st.button("Remove", icon=":material/delete:", key="remove"):
        _confirm_removal(ids, whose)


def _add_tag(ids: list[int], whose: ListScope) -> None:
    # Read on the click: the run that drew the button has the text before.
    actions.run_with_toast(actions.add_tag, ids, st.session_state.get(_NEW_TAG) or "", whose)


def _button(label: str, icon: str, command: Any, ids: list[int], *more: ListScope) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"do_{label}",
        on_click=actions.run_with_toast,
        args=(command, ids, *more),
    )


_FOR_WHOM = {ListScope.MINE: "you", ListScope.TEAM: "the team"}


@fragments.dialog("Remove from the list?", icon=":material/delete:")
def _confirm_removal(ids: list[int], whose: ListScope) -> None:
    count = "This product" if len(ids) == 1 else f"These {format_count(len(ids))} products"
    st.write(
        f"{count} will no longer be checked for {_FOR_WHOM[whose]}. The history stays: "
        "it is there if you track again."
    )
    if st.button("Remove", type="primary", key="confirm_remove"):
        actions.run_with_toast(actions.remove_products, ids, whose)
        st.rerun()


@fragments.dialog("Replace the demo market?", icon=":material/delete_forever:")
def show_demo_removal() -> None:
    """Ask before deleting the demo's products; then open the Add page."""
    st.write("The invented products and their history are deleted. Your own products stay.")
    if st.button("Delete the demo market", type="primary", key="confirm_remove_demo"):
        actions.run_with_toast(actions.remove_demo)
        st.switch_page(f"../pages/{keys.ADD}.py")


def show_demo_banner() -> None:
    """Show administrators that the products are invented, with the button that deletes them."""
    if not data.has_demo() or not data.get_principal().may(Permission.ADMIN):
        return
    with st.container(
        border=True,
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        st.markdown(
            ":material/science: **These products are invented.** They show what Amazcope does.",
            width="content",
        )
        if st.button("Replace by my own products", key="replace_demo"):
            show_demo_removal()
