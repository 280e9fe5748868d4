"""Adds a change to a suggestion that the caller proposed. Never commits.

The suggestion is the caller's own and none of its actions is decided. The whole suggestion
is validated again, with its evidence as it was frozen.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.errors import InvalidInputError, NotAllowedError
from core.suggestions.changes.registry import get_spec
from core.suggestions.fingerprints import change_hash, evidence_hash
from core.suggestions.lifecycle import ActorRef, append_event, lock_suggestion
from core.suggestions.models import Suggestion, SuggestionAction
from core.suggestions.proposals import draft, duplicates, store
from core.suggestions.proposals.draft import DraftAction
from core.suggestions.proposals.propose import (
    WRITTEN,
    ProposalResult,
    get_facts,
    lock_product,
    make_advice,
    require_own,
)
from core.suggestions.proposals.validation import Proposal
from core.suggestions.rules import (
    ActionState,
    Advice,
    Change,
    Direction,
    Facts,
    Metric,
    ProposedAction,
    SuggestionState,
    format_product_name,
    read_evidence,
)


@requires(Permission.PROPOSE)
def add_action(
    session: Session,
    principal: Principal,
    suggestion_id: int,
    action: DraftAction,
    now: datetime,
    *,
    dry_run: bool = False,
) -> ProposalResult:
    """Add a change to the caller's own suggestion, of which nothing is decided yet.

    A suggestion that has the change already is returned unchanged. Raises InvalidInputError
    with every reason against the change, NotAllowedError for a suggestion that the caller
    didn't make, NotFoundError.
    """
    locked = lock_suggestion(session, suggestion_id, principal.team_id)
    if not dry_run:
        lock_product(session, locked.product_id)
    actions = _open_actions(session, principal, locked, now)
    facts = _with_frozen(get_facts(session, principal.team_id, locked.product_id, now), locked)
    require_own(session, principal.team_id, facts, [action])
    added = draft.read_action(action, facts)
    if _is_among(added, actions):
        return _result(
            locked, facts, _stored_advice(locked, actions), dry_run=dry_run, is_new=False
        )
    proposal = _with_action(_as_proposal(locked, actions, facts), action, facts)
    advice = make_advice(session, principal.team_id, proposal, facts)
    only = replace(advice, actions=advice.actions[-1:])
    duplicates.require_new(session, principal.team_id, facts, only, now)
    if not dry_run:
        _extend(session, principal, locked, advice, now)
    return _result(locked, facts, advice, dry_run=dry_run, is_new=True)


def _is_among(added: ProposedAction, actions: Sequence[SuggestionAction]) -> bool:
    proposed = get_spec(added.change).validate(added.proposed)
    return any((each.change, each.proposed) == (added.change.value, proposed) for each in actions)


def _with_action(proposal: Proposal, action: DraftAction, facts: Facts) -> Proposal:
    """Return a proposal with one more change, and with the figures that belong to it."""
    keys = tuple(draft.find_usual_keys((action,), facts))
    evidence = dict(proposal.evidence) | dict(draft.read_cited_values(keys, facts))
    actions = (*proposal.actions, draft.read_action(action, facts))
    return replace(proposal, evidence=tuple(evidence.items()), actions=actions)


def _open_actions(
    session: Session, principal: Principal, locked: Suggestion, now: datetime
) -> list[SuggestionAction]:
    """Return a suggestion's actions.

    Raises NotAllowedError or InvalidInputError where the caller may add none.
    """
    if locked.advisor not in WRITTEN or locked.asked_by != principal.person_id:
        raise NotAllowedError(
            "You did not make this suggestion. Propose the change in one of your own."
        )
    found = select(SuggestionAction).where(SuggestionAction.suggestion_id == locked.id)
    actions = list(session.scalars(found.order_by(SuggestionAction.place)))
    is_open = all(each.state == ActionState.PENDING.value for each in actions)
    if not is_open or locked.expires_at <= now:
        raise InvalidInputError(
            "A manager has decided it, or it has expired. Propose the change in a new suggestion."
        )
    return actions


def _with_frozen(facts: Facts, locked: Suggestion) -> Facts:
    """Return facts in which the suggestion's evidence has the values it was frozen with."""
    kept = {each["key"]: read_evidence(each) for each in locked.evidence}
    now = {each.key: each for each in facts.evidence}
    return replace(facts, evidence=tuple((now | kept).values()))


def _as_proposal(locked: Suggestion, actions: Sequence[SuggestionAction], facts: Facts) -> Proposal:
    """Return a stored suggestion as a proposal."""
    kept = _stored_advice(locked, actions)
    return Proposal(
        product=format_product_name(facts),
        title=kept.title,
        reasoning=kept.reasoning,
        priority=kept.priority,
        confidence=kept.confidence,
        metric=kept.metric,
        direction=kept.direction,
        window_days=kept.window_days,
        evidence=tuple((each.key, each.value) for each in kept.evidence),
        actions=tuple(
            ProposedAction(each.change, {}, each.proposed, each.reason) for each in kept.actions
        ),
    )


def _stored_advice(locked: Suggestion, actions: Sequence[SuggestionAction]) -> Advice:
    return Advice(
        title=locked.title,
        reasoning=locked.reasoning,
        priority=locked.priority,
        confidence=locked.confidence,
        metric=Metric(locked.metric),
        direction=Direction(locked.direction),
        window_days=locked.window_days,
        evidence=tuple(map(read_evidence, locked.evidence)),
        actions=tuple(
            ProposedAction(Change(each.change), each.current, each.proposed, each.reason)
            for each in actions
        ),
    )


def _result(
    locked: Suggestion, facts: Facts, advice: Advice, *, dry_run: bool, is_new: bool
) -> ProposalResult:
    return ProposalResult(
        suggestion_id=locked.id,
        is_new=is_new,
        is_dry=dry_run,
        state=SuggestionState(locked.state),
        product_id=locked.product_id,
        marketplace=facts.marketplace,
        asin=facts.asin,
        advice=advice,
        expires_at=locked.expires_at,
        why=None if is_new else f"Suggestion {locked.id} has this change already.",
    )


def _extend(
    session: Session, principal: Principal, locked: Suggestion, advice: Advice, now: datetime
) -> None:
    """Store the last action of the advice and the suggestion's new evidence."""
    added = advice.actions[-1]
    place = len(advice.actions) - 1
    [action_id] = store.insert_actions(session, locked.id, [(added, dict(added.proposed))], place)
    session.execute(
        update(Suggestion)
        .where(Suggestion.id == locked.id)
        .values(
            evidence=store.serialize_evidence(advice),
            change_hash=change_hash(advice),
            evidence_hash=evidence_hash(advice),
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(locked)
    append_event(
        session, locked.id, "added", now, ActorRef.of_principal(principal), action_id=action_id
    )
    new = {"action": action_id, "change": added.change.value}
    audit.record(session, principal, "added to suggestion", f"suggestion:{locked.id}", new=new)
