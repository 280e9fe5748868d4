"""The blocks of the Product screen: header, cards, chart, search."""

from datetime import UTC, datetime

import streamlit as st

from app import keys
from app.commands import products as actions
from app.components import cards, product_link
from app.components.product_link import ProductLink
from app.data import get_principal
from app.data import products as lists
from app.data.history import PeriodView
from app.data.prebuilt_figure import PrebuiltFigure
from app.imports import upload
from app.product import dialogs
from app.product.cards import CurrentFigure, current_figures
from core.accounts.access.permissions import Permission
from core.catalog.asin import product_url
from core.chart_theme import PLOTLY_CONFIG
from core.history.current import missing_values
from core.history.product_summary import ProductSummary
from core.history.timeline.period import MOST_DEAL_DAYS
from core.settings.environment import get_settings
from core.text.escaping import escape_markdown, shorten
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.upkeep.health import WITHOUT_A_KEY

LONGEST_TITLE = 80
MOST_FOUND = 12
CARD_WIDTH = 150  # px; two fit beside each other on a phone
_ROLES = {"own": "own product", "competitor": "competitor", "watched": "watched"}


def show_header(head: ProductSummary) -> None:
    """Show the product's identity, and what prevents newer values."""
    now = datetime.now(UTC)
    title = head.title or f"{head.asin} (no title seen yet)"
    shown = shorten(title, LONGEST_TITLE)
    full = escape_markdown(title) if shown != title else None
    with st.container(gap=None):
        st.markdown(_identity(head, now))
        st.title(escape_markdown(shown), anchor=False, help=full)
    problem = missing_values.fetch_problem(head.fetching, now)
    if problem and head.captured_at is not None:
        st.warning(problem, icon=":material/sync_problem:")
    for sentence, text in missing_values.unreadable_sentences(head):
        st.warning(f"{sentence}: “{escape_markdown(text)}”.", icon=":material/visibility_off:")


def show_controls(head: ProductSummary) -> int:
    """Show ranges and, at the right, buttons; return the chosen days (0: all)."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        days = product_link.choose_days()
        with st.container(horizontal=True, width="content", gap="small"):
            _show_buttons(head)
    return days


def _identity(head: ProductSummary, now: datetime) -> str:
    """Return the product's identity in small letters; a caption would fade the link too."""
    parts = []
    if head.tracking:
        parts.append(_ROLES[head.tracking.settings.role.value])
        if not head.tracking.is_mine:
            parts.append("tracked by a teammate")
        if head.tracking.settings.is_primary:
            parts.append("primary")
        if head.tracking.paused_at:
            parts.append("paused")
    else:
        parts.append("not tracked")
    details = " · ".join([*parts, missing_values.next_fetch_text(head.fetching, now)])
    link = f"[{head.asin}]({product_url(head.marketplace, head.asin)})"
    badge = " :orange-badge[demo]" if head.is_demo else ""
    return f":small[:gray[{head.marketplace}] {link}{badge} :gray[{details}]]"


def _show_buttons(head: ProductSummary) -> None:
    """Show what the user may do: nothing for viewers; managers may set teammates' products."""
    who, tracking = get_principal(), head.tracking
    if not who.may(Permission.TRACK):
        return
    if tracking is None or not tracking.is_mine:
        st.button(
            "Track",
            icon=":material/add:",
            key=keys.TRACK,
            on_click=actions.run_with_toast,
            args=(actions.track_product, head.marketplace, head.asin),
            help="Add it to your own list, with your own settings.",
        )
    if tracking is None:
        return
    st.button(
        "Check now",
        icon=":material/refresh:",
        key=keys.CHECK_NOW,
        on_click=actions.run_with_toast,
        args=(actions.request_checks, [head.product_id]),
        help="Check it now, ahead of its schedule.",
    )
    may_set = tracking.is_mine or who.may(Permission.TEAM)
    if may_set and st.button("Settings", icon=":material/tune:", key="settings"):
        dialogs.show_settings(head)


def show_figures(head: ProductSummary, period: PeriodView | None, period_name: str) -> None:
    """Show the current figures; each opens its data source."""
    zone = get_principal().time_zone
    figures = current_figures(head, period, period_name, datetime.now(UTC), zone)
    with st.grid(len(figures), min_column_width=CARD_WIDTH):
        for figure in figures:
            _show_figure(head, figure)


def _show_figure(head: ProductSummary, figure: CurrentFigure) -> None:
    with st.container(gap=None, height="stretch"):
        cards.show_metric(figure.card)
        if st.button(
            figure.age or "never seen",
            type="tertiary",
            icon=":material/history:",
            key=f"source_{figure.column}",
            help="Data source" if figure.age else None,
            disabled=not figure.age,
        ):
            dialogs.show_provenance_dialog(head, figure.column, figure.card.label)


def show_chart(period: PeriodView) -> None:
    """Show price and rank on one time axis."""
    with st.container(border=True):
        st.plotly_chart(
            PrebuiltFigure(period.price_and_rank),
            key=keys.RANK_CHART,
            config=PLOTLY_CONFIG,
            alt=period.alt,
        )
        if not period.shows_deals:
            st.caption(f"Deals are shown in ranges of up to {MOST_DEAL_DAYS} days.")


def show_nothing_yet(head: ProductSummary) -> None:
    """Show why a stored product has no observation yet, and what comes next."""
    reason = missing_values.never_observed_text(head.fetching, datetime.now(UTC))
    st.info(
        f"{reason.capitalize()}. Price, rank and ratings appear here with the first check.",
        icon=":material/hourglass_empty:",
    )
    if not head.is_demo and get_settings().apify_token is None:
        st.warning(WITHOUT_A_KEY, icon=":material/key_off:")


def show_not_found(link: ProductLink) -> None:
    """Show that the URL's product isn't stored, with "Add it" and the search."""
    cards.show_page_header("Product")
    asin = escape_markdown(link.asin)
    marketplace = escape_markdown(link.marketplace)
    st.info(f"{asin} in {marketplace} is not tracked here.", icon=":material/search_off:")
    if link.url:
        upload.show_add_button(link.url)
    _show_search_field()


def show_search() -> None:
    """Show the product search, for a URL without a product."""
    cards.show_page_header("Product", "Choose the product whose history you want to see.")
    if not lists.tracks_anything():
        cards.show_nothing_tracked()
        return
    _show_search_field()


def _show_search_field() -> None:
    words = st.text_input(
        "Find a product", key="find", type="search", placeholder="Title, brand or ASIN", width=480
    )
    # Of the team: every user may see the products that others track.
    list_filter = ListFilter(search=words, scope=ListScope.TEAM)
    found = lists.find_products(list_filter, Sort(SortBy.TITLE), 1)
    if found.rows.empty:
        st.caption("No tracked product matches. Try fewer words, or an ASIN.")
        return
    for row in found.rows.head(MOST_FOUND).to_dict("records"):
        title = escape_markdown(shorten(row["title"] or row["asin"], LONGEST_TITLE))
        st.page_link(
            f"../pages/{keys.PRODUCT}.py",
            label=f"{title} :gray[{row['marketplace']} · {row['asin']}]",
            icon=":material/monitoring:",
            query_params={keys.MARKETPLACE: row["marketplace"], keys.ASIN: row["asin"]},
        )
