"""The product list as a table, and the demo banner."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

import pandas as pd
import streamlit as st

from app import data, keys
from app.commands import products as actions
from app.components import change_period, data_table, fragments, product_link
from app.data import products as lists
from app.products import cells, columns, filters
from app.products.columns import ListColumn
from core.accounts.access.permissions import Permission
from core.catalog.money import format_price
from core.history.periods.change_period import ChangePeriod
from core.text.numbers import (
    format_count,
    format_rank,
    format_rank_percent,
    format_rating,
    format_relative_change,
)

TABLE: Final = "products_table"  # the key of its container: narrow windows show cards instead
ROW_HEIGHT: Final = 58  # px: from 57 on, text is wrapped
_HEADER_HEIGHT: Final = 33
_OPEN: Final = "open_product"
_OPEN_ICON: Final = ":material/open_in_new:"
_CLEARED: Final = "cleared_selections"
# A Styler takes fixed colours. Each has a contrast of at least 4.5 on its ground.
_WORSE: Final = {"light": "#b42318", "dark": "#f97066"}
_BETTER: Final = {"light": "#126f35", "dark": "#4ade80"}
_QUIET: Final = {"light": "#5b626b", "dark": "#9aa3ad"}
_FIGURES: Final = {
    "price": ("price", "price_at"),
    "rank": ("bsr", "bsr_at"),
    "rating": ("rating", "rating_at"),
    "ratings": ("ratings_count", "rating_at"),
}
_FORMATS: Final = {
    "price_change": format_relative_change,
    "rank": format_rank,
    "rank_change": format_rank_percent,
    "rating": format_rating,
    "ratings": format_count,
    "share": cells.format_percent,
}


def to_records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a list as dicts by column."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def make_cells(
    rows: Sequence[Mapping[str, Any]],
    thumbnails: Mapping[int, str],
    period: ChangePeriod,
    now: datetime,
) -> pd.DataFrame:
    """Return the table's values, a row per product: numbers are numbers, see `cells`."""
    return pd.DataFrame(
        {
            "open": _OPEN_ICON,
            "image": [thumbnails.get(row["product_id"]) for row in rows],
            "title": [cells.make_title(row) for row in rows],
            "marketplace": [row["marketplace"] for row in rows],
            **{
                name: [cells.make_figure(row, *of) for row in rows] for name, of in _FIGURES.items()
            },
            "price_change": [cells.make_price_change(row, period) for row in rows],
            "rank_change": [cells.make_rank_change(row, period) for row in rows],
            "seller": [cells.make_seller(row) for row in rows],
            "share": [cells.make_share(row) for row in rows],
            "rank_history": [cells.make_rank_line(row["bsr_history"]) for row in rows],
            "status": [cells.make_status(row, now) for row in rows],
            "tags": [" · ".join(row["tags"]) for row in rows],
            "role": [cells.make_role(row) for row in rows],
            "asin": [row["asin"] for row in rows],
            "checked": [cells.make_checked(row, now) for row in rows],
        },
        index=range(len(rows)),
    )


def show_products(
    rows: pd.DataFrame,
    thumbnails: Mapping[int, str],
    period: ChangePeriod,
    shown: Sequence[ListColumn],
) -> None:
    """Show the table. A click on a header sorts the whole list, one on the icon opens a product."""
    records = to_records(rows)
    key = _key(rows)
    names = [column.name for column in shown if column.name != "image" or thumbnails]
    frame = make_cells(records, thumbnails, period, datetime.now(UTC))[names]
    with st.container(key=TABLE):
        data_table.show_exported_table(
            _style(frame, [row["marketplace"] for row in records]),
            key=key,
            row_height=ROW_HEIGHT,
            height=ROW_HEIGHT * min(len(rows), 50) + _HEADER_HEIGHT,
            column_config=_configure(shown, change_period.LABELS[period]),
            on_select=lambda: _sort_by_header(key),
            selection_mode=["multi-row", "single-column"],
            placeholder="",
            alt=f"{len(rows)} products with price, rank, rating and status",
        )
    clicked = st.session_state.get(_OPEN)
    if clicked:
        open_product(rows.iloc[clicked["row"]])


