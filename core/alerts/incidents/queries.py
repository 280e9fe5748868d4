"""SELECTs on incidents: open issues, those of a period, those of a product.

An open issue is an incident that lasts, of a rule that is on, that nothing mutes, and that no user
marked as resolved. Only products that the principal, or anyone in the team, tracks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.evaluation.fold import Findings, Incident, IncidentState
from core.alerts.evaluation.memory_json import load_findings
from core.alerts.incidents.buy_box_holders import find_lost, read_holders
from core.alerts.incidents.incident_filter import (
    COUNTED,
    LARGEST_PAGE,
    Handling,
    IncidentFilter,
    IncidentKind,
)
from core.alerts.incidents.incident_text import BuyBoxHolder, describe_incident
from core.alerts.incidents.labels import Handled
from core.alerts.incidents.silences import Silence, Silenced, find_silences, list_silences_at
from core.alerts.rules.rule import AlertRule, Severity
from core.alerts.rules.rule_json import load_rule
from core.alerts.rules.sentences import name_rule
from core.database.session import driver_connection
from core.tracking.list_filter import ListScope
from core.tracking.lists.list_filter_sql import SCOPES, scope_values
from core.tracking.rules import Role
from core.tracking.sellers.queries import read_own_sellers

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident with its product and its rule."""

    id: int
    rule_id: int
    kind: IncidentKind
    rule_name: str | None  # None: what the rule watches is its name
    rule: AlertRule  # as it is now
    is_of_this_rule: bool  # False: the rule was changed since
    has_own_sellers: bool  # False: the team named none, so no Buy Box is known to be lost
    state: IncidentState
    severity: Severity
    opened_at: datetime
    ended_at: datetime | None  # None: it lasts
    withdrawn_at: datetime | None
    findings: Findings
    silent_reason: str | None  # why it is recorded and never sent
    muted_by: str | None  # what keeps it from being sent
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    snoozed_until: datetime | None
    group_id: int | None
    product_id: int
    marketplace: str
    asin: str
    title: str | None
    image: str | None
    role: Role
    is_demo: bool
    rule_version: int  # by which it was opened
    data_version: int  # the product's, when it was evaluated
    evaluated_at: datetime
    assigned_to: str | None
    assigned_id: int | None
    resolved_at: datetime | None  # when a user marked it as resolved
    resolved_by: str | None
    holder: BuyBoxHolder | None = None  # of a lost Buy Box; None: not known
    silence: Silence | None = None  # the one that ends last of those that apply

    def get_handling(self, now: datetime) -> Handling:
        """Return what users did about the incident."""
        if self.resolved_at is not None:
            return Handling.RESOLVED
        if self.snoozed_until is not None and self.snoozed_until > now:
            return Handling.SNOOZED
        return Handling.NEW if self.acknowledged_at is None else Handling.ACKNOWLEDGED

    def get_handled(self, now: datetime) -> Handled:
        """Return what users did about the incident, with names and times."""
        return Handled(
            handling=self.get_handling(now),
            acknowledged_by=self.acknowledged_by,
            acknowledged_at=self.acknowledged_at,
            snoozed_until=self.snoozed_until,
            resolved_by=self.resolved_by,
            resolved_at=self.resolved_at,
            assigned_to=self.assigned_to,
            silenced_until=None if self.silence is None else self.silence.ends_at,
        )

    def name_rule(self) -> str:
        """Return the rule's name: "Out of stock"."""
        code = None if self.kind is IncidentKind.TEAM_RULE else self.kind.value
        return name_rule(
            code,
            self.rule_name,
            self.rule,
            self.marketplace,
            has_own_sellers=self.has_own_sellers,
        )

    def describe(self, time_zone: str, now: datetime) -> str:
        """Return what happened, as a sentence without its point."""
        # A changed rule of the team's own may watch anything else now.
        if self.kind is IncidentKind.TEAM_RULE and not self.is_of_this_rule:
            return "Values not kept: the rule was changed since"
        incident = Incident(self.opened_at, self.findings, self.state, self.ended_at)
        return describe_incident(self.rule, incident, self.marketplace, time_zone, now, self.holder)


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """A part of a list of incidents. `total` is exact up to COUNTED, and one more beyond it."""

    rows: list[IncidentRow]
    total: int
    has_more: bool  # rows after these


@dataclass(frozen=True, slots=True)
class IssueCounts:
    """How many open issues there are. What has none is left out."""

    total: int
    severities: dict[Severity, int]
    kinds: dict[IncidentKind, int]
    muted: int  # further incidents that last, and are muted


