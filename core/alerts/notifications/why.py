"""Answers "Why was I (not) notified?" for a product and a moment. SELECTs only.

The answer goes the way of an observation: checked, accepted or flagged, evaluated by each rule,
muted, silenced or grouped, and sent by each of the user's channels with the provider's answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.access.permissions import Role as AccountRole
from core.alerts.evaluation.memory_json import load_time
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.incidents.labels import SEVERITIES, format_reason
from core.alerts.incidents.queries import IncidentRow, list_incident_rows
from core.alerts.incidents.rule_overview import RuleRow, list_rule_rows
from core.alerts.notifications.labels import (
    IN_APP,
    MODES,
    PAUSES,
    describe_cancellation,
    describe_hold,
)
from core.alerts.notifications.models import StoredDeliverySettings
from core.alerts.notifications.policy import DeliverySettings, Mode, is_severe_enough
from core.alerts.notifications.recipients import (
    RecipientChannel,
    make_settings,
    read_modes,
)
from core.database.session import driver_connection
from core.delivery.models import DeliveryChannel
from core.errors import NotFoundError
from core.history.ingest.quality_gate import ALL_FLAGS
from core.history.labels import flag_names, outcome_sentence
from core.history.observation import Flag, Outcome
from core.text.numbers import format_counted
from core.text.times import format_moment
from core.tracking.list_filter import ListScope

OBSERVED_WITHIN: Final = timedelta(days=60)  # for the observation before the moment
SHOWN_INCIDENTS: Final = 20
_GOOD: Final = frozenset(
    {"ok", "not_found", "unavailable", "no_featured_offer", "no_offer"}
)  # outcomes that are observations


class StepKind(StrEnum):
    """A part of the way from an observation to a message."""

    CHECK = "check"
    VALUES = "values"
    EVALUATION = "evaluation"
    RULE = "rule"
    ALERT = "alert"
    DELIVERY = "delivery"


class StepState(StrEnum):
    """How a part of the way ended."""

    PASSED = "passed"
    STOPPED = "stopped"  # the way ends here
    WAITING = "waiting"  # it goes on later
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the way. `text`: a sentence, which may hold text from outside."""

    kind: StepKind
    state: StepState
    text: str


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What became of the observation in one rule, up to the user's channels."""

    rule_id: int
    name: str
    incident_id: int | None  # None: the rule opened no alert
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The way from the last observation before a moment to the user."""

    product_id: int
    at: datetime
    observed_at: datetime | None  # None: nothing was observed in the 60 days before
    steps: tuple[Step, ...]  # up to evaluation
    rules: tuple[RuleTrace, ...]  # those with an alert first
    summary: str


@requires(Permission.READ)
def explain_delivery(
    session: Session, principal: Principal, product_id: int, at: datetime, now: datetime
) -> Explanation:
    """Return why the user was, or was not, notified of a product at a moment.

    Raises NotFoundError for a product that the team does not track.
    """
    facts = _read_facts(session, principal, product_id, at)
    zone = principal.time_zone
    steps = tuple(_explain_observation(facts, zone))
    rules: list[RuleTrace] = []
    if facts["observed_at"] is not None:
        rules = _explain_rules(session, principal, product_id, facts, at, now)
    rules.sort(key=lambda each: each.incident_id is None)
    return Explanation(
        product_id, at, facts["observed_at"], steps, tuple(rules), _summarize(steps, rules)
    )


_FACTS: Final = """
SELECT s.captured_at AS observed_at, s.flags, f.outcome, f.detail, f.at AS checked_at,
    c.observed_until, EXISTS (SELECT 1 FROM tracking t WHERE t.product_id = %(product)s
        AND t.team_id = %(team)s AND t.paused_at IS NULL) AS is_checked,
    EXISTS (SELECT 1 FROM tracking t WHERE t.product_id = %(product)s
        AND t.person_id = %(person)s AND t.paused_at IS NULL) AS is_mine
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (SELECT captured_at, flags FROM snapshot WHERE product_id = %(product)s
    AND captured_at <= %(at)s AND captured_at > %(since)s
    ORDER BY captured_at DESC, source DESC LIMIT 1) AS s ON true
LEFT JOIN LATERAL (SELECT i.outcome, i.detail, coalesce(i.captured_at, r.finished_at,
        r.intended_at) AS at
    FROM fetch_item i JOIN fetch_run r ON r.id = i.fetch_run_id
    WHERE i.product_id = %(product)s AND i.outcome IS NOT NULL AND r.intended_at <= %(at)s
    ORDER BY i.fetch_run_id DESC LIMIT 1) AS f ON true
