"""One incident with what became of its messages, and snoozing."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import Field as Described
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission
from core.alerts.explanation.explain_delivery import explain_delivery
from core.alerts.explanation.steps import StepKind
from core.alerts.incidents import labels, queries, service
from core.database.session import read_scope
from core.errors import NotFoundError
from core.text.times import format_span
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import WriteOptions, run_write, tool
from mcp_server.results.arguments import DryRun, IdempotencyKey
from mcp_server.results.base import Result, Untrusted, quote_text
from mcp_server.results.incident import IncidentRecord, make_incident
from mcp_server.tools.alerts import Acknowledged, HandledIncident

IncidentId = Annotated[int, Described(ge=1, le=10**12)]


class IncidentDetails(Result):
    """An incident in full."""

    incident: IncidentRecord
    rule_version: int
    data_version: Annotated[int, Described(description="The product's, when it was evaluated.")]
    reactions: Annotated[list[str], Described(description="What a seller does about it.")]
    delivery: Annotated[
        list[Untrusted],
        Described(description="What you got of it and how, or why not. Times in UTC."),
    ]


@tool(Permission.READ, "Incident")
def get_incident(call: Call, id: IncidentId) -> IncidentDetails:
    """Return one incident with the values compared, what to do about it, and where you were
    notified of it, or why not."""
    with read_scope() as session:
        row = queries.find_incident(session, call.principal, id, call.now)
        if row is None:
            raise NotFoundError(f"There is no incident {id}. Use ids of `list_open_issues`.")
        reader = replace(call.principal, time_zone="UTC")
        found = explain_delivery(session, reader, row.product_id, row.opened_at, call.now)
    steps = [step for trace in found.rules if trace.incident_id == id for step in trace.steps]
    sent = [each.text for each in steps if each.kind is StepKind.DELIVERY]
    record = make_incident(row, call.now)
    return IncidentDetails(
        incident=record,
        rule_version=row.rule_version,
        data_version=row.data_version,
        reactions=list(labels.list_reactions(row.kind)),
        delivery=[Untrusted(untrusted=each) for each in sent],
        summary=f"{record.product}, {row.severity.value}: {quote_text(record.what.untrusted)} "
        f"{quote_text(sent[0]) if sent else ''}".strip(),
    )


class Snoozed(Acknowledged):
    """The result of snoozing incidents."""


@tool(Permission.TRACK, "Snooze open issues")
def snooze_incidents(
    call: Call,
    ids: Annotated[
        list[IncidentId],
        Described(min_length=1, max_length=200, description="From `list_open_issues`."),
    ],
    hours: Annotated[int, Described(ge=1, le=8_760)] = 24,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Snoozed:
    """Snooze open issues for the team: nothing is sent of them until then. They stay open."""
    until = call.now + timedelta(hours=hours)

    def work(session: Session) -> Snoozed:
        verdicts = service.snooze_incidents(session, call.principal, ids, until, call.now)
        return Snoozed(
            incidents=[HandledIncident(id=each, verdict=verdicts[each]) for each in verdicts],
            summary=f"For {format_span(timedelta(hours=hours))}.",
        )

    return run_write(call, WriteOptions(dry_run, idempotency_key), Snoozed, work)
