"""Open issues, and the rules that open them."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.alerts.incidents import queries
from core.alerts.incidents.incident_filter import COUNTED, IncidentFilter, IncidentKind
from core.alerts.rules.rule import Severity
from core.catalog.marketplaces import get_by_name
from core.database.session import read_scope
from core.text.numbers import format_capped_count, format_count
from core.tracking.list_filter import ListScope
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import (
    CursorText,
    Marketplaces,
    PageSize,
    ProductName,
    Roles,
    Scope,
)
from mcp_server.results.base import ListResult, quote_text
from mcp_server.results.cursors import hash_request, open_page_fields, read_cursor
from mcp_server.results.incident import IncidentRecord, make_incident
from mcp_server.results.product_lookup import find_product


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