def _style(frame: pd.DataFrame, marketplaces: Sequence[str]) -> Any:
    """Return the table with its texts and colours."""
    mode = "dark" if st.context.theme.type == "dark" else "light"
    styled = frame.style
    for name, write in _FORMATS.items():
        if name in frame:
            styled = styled.format(_writing(write), subset=[name])
    if "price" in frame:
        for code in set(marketplaces):
            places = [place for place, each in enumerate(marketplaces) if each == code]
            write_price = _writing(lambda minor, code=code: format_price(minor, code))
            styled = styled.format(write_price, subset=pd.IndexSlice[places, ["price"]])
    figures: list[Hashable] = [name for name in (*_FORMATS, "price") if name in frame]
    quiet = f"color:{_QUIET[mode]}"
    styled = styled.map(lambda number: quiet if cells.is_word(number) else "", subset=figures)
    if "rank_change" in frame:
        styled = styled.map(lambda change: _color_of(change, mode), subset=["rank_change"])
    if "status" in frame:
        worse = f"color:{_WORSE[mode]}"
        styled = styled.map(
            lambda text: worse if cells.is_bad_status(text) else "", subset=["status"]
        )
    return styled


def _writing(write: Any) -> Any:
    return lambda number: cells.format_cell(number, write)


def _color_of(change: float, mode: str) -> str:
    if cells.is_word(change):
        return f"color:{_QUIET[mode]}"
    if abs(change) < cells.GREAT_CHANGE:
        return ""
    return f"color:{(_WORSE if change > 0 else _BETTER)[mode]}"


def _configure(shown: Sequence[ListColumn], period: str) -> dict[str, Any]:
    config = st.column_config
    made: dict[str, Any] = {}
    for column in shown:
        options: dict[str, Any] = {
            "label": columns.format_label(column, period),
            "width": column.width,
            "help": column.about,
        }
        match column.name:
            case "open":
                made["open"] = config.ButtonColumn(type="tertiary", key=_OPEN, **options)
            case "image":
                made["image"] = config.ImageColumn(**options)
            case "rank_history":
                height = cells.LINE_HEIGHT
                made["rank_history"] = config.LineChartColumn(
                    y_min=-height, y_max=height, color="violet", **options
                )
            case name:
                # Text also for numbers: only text is wrapped, so that words fit in.
                made[name] = config.TextColumn(
                    alignment="right" if column.is_right else "left", **options
                )
    return made


def _sort_by_header(key: str) -> None:
    """Sort the list by the clicked header; by a second click the other way round."""
    selected = list(st.session_state[key]["selection"]["columns"])
    by = columns.find_column(selected[0]).sort if selected else None
    if by is not None:
        filters.sort_by(by)


def _key(rows: pd.DataFrame) -> str:
    """Return a key of these rows, so that a selection doesn't move to other products."""
    parts = (
        ",".join(map(str, rows["product_id"])),
        lists.get_cache_token(),
        str(st.session_state.get(keys.SORT)),
        str(st.session_state.get(_CLEARED)),
    )
    return f"{keys.PRODUCT_TABLE}_{crc32(' '.join(parts).encode()):08x}"


def list_selected(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows that are selected."""
    table = st.session_state.get(_key(rows))
    places = list(table["selection"]["rows"]) if table else []
    return to_records(rows.iloc[[place for place in places if place < len(rows)]])


def clear_selection() -> None:
    """Select nothing; for `on_click`."""
    st.session_state[_CLEARED] = st.session_state.get(_CLEARED, 0) + 1


def open_product(row: Any) -> None:
    """Open a product's page."""
    product_link.open_product(row["marketplace"], row["asin"])


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
