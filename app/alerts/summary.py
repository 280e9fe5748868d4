"""What stands above the list of alerts: how many there are, or why there is none."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.alerts import actions
from app.alerts.filters import View
from app.data import alerts, products
from core.alerts.incidents import labels
from core.alerts.incidents.incident_filter import COUNTED, IncidentFilter
from core.alerts.incidents.queries import IncidentPage, IssueCounts
from core.text.numbers import format_capped_count, format_count
from core.text.times import format_age
from core.tracking.lists.freshness import Freshness


def find_alerts(
    view: View, incident_filter: IncidentFilter, days: int | None, page: int
) -> IncidentPage:
    """Return a page of the alerts of a view. `days`: of the history."""
    if view is View.UNREAD:
        return alerts.find_unread(incident_filter, page)
    if days is None:
        return alerts.find_open_issues(incident_filter, page)
    return alerts.find_incidents(incident_filter, days, page)


def format_subtitle(view: View, found: IncidentPage, days: int | None, fresh: Freshness) -> str:
    """Return how many alerts a view has, and when the last check of open issues was."""
    if view is View.UNREAD:
        return _format_unread_subtitle(found)
    if days is None:
        return _format_open_subtitle(found, fresh, datetime.now(UTC))
    return _format_history_subtitle(found, days)


def _format_open_subtitle(found: IncidentPage, fresh: Freshness, now: datetime) -> str:
    """Return how many issues are open and when the last check was."""
    issues = "open issue" if found.total == 1 else "open issues"
    return (
        f"{format_capped_count(found.total, COUNTED)} {issues} · {_format_last_check(fresh, now)}"
    )


def _format_history_subtitle(found: IncidentPage, days: int) -> str:
    """Return how many incidents opened in a period."""
    incidents = "alert" if found.total == 1 else "alerts"
    return f"{format_capped_count(found.total, COUNTED)} {incidents} in {format_count(days)} days"


def _format_unread_subtitle(found: IncidentPage) -> str:
    """Return how many alerts the user has not read."""
    incidents = "alert" if found.total == 1 else "alerts"
    return f"{format_capped_count(found.total, COUNTED)} unread {incidents}"


def _format_last_check(fresh: Freshness, now: datetime) -> str:
    if fresh.last_observed_at is None:
        return "no check yet"
    return f"last check {format_age(fresh.last_observed_at, now)}"


def _show_counts(counted: IssueCounts) -> None:
    """Show the number of open issues by severity and kind, and how many are muted."""
    lines = [
        _format_counts(labels.SEVERITIES, counted.severities),
        _format_counts(labels.KINDS, counted.kinds),
        f"{format_count(counted.muted)} muted, in the history" if counted.muted else "",
    ]
    st.caption(" \u2002|\u2002 ".join(line for line in lines if line))


def _format_counts(names: Mapping[Any, str], numbers: Mapping[Any, int]) -> str:
    parts = [
        f"{name} {format_count(numbers[key])}" for key, name in names.items() if key in numbers
    ]
    return " · ".join(parts)


def show_summary(
    view: View,
    incident_filter: IncidentFilter,
    found: IncidentPage,
    days: int | None,
    fresh: Freshness,
) -> None:
    """Show the counts of open issues, what is done with unread ones, or why there are none."""
    if found.rows:
        if view is View.OPEN:
            _show_counts(alerts.group_open_issues(incident_filter))
        elif view is View.UNREAD:
            actions.show_read_button()
    elif view is View.UNREAD:
        _show_no_unread(incident_filter)
    elif days is None:
        own_products = products.count_own_products(incident_filter.scope)
        _show_no_open_issues(incident_filter, own_products, fresh)
    else:
        _show_no_history(incident_filter, days)


def _show_no_open_issues(
    incident_filter: IncidentFilter, own_products: int, fresh: Freshness
) -> None:
    """Show why there is no open issue: filters, no own products, no check yet, or all is well."""
    if not incident_filter.is_empty:
        st.info("No open issue matches. Take away a filter.", icon=":material/search_off:")
    elif not own_products:
        st.info(
            "No product is marked as your own yet. The built-in alerts are for own products: set "
            "the role of yours to Own in the settings of a product.",
            icon=":material/storefront:",
        )
    elif fresh.last_observed_at is None:
        st.info(
            "Nothing was checked yet, so nothing is known to be wrong.", icon=":material/schedule:"
        )
    else:
        checked = format_age(fresh.last_observed_at, datetime.now(UTC))
        st.success(f"No open issues. Last checked {checked}.", icon=":material/task_alt:")


def _show_no_unread(incident_filter: IncidentFilter) -> None:
    """Show that the user has read all alerts, or that no unread one matches."""
    if incident_filter.is_empty:
        st.success("You have read all alerts.", icon=":material/mark_email_read:")
    else:
        st.info("No unread alert matches. Take away a filter.", icon=":material/search_off:")


def _show_no_history(incident_filter: IncidentFilter, days: int) -> None:
    """Show that no alert opened in the period, or that none matches."""
    if incident_filter.is_empty:
        st.info(f"No alerts in {format_count(days)} days.", icon=":material/date_range:")
    else:
        st.info("No alert matches. Take away a filter.", icon=":material/search_off:")
