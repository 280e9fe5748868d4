"""The controls of the Reports page: which report, make one now, subscribe."""

from functools import partial
from typing import Final

import streamlit as st

from app import keys
from app.commands import frozen_files
from app.commands import reports as commands
from app.commands.account import run_with_toast
from app.components import downloads, list_scope
from app.data import get_principal
from app.data import reports as data
from app.data.suggestions import get_model_address
from app.web import url_parameters
from core.accounts.access.permissions import Permission
from core.reports.report_text import SCOPES
from core.reports.rules import ReportKind, Subscription
from core.reports.service import ListedReport, ListedSubscription
from core.text.locale import get_formats
from core.text.times import format_day, format_moment
from core.tracking.list_filter import ListScope, default_list_scope

KINDS: Final = {ReportKind.DAILY: "Daily", ReportKind.WEEKLY: "Weekly"}
WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_MADE: Final = "reports_made"  # in this session
_CHOSEN, _MADE_KIND, _MADE_SCOPE = "report_chosen", "report_kind", "report_scope"


def choose_report(listed: list[ListedReport]) -> int | None:
    """Show the kept reports; return the one in the URL, else the newest, None without any."""
    wanted = url_parameters.read_number(keys.REPORT)
    if not listed:
        return wanted
    names = {each.id: _name(each) for each in listed}
    if wanted is not None and wanted not in names:
        names[wanted] = "Older report"
    if wanted is not None:
        st.session_state[_CHOSEN] = wanted
    return st.selectbox(
        "Report",
        list(names),
        format_func=names.__getitem__,
        key=_CHOSEN,
        on_change=_open_chosen,
        label_visibility="collapsed",
        width=340,
    )


def _name(each: ListedReport) -> str:
    made = "" if each.is_subscribed else ", made on request"
    made += ", emailed" if each.is_emailed else ""
    return f"{format_day(each.day)} · {KINDS[each.kind]} · {SCOPES[each.scope]}{made}"


def _open_chosen() -> None:
    st.query_params[keys.REPORT] = str(st.session_state[_CHOSEN])


def show_frozen_button(report_id: int) -> None:
    """Show the button that downloads a report as a file that stands alone."""
    downloads.show_download_button(
        "Frozen report",
        f"amazcope-report-{report_id}.html",
        downloads.HTML,
        partial(frozen_files.freeze_report, report_id, get_formats()),
        key="frozen_report",
        is_quiet=True,
    )


def show_make_popover() -> None:
    """Show the popover that makes a report now."""
    # With another key the popover is drawn closed, beside the report that it made.
    with st.popover(
        "Make now", icon=":material/add:", key=f"make_{st.session_state.get(_MADE, 0)}"
    ):
        kind = st.segmented_control(
            "Period",
            list(KINDS),
            default=ReportKind.DAILY,
            required=True,
            format_func=KINDS.__getitem__,
            key=_MADE_KIND,
            help="The last closed day, or the last seven, by each marketplace's clock",
        )
        scope = _choose_scope(_MADE_SCOPE, default_list_scope(get_principal()))
        st.button(
            "Make report",
            type="primary",
            key="make_report",
            on_click=run_with_toast,
            args=(_make_and_open, kind, scope),
        )


def _make_and_open(kind: ReportKind, scope: ListScope) -> str:
    st.query_params[keys.REPORT] = str(commands.make_report(kind, scope))
    st.session_state[_MADE] = st.session_state.get(_MADE, 0) + 1
    return "Report made. It is kept below."


def _choose_scope(key: str, chosen: ListScope) -> ListScope:
    """Show whose products a report is of. Users who only read have no own list."""
    if not get_principal().may(Permission.TRACK):
        return ListScope.TEAM
    return st.segmented_control(
        "Products",
        list(ListScope),
        default=chosen,
        required=True,
        format_func=list_scope.LABELS.__getitem__,
        key=key,
    )


def show_subscription_popover() -> None:
    """Show the popover with the user's subscriptions."""
    with st.popover("Subscribe", icon=":material/schedule:"):
        known = {each.wish.kind: each for each in data.list_subscriptions()}
        for kind in ReportKind:
            _show_subscription(kind, known.get(kind))


def _show_subscription(kind: ReportKind, known: ListedSubscription | None) -> None:
    wish = known.wish if known else Subscription(kind, default_list_scope(get_principal()))
    with st.form(f"subscribe_{kind}", border=False):
        zone = get_principal().time_zone
        state = f"next {format_moment(known.next_at, zone)}" if known else "off"
        st.markdown(f"**{KINDS[kind]}** :gray[· {state}]")
        left, right = st.columns(2)
        hour = left.selectbox(
            "Hour", range(24), wish.hour, format_func=lambda each: f"{each:02}:00", help=zone
        )
        weekday = wish.weekday
        if kind is ReportKind.WEEKLY:
            weekday = right.selectbox(
                "Day", range(7), wish.weekday, format_func=WEEKDAYS.__getitem__
            )
        scope = _choose_scope(f"scope_{kind}", wish.scope)
        by_email = st.toggle("Also by email", wish.by_email)
        missing = get_model_address().missing
        has_paragraph = st.toggle(
            "With a paragraph by the model",
            wish.has_paragraph,
            disabled=missing is not None and not wish.has_paragraph,
            help=missing or "Shown only if each number in it is one of the report.",
        )
        with st.container(horizontal=True):
            if st.form_submit_button("Save", type="primary"):
                chosen = Subscription(kind, scope, hour, weekday, by_email, has_paragraph)
                run_with_toast(commands.subscribe, chosen)
                st.rerun()
            if known and st.form_submit_button("End"):
                run_with_toast(commands.unsubscribe, kind)
                st.rerun()


def show_no_reports() -> None:
    """Show that no report is kept yet, and how to get one."""
    st.info(
        "No report yet. Make one now, or subscribe: then one is made each day or week.",
        icon=":material/summarize:",
    )