LEFT JOIN alert_cursor c ON c.product_id = %(product)s
WHERE EXISTS (SELECT 1 FROM tracking t WHERE t.product_id = %(product)s AND t.team_id = %(team)s)
"""


def _read_facts(
    session: Session, principal: Principal, product_id: int, at: datetime
) -> dict[str, Any]:
    rows = _fetch(
        session,
        _FACTS,
        {
            "product": product_id,
            "team": principal.team_id,
            "person": principal.person_id,
            "at": at,
            "since": at - OBSERVED_WITHIN,
        },
    )
    if not rows:
        raise NotFoundError("Your team does not track this product.")
    return rows[0]


def _explain_observation(facts: Mapping[str, Any], zone: str) -> Iterator[Step]:
    """Yield what was checked, whether its values count, and whether rules saw them."""
    observed_at, outcome = facts["observed_at"], facts["outcome"]
    failed_last = outcome is not None and outcome not in _GOOD
    if failed_last and (observed_at is None or facts["checked_at"] > observed_at):
        checked = format_moment(facts["checked_at"], zone)
        yield Step(
            StepKind.CHECK,
            StepState.STOPPED,
            f"The last check, {checked}, brought no values: {outcome_sentence(Outcome(outcome))} "
            "A failed check neither opens nor ends an alert.",
        )
    if observed_at is None:
        paused = "" if facts["is_checked"] else " Its tracking is paused."
        yield Step(StepKind.CHECK, StepState.STOPPED, f"Nothing was observed until then.{paused}")
        return
    seen = format_moment(observed_at, zone)
    yield Step(StepKind.CHECK, StepState.PASSED, f"The last observation is of {seen}.")
    flags = Flag(facts["flags"] & ALL_FLAGS)
    if flags:
        yield Step(
            StepKind.VALUES,
            StepState.STOPPED,
            f"Some of its values are unconfirmed ({flag_names(flags)}). They open no alert until "
            "another observation confirms them; its other values count.",
        )
    else:
        yield Step(StepKind.VALUES, StepState.PASSED, "Its values were accepted.")
    until = facts["observed_until"]
    if until is None or until < observed_at:
        yield Step(
            StepKind.EVALUATION,
            StepState.WAITING,
            "It has not been evaluated yet; that takes a minute at most.",
        )
    else:
        yield Step(StepKind.EVALUATION, StepState.PASSED, "The rules were evaluated on it.")


# Open at the observation, or opened by then: also events, which end at once.
_INCIDENTS: Final = """
SELECT i.id, i.rule_id, i.planned_state, i.created_at,
    (SELECT count(*) FROM incident g WHERE g.group_id = i.group_id) AS in_group
FROM incident i
WHERE i.product_id = %(product)s AND i.team_id = %(team)s AND i.opened_at <= %(at)s
    AND (i.state IN ('firing', 'flapping') OR coalesce(i.ended_at, i.withdrawn_at)
        >= date_trunc('second', %(observed)s::timestamptz))
ORDER BY i.opened_at DESC, i.id DESC LIMIT %(most)s
"""
_NOTIFICATIONS: Final = """
SELECT n.incident_id, n.channel_id, n.kind, n.number, n.state, n.reason, n.due_at, n.ended_at,
    c.name, m.state AS message_state, m.attempts, m.next_try_at, m.answer
FROM notification n LEFT JOIN delivery_channel c ON c.id = n.channel_id
LEFT JOIN outbox_message m ON m.id = n.message_id
WHERE n.incident_id = ANY(%(ids)s) AND n.person_id = %(person)s ORDER BY n.channel_id NULLS FIRST,
    n.id
"""
_PENDING: Final = """
SELECT m.rule_id, m.memory FROM alert_memory m JOIN alert_rule r ON r.id = m.rule_id
WHERE m.product_id = %(product)s AND r.team_id = %(team)s AND m.rule_version = r.version
    AND m.memory ? 'pending_at'
