"""Questions to the model for a text, as rows: claimed before the call, closed with its outcome.

Each is asked once, by its user and subject: a job that is repeated after a kill gets the kept text,
or none if the answer was lost. Never commits, never calls the model.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.suggestions.llm.call_log import (
    BACK_OFF,
    FAILURES,
    CallState,
    Outcome,
    is_backing_off,
)
from core.suggestions.llm.costs import explain_budget, lock_budget
from core.suggestions.models import ModelTextCall

_LOST = "The process that asked the model ended before it stored an answer."


@dataclass(frozen=True, slots=True)
class TextReader:
    """The user that a text is for."""

    team_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class TextQuestion:
    """A question for a user's text, and the most it can cost in dollars."""

    reader: TextReader
    subject: str
    model: str
    at: datetime
    largest_cost: Decimal


@dataclass(frozen=True, slots=True)
class KeptText:
    """How a question ended that was asked before. `text` None: for these reasons."""

    text: str | None
    model: str
    reasons: tuple[str, ...]


def claim_text(
    session: Session, question: TextQuestion, dollars_per_day: Decimal
) -> int | KeptText | str:
    """Claim a question. Return its id, how it ended before, or why the model isn't asked."""
    lock_budget(session)
    kept = session.scalars(
        select(ModelTextCall).where(
            ModelTextCall.person_id == question.reader.person_id,
            ModelTextCall.subject == question.subject,
        )
    ).first()
    if kept is not None:
        reasons = (_LOST,) if kept.state == CallState.ASKING.value else tuple(kept.reasons)
        return KeptText(kept.answer, kept.model, reasons)
    if is_backing_off(session, question.reader.team_id, question.at) or _is_failing(
        session, question.at
    ):
        return "The model server failed several times in a row; it is asked again in some minutes."
    reason = explain_budget(session, question.largest_cost, dollars_per_day, question.at)
    if reason is not None:
        return reason
    call = ModelTextCall(
        team_id=question.reader.team_id,
        person_id=question.reader.person_id,
        subject=question.subject,
        model=question.model,
        at=question.at,
        state=CallState.ASKING.value,
        cost_usd=question.largest_cost,
    )
    session.add(call)
    session.flush()
    return call.id


def _is_failing(session: Session, now: datetime) -> bool:
    """Return whether the newest questions for texts of the last minutes all failed.

    Of all teams: reports are made one after the other, and each would wait for the server.
    """
    newest = session.scalars(
        select(ModelTextCall.state)
        .where(ModelTextCall.at > now - BACK_OFF, ModelTextCall.state != CallState.ASKING.value)
        .order_by(ModelTextCall.at.desc(), ModelTextCall.id.desc())
        .limit(FAILURES)
    ).all()
    return len(newest) == FAILURES and set(newest) == {CallState.FAILED.value}


def close_text(session: Session, call_id: int, outcome: Outcome, text: str | None) -> None:
    """Store how a question ended, with its accepted text."""
    session.execute(
        update(ModelTextCall)
        .where(ModelTextCall.id == call_id)
        .values(
            state=outcome.state.value,
            model=outcome.model,
            answer=text,
            reasons=list(outcome.reasons),
            replies=list(outcome.replies),
            prompt_tokens=outcome.prompt_tokens,
            reply_tokens=outcome.reply_tokens,
            cost_usd=outcome.cost,
        )
    )


def delete_old_texts(session: Session, now: datetime, kept: timedelta) -> None:
    """Delete questions that are older than `kept`."""
    session.execute(delete(ModelTextCall).where(ModelTextCall.at < now - kept))
