"""The page Alerts with 100,000 open issues: its list, one alert in full, and a product's chart."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from benchmarks.figures import Figure, interleaved, milliseconds
from benchmarks.issues import add_incidents
from benchmarks.lease import list_size
from benchmarks.rows import build_list
from benchmarks.servers import Server
from core.accounts.people.membership import get_owner_principal
from core.alerts.incidents.incident_events import list_incident_events
from core.alerts.incidents.incident_filter import Handling, IncidentFilter, IncidentKind
from core.alerts.incidents.queries import (
    find_incident,
    find_incidents,
    find_open_issues,
    group_open_issues,
)
from core.alerts.incidents.silences import SilenceRequest, add_silence
from core.database.session import read_scope, write_scope

TARGET_MS = 80.0
ISSUES = 100_000
SILENCES = 20
_EVERYTHING = IncidentFilter()
_NEW = IncidentFilter(handling=(Handling.NEW,))


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the milliseconds of what one run of the page reads."""
    products = list_size(quick)
    issues = ISSUES // 10 if quick else ISSUES
    with server.database(f"inbox{products}", lambda: build_list(products)):
        add_incidents(issues)
        _add_silences()
        questions: dict[str, tuple[Callable[[], object], float | None]] = {
            "open issues and one alert in full": (lambda: _open(_EVERYTHING), TARGET_MS),
            "new ones and one alert in full": (lambda: _open(_NEW), TARGET_MS),
            "history of 30 days": (_read_history, TARGET_MS),
            "counts by severity and kind, which are kept for a minute": (_count, None),
        }
        for name, (read, target) in questions.items():
            value, best = milliseconds(interleaved(15, read)[0])
            yield Figure(
                f"Inbox, {issues:,} on {products:,} products: {name}",
                value,
                "ms",
                best,
                None,
                "",
                target,
            )


def _add_silences() -> None:
    now = datetime.now(UTC)
    with write_scope() as session:
        principal = get_owner_principal(session)
        for number in range(SILENCES):
            kind = list(IncidentKind)[number % len(IncidentKind)]
            request = SilenceRequest(
                "A sale", now + timedelta(days=1 + number), kind=kind, marketplace="DE"
            )
            add_silence(session, principal, request, now)


def _open(question: IncidentFilter) -> None:
    now = datetime.now(UTC)
    with read_scope() as session:
        principal = get_owner_principal(session)
        found = find_open_issues(session, principal, question, now)
        first = found.rows[0].id
        find_incident(session, principal, first, now)
        list_incident_events(session, principal, first)


def _count() -> None:
    with read_scope() as session:
        group_open_issues(session, get_owner_principal(session), _EVERYTHING, datetime.now(UTC))


def _read_history() -> None:
    now = datetime.now(UTC)
    with read_scope() as session:
        principal = get_owner_principal(session)
        find_incidents(session, principal, _EVERYTHING, (now - timedelta(days=30), now), now)
