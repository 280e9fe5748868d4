"""Cached reads of alerts: open issues, incidents and rules, as of ten seconds ago at most.

The session's token is part of each cache key, as with the lists of products: users see the
result of an action at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from app.data import get_principal
from app.data.cache import UserToken, cached_read
from app.data.prebuilt_figure import FigureBody, pack_figure
from app.data.products import get_cache_token
from core.accounts.access.permissions import Principal
from core.alerts.charts import moment, rule_trial
from core.alerts.charts.value_chart import ValueChart, describe_value_chart, draw_value_chart
from core.alerts.charts.weeks_chart import describe_weeks, draw_weeks
from core.alerts.explanation.explain_delivery import Explanation, explain_delivery
from core.alerts.incidents import queries, service, silences, source_outages
from core.alerts.incidents.incident_events import EventRow, list_incident_events
from core.alerts.incidents.incident_filter import IncidentFilter
from core.alerts.incidents.queries import IncidentPage, IncidentRow, IssueCounts
from core.alerts.incidents.rule_overview import RuleRow, list_rule_rows
from core.alerts.incidents.rule_preview import PreviewRequest, RulePreview, preview_on_history
from core.alerts.incidents.service import Assignee
from core.alerts.incidents.silences import Silence
from core.alerts.incidents.source_outages import OutageIncident
from core.alerts.notifications import message_preview, read_state
from core.alerts.notifications.message_preview import describe_messages
from core.alerts.rules.queries import TeamRule, find_reached_product, read_reach
from core.alerts.rules.rule import AlertRule, RuleScope
from core.alerts.rules.subject_text import SUBJECTS
from core.catalog.marketplaces import get_marketplace
from core.chart_theme import MoneyStyle, money_style
from core.database.session import read_scope
from core.history.product_summary import HistoryKey, find_product_summary
from core.text import locale as formats
from core.text.locale import Formats
from core.tracking.list_filter import default_list_scope
from core.tracking.views.queries import find_team_view
from core.tracking.views.rules import TeamView

PAGE_SIZE = 50
_READ: Final = UserToken()  # renewed when the user reads an alert


def find_open_issues(incident_filter: IncidentFilter, page: int) -> IncidentPage:
    """Return a page of open issues; the first one where the requested page doesn't exist."""
    who, token = get_principal(), get_cache_token()
    found = _find_open_issues(who, incident_filter, page, token)
    if found.total and not found.rows:
        return _find_open_issues(who, incident_filter, 1, token)
    return found


@cached_read(seconds=10, entries=500)
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


@cached_read(seconds=10, entries=500)
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


def find_unread(incident_filter: IncidentFilter, page: int) -> IncidentPage:
    """Return a page of the alerts that the user has not read, newest first. Never cached."""
    with read_scope() as session:
        who, now = get_principal(), datetime.now(UTC)
        skipped = (page - 1) * PAGE_SIZE
        found = queries.find_unread(session, who, incident_filter, now, skipped, PAGE_SIZE)
        if found.total and not found.rows:
            return queries.find_unread(session, who, incident_filter, now, 0, PAGE_SIZE)
        return found


def find_unread_of(ids: Sequence[int]) -> set[int]:
    """Return which of these alerts the user has not read. Never cached."""
    if not ids:
        return set()
    with read_scope() as session:
        return read_state.find_unread(session, get_principal(), ids)


def count_unread(who: Principal) -> int:
    """Return how many alerts of the user's list they have not read, a minute old at most."""
    return _count_unread(who, get_cache_token(), _READ.get(who.person_id))


def forget_unread() -> None:
    """Make all sessions of this user count again what they have not read."""
    _READ.renew(get_principal().person_id)


@cached_read(seconds=60, entries=500)
def _count_unread(who: Principal, token: str, read: str) -> int:
    del token, read
    own = IncidentFilter(scope=default_list_scope(who))
    with read_scope() as session:
        return queries.count_unread(session, who, own, datetime.now(UTC))


def find_incident(incident_id: int) -> IncidentRow | None:
    """Return an incident of the team, as of ten seconds ago at most."""
    return _find_incident(get_principal(), incident_id, get_cache_token())


