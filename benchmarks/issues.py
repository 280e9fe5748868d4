"""Open issues of a team: 20,000 of them on a hundred thousand products."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sqlalchemy import text

from benchmarks.figures import Figure, interleaved, milliseconds
from benchmarks.lease import list_size
from benchmarks.rows import build_list, vacuum
from benchmarks.servers import Server
from core.accounts.people.membership import get_owner_principal
from core.alerts.incidents.incident_filter import IncidentFilter, IncidentKind
from core.alerts.incidents.queries import find_open_issues, group_open_issues
from core.database.session import read_scope, write_scope
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role

TARGET_MS = 20.0
ISSUES = 20_000
QUESTIONS = {
    "of the team": IncidentFilter(),
    "of one user": IncidentFilter(scope=ListScope.MINE),
    "own products": IncidentFilter(roles=(Role.OWN,)),
    "one marketplace": IncidentFilter(marketplaces=("DE",)),
    "one kind": IncidentFilter(kinds=(IncidentKind.BUY_BOX_LOST,)),
}
_FLOOR = text(
    "SELECT id FROM incident WHERE team_id = :team AND state IN ('firing', 'flapping') "
    "ORDER BY array_position(ARRAY['critical', 'warning', 'info'], severity), opened_at, id "
    "LIMIT 50"
)


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the milliseconds of a page of open issues, and of their counts."""
    products = list_size(quick)
    with server.database(f"list{products}", lambda: build_list(products)):
        add_incidents(ISSUES)
        for name, question in QUESTIONS.items():
            found, floor = interleaved(15, _finding(question), _read_floor)
            value, best = milliseconds(found)
            yield Figure(
                f"Open issues, {ISSUES:,} on {products:,} products: {name}",
                value,
                "ms",
                best,
                milliseconds(floor)[0],
                "50 rows of the index",
                TARGET_MS,
            )
        value, best = milliseconds(interleaved(15, _group)[0])
        yield Figure("Open issues, counted by severity and kind", value, "ms", best)


def _finding(question: IncidentFilter) -> Callable[[], None]:
    def find() -> None:
        with read_scope() as session:
            principal = get_owner_principal(session)
            find_open_issues(session, principal, question, datetime.now(UTC))

    return find


def _group() -> None:
    with read_scope() as session:
        group_open_issues(
            session, get_owner_principal(session), IncidentFilter(), datetime.now(UTC)
        )


def _read_floor() -> None:
    with read_scope() as session:
        session.execute(_FLOOR, {"team": get_owner_principal(session).team_id}).all()


# As many again are resolved, and every tenth open one is muted.
_INCIDENTS = """
INSERT INTO incident (team_id, rule_id, rule_version, product_id, state, severity, opened_at,
    ended_at, findings, data_version, muted_by)
SELECT r.team_id, r.id, 1, p.id, CASE WHEN p.place % 2 = 0 THEN 'firing' ELSE 'resolved' END,
    (ARRAY['critical', 'warning', 'info'])[1 + p.place % 3],
    now() - p.place * interval '2 minutes', CASE WHEN p.place % 2 = 1 THEN now() END,
    '[[7, 1772452800000000, 1, 1772449200000000]]', 1,
    CASE WHEN p.place % 20 = 0 THEN 'outage' END
FROM (SELECT product_id AS id, row_number() OVER (ORDER BY hashint8(product_id)) AS place
    FROM tracking WHERE role = ANY(:roles) ORDER BY 2 LIMIT :incidents) AS p
CROSS JOIN LATERAL (SELECT id, team_id FROM alert_rule
    ORDER BY id OFFSET p.place % 7 LIMIT 1) AS r
"""


def add_incidents(count: int, role: Role | None = None) -> None:
    """Store so many open incidents and as many resolved ones, of products of a role or all."""
    roles = [each.value for each in Role if role in (None, each)]
    with write_scope() as session:
        session.execute(text(_INCIDENTS), {"incidents": 2 * count, "roles": roles})
    vacuum("incident, alert_rule")