"""


def _explain_rules(
    session: Session,
    principal: Principal,
    product_id: int,
    facts: Mapping[str, Any],
    at: datetime,
    now: datetime,
) -> list[RuleTrace]:
    values = {
        "product": product_id,
        "team": principal.team_id,
        "person": principal.person_id,
        "at": at,
        "observed": facts["observed_at"],
        "most": SHOWN_INCIDENTS,
    }
    found = _fetch(session, _INCIDENTS, values)
    ids = [row["id"] for row in found]
    rows = {each.id: each for each in list_incident_rows(session, principal, ids, now)}
    notified = _fetch(session, _NOTIFICATIONS, values | {"ids": ids})
    pending = {row["rule_id"]: row["memory"] for row in _fetch(session, _PENDING, values)}
    reader = _Reader.read(session, principal, is_mine=facts["is_mine"])
    traces = []
    with_alert = set()
    for row in found:
        incident = rows.get(row["id"])
        if incident is None:
            continue
        with_alert.add(incident.rule_id)
        own = [each for each in notified if each["incident_id"] == incident.id]
        steps = (
            *_explain_alert(incident, row, principal.time_zone, now),
            *_explain_channels(incident, row, own, reader, principal.time_zone),
        )
        traces.append(RuleTrace(incident.rule_id, incident.name_rule(), incident.id, steps))
    for each in list_rule_rows(session, principal, now):
        if each.stored.rule_id not in with_alert:
            step = _explain_quiet_rule(
                each, pending.get(each.stored.rule_id), at, principal.time_zone
            )
            name = each.format_name()
            traces.append(RuleTrace(each.stored.rule_id, name, None, (step,)))
    return traces


def _explain_quiet_rule(
    row: RuleRow, pending: Mapping[str, Any] | None, at: datetime, zone: str
) -> Step:
    """Return why a rule had no alert of the product at the moment."""
    if not row.stored.is_on:
        return Step(StepKind.RULE, StepState.STOPPED, "The rule is off.")
    if row.stored.active_from > at:
        since = format_moment(row.stored.active_from, zone)
        text = f"The rule counts from {since} on, when it was created or changed."
        return Step(StepKind.RULE, StepState.STOPPED, text)
    if pending is not None and load_time(pending["pending_at"]) <= at:
        since = format_moment(load_time(pending["pending_at"]), zone)
        count = format_counted(pending["pending_count"], "observation")
        return Step(
            StepKind.RULE,
            StepState.WAITING,
            f"Pending: it holds since {since}, for {count}, and waits as the rule says.",
        )
    return Step(
        StepKind.RULE,
        StepState.STOPPED,
        "It did not hold, or the rule is not for this product.",
    )


def _explain_alert(
    incident: IncidentRow, row: Mapping[str, Any], zone: str, now: datetime
) -> Iterator[Step]:
    """Yield what the rule found, and what keeps its alert from being sent to anyone."""
    severity = SEVERITIES[incident.severity]
    text = f"{severity}: {incident.describe(zone, now)}."
    yield Step(StepKind.RULE, StepState.PASSED, text)
    reason = format_reason(incident.silent_reason, incident.muted_by)
    if reason is not None:
        text = f"It was recorded and not sent ({reason})."
        yield Step(StepKind.ALERT, StepState.STOPPED, text)
        return
    if row["in_group"] > 1:
        others = format_counted(row["in_group"] - 1, "other alert")
        text = f"It is one message with {others} of the same cause."
        yield Step(StepKind.ALERT, StepState.PASSED, text)
    if incident.silence is not None:
        until = format_moment(incident.silence.ends_at, zone)
        text = f"It is silenced until {until}: {incident.silence.reason}"
        yield Step(StepKind.ALERT, StepState.WAITING, text)


@dataclass(frozen=True, slots=True)
class _Reader:
    """The user's channels and choices as they are now."""

    settings: DeliverySettings
    channels: Sequence[DeliveryChannel]
    modes: Mapping[int, Any]
    gets_product: bool

    @classmethod
    def read(cls, session: Session, principal: Principal, *, is_mine: bool) -> "_Reader":
        stored = session.get(StoredDeliverySettings, principal.person_id, populate_existing=True)
        settings = make_settings(stored)
        channels = (
            session.query(DeliveryChannel)
            .filter(
                DeliveryChannel.person_id == principal.person_id,
                DeliveryChannel.state != "removed",
            )
            .order_by(DeliveryChannel.id)
            .populate_existing()
            .all()
        )
        modes = read_modes(session, [each.id for each in channels])
        is_team = settings.scope is ListScope.TEAM and principal.role is not AccountRole.SELLER
        return cls(settings, channels, modes, is_mine or is_team)