# Stored severities, the worst first: literally as in the index of open issues.
_SEVERITY = "array_position(ARRAY['critical', 'warning', 'info'], i.severity)"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_IS_OPEN = "i.state IN ('firing', 'flapping')"
_IS_UNSOLVED = f"{_IS_OPEN} AND i.resolved_at IS NULL AND r.is_on"
_IS_ISSUE = f"{_IS_UNSOLVED} AND i.muted_by IS NULL"
# Whether the user was notified of an incident in the app, and neither read nor handled it.
IS_UNREAD = (
    "i.withdrawn_at IS NULL AND i.acknowledged_by IS DISTINCT FROM %(person)s "
    "AND i.resolved_by IS DISTINCT FROM %(person)s AND i.id IN (SELECT n.incident_id "
    "FROM notification n WHERE n.person_id = %(person)s AND n.channel_id IS NULL "
    "AND n.kind = 'opened' AND n.read_at IS NULL)"
)
_KIND = f"coalesce(r.code, '{IncidentKind.TEAM_RULE.value}')"
_KIND_ORDER = f"array_position(ARRAY{[each.value for each in IncidentKind]}, {_KIND})"  # as listed
_FROM = (
    "incident i JOIN alert_rule r ON r.id = i.rule_id "
    "JOIN tracking t ON t.product_id = i.product_id AND {scope} "
)
_PRODUCT = "JOIN product p ON p.id = i.product_id "


@requires(Permission.READ)
def find_open_issues(
    session: Session,
    principal: Principal,
    incident_filter: IncidentFilter,
    now: datetime,
    skipped: int = 0,
    size: int = 50,
    *,
    is_by_kind: bool = False,
) -> IncidentPage:
    """Return at most `size` open issues after the first `skipped`: worst, then oldest first.

    `is_by_kind`: among equally severe ones, a listing that was removed comes before a product
    that is out of stock, and that before a lost Buy Box, a rank and a price. All are sorted.
    """
    source, values = _make_sql(principal, incident_filter, now)
    where = f"{source} AND {_IS_ISSUE}"
    kind = f"{_KIND_ORDER}, " if is_by_kind else ""
    order = f"ORDER BY {_SEVERITY}, {kind}i.opened_at, i.id"
    total = _count(session, where, values)
    ids, has_more = _find_ids(session, where, order, values, skipped, size)
    rows = _details(session, principal, incident_filter.scope, ids, now)
    return IncidentPage(rows, total, has_more)


@requires(Permission.READ)
def count_open_issues(
    session: Session, principal: Principal, incident_filter: IncidentFilter, now: datetime
) -> int:
    """Return how many open issues match a filter, at most COUNTED + 1."""
    source, values = _make_sql(principal, incident_filter, now)
    return _count(session, f"{source} AND {_IS_ISSUE}", values)


@requires(Permission.READ)
def group_open_issues(
    session: Session, principal: Principal, incident_filter: IncidentFilter, now: datetime
) -> IssueCounts:
    """Return how many open issues match a filter, by severity and kind."""
    source, values = _make_sql(principal, incident_filter, now)
    statement = (
        f"SELECT i.severity, {_KIND} AS kind, i.muted_by IS NOT NULL AS is_muted, "
        f"count(*) AS number FROM {source} AND {_IS_UNSOLVED} GROUP BY 1, 2, 3"
    )
    severities: dict[Severity, int] = {}
    kinds: dict[IncidentKind, int] = {}
    muted = 0
    for row in _fetch(session, statement, values):
        if row["is_muted"]:
            muted += row["number"]
            continue
        severity = Severity(row["severity"])
        severities[severity] = severities.get(severity, 0) + row["number"]
        kind = IncidentKind(row["kind"])
        kinds[kind] = kinds.get(kind, 0) + row["number"]
    return IssueCounts(sum(severities.values()), severities, kinds, muted)


@requires(Permission.READ)
def count_issues_at(
    session: Session,
    principal: Principal,
    incident_filter: IncidentFilter,
    moments: Sequence[datetime],
    now: datetime,
) -> list[int]:
    """Return how many of the present rules' issues were open at each moment, in their order."""
    source, values = _make_sql(principal, incident_filter, now)
    values |= {"moments": list(moments), "first": min(moments)}
    statement = (
        "SELECT count(e.opened_at) AS number "
        "FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS m (at, place) "
        "LEFT JOIN (SELECT i.opened_at, least(i.ended_at, i.resolved_at) AS ended_at "
        f"FROM {source} "
        "AND i.withdrawn_at IS NULL AND i.muted_by IS NULL AND r.is_on "
        f"AND ({_IS_OPEN} OR i.ended_at > %(first)s)) AS e "
        "ON e.opened_at <= m.at AND (e.ended_at IS NULL OR e.ended_at > m.at) "
        "GROUP BY m.place ORDER BY m.place"
    )
    return [row["number"] for row in _fetch(session, statement, values)]


