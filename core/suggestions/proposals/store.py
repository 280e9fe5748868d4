"""Stores advice as pending suggestions. Never commits.

The same pending change is stored once. A declined change is stored again only with new
evidence, an approved or applied one not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import exists, insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Via
from core.errors import InvalidInputError
from core.suggestions.changes.registry import get_spec
from core.suggestions.fingerprints import change_hash, evidence_hash
from core.suggestions.lifecycle import ActorRef, append_event
from core.suggestions.models import Suggestion, SuggestionAction
from core.suggestions.rules import (
    ActionState,
    Advice,
    Advisor,
    Kind,
    ProposedAction,
    SuggestionState,
)

# The figures behind a price hold for a week, those behind a text for a month.
LASTS: Mapping[Kind, timedelta] = {
    Kind.PRICING: timedelta(days=7),
    Kind.CONTENT: timedelta(days=30),
    Kind.TRACKING: timedelta(days=30),
}
_WEIGHT: Mapping[int, float] = {1: 100.0, 2: 30.0, 3: 10.0}  # of a priority in the queue
_DECIDED = (
    SuggestionState.DECLINED,
    SuggestionState.PARTLY_APPROVED,
    SuggestionState.APPROVED,
)
_ON_ITS_WAY = (ActionState.APPROVED, ActionState.APPLIED)


def compute_worth(advice: Advice) -> float:
    """Return what the queue is ordered by: the priority's weight times the confidence."""
    return _WEIGHT[advice.priority] * advice.confidence


def store_advice(
    session: Session,
    team_id: int,
    product_id: int,
    advice: Advice,
    advisor: Advisor,
    model: str | None,
    asked_by: int | None,
    now: datetime,
    *,
    means: Via = Via.JOB,
) -> int | None:
    """Store advice as a suggestion and return its id; None if it is pending or settled already.

    `asked_by`: the user who requested it; None: the daily run. Raises InvalidInputError for
    advice without actions or with actions of several kinds.
    """
    actions = _checked_actions(advice)
    change, evidence = change_hash(advice), evidence_hash(advice)
    if is_settled(session, team_id, product_id, change, evidence):
        return None
    values = {
        "team_id": team_id,
        "product_id": product_id,
        "kind": advice.kind.value,
        "title": _clean(advice.title),
        "reasoning": _clean(advice.reasoning),
        "priority": advice.priority,
        "confidence": advice.confidence,
        "worth": compute_worth(advice),
        "metric": advice.metric.value,
        "direction": advice.direction.value,
        "window_days": advice.window_days,
        "advisor": advisor.value,
        "model": model,
        "evidence": serialize_evidence(advice),
        "change_hash": change,
        "evidence_hash": evidence,
        "asked_by": asked_by,
        "made_at": now,
        "expires_at": now + LASTS[advice.kind],
    }
    suggestion_id = _insert_once(session, values)
    if suggestion_id is not None:
        insert_actions(session, suggestion_id, actions)
        author = advisor.value if model is None else f"{advisor.value}: {model}"
        by = ActorRef(asked_by, means)
        append_event(
            session, suggestion_id, SuggestionState.PENDING.value, now, by, why=f"By {author}."
        )
    return suggestion_id


def _checked_actions(advice: Advice) -> list[tuple[ProposedAction, dict[str, Any]]]:
    if not advice.actions:
        raise InvalidInputError("A suggestion has at least one action.")
    if any(each.change.kind is not advice.kind for each in advice.actions):
        raise InvalidInputError("All actions of a suggestion are of one kind.")
    return [(each, get_spec(each.change).validate(each.proposed)) for each in advice.actions]


def is_settled(
    session: Session, team_id: int, product_id: int, change: bytes, evidence: bytes
) -> bool:
    """Return whether the same change was decided on this evidence, or is approved or applied."""
    same = (
        Suggestion.team_id == team_id,
        Suggestion.product_id == product_id,
        Suggestion.change_hash == change,
    )
    decided = select(Suggestion.id).where(
        *same, Suggestion.evidence_hash == evidence, Suggestion.state.in_(_DECIDED)
    )
    under_way = (
        select(Suggestion.id)
        .join(SuggestionAction, SuggestionAction.suggestion_id == Suggestion.id)
        .where(*same, SuggestionAction.state.in_(_ON_ITS_WAY))
    )
    found = session.scalar(select(exists(decided) | exists(under_way)))
    return bool(found)


def _insert_once(session: Session, values: Mapping[str, Any]) -> int | None:
    statement = (
        postgresql.insert(Suggestion)
        .values(**values)
        .on_conflict_do_nothing(
            index_elements=["team_id", "product_id", "change_hash"],
            index_where=text("state = 'pending'"),
        )
        .returning(Suggestion.id)
    )
    return session.scalar(statement)


def insert_actions(
    session: Session,
    suggestion_id: int,
    actions: Sequence[tuple[ProposedAction, dict[str, Any]]],
    first: int = 0,
) -> list[int]:
    """Store actions in their order and return their ids. `first`: the place of the first one."""
    rows = [
        {
            "suggestion_id": suggestion_id,
            "place": place,
            "change": each.change.value,
            "current": _plain(dict(each.current)),
            "proposed": proposed,
            "reason": _clean(each.reason),
        }
        for place, (each, proposed) in enumerate(actions, first)
    ]
    made = insert(SuggestionAction).returning(SuggestionAction.id, sort_by_parameter_order=True)
    return list(session.scalars(made, rows))


def serialize_evidence(advice: Advice) -> list[dict[str, Any]]:
    """Return the figures of advice as a suggestion stores them."""
    return [_plain(asdict(each)) for each in advice.evidence]


def _clean(value: str) -> str:
    """Return text as PostgreSQL can store it."""
    return value.replace("\x00", "")


def _plain(values: dict[str, Any]) -> Any:
    return orjson.loads(orjson.dumps(values, default=str).replace(b"\\u0000", b""))
