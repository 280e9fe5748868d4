"""Open issues, and the rules that open them."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field as Described
from pydantic import ValidationError
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission
from core.alerts.incidents import queries, service
from core.alerts.incidents.incident_filter import COUNTED, IncidentFilter, IncidentKind
from core.alerts.incidents.incident_text import describe_incident
from core.alerts.incidents.rule_overview import RuleRow, list_rule_rows
from core.alerts.incidents.rule_preview import (
    PreviewedIncident,
    PreviewRequest,
    RulePreview,
    preview_on_history,
)
from core.alerts.incidents.service import Verdict
from core.alerts.rules.queries import TeamRule, find_reached_product, get_rule
from core.alerts.rules.rule import AlertRule, Severity
from core.alerts.rules.rule_json import dump_rule, load_rule
from core.alerts.rules.sentences import describe_rule
from core.alerts.rules.service import draft_rule
from core.alerts.rules.thresholds import Threshold, ThresholdKind, find_threshold
from core.alerts.rules.validation import check_rule
from core.catalog.marketplaces import get_by_name
from core.database.session import read_scope
from core.errors import InvalidInputError
from core.text.escaping import shorten
from core.text.numbers import format_capped_count, format_count, format_counted
from core.tracking.list_filter import ListScope
from mcp_server.protocol.argument_errors import describe_errors
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import WriteOptions, run_write, tool
from mcp_server.results.arguments import (
    CursorText,
    DryRun,
    IdempotencyKey,
    Marketplaces,
    PageSize,
    ProductName,
    Roles,
    Scope,
)
from mcp_server.results.base import (
    ListResult,
    Moment,
    Number,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    WriteResult,
    drop_zero_fraction,
    format_moment,
    format_moment_or_none,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.cursors import hash_request, open_page_fields, read_cursor
from mcp_server.results.incident import IncidentRecord, convert_value, make_incident
from mcp_server.results.product_lookup import find_product

SHOWN = 10  # alerts of a preview
_RULE_PARTS = [each.name for each in fields(AlertRule)]


class OpenIssues(ListResult):
    """A page of open issues."""

    muted: Annotated[int, Described(description="Further ones muted by their cause.")]
    issues: list[IncidentRecord]


@tool(Permission.READ, "Open issues")
def list_open_issues(
    call: Call,
    product: ProductName | None = None,
    roles: Roles = (),
    marketplaces: Marketplaces = (),
    kinds: Annotated[tuple[IncidentKind, ...], Described(max_length=10)] = (),
    severities: Annotated[tuple[Severity, ...], Described(max_length=3)] = (),
    unread: Annotated[bool, Described(description="Only those you have not read.")] = False,
    whose: Scope = ListScope.TEAM,
    limit: PageSize = 20,
    cursor: CursorText = None,
) -> OpenIssues:
    """List what is wrong until it is solved, worst first, each since when and with the values
    compared; `team_rule`: of rules that the team made."""
    with read_scope() as session:
        head = None if product is None else find_product(session, call.principal, product)
        asked = IncidentFilter(
            whose,
            roles,
            tuple(get_by_name(code).code for code in marketplaces),
            kinds,
            severities,
            product_id=None if head is None else head.product_id,
            only_unread=unread,
        )
        mark = hash_request("open_issues", asked, limit)
        place = read_cursor(cursor, mark)
        found = queries.find_open_issues(
            session, call.principal, asked, call.now, place.offset, limit
        )
        counted = queries.group_open_issues(session, call.principal, asked, call.now)
    rows = [make_incident(row, call.now) for row in found.rows]
    return OpenIssues(
        **open_page_fields(found.total, COUNTED, place, len(rows), mark, has_more=found.has_more),
        muted=counted.muted,
        issues=rows,
        summary=_summarize_issues(rows, found.total, counted.muted, is_narrow=not asked.is_empty),
    )


def _summarize_issues(
    rows: Sequence[IncidentRecord], total: int, muted: int, *, is_narrow: bool
) -> str:
    also = f" {format_count(muted)} more are muted by their cause." if muted else ""
    if not rows:
        what = "No open issue matches." if is_narrow else "No open issues."
        return f"{what}{also}"
    shown = "; ".join(map(_summarize_issue, rows[:5]))
    return f"{format_capped_count(total, COUNTED)} open issues, {len(rows)} shown: {shown}.{also}"


def _summarize_issue(row: IncidentRecord) -> str:
    rule = f"{quote_text(row.rule.untrusted)} ({row.severity.value})"
    return f"{rule}, {row.product}: {quote_text(row.what.untrusted)}"


# Rules


class RuleThreshold(ResultPart):
    """The threshold of a rule."""

    kind: ThresholdKind
    value: Number
    unit: Annotated[str, Described(description="%, a currency, stars, or what is counted.")]


class RuleRecord(ResultPart):
    """An alert rule."""

    id: int
    code: Annotated[str | None, Described(description="Null: made by the team.")]
    name: Untrusted
    sentence: Untrusted
    rule: Annotated[dict[str, Any], Described(description="For `preview_rule`.")]
    threshold: RuleThreshold | None
    is_on: bool
    fired_in_30_days: int
    last_fired_at: Moment | None
    open_issues: int


class RuleList(ListResult):
    """The team's alert rules."""

    rules: list[RuleRecord]


