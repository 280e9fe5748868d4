"""Proposing changes. A manager approves or declines each on the pages; no tool does."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission
from core.errors import InvalidInputError
from core.suggestions.changes.add_images import MOST_IMAGES
from core.suggestions.changes.registry import SPECS
from core.suggestions.changes.set_coupon import LARGEST_COUPON
from core.suggestions.proposals.add_action import add_action
from core.suggestions.proposals.draft import USUAL_EFFECT, USUAL_TITLE, Draft, DraftAction
from core.suggestions.proposals.propose import ProposalResult, propose_by_name
from core.suggestions.proposals.validation import LENGTHS, LONGEST_WINDOW, MOST_ACTIONS
from core.suggestions.review import labels
from core.suggestions.rules import Change, Direction, Kind, Metric, ProposedAction, SuggestionState
from core.thresholds import LARGEST_THRESHOLD
from core.tracking.rules import Cadence
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import WriteOptions, run_write, tool
from mcp_server.results.arguments import DryRun, IdempotencyKey, ProductName
from mcp_server.results.base import (
    Moment,
    ProductRef,
    ResultPart,
    Untrusted,
    WriteResult,
    format_moment,
    format_product_name,
)
from mcp_server.results.suggestion import (
    ChangeValue,
    EvidenceFigure,
    make_change_value,
    make_evidence_figure,
)
from mcp_server.tools.suggestions import SuggestionId, suggestion_url

_MAX_TEXT = 2_000  # characters, as for models


def _length(name: str) -> dict[str, int]:
    shortest, longest = LENGTHS[name]
    return {"min_length": shortest, "max_length": longest}


Title = Annotated[
    str,
    Described(
        **_length("title"),
        description="Of the suggestion.",
    ),
]
Reasoning = Annotated[
    str,
    Described(
        **_length("reasoning"),
        description="Why, in English. Numbers only from `get_suggestion_evidence` or as proposed. "
        "No links or HTML.",
    ),
]
Reason = Annotated[
    str,
    Described(
        **_length("reason"),
        description="Of the change, one sentence, same rules.",
    ),
]
EvidenceKeys = Annotated[
    tuple[Annotated[str, Described(min_length=1, max_length=60)], ...],
    Described(
        max_length=20,
        description="Keys from `get_suggestion_evidence`. Default: those usual for the change.",
    ),
]
Priority = Annotated[int, Described(ge=1, le=3, description="1: highest.")]
Confidence = Annotated[float, Described(ge=0, le=1)]
Window = Annotated[
    int, Described(ge=1, le=LONGEST_WINDOW, description="Days for the effect to show.")
]
Money = Annotated[float, Described(gt=0, lt=1e9)]
Percent = Annotated[float, Described(ge=0.01, le=LARGEST_THRESHOLD)]
Text = Annotated[str, Described(min_length=1, max_length=_MAX_TEXT)]
Texts = Annotated[tuple[Text, ...], Described(min_length=1, max_length=10)]
Images = Annotated[int, Described(ge=1, le=MOST_IMAGES)]


def _list_changes(value: str) -> str:
    """Return the changes that use a value, for its description."""
    return f"For {', '.join(change for change, spec in SPECS.items() if value in spec.takes)}."


class ActionArgument(BaseModel):
    """One change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    change: Annotated[Change, Described(description="Takes one value; a pause none.")]
    reason: Reason
    amount: Annotated[
        Money | None,
        Described(description=f"{_list_changes('amount')} In the marketplace's currency."),
    ] = None
    percent: Annotated[Percent | None, Described(description=_list_changes("percent"))] = None
    text: Annotated[
        Text | None,
        Described(
            description=f"For the others. Cadence: {', '.join(Cadence)}; competitor: ASIN or URL."
        ),
    ] = None
    texts: Annotated[Texts | None, Described(description=_list_changes("texts"))] = None
    count: Annotated[
        Images | None, Described(description=f"{_list_changes('count')} Number wanted.")
    ] = None

    def draft(self) -> DraftAction:
        """Return the change for validation."""
        return _make_action(
            self.change,
            self.reason,
            amount=self.amount,
            percent=self.percent,
            text=self.text,
            texts=self.texts,
            count=self.count,
        )


class ProposedChange(ResultPart):
    """A proposed change."""

    change: Change
    current: Annotated[ChangeValue, Described(description="Current value.")]
    proposed: ChangeValue
    reason: Untrusted


class SuggestionWritten(ProductRef, WriteResult):
    """The result of a proposal."""

    suggestion_id: Annotated[int | None, Described(description="Null: dry run of a new one.")]
    is_new: Annotated[bool, Described(description="False: already proposed.")]
    why_not_new: str | None
    state: SuggestionState
    title: Untrusted
    changes: list[ProposedChange]
    evidence: list[EvidenceFigure]
    expires_at: Annotated[Moment, Described(description="Pending changes expire then.")]
    page: Annotated[str | None, Described(description="URL for reviewing it.")]

    def describe_write(self) -> str:
        """Return what was proposed, and the next step."""
        if not self.is_new:
            return f"{self.why_not_new} It is {self.state}. {self.page}"
        what = ", ".join(labels.CHANGES[each.change] for each in self.changes)
        if self.suggestion_id is None:
            return f"{what} of {self.product}: can be proposed."
        return (
            f"Suggestion {self.suggestion_id} ({what} of {self.product}) is pending until "
            f"{self.expires_at}; a manager approves or declines it: {self.page}. `get_suggestion` "
            "returns its state."
        )