def _explain_channels(
    incident: IncidentRow,
    row: Mapping[str, Any],
    notified: Sequence[Mapping[str, Any]],
    reader: _Reader,
    zone: str,
) -> Iterator[Step]:
    """Yield what the user got in the app and by each channel, or why not."""
    if format_reason(incident.silent_reason, incident.muted_by) and not notified:
        return
    if row["planned_state"] is None and not notified:
        text = "It is sent within a minute."
        yield Step(StepKind.DELIVERY, StepState.WAITING, text)
        return
    if row["planned_state"] == "none":
        text = "It is from before Amazcope sent alerts."
        yield Step(StepKind.DELIVERY, StepState.STOPPED, text)
        return
    if not notified and not reader.gets_product:
        text = "You get alerts of products that you track yourself, and this one is not among them."
        yield Step(StepKind.DELIVERY, StepState.STOPPED, text)
        return
    for each in notified:
        yield _explain_notification(each, zone)
    by_channel = {each["channel_id"] for each in notified}
    for channel in reader.channels:
        if channel.id not in by_channel:
            why = _find_no_notification(incident, row, channel, reader, zone)
            yield Step(StepKind.DELIVERY, StepState.STOPPED, f"{channel.name}: {why}")


def _find_no_notification(
    incident: IncidentRow,
    row: Mapping[str, Any],
    channel: DeliveryChannel,
    reader: _Reader,
    zone: str,
) -> str:
    """Return why a channel has no notification of an alert."""
    if channel.created_at > row["created_at"]:
        return f"the channel was added later, {format_moment(channel.created_at, zone)}."
    if channel.state != "active":
        return f"the channel is paused. {PAUSES.get(channel.paused_reason or '', '')}".strip()
    if not is_severe_enough(incident.severity, reader.settings):
        lowest = SEVERITIES[reader.settings.lowest_severity].lower()
        return f"you get alerts from {lowest} on by channels."
    mode = RecipientChannel(channel.id, reader.modes.get(channel.id, {})).find_mode(
        IncidentKind(incident.kind), incident.rule_id
    )
    if mode is Mode.OFF:
        return f"alerts of this kind are set to {MODES[mode].lower()}."
    return "it was not for you when it was planned."


_KINDS: Final = {
    "opened": "",
    "reminder": "reminder ",
    "resolved": "its end ",
    "withdrawn": "its correction ",
}


def _explain_notification(row: Mapping[str, Any], zone: str) -> Step:
    """Return what became of one notification, with the provider's answer."""
    name = IN_APP if row["channel_id"] is None else row["name"]
    what, state = _KINDS[row["kind"]], row["state"]
    ended = format_moment(row["ended_at"], zone)
    answer = f" The answer: {row['answer']}" if row["answer"] else ""
    if state == "sent":
        shown = "shown" if row["channel_id"] is None else "sent"
        text, found = f"{name}: {what}{shown} {ended}.{answer}", StepState.PASSED
    elif state in ("queued", "held") and row["message_state"] is None:
        held = (
            "is sent within a minute"
            if state == "queued"
            else describe_hold(row["reason"], row["due_at"], zone)
        )
        text, found = f"{name}: {what}{held}.", StepState.WAITING
    elif state == "queued":
        tried = format_counted(row["attempts"], "attempt")
        again = format_moment(row["next_try_at"], zone)
        text = f"{name}: {what}is being sent: {tried}, the next {again}.{answer}"
        found = StepState.WAITING
    elif state == "cancelled":
        text = f"{name}: {what}{describe_cancellation(row['reason'])}."
        found = StepState.STOPPED
    elif state == "unknown":
        text = (
            f"{name}: {what}may have been sent {ended}: the provider did not answer, and it is "
            f"not sent twice.{answer}"
        )
        found = StepState.UNKNOWN
    elif state == "expired":
        text = f"{name}: {what}not sent: it was too old {ended}.{answer}"
        found = StepState.STOPPED
    else:
        text, found = f"{name}: {what}failed {ended}.{answer}", StepState.STOPPED
    return Step(StepKind.DELIVERY, found, text)


def _summarize(steps: Sequence[Step], rules: Sequence[RuleTrace]) -> str:
    """Return the answer in a sentence."""
    sent = [
        step
        for trace in rules
        for step in trace.steps
        if step.kind is StepKind.DELIVERY and step.state is StepState.PASSED
    ]
    with_alert = [each for each in rules if each.incident_id is not None]
    if sent:
        names = sorted({step.text.partition(":")[0] for step in sent})
        alerts = format_counted(len(with_alert), "alert")
        return f"{alerts} at that moment; you were notified: {', '.join(names)}."
    if with_alert:
        return f"{format_counted(len(with_alert), 'alert')} at that moment; you got none of them."
    for step in steps:
        if step.state in (StepState.STOPPED, StepState.WAITING):
            return f"No alert at that moment. {step.text}"
    if any(step.state is StepState.WAITING for each in rules for step in each.steps):
        return "No alert at that moment; a rule was pending."
    return "No alert at that moment: no rule held."


def _fetch(session: Session, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with driver_connection(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()