@requires(Permission.READ)
def find_incidents(
    session: Session,
    principal: Principal,
    incident_filter: IncidentFilter,
    period: tuple[datetime, datetime],
    now: datetime,
    skipped: int = 0,
    size: int = 50,
) -> IncidentPage:
    """Return the incidents that opened in a period, newest first: of every state, also muted."""
    source, values = _make_sql(principal, incident_filter, now)
    values |= {"since": period[0], "until": period[1]}
    where = f"{source} AND i.opened_at >= %(since)s AND i.opened_at < %(until)s"
    order = "ORDER BY i.opened_at DESC, i.id DESC"
    total = _count(session, where, values)
    ids, has_more = _find_ids(session, where, order, values, skipped, size)
    rows = _details(session, principal, incident_filter.scope, ids, now)
    return IncidentPage(rows, total, has_more)


@requires(Permission.READ)
def find_unread(
    session: Session,
    principal: Principal,
    incident_filter: IncidentFilter,
    now: datetime,
    skipped: int = 0,
    size: int = 50,
) -> IncidentPage:
    """Return the incidents that the user has not read, newest first: of every state."""
    asked = replace(incident_filter, only_unread=True)
    return find_incidents(session, principal, asked, (_EVER, now), now, skipped, size)


@requires(Permission.READ)
def count_unread(
    session: Session, principal: Principal, incident_filter: IncidentFilter, now: datetime
) -> int:
    """Return how many incidents the user has not read, at most COUNTED + 1."""
    source, values = _make_sql(principal, replace(incident_filter, only_unread=True), now)
    return _count(session, source, values)


@requires(Permission.READ)
def find_incident(
    session: Session, principal: Principal, incident_id: int, now: datetime
) -> IncidentRow | None:
    """Return an incident of a product that the team tracks; None: there is none (any more)."""
    rows = _details(session, principal, ListScope.TEAM, [incident_id], now)
    return rows[0] if rows else None


@requires(Permission.READ)
def list_incident_rows(
    session: Session,
    principal: Principal,
    ids: Sequence[int],
    now: datetime,
    scope: ListScope = ListScope.TEAM,
) -> list[IncidentRow]:
    """Return the team's incidents with these ids, in their order, of products that are tracked."""
    return _details(session, principal, scope, list(ids), now)


def _make_sql(
    principal: Principal, incident_filter: IncidentFilter, now: datetime
) -> tuple[str, dict[str, Any]]:
    """Return FROM and WHERE of a filter, and their values."""
    values: dict[str, Any] = {
        **scope_values(principal),
        "team": principal.team_id,
        "now": now,
        "roles": [each.value for each in incident_filter.roles],
        "marketplaces": list(incident_filter.marketplaces),
        "kinds": [each.value for each in incident_filter.kinds],
        "severities": [each.value for each in incident_filter.severities],
        "product": incident_filter.product_id,
        "rule": incident_filter.rule_id,
    }
    tables = _FROM.format(scope=SCOPES[incident_filter.scope])
    if incident_filter.marketplaces:
        tables += _PRODUCT
    conditions = ["i.team_id = %(team)s", *_conditions(incident_filter)]
    return f"{tables} WHERE {' AND '.join(conditions)}", values


_SNOOZED = "coalesce(i.snoozed_until > %(now)s, false)"
_HANDLING = {
    Handling.NEW: f"(i.resolved_at IS NULL AND i.acknowledged_at IS NULL AND NOT {_SNOOZED})",
    Handling.ACKNOWLEDGED: (
        f"(i.resolved_at IS NULL AND i.acknowledged_at IS NOT NULL AND NOT {_SNOOZED})"
    ),
    Handling.SNOOZED: f"(i.resolved_at IS NULL AND {_SNOOZED})",
    Handling.RESOLVED: "i.resolved_at IS NOT NULL",
}