def _make_result(made: ProposalResult) -> SuggestionWritten:
    number = made.suggestion_id
    return SuggestionWritten(
        dry_run=made.is_dry,
        product=format_product_name(made.marketplace, made.asin),
        marketplace=made.marketplace,
        asin=made.asin,
        suggestion_id=number,
        is_new=made.is_new,
        why_not_new=made.why,
        state=made.state,
        title=Untrusted(untrusted=made.advice.title),
        changes=[_make_change(each, made.marketplace) for each in made.advice.actions],
        evidence=[make_evidence_figure(each) for each in made.advice.evidence],
        expires_at=format_moment(made.expires_at),
        page=None if number is None else suggestion_url(number),
    )


def _make_change(action: ProposedAction, marketplace: str) -> ProposedChange:
    return ProposedChange(
        change=action.change,
        current=make_change_value(action.change, action.current, marketplace),
        proposed=make_change_value(action.change, action.proposed, marketplace),
        reason=Untrusted(untrusted=action.reason),
    )


def _propose(call: Call, product: str, draft: Draft, options: WriteOptions) -> SuggestionWritten:
    def work(session: Session) -> SuggestionWritten:
        made = propose_by_name(
            session, call.principal, product, draft, call.now, dry_run=options.dry_run
        )
        return _make_result(made)

    return run_write(call, options, SuggestionWritten, work)


def _make_action(change: Change, reason: str, **values: Any) -> DraftAction:
    """Return a change for validation, with money as an exact decimal."""
    amount = values.get("amount")
    exact = None if amount is None else Decimal(str(amount))
    return DraftAction(change=change, reason=reason, **(values | {"amount": exact}))


_NO_CHANGES = {
    Kind.PRICING: "Give `price`, `coupon_percent`, or both: nothing would change.",
    Kind.CONTENT: "Give at least one new text, or `images_wanted`: nothing would change.",
    Kind.TRACKING: "Give a threshold, a cadence, a competitor, or `pause`: nothing would change.",
}


def _make_draft(
    kind: Kind,
    title: str | None,
    reasoning: str,
    actions: Sequence[DraftAction],
    priority: int,
    confidence: float,
    evidence: tuple[str, ...],
) -> Draft:
    if not actions:
        raise InvalidInputError(_NO_CHANGES[kind])
    metric, direction, window_days = USUAL_EFFECT[kind]
    return Draft(
        title=USUAL_TITLE[kind] if title is None else title,
        reasoning=reasoning,
        actions=tuple(actions),
        metric=metric,
        direction=direction,
        window_days=window_days,
        priority=priority,
        confidence=confidence,
        evidence=evidence,
    )