@tool(Permission.READ, "Alert rules")
def list_alert_rules(call: Call) -> RuleList:
    """List the team's alert rules, each as a sentence and as data, with its threshold and how
    often it fired. Managers change them on the page Alert rules."""
    with read_scope() as session:
        rows = list_rule_rows(session, call.principal, call.now)
    rules = [_make_rule(each) for each in rows]
    are_on = sum(each.is_on for each in rules)
    fired = sum(each.fired_in_30_days for each in rules)
    return RuleList(
        total=len(rules),
        truncated=False,
        rules=rules,
        summary=f"{len(rules)} rules, {are_on} on; {format_count(fired)} alerts in 30 days.",
    )


def _make_rule(row: RuleRow) -> RuleRecord:
    stored, activity = row.stored, row.activity
    return RuleRecord(
        id=stored.rule_id,
        code=stored.code,
        name=Untrusted(untrusted=row.format_name()),
        sentence=Untrusted(untrusted=row.format_sentence()),
        rule=dump_rule(stored.rule),
        threshold=_make_threshold(row.threshold, row.marketplace),
        is_on=stored.is_on,
        fired_in_30_days=activity.fired,
        last_fired_at=format_moment_or_none(activity.last_fired_at),
        open_issues=activity.open,
    )


def _make_threshold(threshold: Threshold | None, marketplace: str) -> RuleThreshold | None:
    if threshold is None:
        return None
    value, unit = threshold.value, "%"
    if threshold.kind is not ThresholdKind.PERCENT:
        value, unit = convert_value(threshold.subject, round(threshold.value), marketplace)
    return RuleThreshold(kind=threshold.kind, value=value, unit=unit)


class PreviewedAlert(ProductRef):
    """An alert that the rule would have opened."""

    title: Untrusted | None
    at: Moment
    ended_at: Moment | None
    what: Untrusted


class PreviewOfRule(Result):
    """What a rule would have done."""

    sentence: Untrusted
    since: Moment
    until: Moment
    total: int
    per_week: Annotated[list[int], Described(description="From `since`; the last may be short.")]
    products_tried: int
    products_in_scope: Annotated[
        int, Described(description="More than `products_tried`: the figures are of a sample.")
    ]
    products_with_alerts: int
    newest: list[PreviewedAlert]
    threshold: Annotated[
        RuleThreshold | None,
        Described(description="For `at_most_per_week`; null: not asked, or none does."),
    ]
    why_no_threshold: str | None


@tool(Permission.READ, "Preview of an alert rule")
def preview_rule(
    call: Call,
    rule_id: Annotated[int | None, Described(ge=1, le=10**12)] = None,
    rule: Annotated[
        dict[str, Any] | None,
        Described(
            description="As in `list_alert_rules`, changed as wanted. Money in minor units.",
            examples=[
                {"conditions": [{"subject": "price", "comparison": "below", "target": 1999}]}
            ],
        ),
    ] = None,
    product: Annotated[
        ProductName | None, Described(description="Only on this product; default: its scope.")
    ] = None,
    days: Literal[30, 90, 365] = 90,
    at_most_per_week: Annotated[
        float | None, Described(ge=0, le=1e6, description="Find the threshold for this.")
    ] = None,
) -> PreviewOfRule:
    """Try an alert rule on stored history, without creating it: the alerts it would have opened
    by week, and the newest. Give `rule_id` or `rule`."""
    with read_scope() as session:
        head = None if product is None else find_product(session, call.principal, product)
        stored, wanted = _read_rule(session, call, rule_id, rule)
        request = PreviewRequest(
            wanted,
            days,
            stored,
            product_id=None if head is None else head.product_id,
            at_most_per_week=at_most_per_week,
        )
        found = preview_on_history(session, call.principal, request, call.now)
        reached = find_reached_product(session, call.principal.team_id, wanted.scope)
    first = [each.marketplace for each in (head, reached) if each is not None]
    marketplace = first[0] if first else "US"
    threshold = _make_threshold(found.threshold, marketplace)
    return PreviewOfRule(
        sentence=Untrusted(untrusted=describe_rule(found.rule, marketplace, product=product)),
        since=format_moment(found.since),
        until=format_moment(found.until),
        total=found.total,
        per_week=list(found.per_week),
        products_tried=found.products,
        products_in_scope=found.products_in_scope,
        products_with_alerts=found.alerted,
        newest=[_make_previewed(each, wanted, call.now) for each in found.newest[:SHOWN]],
        threshold=threshold,
        why_no_threshold=_explain_threshold(request, found),
        summary=_summarize_preview(found, threshold, days),
    )


