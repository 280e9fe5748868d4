"""The head of the Product screen: picture, title, identity, buttons, what is wrong now."""

from datetime import UTC, datetime
from typing import Final

import streamlit as st

from app import keys, page_frame
from app.commands import products as actions
from app.components.thumbnail import show_thumbnail
from app.data import alerts, get_principal, provenance
from app.data.images import find_thumbnails
from app.product import dialogs
from core.accounts.access.permissions import Permission
from core.alerts.incidents.incident_filter import IncidentFilter, IncidentKind
from core.alerts.incidents.labels import KINDS, find_handling
from core.alerts.incidents.queries import IncidentRow
from core.catalog.asin import product_url
from core.history.current import missing_values
from core.history.labels import availability_label
from core.history.product_summary import ProductSummary
from core.text.escaping import escape_markdown, shorten
from core.text.times import format_age, format_moment

THUMBNAIL_WIDTH: Final = 76  # px
_LONGEST_HEADING: Final = 120  # characters; a longer title is written smaller
_LONGEST_TAB: Final = 40  # characters of the title in the browser's tab
_MOST_ISSUES: Final = 3  # in the banner; the alerts have the rest
_ROLES: Final = {"own": "Own", "competitor": "Competitor", "watched": "Tracked"}
_CRITICAL: Final = {
    IncidentKind.LISTING_REMOVED,
    IncidentKind.OUT_OF_STOCK,
    IncidentKind.BUY_BOX_SUPPRESSED,
    IncidentKind.BUY_BOX_LOST,
}


def show_header(head: ProductSummary) -> None:
    """Show the product's identity, and what is wrong with it or prevents newer values."""
    now = datetime.now(UTC)
    title = head.title or f"{head.asin} (title not available yet)"
    page_frame.set_page_title(f"{shorten(title, _LONGEST_TAB)} · {head.marketplace}")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(
            horizontal=True,
            vertical_alignment="center",
            gap="medium",
            wrap=False,
            key=page_frame.PRODUCT_IDENTITY,
        ):
            picture = find_thumbnails([head.product_id]).get(head.product_id)
            show_thumbnail(picture, "", THUMBNAIL_WIDTH)
            with st.container(gap=None):
                st.title(_format_title(title), anchor=False)
                st.markdown(_format_identity(head, now))
        with st.container(horizontal=True, width="content", gap="small"):
            _show_buttons(head)
    _show_issues(head, now)
    problem = missing_values.fetch_problem(head.fetching, now)
    if problem and head.captured_at is not None:
        st.warning(problem, icon=":material/sync_problem:")
    for sentence, text in missing_values.unreadable_sentences(head):
        st.warning(f"{sentence}: “{escape_markdown(text)}”.", icon=":material/visibility_off:")


def _format_title(title: str) -> str:
    """Return the whole title as a heading."""
    text = escape_markdown(title)
    return text if len(title) <= _LONGEST_HEADING else f":small[{text}]"


def _format_identity(head: ProductSummary, now: datetime) -> str:
    """Return the product's identity in small letters; a caption would fade the link too."""
    link = f"[{head.asin}]({product_url(head.marketplace, head.asin)})"
    parts = [f":gray[{head.marketplace}]", link]
    parts += [f":gray[{escape_markdown(text)}]" for text in (head.brand, head.bsr_category) if text]
    parts += [f":gray[{word}]" for word in _describe_tracking(head)]
    tags = head.tracking.settings.tags if head.tracking else ()
    badges = [f":gray-badge[{escape_markdown(tag)}]" for tag in tags]
    if head.is_demo:
        badges.append(":orange-badge[demo]")
    checked = f"checked {format_age(head.captured_at, now)}, " if head.captured_at else ""
    times = f"{checked}{missing_values.next_fetch_text(head.fetching, now)}"
    line = " :gray[·] ".join([*parts, *([" ".join(badges)] if badges else []), f":gray[{times}]"])
    return f":small[{line}]"


def _describe_tracking(head: ProductSummary) -> list[str]:
    if head.tracking is None:
        return ["Not tracked"]
    words = [_ROLES[head.tracking.settings.role.value]]
    if not head.tracking.is_mine:
        words.append("tracked by a teammate")
    if head.tracking.settings.is_primary:
        words.append("key product")
    if head.tracking.paused_at:
        words.append("paused")
    return words


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


def _show_issues(head: ProductSummary, now: datetime) -> None:
    """Show the product's open issues, the worst first, or that it can't be bought."""
    if head.tracking is not None:
        found = alerts.find_open_issues(IncidentFilter(product_id=head.product_id), 1)
        rows = sorted(found.rows, key=lambda row: list(KINDS).index(row.kind))
        if rows:
            _show_banner(head, rows, now)
            return
    state = head.availability
    if state is not None and not state.has_featured_offer:
        seen = format_moment(head.availability_at, get_principal().time_zone)
        label = availability_label(state)
        sentence = f"**{label[0].upper()}{label[1:]}** · seen {seen}"
        st.warning(sentence + _format_last_values(head), icon=":material/error:")


def _format_last_values(head: ProductSummary) -> str:
    """Return what to add to the banner: the last price and rank, where it can't be bought."""
    is_sold = head.availability is None or head.availability.has_featured_offer
    last = None if is_sold else provenance.describe_last_values(head)
    return "" if last is None else f" · {escape_markdown(last)}"


def _show_banner(head: ProductSummary, rows: list[IncidentRow], now: datetime) -> None:
    zone = get_principal().time_zone
    texts = [escape_markdown(_describe_issue(row, zone, now)) for row in rows[:_MOST_ISSUES]]
    sentence = " · ".join([f"**{texts[0]}**", *texts[1:]])
    if len(rows) > _MOST_ISSUES:
        sentence += f" · and {len(rows) - _MOST_ISSUES} more"
    show = st.error if any(row.kind in _CRITICAL for row in rows) else st.warning
    show(sentence + _format_last_values(head), icon=":material/error:")


def _describe_issue(row: IncidentRow, zone: str, now: datetime) -> str:
    """Return what is wrong, and what users did about it."""
    handled = find_handling(row.get_handled(now), now, zone)
    what = row.describe(zone, now)
    return what if handled is None else f"{what} ({handled})"
