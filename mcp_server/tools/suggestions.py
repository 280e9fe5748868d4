"""Suggestions and their state."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.database.session import read_scope
from core.errors import NotFoundError
from core.settings.environment import get_settings
from core.suggestions.queue_filter import QueueFilter
from core.suggestions.review import labels, queries
from core.suggestions.review.views import ActionView, Event, QueueRow, SuggestionView
from core.suggestions.rules import (
    ActionState,
    Change,
    Direction,
    Kind,
    Metric,
    SuggestionState,
)
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import CursorText, PageSize, ProductName
from mcp_server.results.base import (
    ListResult,
    Moment,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    format_moment,
    format_moment_or_none,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.cursors import Cursor, hash_request, read_cursor, write_cursor
from mcp_server.results.product_lookup import find_product
from mcp_server.results.suggestion import (
    ChangeValue,
    EvidenceFigure,
    make_change_value,
    make_evidence_figure,
)

SuggestionId = Annotated[
    int,
    Described(ge=1, le=10**12, description="From `list_suggestions`."),
]


class Effect(ResultPart):
    """The expected effect."""

    metric: Metric
    direction: Annotated[Direction, Described(description="A rank improves or worsens.")]
    window_days: Annotated[int, Described(description="Days after the change.")]


class SuggestionRow(ProductRef):
    """A suggestion in a list."""

    id: int
    title: Untrusted
    product_title: Untrusted | None
    kind: Kind
    state: SuggestionState
    priority: Annotated[int, Described(description="1 is the highest.")]
    confidence: Annotated[float, Described(description="0 to 1, by the author.")]
    expected: Effect
    proposed_by: Annotated[
        Untrusted,
        Described(description="Rules, a model, an agent (owner and token), or a user."),
    ]
    made_at: Moment
    expires_at: Annotated[Moment, Described(description="Pending changes expire then.")]
    decided_at: Moment | None
    actions: Annotated[int, Described(description="Number of changes.")]
    waiting: Annotated[int, Described(description="Number of pending changes.")]
    page: Annotated[str, Described(description="URL for reviewing it.")]


def make_suggestion_row(row: QueueRow) -> SuggestionRow:
    """Return a suggestion of a list in the units of results."""
    return SuggestionRow(
        product=format_product_name(row.marketplace, row.asin),
        marketplace=row.marketplace,
        asin=row.asin,
        id=row.id,
        title=Untrusted(untrusted=row.title),
        product_title=mark_untrusted(row.product_title),
        kind=row.kind,
        state=row.state,
        priority=row.priority,
        confidence=row.confidence,
        expected=Effect(metric=row.metric, direction=row.direction, window_days=row.window_days),
        proposed_by=Untrusted(untrusted=labels.advisor_label(row)),
        made_at=format_moment(row.made_at),
        expires_at=format_moment(row.expires_at),
        decided_at=format_moment_or_none(row.decided_at),
        actions=row.actions,
        waiting=len(row.waiting),
        page=suggestion_url(row.id),
    )


def suggestion_url(suggestion_id: int) -> str:
    """Return the URL of a suggestion's page."""
    return f"{get_settings().public_url}/suggestion?id={suggestion_id}"


class SuggestionList(ListResult):
    """A page of suggestions."""

    suggestions: list[SuggestionRow]


@tool(Permission.READ, "List suggestions")
def list_suggestions(
    call: Call,
    product: Annotated[
        ProductName | None, Described(description="Only for this product, such as US:B0ABCDEFGH.")
    ] = None,
    state: Annotated[
        SuggestionState | Literal["any"],
        Described(description="pending: undecided."),
    ] = SuggestionState.PENDING,
    kinds: Annotated[
        tuple[Kind, ...], Described(max_length=3, description="Any of these; empty: all.")
    ] = (),
    limit: PageSize = 20,
    cursor: CursorText = None,
) -> SuggestionList:
    """List the team's suggestions: pending ones by highest priority, others newest first.
    `get_suggestion` returns one with its changes and evidence."""
    with read_scope() as session:
        head = None if product is None else find_product(session, call.principal, product)
    number = None if head is None else head.product_id
    wanted = None if state == "any" else state
    asked = QueueFilter(state=wanted, kinds=kinds, product_id=number)
    return list_matching_suggestions(call, asked, limit, cursor)


def list_matching_suggestions(
    call: Call, asked: QueueFilter, limit: int, cursor: str | None
) -> SuggestionList:
    """Return a page of suggestions. The cursor has the id of the last one before the page."""
    mark = hash_request("suggestions", asked, limit)
    last = read_cursor(cursor, mark).anchor or None
    with read_scope() as session:
        found, has_more = queries.read_queue_after(
            session, call.principal, asked, last, limit, call.now
        )
    rows = [make_suggestion_row(row) for row in found.rows]
    return SuggestionList(
        total=found.counts.total,
        truncated=has_more,
        next_cursor=write_cursor(Cursor(anchor=found.rows[-1].id), mark) if has_more else None,
        suggestions=rows,
        summary=_summarize_list(rows, found.counts.total),
    )