class RuleDrafted(WriteResult):
    """A rule that was created, and is off."""

    rule_id: Annotated[int | None, Described(description="Null: a dry run.")]
    sentence: Untrusted
    products: Annotated[int, Described(description="In its scope now.")]
    remarks: list[Untrusted]

    def describe_write(self) -> str:
        """Return that the rule is off, and who switches it on."""
        products = format_counted(self.products, "product")
        return (
            f"Rule {self.rule_id} is created for {products}, and off: a manager switches it on "
            "on the page Alert rules."
        )


@tool(Permission.PROPOSE, "Create an alert rule", is_idempotent=False)
def create_rule(
    call: Call,
    rule: Annotated[
        dict[str, Any], Described(description="As `preview_rule` takes it. Money in minor units.")
    ],
    name: Annotated[str, Described(max_length=80)] = "",
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> RuleDrafted:
    """Create an alert rule that is off until a manager switches it on. Try it by `preview_rule`
    first."""

    def work(session: Session) -> RuleDrafted:
        wanted = _load_rule(rule)
        saved = draft_rule(session, call.principal, wanted, call.now, name=name)
        reached = find_reached_product(session, call.principal.team_id, wanted.scope)
        sentence = describe_rule(wanted, "US" if reached is None else reached.marketplace)
        return RuleDrafted(
            rule_id=None if dry_run else saved.rule.rule_id,
            sentence=Untrusted(untrusted=sentence),
            products=saved.products,
            remarks=[Untrusted(untrusted=each) for each in saved.remarks],
        )

    return run_write(call, WriteOptions(dry_run, idempotency_key), RuleDrafted, work)


def _read_rule(
    session: Session, call: Call, rule_id: int | None, rule: dict[str, Any] | None
) -> tuple[TeamRule | None, AlertRule]:
    """Return the stored rule, if one is named, and the rule to try."""
    if (rule_id is None) is (rule is None):
        raise InvalidInputError("Give either `rule_id` or `rule`.")
    if rule_id is not None:
        stored = get_rule(session, call.principal, rule_id)
        return stored, stored.rule
    return None, _load_rule(rule or {})


def _load_rule(rule: dict[str, Any]) -> AlertRule:
    try:
        wanted = load_rule(rule)
    except ValidationError as error:
        reasons = shorten(describe_errors(error, _RULE_PARTS), 500)
        raise InvalidInputError(
            f"`rule` can't be read. {reasons} Start from one of `list_alert_rules`."
        ) from error
    check_rule(wanted)
    return wanted


def _make_previewed(found: PreviewedIncident, rule: AlertRule, now: datetime) -> PreviewedAlert:
    incident = found.incident
    text = describe_incident(rule, incident, found.marketplace, "UTC", now)
    return PreviewedAlert(
        product=format_product_name(found.marketplace, found.asin),
        marketplace=found.marketplace,
        asin=found.asin,
        title=mark_untrusted(found.title),
        at=format_moment(incident.opened_at),
        ended_at=format_moment_or_none(incident.ended_at),
        what=Untrusted(untrusted=text),
    )


def _explain_threshold(request: PreviewRequest, found: RulePreview) -> str | None:
    if request.at_most_per_week is None or found.threshold is not None:
        return None
    if find_threshold(request.rule) is None:
        return "The rule has no threshold, or several."
    return "With every threshold tried it alerts more often."


def _summarize_preview(found: RulePreview, threshold: RuleThreshold | None, days: int) -> str:
    tried = f"on {format_counted(found.products, 'product')}"
    if found.is_sample:
        tried += f" of {format_count(found.products_in_scope)}, a sample"
    answer = ""
    if threshold is not None:
        value = drop_zero_fraction(threshold.value)
        answer = f" Threshold for that rate: {value} {threshold.unit}."
    alerts = format_counted(found.total, "alert")
    return f"{alerts} in {days} days {tried}.{answer}"


# Handling


class HandledIncident(ResultPart):
    """The result for one incident."""

    id: int
    verdict: Verdict


class Acknowledged(WriteResult):
    """The result of acknowledging incidents."""

    incidents: list[HandledIncident]

    def describe_write(self) -> str:
        """Return the number of incidents per verdict."""
        verdicts = [each.verdict for each in self.incidents]
        parts = [
            f"{verdicts.count(each)} {each.value.replace('_', ' ')}"
            for each in Verdict
            if each in verdicts
        ]
        return f"{', '.join(parts)}."


@tool(Permission.TRACK, "Acknowledge open issues")
def acknowledge_incidents(
    call: Call,
    ids: Annotated[
        list[Annotated[int, Described(ge=1, le=10**12)]],
        Described(min_length=1, max_length=200, description="From `list_open_issues`."),
    ],
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Acknowledged:
    """Acknowledge open issues, so that teammates see that they are known. They stay open until
    they are solved."""

    def work(session: Session) -> Acknowledged:
        verdicts = service.acknowledge_incidents(session, call.principal, ids, call.now)
        return Acknowledged(
            incidents=[HandledIncident(id=each, verdict=verdicts[each]) for each in verdicts]
        )

    return run_write(call, WriteOptions(dry_run, idempotency_key), Acknowledged, work)
