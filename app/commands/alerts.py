"""Commands of the Alerts page: each writes and returns a message for the user."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from app.data import get_principal
from core.alerts.incidents import service
from core.alerts.incidents.service import Verdict, Verdicts
from core.database.session import shared_time, write_scope
from core.text.numbers import format_counted

Ids = Sequence[int]

_WHY_NOT: Final[dict[Verdict, Callable[[str], str]]] = {
    Verdict.ALREADY: lambda alerts: f"Nothing to do for {alerts}.",
    Verdict.ENDED: lambda alerts: f"Meanwhile over: {alerts}.",
    Verdict.NOT_YOURS: lambda alerts: f"Only teammates track the product of {alerts}.",
    Verdict.UNKNOWN: lambda alerts: f"Not found: {alerts}.",
}


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
