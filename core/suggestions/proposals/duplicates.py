"""Finds changes proposed before: pending, approved, to publish, or declined. Reads only."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from core.errors import InvalidInputError
from core.suggestions.changes.values import are_equal
from core.suggestions.evidence.queries import DECLINED_REMEMBERED_FOR
from core.suggestions.fingerprints import change_hash, evidence_hash
from core.suggestions.models import Suggestion, SuggestionAction
from core.suggestions.proposals.store import is_settled
from core.suggestions.rules import ActionState, Advice, Facts, ProposedAction, SuggestionState
from core.text.escaping import quote

LONGEST_REASON = 200  # characters of a decision's reason in an error message
_ON_ITS_WAY = (ActionState.PENDING, ActionState.APPROVED, ActionState.APPLIED)


@dataclass(frozen=True, slots=True)
class EarlierChanges:
    """A suggestion that has changes proposed now."""

    suggestion_id: int
    state: SuggestionState
    expires_at: datetime


def find_same_proposal(
    session: Session, team_id: int, product_id: int, advice: Advice, now: datetime
) -> EarlierChanges | None:
    """Return the suggestion in which all proposed changes are pending, approved or to publish."""
    found: dict[int, EarlierChanges] = {}
    holds: Mapping[int, set[int]] = defaultdict(set)
    for number, known in _each(session, team_id, product_id, advice.actions, now):
        found[known.suggestion_id] = known
        holds[known.suggestion_id].add(number)
    whole = [each for each, numbers in holds.items() if len(numbers) == len(advice.actions)]
    return found[max(whole)] if whole else None


def require_new(
    session: Session, team_id: int, facts: Facts, advice: Advice, now: datetime
) -> None:
    """Raise InvalidInputError for a change proposed already, or decided on the same figures."""
    for number, known in _each(session, team_id, facts.product_id, advice.actions, now):
        raise InvalidInputError(
            f"{advice.actions[number].change.value}: Suggestion {known.suggestion_id} proposes the "
            "same. Leave it out here, or add the other changes to that suggestion."
        )
    _require_not_declined(session, team_id, facts, advice, now)
    hashes = change_hash(advice), evidence_hash(advice)
    if is_settled(session, team_id, facts.product_id, *hashes):
        raise InvalidInputError(
            "A manager has decided this, and no figure has changed since. Propose something else, "
            "or wait until a figure changes."
        )


def _each(
    session: Session,
    team_id: int,
    product_id: int,
    actions: Sequence[ProposedAction],
    now: datetime,
) -> list[tuple[int, EarlierChanges]]:
    """Return the places of the actions that were proposed before, each with its suggestion."""
    rows = session.execute(
        select(
            Suggestion.id,
            Suggestion.state,
            Suggestion.expires_at,
            SuggestionAction.change,
            SuggestionAction.proposed,
            SuggestionAction.state.label("action_state"),
        )
        .join(SuggestionAction, SuggestionAction.suggestion_id == Suggestion.id)
        .where(
            Suggestion.team_id == team_id,
            Suggestion.product_id == product_id,
            SuggestionAction.state.in_(_ON_ITS_WAY),
        )
    ).all()
    return [
        (number, EarlierChanges(row.id, SuggestionState(row.state), row.expires_at))
        for row in rows
        if row.action_state != ActionState.PENDING.value or row.expires_at > now
        for number, action in enumerate(actions)
        if _is_same(row, action)
    ]


def _is_same(row: Row[Any], action: ProposedAction) -> bool:
    return bool(row.change == action.change.value and are_equal(row.proposed, action.proposed))


def _require_not_declined(
    session: Session, team_id: int, facts: Facts, advice: Advice, now: datetime
) -> None:
    """Raise InvalidInputError for a declined change whose figures are the same now.

    Only the evidence of the declined suggestion counts, not what the new one cites besides.
    """
    rows = session.execute(
        select(
            SuggestionAction.change,
            SuggestionAction.proposed,
            SuggestionAction.decision_reason,
            Suggestion.id,
            Suggestion.evidence,
            Suggestion.evidence_hash,
        )
        .join(Suggestion, Suggestion.id == SuggestionAction.suggestion_id)
        .where(
            Suggestion.team_id == team_id,
            Suggestion.product_id == facts.product_id,
            SuggestionAction.state == ActionState.DECLINED.value,
            SuggestionAction.decided_at >= now - DECLINED_REMEMBERED_FOR,
        )
        .order_by(SuggestionAction.decided_at.desc())
    ).all()
    for row in rows:
        if any(_is_same(row, each) for each in advice.actions) and _is_unchanged(
            row, facts, advice
        ):
            raise InvalidInputError(
                f"{row.change}: This was declined in suggestion {row.id}, and its figures are the "
                f"same now. Reason: {_reason(row.decision_reason)}."
            )


def _reason(written: str | None) -> str:
    return quote(written, LONGEST_REASON) if written else "none given"


def _is_unchanged(row: Row[Any], facts: Facts, advice: Advice) -> bool:
    keys = {each["key"] for each in row.evidence}
    now = tuple(each for each in facts.evidence if each.key in keys)
    return evidence_hash(replace(advice, evidence=now)) == bytes(row.evidence_hash)
