"""What was suggested, where it stands, and what may be cited by who suggests."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.database.session import read_scope
from core.errors import NotFoundError
from core.settings.environment import get_settings
from core.suggestions.proposals.propose import citable
from core.suggestions.queue_filter import QueueFilter
from core.suggestions.review import labels, queries
from core.suggestions.review.views import ActionView, Event, QueueRow, SuggestionView
from core.suggestions.rules import (
    ActionState,
    Change,
    CompetitorFacts,
    Direction,
    Facts,
    Kind,
    Metric,
    SuggestionState,
)
from core.text.numbers import format_count
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import CursorText, PageSize, ProductName
from mcp_server.results.base import (
    ListResult,
    Moment,
    Number,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    format_moment,
    format_moment_or_none,
    format_product_name,
    quoted,
    untrusted,
)
from mcp_server.results.cursors import Cursor, hash_question, read_cursor, write_cursor
from mcp_server.results.product_lookup import find_product
from mcp_server.results.suggestion import ChangeValue, EvidenceFigure, figure_of, setting_of
from mcp_server.results.units import major

SuggestionId = Annotated[
    int,
    Described(ge=1, le=10**12, description="From `list_suggestions`."),
]


class Effect(ResultPart):
    """What is expected to move."""

    metric: Metric
    direction: Annotated[Direction, Described(description="A rank improves or worsens.")]
    window_days: Annotated[int, Described(description="Within so many days of the change.")]


class SuggestionRow(ProductRef):
    """A suggestion in a list."""

    id: int
    title: Untrusted
    product_title: Untrusted | None
    kind: Kind
    state: SuggestionState
    priority: Annotated[int, Described(description="1 urgent, 2, 3 minor.")]
    confidence: Annotated[float, Described(description="0 to 1, as its author says.")]
    expected: Effect
    proposed_by: Annotated[
        Untrusted,
        Described(description="rules, a model, an agent with its owner and token, a person."),
    ]
    made_at: Moment
    expires_at: Annotated[Moment, Described(description="Undecided by then, it is over.")]
    decided_at: Moment | None
    actions: Annotated[int, Described(description="How many changes it has.")]
    waiting: Annotated[int, Described(description="How many of them nobody has decided about.")]
    page: Annotated[str, Described(description="Where a person reads and decides it.")]


def make_suggestion_row(row: QueueRow) -> SuggestionRow:
    """Return a suggestion of a list in the units of results."""
    return SuggestionRow(
        product=format_product_name(row.marketplace, row.asin),
        marketplace=row.marketplace,
        asin=row.asin,
        id=row.id,
        title=Untrusted(untrusted=row.title),
        product_title=untrusted(row.product_title),
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
        page=page_of(row.id),
    )


def page_of(suggestion_id: int) -> str:
    """Return the address of a suggestion's page."""
    return f"{get_settings().public_url}/suggestion?id={suggestion_id}"


class SuggestionList(ListResult):
    """A page of suggestions."""

    suggestions: list[SuggestionRow]


@tool(Permission.READ, "List suggestions")
def list_suggestions(
    call: Call,
    product: Annotated[
        ProductName | None, Described(description="Only for this one, such as US:B0ABCDEFGH.")
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
    """Return a page of a list of suggestions. A cursor holds the last one of the page before."""
    mark = hash_question("suggestions", asked, limit)
    last = read_cursor(cursor, mark).anchor or None
    with read_scope() as session:
        found, has_more = queries.queue_after(session, call.principal, asked, last, limit, call.now)
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
        f"{row.id} {quoted(row.title.untrusted, 50)} for {row.product} ({row.state})"
        for row in rows[:5]
    )
    return f"{total} in all, {len(rows)} shown: {shown}."


# One suggestion


class Action(ResultPart):
    """One change of a suggestion, and what became of it."""

    id: int
    change: Change
    state: ActionState
    current: Annotated[ChangeValue, Described(description="As it was when this was suggested.")]
    proposed: ChangeValue
    edited: Annotated[
        ChangeValue | None, Described(description="What a manager approved instead; null: no edit.")
    ]
    reason: Untrusted
    decided_by: Untrusted | None
    decided_at: Moment | None
    decision_reason: Annotated[Untrusted | None, Described(description="As who decided wrote it.")]
    applied_at: Annotated[
        Moment | None,
        Described(
            description="A setting is set then; a price or listing is put into a change set, which "
            "a person carries to Amazon."
        ),
    ]
    verified_at: Annotated[
        Moment | None, Described(description="When a look showed it: it is live.")
    ]
    verify_until: Moment | None
    trouble: Annotated[Untrusted | None, Described(description="Why it is stale, or failed.")]


def action_of(view: ActionView, marketplace: str) -> Action:
    """Return a change in told units."""
    edited = view.edited
    return Action(
        id=view.id,
        change=view.change,
        state=view.state,
        current=setting_of(view.change, view.current, marketplace),
        proposed=setting_of(view.change, view.proposed, marketplace),
        edited=None if edited is None else setting_of(view.change, edited, marketplace),
        reason=Untrusted(untrusted=view.reason),
        decided_by=untrusted(view.decided_by),
        decided_at=format_moment_or_none(view.decided_at),
        decision_reason=untrusted(view.decision_reason),
        applied_at=format_moment_or_none(view.applied_at),
        verified_at=format_moment_or_none(view.verified_at),
        verify_until=format_moment_or_none(view.verify_until),
        trouble=untrusted(view.trouble),
    )


class Step(ResultPart):
    """A step in a suggestion's life."""

    at: Moment
    step: Annotated[Untrusted, Described(description="What happened, and who did it.")]
    why: Untrusted | None


class Suggestion(SuggestionRow):
    """All that is known of a suggestion."""

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
        steps = queries.time_line(session, call.principal, suggestion_id)
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
        "evidence": [figure_of(each) for each in view.evidence],
        "changes": [action_of(each, row.marketplace) for each in view.actions],
        "time_line": [
            Step(
                at=format_moment(each.at),
                step=Untrusted(untrusted=labels.event_text(each, row)),
                why=untrusted(each.why),
            )
            for each in steps
        ],
    }