@cached_read(seconds=10, entries=500)
def _find_incident(who: Principal, incident_id: int, token: str) -> IncidentRow | None:
    del token
    with read_scope() as session:
        return queries.find_incident(session, who, incident_id, datetime.now(UTC))


def list_events(incident_id: int) -> list[EventRow]:
    """Return what users did with an incident, oldest first. Never cached."""
    with read_scope() as session:
        return list_incident_events(session, get_principal(), incident_id)


def list_assignees() -> list[Assignee]:
    """Return the teammates to whom alerts can be assigned, as of a minute ago at most."""
    return _list_assignees(get_principal())


@cached_read(seconds=60, entries=100)
def _list_assignees(who: Principal) -> list[Assignee]:
    with read_scope() as session:
        return service.list_assignees(session, who)


def list_product_incidents(product_id: int, days: int) -> list[IncidentRow]:
    """Return a product's newest incidents of the last days, as of ten seconds ago at most."""
    wanted = IncidentFilter(product_id=product_id)
    return _find_incidents(get_principal(), wanted, days, 1, get_cache_token()).rows


def explain(product_id: int, at: datetime) -> Explanation:
    """Return why the user was, or was not, notified at a moment. Never cached."""
    with read_scope() as session:
        return explain_delivery(session, get_principal(), product_id, at, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart with the sentences that say what it shows."""

    chart: FigureBody
    alt: str


def _make_money(marketplace: str, written: Formats) -> MoneyStyle:
    place = get_marketplace(marketplace)
    return money_style(
        place.currency, written.locale_of_money(place.locale), written.has_currency_code
    )


def _draw_values(chart: ValueChart) -> ChartView:
    alt = describe_value_chart(chart, SUBJECTS[chart.subject])
    return ChartView(pack_figure(draw_value_chart(chart)), alt)


def read_moment(row: IncidentRow) -> ChartView | None:
    """Return the chart around an incident; None: the product was never observed."""
    with read_scope() as session:
        head = find_product_summary(session, get_principal(), row.marketplace, row.asin)
    if head is None or head.history_key is None:
        return None
    return _read_moment(
        get_principal(), head.history_key, row, head.data_version, formats.get_formats()
    )


@cached_read(seconds=600, entries=500)
def _read_moment(
    who: Principal,
    key: HistoryKey,
    row: IncidentRow,
    data_version: int,
    written: Formats,
) -> ChartView:
    del data_version  # part of the key
    money = _make_money(row.marketplace, written)
    with read_scope() as session:
        chart = moment.read_moment(session, who, key, row, money, datetime.now(UTC))
    return _draw_values(chart)


def group_open_issues(incident_filter: IncidentFilter) -> IssueCounts:
    """Return how many open issues match, by severity and kind, as of a minute ago at most."""
    return _group_open_issues(get_principal(), incident_filter, get_cache_token())


@cached_read(seconds=60, entries=500)
def _group_open_issues(who: Principal, incident_filter: IncidentFilter, token: str) -> IssueCounts:
    del token
    with read_scope() as session:
        return queries.group_open_issues(session, who, incident_filter, datetime.now(UTC))


def count_open_issues(who: Principal) -> int:
    """Return how many open issues the user's list has, as of a minute ago at most."""
    return _count_open_issues(who, get_cache_token())


@cached_read(seconds=60, entries=500)
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


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """A silence with the names of its product and rule. Names are text from outside."""

    silence: Silence
    product: str | None
    rule: str | None


def list_silences() -> list[SilenceRow]:
    """Return the silences that apply now, the one that ends first on top; a minute old at most."""
    return _list_silences(get_principal(), get_cache_token())


@cached_read(seconds=60, entries=100)
def _list_silences(who: Principal, token: str) -> list[SilenceRow]:
    del token
    with read_scope() as session:
        found = silences.list_silences(session, who, datetime.now(UTC))
        products = silences.name_products(session, found)
    rules = {each.stored.rule_id: each.format_name() for each in list_rules()} if found else {}
    return [
        SilenceRow(
            each,
            None if each.product_id is None else products[each.product_id],
            None if each.rule_id is None else rules.get(each.rule_id, "a rule"),
        )
        for each in found
    ]


# Rules


def list_rules() -> list[RuleRow]:
    """Return the team's rules with what they did, as of ten seconds ago at most."""
    return _list_rules(get_principal(), get_cache_token())


@cached_read(seconds=10, entries=100)
def _list_rules(who: Principal, token: str) -> list[RuleRow]:
    del token
    with read_scope() as session:
        return list_rule_rows(session, who, datetime.now(UTC))


def preview_rule(
    rule: AlertRule, stored: TeamRule | None, days: int, at_most: float | None
) -> RulePreview:
    """Return what a rule would have done, as of a minute ago at most.

    `stored`: the rule as it is stored, which products have thresholds of; None: a new one.
    """
    return _preview_rule(get_principal(), stored, rule, days, at_most)


@st.cache_data(ttl=60, max_entries=50, show_spinner="Trying the rule on past data …")
def _preview_rule(
    who: Principal, stored: TeamRule | None, rule: AlertRule, days: int, at_most: float | None
) -> RulePreview:
    request = PreviewRequest(rule, days, stored, at_most_per_week=at_most)
    with read_scope() as session:
        return preview_on_history(session, who, request, datetime.now(UTC))


def preview_messages(stored: TeamRule | None, found: RulePreview) -> str | None:
    """Return in a sentence how the user would have got a rule's alerts; None without any."""
    with read_scope() as session:
        return describe_messages(
            message_preview.preview_messages(session, get_principal(), found, stored)
        )


def draw_rule_weeks(
    rule: AlertRule, stored: TeamRule | None, days: int, at_most: float | None
) -> ChartView:
    """Return the alerts that a rule would have opened by week, as a chart."""
    found, zone = preview_rule(rule, stored, days, at_most), get_principal().time_zone
    drawn = draw_weeks(found.per_week, found.since, found.until, ZoneInfo(zone), at_most)
    return ChartView(pack_figure(drawn), describe_weeks(found.per_week))


@dataclass(frozen=True, slots=True)
class TrialProduct:
    """A product that a rule is tried on. The title is text from outside."""

    marketplace: str
    asin: str
    title: str | None


def list_trial_products(rule: AlertRule, found: RulePreview) -> list[TrialProduct]:
    """Return products to show a rule on: those that it would have alerted for, else any."""
    alerted = [TrialProduct(each.marketplace, each.asin, each.title) for each in found.newest]
    if alerted:
        return list(dict.fromkeys(alerted))
    with read_scope() as session:
        reached = find_reached_product(session, get_principal().team_id, rule.scope)
    return (
        [] if reached is None else [TrialProduct(reached.marketplace, reached.asin, reached.title)]
    )


def read_trial(
    rule: AlertRule, stored: TeamRule | None, days: int, product: TrialProduct
) -> ChartView | None:
    """Return a rule's trial on one product as a chart; None: it was never observed."""
    with read_scope() as session:
        head = find_product_summary(session, get_principal(), product.marketplace, product.asin)
    if head is None or head.history_key is None:
        return None
    return _read_trial(
        get_principal(),
        head.history_key,
        rule,
        stored,
        days,
        head.data_version,
        formats.get_formats(),
    )


@cached_read(seconds=60, entries=100)
def _read_trial(
    who: Principal,
    key: HistoryKey,
    rule: AlertRule,
    stored: TeamRule | None,
    days: int,
    data_version: int,
    written: Formats,
) -> ChartView:
    del data_version  # part of the key
    request = PreviewRequest(rule, days, stored)
    with read_scope() as session:
        chart = rule_trial.read_trial(
            session, who, request, key, _make_money(key.marketplace, written), datetime.now(UTC)
        )
    return _draw_values(chart)


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


@cached_read(seconds=60, entries=100)
def _count_products(who: Principal, scope: RuleScope, token: str) -> int:
    del token
    with read_scope() as session:
        return read_reach(session, who.team_id, scope).products