def _conditions(incident_filter: IncidentFilter) -> Iterator[str]:
    if incident_filter.roles:
        yield "t.role = ANY(%(roles)s)"
    if incident_filter.marketplaces:
        yield "p.marketplace = ANY(%(marketplaces)s)"
    if incident_filter.kinds:
        yield f"{_KIND} = ANY(%(kinds)s)"
    if incident_filter.severities:
        yield "i.severity = ANY(%(severities)s)"
    if incident_filter.handling:
        yield "(" + " OR ".join(_HANDLING[each] for each in incident_filter.handling) + ")"
    if incident_filter.product_id is not None:
        yield "i.product_id = %(product)s"
    if incident_filter.rule_id is not None:
        yield "i.rule_id = %(rule)s"
    if incident_filter.only_unread:
        yield IS_UNREAD


def _count(session: Session, where: str, values: Mapping[str, Any]) -> int:
    statement = f"SELECT count(*) AS number FROM (SELECT 1 FROM {where} LIMIT {COUNTED + 1}) AS c"
    return int(_fetch(session, statement, values)[0]["number"])


def _find_ids(
    session: Session, where: str, order: str, values: Mapping[str, Any], skipped: int, size: int
) -> tuple[list[int], bool]:
    """Return the ids of a part of a list, and whether there are more after it."""
    size = min(max(size, 1), LARGEST_PAGE)
    statement = f"SELECT i.id FROM {where} {order} OFFSET {max(skipped, 0)} LIMIT {size + 1}"
    ids = [row["id"] for row in _fetch(session, statement, values)]
    return ids[:size], len(ids) > size


_DETAILS = (
    f"SELECT i.id, i.rule_id, {_KIND} AS kind, r.name AS rule_name, r.definition, "
    "i.rule_version = r.version AS is_of_this_rule, i.state, i.severity, i.opened_at, i.ended_at, "
    "i.withdrawn_at, i.findings, i.silent_reason, i.muted_by, i.acknowledged_at, "
    "a.name AS acknowledged_by, i.snoozed_until, i.group_id, i.product_id, p.marketplace, p.asin, "
    "x.title, x.image, t.role, p.is_demo, i.rule_version, i.data_version, "
    "i.created_at AS evaluated_at, s.name AS assigned_to, i.assigned_to AS assigned_id, "
    "i.resolved_at, b.name AS resolved_by "
    "FROM unnest(%(ids)s::int8[]) WITH ORDINALITY AS o (id, place) "
    f"JOIN incident i ON i.id = o.id JOIN alert_rule r ON r.id = i.rule_id {_PRODUCT}"
    "JOIN tracking t ON t.product_id = i.product_id AND {scope} "
    "LEFT JOIN product_text x ON x.product_id = i.product_id "
    "LEFT JOIN person a ON a.id = i.acknowledged_by "
    "LEFT JOIN person s ON s.id = i.assigned_to "
    "LEFT JOIN person b ON b.id = i.resolved_by "
    "WHERE i.team_id = %(team)s ORDER BY o.place"
)


def _details(
    session: Session, principal: Principal, scope: ListScope, ids: list[int], now: datetime
) -> list[IncidentRow]:
    """Return incidents in the order of their ids."""
    if not ids:
        return []
    values = {**scope_values(principal), "team": principal.team_id, "ids": ids}
    found = _fetch(session, _DETAILS.format(scope=SCOPES[scope]), values)
    has_own_sellers = bool(read_own_sellers(session, principal.team_id))
    rows = [_make_row(row, has_own_sellers) for row in found]
    lost = (find_lost(each.rule, each.findings, each.id, each.product_id) for each in rows)
    holders = read_holders(session, [each for each in lost if each is not None])
    silences = list_silences_at(session, principal.team_id, now)
    return [
        replace(each, holder=holders.get(each.id), silence=_find_silence(silences, each, now))
        for each in rows
    ]


def _find_silence(silences: list[Silence], row: IncidentRow, now: datetime) -> Silence | None:
    silenced = Silenced(row.kind, row.product_id, row.rule_id, row.marketplace)
    return next(iter(find_silences(silences, silenced, now)), None)


def _make_row(row: dict[str, Any], has_own_sellers: bool) -> IncidentRow:
    known = dict(row)
    rule = load_rule(known.pop("definition"))
    return IncidentRow(
        **known
        | {
            "rule": rule,
            "has_own_sellers": has_own_sellers,
            "kind": IncidentKind(row["kind"]),
            "state": IncidentState(row["state"]),
            "severity": Severity(row["severity"]),
            "findings": load_findings(row["findings"]),
            "role": Role(row["role"]),
        }
    )


def _fetch(session: Session, statement: str, values: Mapping[str, Any]) -> Rows:
    # Never prepared: a generic plan for any filter is slow.
    with driver_connection(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()
