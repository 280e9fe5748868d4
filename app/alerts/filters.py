"""Views, filters and pages of the Alerts screen. All choices are in the URL."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import streamlit as st

from app import keys
from app.components import filters, pagination
from app.components.filters import Choice
from app.web import url_parameters
from core.alerts.incidents import labels
from core.alerts.incidents.incident_filter import COUNTED, IncidentFilter
from core.text.numbers import format_count
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role


class View(StrEnum):
    """What the screen shows. The values are the labels, which Streamlit writes into the URL."""

    OPEN = "Open issues"
    UNREAD = "Unread"
    HISTORY = "History"
    SILENCES = "Silences"


# Streamlit writes labels, not values, into the URL: a changed label breaks saved links.
ROLES: Final = {Role.OWN: "Own", Role.COMPETITOR: "Competitors", Role.WATCHED: "Tracked"}
PERIODS: Final = {"7 d": 7, "30 d": 30, "90 d": 90, "1 y": 365}
_RULES: Final = "Rules"  # a view of this screen until rules had a page of their own
_DEFAULT_PERIOD: Final = "30 d"
_OPTIONS: Final = (
    keys.SEVERITY,
    keys.ALERT_ROLE,
    keys.ALERT_MARKET,
    keys.ALERT_KIND,
    keys.HANDLING,
)


def open_rules_of_old_links() -> None:
    """Open the page Alert rules where the address names it as a view of this one."""
    if url_parameters.read_text(keys.ALERT_VIEW) == _RULES:
        st.switch_page(f"../pages/{keys.ALERT_RULES}.py", query_params={})


def choose_view() -> View:
    """Show the views; return the chosen one."""
    chosen = st.segmented_control(
        "View",
        [view.value for view in View],
        default=View.OPEN.value,
        required=True,
        key=keys.ALERT_VIEW,
        label_visibility="collapsed",
        bind="query-params",
        on_change=pagination.reset_page,
        args=(keys.ALERT_PAGE,),
    )
    return View(chosen)


def choose_days() -> int:
    """Show the periods; return the chosen one in days."""
    chosen = st.segmented_control(
        "Period",
        list(PERIODS),
        default=_DEFAULT_PERIOD,
        required=True,
        key=keys.ALERT_PERIOD,
        label_visibility="collapsed",
        bind="query-params",
        on_change=pagination.reset_page,
        args=(keys.ALERT_PAGE,),
    )
    return PERIODS[str(chosen)]


def choose_incident_filter(marketplaces: list[str], scope: ListScope) -> IncidentFilter:
    """Show the filters in one row; return what is chosen."""
    severities = _choose("Severity", keys.SEVERITY, labels.SEVERITIES)
    roles = _choose("Roles", keys.ALERT_ROLE, ROLES)
    places = _choose("Marketplaces", keys.ALERT_MARKET, {code: code for code in marketplaces})
    label = filters.label_with_count("Kind and handling", (keys.ALERT_KIND, keys.HANDLING))
    with st.popover(label, icon=":material/tune:"):
        kinds = _choose("Kind", keys.ALERT_KIND, labels.KINDS, is_labelled=True)
        handling = _choose("Handling", keys.HANDLING, labels.HANDLING, is_labelled=True)
    return IncidentFilter(scope, roles, places, kinds, severities, handling)


def _choose(
    label: str, key: str, options: Mapping[Choice, str], *, is_labelled: bool = False
) -> tuple[Choice, ...]:
    return filters.choose_options(label, key, options, keys.ALERT_PAGE, is_labelled=is_labelled)


def show_clear_button(incident_filter: IncidentFilter) -> None:
    """Show "Clear filters" when a filter is set."""
    if not incident_filter.is_empty:
        filters.show_clear_button(None, _OPTIONS, keys.ALERT_PAGE)


def get_page() -> int:
    """Return the requested page of the list; it may not exist."""
    return pagination.get_page(keys.ALERT_PAGE)


def show_pages(total: int, size: int) -> None:
    """Show the page control of the list; it ends where exact counts end."""
    pagination.show_pages(pagination.count_pages(min(total, COUNTED), size), keys.ALERT_PAGE)
    if total > COUNTED:
        st.caption(f"Pages end at {format_count(COUNTED)} rows. Narrow the list to see the others.")
