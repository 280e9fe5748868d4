"""Commands of the Alerts page: each writes and returns a message for the user."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.data import alerts, get_principal
from core.alerts.incidents import service, silences, source_outages
from core.alerts.incidents.service import Verdict, Verdicts
from core.alerts.incidents.silences import SilenceRequest
from core.alerts.notifications import read_state
from core.alerts.rules import service as rules
from core.alerts.rules.queries import TeamRule
from core.alerts.rules.rule import AlertRule
from core.alerts.rules.service import SavedRule
from core.database.session import shared_time, write_scope
from core.text.escaping import escape_markdown
from core.text.numbers import format_counted

Ids = Sequence[int]

_WHY_NOT: Final[dict[Verdict, Callable[[str], str]]] = {
    Verdict.ALREADY: lambda alerts: f"Nothing to do for {alerts}.",
    Verdict.ENDED: lambda alerts: f"Meanwhile over: {alerts}.",
    Verdict.NOT_YOURS: lambda alerts: f"Only teammates track the product of {alerts}.",
    Verdict.UNKNOWN: lambda alerts: f"Not found: {alerts}.",
}


def mark_read(ids: Ids) -> str:
    """Mark alerts as read by the user."""
    with write_scope() as session:
        number = read_state.mark_read(session, get_principal(), ids, shared_time())
    alerts.forget_unread()
    return f"{_format_alerts(number)} marked as read."


def mark_all_read(until: datetime) -> str:
    """Mark all alerts that the user was notified of until a time as read."""
    with write_scope() as session:
        number = read_state.mark_all_read(session, get_principal(), until, shared_time())
    return f"{_format_alerts(number)} marked as read."


def acknowledge_alerts(ids: Ids) -> str:
    """Acknowledge alerts."""
    with write_scope() as session:
        found = service.acknowledge_incidents(session, get_principal(), ids, shared_time())
    return _format_verdicts(found, "acknowledged")


def unacknowledge_alerts(ids: Ids) -> str:
    """Take the acknowledgement of alerts back."""
    with write_scope() as session:
        found = service.unacknowledge_incidents(session, get_principal(), ids, shared_time())
    return _format_verdicts(found, "new again")


def snooze_alerts(ids: Ids, days: int) -> str:
    """Snooze alerts for some days."""
    now = shared_time()
    until = now + timedelta(days=days)
    with write_scope() as session:
        found = service.snooze_incidents(session, get_principal(), ids, until, now)
    return _format_verdicts(found, f"snoozed for {format_counted(days, 'day')}")


def end_snooze(ids: Ids) -> str:
    """End the snooze of alerts."""
    with write_scope() as session:
        found = service.end_snooze(session, get_principal(), ids, shared_time())
    return _format_verdicts(found, "no longer snoozed")


def assign_alerts(ids: Ids, person_id: int | None, name: str) -> str:
    """Assign alerts to a teammate of that name, None: to no one."""
    with write_scope() as session:
        found = service.assign_incidents(session, get_principal(), ids, person_id, shared_time())
    return escape_markdown(_format_verdicts(found, f"assigned to {name}"))


def comment_alert(alert_id: int, body: str) -> str:
    """Add a comment to an alert."""
    with write_scope() as session:
        service.comment_incident(session, get_principal(), alert_id, body, shared_time())
    return "Comment added."


def resolve_alerts(ids: Ids, reason: str) -> str:
    """Mark alerts as resolved for a reason."""
    with write_scope() as session:
        found = service.resolve_incidents(session, get_principal(), ids, reason, shared_time())
    return _format_verdicts(found, "marked as resolved")


def reopen_alerts(ids: Ids) -> str:
    """Take back that alerts were marked as resolved."""
    with write_scope() as session:
        found = service.reopen_incidents(session, get_principal(), ids, shared_time())
    return _format_verdicts(found, "open again")


def add_silence(wanted: SilenceRequest) -> str:
    """Silence alerts for a time."""
    with write_scope() as session:
        silences.add_silence(session, get_principal(), wanted, shared_time())
    return "Silenced. The alerts stay in the list and are sent to no one."


def end_silence(silence_id: int) -> str:
    """End a silence before its time."""
    with write_scope() as session:
        is_done = silences.end_silence(session, get_principal(), silence_id, shared_time())
    return "The silence is over." if is_done else "It was over before."


def acknowledge_outage(outage_id: int) -> str:
    """Acknowledge that a source is blocked."""
    with write_scope() as session:
        is_new = source_outages.acknowledge_blocked_source(
            session, get_principal(), outage_id, shared_time()
        )
    return "Acknowledged." if is_new else "It was acknowledged before."


def _format_verdicts(found: Verdicts, done: str) -> str:
    """Return how many alerts were changed, and why others were not."""
    numbers = {verdict: list(found.values()).count(verdict) for verdict in Verdict}
    sentences = [
        f"{_format_alerts(number)} {done}." for number in (numbers[Verdict.DONE],) if number
    ]
    sentences += [
        write(_format_alerts(numbers[verdict]))
        for verdict, write in _WHY_NOT.items()
        if numbers[verdict]
    ]
    return " ".join(sentences)


def _format_alerts(number: int) -> str:
    return format_counted(number, "alert")


# Rules


def switch_rule(rule_id: int, is_on: bool) -> str:
    """Switch a rule on or off."""
    with write_scope() as session:
        rules.switch_rule(session, get_principal(), rule_id, is_on, shared_time())
    if is_on:
        return "The rule is on, from now on."
    return "The rule is off. Its open issues are closed."


def save_rule(
    stored: TeamRule, rule: AlertRule, name: str | None, *, confirmed: bool = False
) -> str:
    """Change what a rule watches and its name; `confirmed`: also for very many products."""
    with write_scope() as session:
        saved = rules.change_rule(
            session, get_principal(), stored.rule_id, rule, shared_time(), confirmed=confirmed
        )
        if stored.code is None:
            rules.rename_rule(session, get_principal(), stored.rule_id, name)
    if rule == stored.rule:
        return "Rule saved."
    return _format_saved("Rule changed, from now on.", saved)


def create_rule(rule: AlertRule, name: str, *, confirmed: bool = False) -> str:
    """Create a rule of the team's; `confirmed`: also one for very many products."""
    with write_scope() as session:
        saved = rules.create_rule(
            session, get_principal(), rule, shared_time(), name=name, confirmed=confirmed
        )
    return _format_saved("Rule created, from now on.", saved)


def reset_rule(rule_id: int) -> str:
    """Give a built-in rule its usual thresholds."""
    with write_scope() as session:
        saved = rules.reset_rule(session, get_principal(), rule_id, shared_time())
    return _format_saved("The usual values hold again.", saved)


def delete_rule(rule_id: int) -> str:
    """Delete a rule of the team's, with its alerts."""
    with write_scope() as session:
        rules.delete_rule(session, get_principal(), rule_id)
    return "Rule deleted."


def _format_saved(done: str, saved: SavedRule) -> str:
    remarks = [escape_markdown(each) for each in saved.remarks]
    return " ".join([done, f"It is for {format_counted(saved.products, 'product')}.", *remarks])
