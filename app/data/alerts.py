"""Cached reads of alerts: open issues, incidents and rules, as of ten seconds ago at most.

The session's token is part of each cache key, as with the lists of products: users see the
result of an action at once.
"""

from datetime import UTC, datetime, timedelta

import streamlit as st

from app.data import get_principal
from app.data.products import get_cache_token
from core.accounts.access.permissions import Principal
from core.alerts.incidents import queries, source_outages
from core.alerts.incidents.incident_filter import IncidentFilter
from core.alerts.incidents.queries import IncidentPage, IssueCounts
from core.alerts.incidents.rule_overview import RuleRow, list_rule_rows
from core.alerts.incidents.rule_preview import PreviewRequest, RulePreview, preview_on_history
from core.alerts.incidents.source_outages import OutageIncident
from core.alerts.rules.queries import TeamRule, find_reached_product, read_reach
from core.alerts.rules.rule import AlertRule, RuleScope
from core.database.session import read_scope
from core.tracking.list_filter import default_list_scope
from core.tracking.views.queries import find_team_view
from core.tracking.views.rules import TeamView

PAGE_SIZE = 50


def find_open_issues(incident_filter: IncidentFilter, page: int) -> IncidentPage:
    """Return a page of open issues; the first one where the requested page doesn't exist."""
    who, token = get_principal(), get_cache_token()
    found = _find_open_issues(who, incident_filter, page, token)
    if found.total and not found.rows:
        return _find_open_issues(who, incident_filter, 1, token)
    return found


@st.cache_data(ttl=10, max_entries=500, show_spinner=False)
def _find_open_issues(
    who: Principal, incident_filter: IncidentFilter, page: int, token: str
) -> IncidentPage:
    del token
    with read_scope() as session:
        return queries.find_open_issues(
            session, who, incident_filter, datetime.now(UTC), (page - 1) * PAGE_SIZE, PAGE_SIZE
        )


def find_incidents(incident_filter: IncidentFilter, days: int, page: int) -> IncidentPage:
    """Return a page of the incidents of the last days, as `find_open_issues` does."""
    who, token = get_principal(), get_cache_token()
    found = _find_incidents(who, incident_filter, days, page, token)
    if found.total and not found.rows:
        return _find_incidents(who, incident_filter, days, 1, token)
    return found


@st.cache_data(ttl=10, max_entries=500, show_spinner=False)
def _find_incidents(
    who: Principal, incident_filter: IncidentFilter, days: int, page: int, token: str
) -> IncidentPage:
    del token
    now = datetime.now(UTC)
    period = (now - timedelta(days=days), now)
    with read_scope() as session:
        return queries.find_incidents(
            session, who, incident_filter, period, now, (page - 1) * PAGE_SIZE, PAGE_SIZE
        )


def group_open_issues(incident_filter: IncidentFilter) -> IssueCounts:
    """Return how many open issues match, by severity and kind, as of a minute ago at most."""
    return _group_open_issues(get_principal(), incident_filter, get_cache_token())


@st.cache_data(ttl=60, max_entries=500, show_spinner=False)
def _group_open_issues(who: Principal, incident_filter: IncidentFilter, token: str) -> IssueCounts:
    del token
    with read_scope() as session:
        return queries.group_open_issues(session, who, incident_filter, datetime.now(UTC))


def count_open_issues(who: Principal) -> int:
    """Return how many open issues the user's list has, as of a minute ago at most."""
    return _count_open_issues(who, get_cache_token())


@st.cache_data(ttl=60, max_entries=500, show_spinner=False)
def _count_open_issues(who: Principal, token: str) -> int:
    del token
    own = IncidentFilter(scope=default_list_scope(who))
    with read_scope() as session:
        return queries.count_open_issues(session, who, own, datetime.now(UTC))


def list_outages(days: int) -> list[OutageIncident]:
    """Return what is blocked now, and what was in the last days; for administrators."""
    with read_scope() as session:
        since = datetime.now(UTC) - timedelta(days=days)
        return source_outages.list_blocked_sources(session, get_principal(), since)


# Rules


def list_rules() -> list[RuleRow]:
    """Return the team's rules with what they did, as of ten seconds ago at most."""
    return _list_rules(get_principal(), get_cache_token())


@st.cache_data(ttl=10, max_entries=100, show_spinner=False)
def _list_rules(who: Principal, token: str) -> list[RuleRow]:
    del token
    with read_scope() as session:
        return list_rule_rows(session, who, datetime.now(UTC))


def preview_rule(row: RuleRow, rule: AlertRule, days: int, at_most: float | None) -> RulePreview:
    """Return what a stored rule would have done with other thresholds, as of a minute ago."""
    return _preview_rule(get_principal(), row.stored, rule, days, at_most)


@st.cache_data(ttl=60, max_entries=50, show_spinner="Trying the rule on past data …")
def _preview_rule(
    who: Principal, stored: TeamRule, rule: AlertRule, days: int, at_most: float | None
) -> RulePreview:
    request = PreviewRequest(rule, days, stored, at_most_per_week=at_most)
    with read_scope() as session:
        return preview_on_history(session, who, request, datetime.now(UTC))


def find_marketplace(scope: RuleScope) -> str | None:
    """Return the marketplace of a product in a scope; None: it has no product."""
    with read_scope() as session:
        found = find_reached_product(session, get_principal().team_id, scope)
    return None if found is None else found.marketplace


def find_view(scope: RuleScope) -> TeamView | None:
    """Return the saved view that a scope names; None: it names none, or it was deleted."""
    if scope.view_id is None:
        return None
    with read_scope() as session:
        return find_team_view(session, get_principal().team_id, scope.view_id)


def count_products(scope: RuleScope) -> int:
    """Return how many products a scope has now."""
    return _count_products(get_principal(), scope, get_cache_token())


@st.cache_data(ttl=60, max_entries=100, show_spinner=False)
def _count_products(who: Principal, scope: RuleScope, token: str) -> int:
    del token
    with read_scope() as session:
        return read_reach(session, who.team_id, scope).products