def _summarize_suggestion(view: SuggestionView, call: Call) -> str:
    row = view.row
    changes = "; ".join(
        f"{labels.CHANGES[each.change]} {labels.action_state(each.change, each.state)}"
        for each in view.actions
    )
    is_carried = any(
        each.state is ActionState.APPLIED and not each.change.is_setting for each in view.actions
    )
    by_hand = " A user publishes it on Amazon from the change set." if is_carried else ""
    product, by = format_product_name(row.marketplace, row.asin), labels.advisor_label(row)
    return (
        f"Suggestion {row.id} {quoted(row.title)} for {product}, by {quoted(by)}: "
        f"{labels.state_label(row).lower()}, "
        f"{labels.expiry_text(row, call.now)}. {changes}.{by_hand} {page_of(row.id)}"
    )


# What may be cited


class Caps(ResultPart):
    """Between which prices a product may be moved. Null: no limit."""

    floor: Number | None
    ceiling: Number | None
    largest_step_percent: Annotated[Number, Described(description="At once, from the price now.")]
    currency: str


class ListingText(ResultPart):
    """The listing as it stands. Null: no source reports it."""

    title: Untrusted | None
    brand: Untrusted | None
    bullets: list[Untrusted] | None
    description: Untrusted | None
    category_path: list[Untrusted] | None
    images: int | None


class Rival(ProductRef):
    """A product that the team compares with."""

    title: Untrusted | None


class SuggestionEvidence(ProductRef, Result):
    """What a suggestion for a product may rest on."""

    as_of: Moment
    total: int
    truncated: bool
    evidence: list[EvidenceFigure]
    price_caps: Caps
    listing: ListingText
    competitors: list[Rival]


@tool(Permission.READ, "Evidence for a suggestion")
def get_suggestion_evidence(call: Call, product: ProductName) -> SuggestionEvidence:
    """Return every figure that a suggestion for a tracked product may cite, by its key, with
    its price limits, current listing and competitors.

    Every number in a suggestion's texts must be one of these or a proposed one.
    """
    with read_scope() as session:
        facts = citable(session, call.principal, product, call.now)
    limits = labels.price_caps_text(facts.caps, facts.marketplace)
    count = format_count(len(facts.evidence))
    name = format_product_name(facts.marketplace, facts.asin)
    return SuggestionEvidence(
        product=name,
        marketplace=facts.marketplace,
        asin=facts.asin,
        as_of=format_moment(facts.as_of),
        total=len(facts.evidence),
        truncated=False,
        evidence=[figure_of(each) for each in facts.evidence],
        price_caps=_caps(facts),
        listing=_listing(facts),
        competitors=[_rival(facts, each) for each in facts.competitors],
        summary=f"{count} figures may be cited for {name}; price {limits}.",
    )


def _caps(facts: Facts) -> Caps:
    return Caps(
        floor=major(facts.caps.floor, facts.currency),
        ceiling=major(facts.caps.ceiling, facts.currency),
        largest_step_percent=facts.caps.step_percent,
        currency=facts.currency,
    )


def _listing(facts: Facts) -> ListingText:
    listing = facts.listing
    return ListingText(
        title=untrusted(listing.title),
        brand=untrusted(listing.brand),
        bullets=_all(listing.bullets),
        description=untrusted(listing.description),
        category_path=_all(listing.category_path),
        images=listing.image_count,
    )


def _all(texts: tuple[str, ...] | None) -> list[Untrusted] | None:
    return None if texts is None else [Untrusted(untrusted=each) for each in texts]


def _rival(facts: Facts, rival: CompetitorFacts) -> Rival:
    return Rival(
        product=format_product_name(facts.marketplace, rival.asin),
        marketplace=facts.marketplace,
        asin=rival.asin,
        title=untrusted(rival.listing.title),
    )
