"""The charts of the Overview: movers, indexes, changes by day. Each has a list beside it."""

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from app import device, keys
from app.components import product_link
from app.components.change_period import PERIOD_NAMES
from app.data import overview as data
from app.data.overview import Overview, OverviewChoice
from app.data.prebuilt_figure import PrebuiltFigure, pack_figure
from app.overview import panels
from app.products import filters
from core.chart_theme import PLOTLY_CONFIG
from core.history.changes.movers import Mover
from core.history.periods import charts
from core.history.periods.charts import Bar, Cell
from core.history.periods.queries import MovedValue
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_counted
from core.text.times import format_day
from core.tracking.change_sentiment import Sentiment
from core.tracking.rules import Role

MOVED: Final = {
    "BSR": MovedValue.RANK,
    "Price": MovedValue.PRICE,
    "Ratings": MovedValue.RATINGS_COUNT,
}
_SIDES: Final = {
    MovedValue.RANK: ("Worse", "Better"),
    MovedValue.PRICE: ("Lower", "Higher"),
    MovedValue.RATINGS_COUNT: ("Fewer", "More"),
}
NAME_LENGTH: Final = 26
SHORT_NAME: Final = 15  # on a phone
LONGEST_TITLE: Final = 60
INDEX_HELP: Final = (
    "Each day's median change of your products, and of the products tracked as competitors, "
    "from the close before, chained: 100 is the start. A median is taken of at least 5 products. "
    "Of closed days, in all marketplaces. The BSR index is turned: up is better."
)

HEAT_HELP: Final = (
    "How many products had a change beyond the team's thresholds on a closed day of their "
    "marketplace; each counts once a day. A click opens the list of that marketplace."
)


def _draw(figure: dict[str, Any], alt: str, key: str | None = None) -> Any:
    # Streamlit can't read the height of a figure that was built before.
    options: dict[str, Any] = {"height": figure["layout"]["height"]}
    if key is not None:
        options |= {"key": key, "on_select": "rerun", "selection_mode": "points"}
    body = PrebuiltFigure(pack_figure(figure))
    return st.plotly_chart(body, config=PLOTLY_CONFIG, theme="streamlit", alt=alt, **options)


def _find_clicked(event: Any, curve: int = 0) -> int | None:
    """Return the place of a clicked point in its trace, None without a click."""
    for point in event["selection"]["points"] if event else ():
        if point.get("curve_number") == curve:
            return int(point["point_index"])
    return None


def show_movers(choice: OverviewChoice) -> None:
    """Show the biggest movers as bars, and as links to the products."""
    with st.container(border=True, height="stretch"):
        with panels.show_heading("movers", "Biggest movers"):
            label = st.segmented_control(
                "Figure",
                list(MOVED),
                default="BSR",
                required=True,
                label_visibility="collapsed",
                key=keys.OVERVIEW_MOVED,
                bind="query-params",
            )
        value = MOVED[str(label)]
        movers = data.list_movers(choice, value)
        if not movers:
            st.caption(f"No {label} changed {PERIOD_NAMES[choice.period]}.")
            return
        alt = f"{label} movers {PERIOD_NAMES[choice.period]}: {_describe(movers)}"
        is_narrow = device.is_phone()
        bars = [_make_bar(mover, is_narrow=is_narrow) for mover in movers]
        figure = charts.draw_bars(bars, _SIDES[value])
        clicked = _find_clicked(_draw(figure, alt, f"movers_{choice.period}_{value}"))
        with st.expander("As a list"):
            for mover in movers:
                _show_link(mover)
    if clicked is not None and clicked < len(movers):
        product = movers[clicked].product
        product_link.open_product(product.marketplace, product.asin)


def _make_bar(mover: Mover, *, is_narrow: bool) -> Bar:
    product = mover.product
    title = product.title or product.asin
    is_better = {Sentiment.BETTER: True, Sentiment.WORSE: False}.get(mover.sentiment)
    return Bar(
        f"{shorten(title, SHORT_NAME if is_narrow else NAME_LENGTH)} · {product.marketplace}",
        mover.size,
        mover.format_share() if is_narrow else mover.format_step(),
        f"{shorten(title, LONGEST_TITLE)}, {product.marketplace}: {mover.format_values()}",
        is_better,
    )


def _describe(movers: Sequence[Mover]) -> str:
    ends = [movers[0], movers[-1]] if len(movers) > 1 else movers
    return "; ".join(
        f"{shorten(each.product.title or each.product.asin, LONGEST_TITLE)} {each.format_step()}"
        for each in ends
    )


def _show_link(mover: Mover) -> None:
    product = mover.product
    title = escape_markdown(shorten(product.title or product.asin, LONGEST_TITLE))
    values = escape_markdown(f"{mover.format_values()}, {mover.format_step()}")
    st.page_link(
        f"../pages/{keys.PRODUCT}.py",
        label=f"**{title}** :gray[· {product.marketplace}] {values}",
        query_params=product_link.product_parameters(product.marketplace, product.asin),
    )


def show_indexes(found: Overview) -> None:
    """Show the index of price and rank of own products against competitors."""
    lines = charts.make_index_lines(found.index_days)
    with st.container(border=True, height="stretch"):
        beside = panels.show_heading("index", "Own products against competitors", INDEX_HELP)
        if not lines:
            st.caption(
                "No index yet: it takes two closed days of at least 5 own products, or of 5 "
                "competitors."
            )
            return
        role = {filters.ROLE: filters.ROLES[Role.COMPETITOR]}
        panels.show_more_link(beside, keys.PRODUCTS, "Competitors", **role)
        figure = charts.draw_indexes(lines, is_narrow=device.is_phone())
        _draw(figure, f"{charts.describe_indexes(lines)}. Start: 100")


def show_heat_map(found: Overview, choice: OverviewChoice) -> None:
    """Show the number of changes by marketplace and day, with links to the products."""
    cells = [
        cell
        for cell in found.cells
        if not choice.marketplaces or cell.marketplace in choice.marketplaces
    ]
    with st.container(border=True):
        panels.show_heading(
            "heat_map",
            "Changes per day and marketplace",
            HEAT_HELP,
            caption="30 closed days of the team · blank: no data",
        )
        if not cells:
            st.caption("No day of these products is closed yet. Days are counted at midnight.")
            return
        figure = charts.draw_heat_map(cells, is_narrow=device.is_phone())
        clicked = _find_clicked(_draw(figure, charts.describe_heat_map(cells), keys.HEAT_MAP), 1)
        with st.container(horizontal=True):
            for code in dict.fromkeys(cell.marketplace for cell in cells):
                _show_marketplace(
                    code, [cell for cell in cells if cell.marketplace == code], choice
                )
    if clicked is not None and clicked < len(cells):
        st.switch_page(
            f"../pages/{keys.PRODUCTS}.py",
            query_params=_list_parameters(cells[clicked].marketplace, choice),
        )


def _show_marketplace(code: str, cells: Sequence[Cell], choice: OverviewChoice) -> None:
    total = sum(cell.products or 0 for cell in cells)
    st.page_link(
        f"../pages/{keys.PRODUCTS}.py",
        label=f"{code}: {format_counted(total, 'change')}",
        help=f"Products of {code}; changes from {format_day(cells[0].day)} on",
        query_params=_list_parameters(code, choice),
        width="content",
    )


def _list_parameters(code: str, choice: OverviewChoice) -> dict[str, Any]:
    """Return the URL parameters of the list of a marketplace's products."""
    roles = [filters.ROLES[role] for role in choice.roles]
    return {keys.MARKET: code} | ({filters.ROLE: roles} if roles else {})