@tool(Permission.PROPOSE, "Propose changes")
def create_suggestion(
    call: Call,
    product: ProductName,
    title: Title,
    reasoning: Reasoning,
    actions: Annotated[
        tuple[ActionArgument, ...],
        Described(
            min_length=1,
            max_length=MOST_ACTIONS,
            description="All of one kind: pricing, content or tracking.",
        ),
    ],
    metric: Metric,
    direction: Annotated[
        Direction, Described(description="bsr improves or worsens; others rise or fall.")
    ],
    window_days: Window = 14,
    priority: Priority = 2,
    confidence: Confidence = 0.5,
    evidence: EvidenceKeys = (),
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> SuggestionWritten:
    """Propose changes to one tracked product, with reasons and evidence, for a manager to
    approve or decline. Price and listing only of the team's own products.

    The `propose_…` tools need fewer arguments.
    """
    draft = Draft(
        title=title,
        reasoning=reasoning,
        actions=tuple(each.draft() for each in actions),
        metric=metric,
        direction=direction,
        window_days=window_days,
        priority=priority,
        confidence=confidence,
        evidence=evidence,
    )
    return _propose(call, product, draft, WriteOptions(dry_run, idempotency_key))


@tool(Permission.PROPOSE, "Add a change to a suggestion")
def add_suggestion_action(
    call: Call,
    suggestion_id: SuggestionId,
    action: ActionArgument,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> SuggestionWritten:
    """Add a change of the same kind to a wholly undecided suggestion of the token's owner."""
    options = WriteOptions(dry_run, idempotency_key)

    def work(session: Session) -> SuggestionWritten:
        made = add_action(
            session, call.principal, suggestion_id, action.draft(), call.now, dry_run=dry_run
        )
        return _make_result(made)

    return run_write(call, options, SuggestionWritten, work)


@tool(Permission.PROPOSE, "Propose a price")
def propose_price_optimization(
    call: Call,
    product: ProductName,
    reasoning: Reasoning,
    reason: Reason,
    price: Annotated[
        Money | None, Described(description="In the marketplace's currency.", examples=[19.99])
    ] = None,
    coupon_percent: Annotated[int | None, Described(ge=1, le=LARGEST_COUPON)] = None,
    title: Title | None = None,
    priority: Priority = 2,
    confidence: Confidence = 0.5,
    evidence: EvidenceKeys = (),
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> SuggestionWritten:
    """Propose a price, a coupon, or both for one of the team's own products, to improve its rank
    within 14 days. Give at least one.

    The price less the coupon must be within the limits of `get_suggestion_evidence`.
    """
    actions = []
    if price is not None:
        actions.append(_make_action(Change.UPDATE_PRICE, reason, amount=price))
    if coupon_percent is not None:
        actions.append(_make_action(Change.SET_COUPON, reason, percent=coupon_percent))
    draft = _make_draft(Kind.PRICING, title, reasoning, actions, priority, confidence, evidence)
    return _propose(call, product, draft, WriteOptions(dry_run, idempotency_key))


@tool(Permission.PROPOSE, "Propose a better listing")
def propose_content_improvement(
    call: Call,
    product: ProductName,
    reasoning: Reasoning,
    reason: Reason,
    new_title: Annotated[Text | None, Described(description="Of the listing.")] = None,
    new_bullets: Annotated[
        Texts | None, Described(description="All 3 to 5, of 10 to 255 characters.")
    ] = None,
    new_description: Text | None = None,
    new_search_terms: Annotated[
        Text | None, Described(description="Under 250 bytes, separated by spaces.")
    ] = None,
    new_brand: Annotated[Text | None, Described(description="As written in the listing.")] = None,
    new_category_path: Annotated[Texts | None, Described(description="Widest level first.")] = None,
    images_wanted: Images | None = None,
    title: Title | None = None,
    priority: Priority = 2,
    confidence: Confidence = 0.5,
    evidence: EvidenceKeys = (),
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> SuggestionWritten:
    """Propose new texts or more images for one of the team's own products, to improve its rank
    within 28 days. What is left out stays as it is.

    Texts are in the listing's language, with no numbers but the listing's, see
    `get_suggestion_evidence`.
    """
    wanted: dict[Change, dict[str, Any]] = {
        Change.UPDATE_TITLE: {"text": new_title},
        Change.UPDATE_BULLETS: {"texts": new_bullets},
        Change.UPDATE_DESCRIPTION: {"text": new_description},
        Change.UPDATE_SEARCH_TERMS: {"text": new_search_terms},
        Change.UPDATE_BRAND: {"text": new_brand},
        Change.UPDATE_CATEGORY: {"texts": new_category_path},
        Change.ADD_IMAGES: {"count": images_wanted},
    }
    draft = _make_draft(
        Kind.CONTENT, title, reasoning, _list_given(wanted, reason), priority, confidence, evidence
    )
    return _propose(call, product, draft, WriteOptions(dry_run, idempotency_key))


@tool(Permission.PROPOSE, "Propose tracking settings")
def propose_tracking_adjustment(
    call: Call,
    product: ProductName,
    reasoning: Reasoning,
    reason: Reason,
    price_threshold_percent: Annotated[
        Percent | None,
        Described(description="Least price change to alert of."),
    ] = None,
    rank_threshold_percent: Annotated[
        Percent | None,
        Described(description="The same for rank ratios."),
    ] = None,
    cadence: Cadence | None = None,
    competitor: Annotated[
        ProductName | None, Described(description="To add, of the same marketplace.")
    ] = None,
    pause: Annotated[bool, Described(description="Stop checking it.")] = False,
    title: Title | None = None,
    priority: Priority = 2,
    confidence: Confidence = 0.5,
    evidence: EvidenceKeys = (),
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> SuggestionWritten:
    """Propose how the whole team tracks a product: thresholds, cadence, a competitor, or a
    pause, for fewer needless alerts within 30 days. What is left out stays as it is.

    Own settings need no manager: use `update_tracking_settings`.
    """
    wanted: dict[Change, dict[str, Any]] = {
        Change.SET_PRICE_THRESHOLD: {"percent": price_threshold_percent},
        Change.SET_RANK_THRESHOLD: {"percent": rank_threshold_percent},
        Change.SET_CADENCE: {"text": None if cadence is None else cadence.value},
        Change.ADD_COMPETITOR: {"text": competitor},
    }
    actions = _list_given(wanted, reason)
    if pause:
        actions.append(_make_action(Change.PAUSE_TRACKING, reason))
    draft = _make_draft(Kind.TRACKING, title, reasoning, actions, priority, confidence, evidence)
    return _propose(call, product, draft, WriteOptions(dry_run, idempotency_key))


def _list_given(wanted: dict[Change, dict[str, Any]], reason: str) -> list[DraftAction]:
    """Return the changes whose value was given."""
    return [
        _make_action(change, reason, **values)
        for change, values in wanted.items()
        if any(value is not None for value in values.values())
    ]