def _summarize_list(rows: Sequence[SuggestionRow], total: int) -> str:
    if not rows:
        return "No suggestion matches. `create_suggestion` makes one."
    shown = "; ".join(
        f"{row.id} {quote_text(row.title.untrusted, 50)} for {row.product} ({row.state})"
        for row in rows[:5]
    )
    return f"{total} in all, {len(rows)} shown: {shown}."


# One suggestion


class Action(ResultPart):
    """A change of a suggestion, with its state."""

    id: int
    change: Change
    state: ActionState
    current: Annotated[ChangeValue, Described(description="Value at the time of the suggestion.")]
    proposed: ChangeValue
    edited: Annotated[
        ChangeValue | None,
        Described(description="Value approved instead; null: none."),
    ]
    reason: Untrusted
    decided_by: Untrusted | None
    decided_at: Moment | None
    decision_reason: Annotated[Untrusted | None, Described(description="Given by the manager.")]
    applied_at: Annotated[
        Moment | None,
        Described(
            description="When a setting was changed, or a price or listing change was exported for "
            "publishing on Amazon by a user."
        ),
    ]
    verified_at: Annotated[Moment | None, Described(description="When a check showed it live.")]
    verify_until: Moment | None
    trouble: Annotated[Untrusted | None, Described(description="Why it is out of date or failed.")]


def make_action(view: ActionView, marketplace: str) -> Action:
    """Return a change in the units of results."""
    edited = view.edited
    return Action(
        id=view.id,
        change=view.change,
        state=view.state,
        current=make_change_value(view.change, view.current, marketplace),
        proposed=make_change_value(view.change, view.proposed, marketplace),
        edited=None if edited is None else make_change_value(view.change, edited, marketplace),
        reason=Untrusted(untrusted=view.reason),
        decided_by=mark_untrusted(view.decided_by),
        decided_at=format_moment_or_none(view.decided_at),
        decision_reason=mark_untrusted(view.decision_reason),
        applied_at=format_moment_or_none(view.applied_at),
        verified_at=format_moment_or_none(view.verified_at),
        verify_until=format_moment_or_none(view.verify_until),
        trouble=mark_untrusted(view.trouble),
    )


class Step(ResultPart):
    """An event of a suggestion."""

    at: Moment
    step: Annotated[Untrusted, Described(description="What happened, and by whom.")]
    why: Untrusted | None


class Suggestion(SuggestionRow):
    """A suggestion with its changes, evidence and history."""

    reasoning: Untrusted
    evidence: list[EvidenceFigure]
    changes: list[Action]
    time_line: list[Step]


class SuggestionDetails(Suggestion, Result):
    """One suggestion."""


@tool(Permission.READ, "One suggestion")
def get_suggestion(call: Call, suggestion_id: SuggestionId) -> SuggestionDetails:
    """Return one suggestion: its state, each change with current, proposed and approved value,
    its evidence, its history, and the page where a manager decides about it.

    No tool approves.
    """
    with read_scope() as session:
        view = queries.find_suggestion(session, call.principal, suggestion_id, call.now)
        if view is None:
            raise NotFoundError(
                f"There is no suggestion {suggestion_id} in your team. `list_suggestions` with "
                "`state` any lists all."
            )
        steps = queries.list_events(session, call.principal, suggestion_id)
    return SuggestionDetails(
        **_suggestion_fields(view, steps), summary=_summarize_suggestion(view, call)
    )


def _suggestion_fields(view: SuggestionView, steps: list[Event]) -> dict[str, Any]:
    """Return the fields of `Suggestion`."""
    row = view.row
    shared = make_suggestion_row(row)
    return {
        **{name: getattr(shared, name) for name in SuggestionRow.model_fields},
        "reasoning": Untrusted(untrusted=view.reasoning),
        "evidence": [make_evidence_figure(each) for each in view.evidence],
        "changes": [make_action(each, row.marketplace) for each in view.actions],
        "time_line": [
            Step(
                at=format_moment(each.at),
                step=Untrusted(untrusted=labels.event_text(each, row)),
                why=mark_untrusted(each.why),
            )
            for each in steps
        ],
    }


def _summarize_suggestion(view: SuggestionView, call: Call) -> str:
    row = view.row
    changes = "; ".join(
        f"{labels.CHANGES[each.change]} {labels.action_state_label(each.change, each.state)}"
        for each in view.actions
    )
    needs_publishing = any(
        each.state is ActionState.APPLIED and not each.change.is_setting for each in view.actions
    )
    note = " A user publishes it on Amazon from the change set." if needs_publishing else ""
    product, by = format_product_name(row.marketplace, row.asin), labels.advisor_label(row)
    return (
        f"Suggestion {row.id} {quote_text(row.title)} for {product}, by {quote_text(by)}: "
        f"{labels.state_label(row).lower()}, "
        f"{labels.expiry_text(row, call.now)}. {changes}.{note} {suggestion_url(row.id)}"
    )
