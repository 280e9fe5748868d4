"""Makes a report's content, in few queries however many products there are. SELECTs only."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.incidents.incident_filter import IncidentFilter
from core.alerts.incidents.labels import describe_next_step
from core.alerts.incidents.queries import IncidentRow, find_open_issues, group_open_issues
from core.catalog.service import category_names
from core.history.accepted_values import AcceptedValues
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue
from core.reports.closes import ProductCloses, find_pair, read_closes, read_lines
from core.reports.content import (
    ISSUES_SHOWN,
    SUGGESTIONS_SHOWN,
    Report,
    ReportChange,
    ReportCost,
    ReportDay,
    ReportHealth,
    ReportIssue,
    ReportIssues,
    ReportMover,
    ReportProduct,
    ReportSuggestion,
    ReportSuggestions,
)
from core.reports.day_comparison import (
    compute_figures,
    find_report_changes,
    find_report_movers,
)
from core.scraping.runs.dispatch import COST_OF_RUN
from core.scraping.runs.providers import APIFY
from core.suggestions.queue_filter import QueueFilter
from core.suggestions.review.queries import count_priorities, read_queue
from core.tracking.list_filter import ListScope
from core.tracking.lists.team_thresholds import read_team_thresholds
from core.tracking.sellers.queries import read_own_sellers
from core.upkeep.check_counts import count_by_hour, sum_checks
from core.upkeep.health_queries import list_blocked_sources
from core.upkeep.heartbeat import find_last_worker_activity

_NOTHING: Final = AcceptedValues()


@requires(Permission.READ)
def compute_report(
    session: Session,
    principal: Principal,
    scope: ListScope,
    period: ChangePeriod,
    at: datetime,
    now: datetime,
    dollars_per_check: Decimal,
) -> Report:
    """Return the report of a moment, as the principal may see it.

    `at`: each marketplace's last day that was over then is compared; `now`: issues, suggestions
    and checks are those of now. `dollars_per_check`: expected, where the cost is not reported yet.
    """
    products, left_out = read_closes(session, principal, scope, period, at)
    changes = find_report_changes(products, read_team_thresholds(session, principal.team_id))
    own = read_own_sellers(session, principal.team_id)
    checks, failed = sum_checks(count_by_hour(session, now))
    return Report(
        period=period,
        scope=scope,
        made_at=now,
        time_zone=principal.time_zone,
        days=_list_days(products, period, at),
        figures=compute_figures(products, own),
        changed=changes.total,
        change_counts=changes.counts,
        changes=_with_categories(session, changes.worst),
        issues=_read_issues(session, principal, scope, now),
        movers=_with_lines(session, find_report_movers(products), period, at),
        suggestions=_read_suggestions(session, principal, now),
        health=ReportHealth(
            without_values=sum(each.now == _NOTHING for each in products),
            checks=checks,
            failed=failed,
            worker_seen_at=find_last_worker_activity(session),
            blocked=tuple(sorted({each.marketplace for each in list_blocked_sources(session)})),
        ),
        cost=_read_cost(session, period, at, dollars_per_check),
        left_out=left_out,
    )


def _list_days(
    products: Sequence[ProductCloses], period: ChangePeriod, at: datetime
) -> tuple[ReportDay, ...]:
    """Return the marketplaces' days, the one with most products first."""
    counts = Counter(each.product.marketplace for each in products)
    checked = Counter(each.product.marketplace for each in products if each.is_checked)
    return tuple(
        ReportDay(code, pair.day, pair.then_day, count, checked[code])
        for code, count in counts.most_common()
        for pair in (find_pair(code, period, at),)
    )


def _with_categories(session: Session, changes: Sequence[ReportChange]) -> tuple[ReportChange, ...]:
    numbers = {each.now.bsr_category_id for each in changes} - {None}
    names = category_names(session, [number for number in numbers if number is not None])
    return tuple(
        replace(each, bsr_category=names.get(each.now.bsr_category_id or 0)) for each in changes
    )


_COLUMNS: Final = {
    MovedValue.RANK: "bsr",
    MovedValue.PRICE: "price",
    MovedValue.RATINGS_COUNT: "ratings_count",
}


def _with_lines(
    session: Session, movers: Sequence[ReportMover], period: ChangePeriod, at: datetime
) -> tuple[ReportMover, ...]:
    if not movers:
        return ()
    days: dict[int, date] = {
        each.product.product_id: find_pair(each.product.marketplace, period, at).day
        for each in movers
    }
    lines = read_lines(session, days)
    return tuple(
        replace(each, line=lines[each.product.product_id][_COLUMNS[each.value]]) for each in movers
    )


def _read_issues(
    session: Session, principal: Principal, scope: ListScope, now: datetime
) -> ReportIssues:
    asked = IncidentFilter(scope=scope)
    counts = group_open_issues(session, principal, asked, now)
    page = find_open_issues(session, principal, asked, now, size=ISSUES_SHOWN, is_by_kind=True)
    return ReportIssues(
        counts.total,
        tuple(counts.severities.items()),
        tuple(_make_issue(row, principal.time_zone, now) for row in page.rows),
    )


def _make_issue(row: IncidentRow, time_zone: str, now: datetime) -> ReportIssue:
    product = ReportProduct(row.product_id, row.marketplace, row.asin, row.title, row.role)
    return ReportIssue(
        row.id,
        product,
        row.severity,
        row.describe(time_zone, now),
        describe_next_step(row.kind),
        row.opened_at,
    )


def _read_suggestions(session: Session, principal: Principal, now: datetime) -> ReportSuggestions:
    counts = count_priorities(session, principal, now)
    if not counts:
        return ReportSuggestions()
    page = read_queue(session, principal, QueueFilter(), 1, SUGGESTIONS_SHOWN, now)
    return ReportSuggestions(
        tuple(sorted(counts.items())),
        tuple(
            ReportSuggestion(row.id, row.title, row.product_title, row.marketplace, row.priority)
            for row in page.rows
        ),
    )


# The fake Apify server's costs are invented like its products.
_COSTS: Final = f"""
SELECT COALESCE(sum({COST_OF_RUN}) FILTER (WHERE intended_at >= :first), 0),
    COALESCE(sum({COST_OF_RUN}) FILTER (WHERE intended_at >= :month), 0)
FROM fetch_run WHERE provider = :provider AND intended_at >= least(:first, :month)
    AND intended_at < :until
"""


def _read_cost(
    session: Session, period: ChangePeriod, at: datetime, dollars_per_check: Decimal
) -> ReportCost:
    """Return what checks cost on the UTC days before a moment."""
    last = at.astimezone(UTC).date() - timedelta(days=1)
    first = last - timedelta(days=period.days - 1)
    values = {
        "provider": APIFY,
        "price": dollars_per_check,
        "first": _midnight(first),
        "month": _midnight(last.replace(day=1)),
        "until": _midnight(last + timedelta(days=1)),
    }
    row = session.execute(text(_COSTS), values).one()
    return ReportCost(first, last, Decimal(row[0]), Decimal(row[1]))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
