"""Questions to the model as rows: claimed before the call, closed with its outcome.

Never commits, never calls the model. A claim is a row in state `asking`, identified by its id
and time, so that a late answer is discarded if another process took the question over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.catalog.models import Product
from core.suggestions.llm.costs import explain_budget, lock_budget
from core.suggestions.models import AdviceCall, AdviceDue
from core.suggestions.rules import Advisor

AFTER_FAILURE = timedelta(minutes=30)  # until a failed question is asked again
BACK_OFF = timedelta(minutes=5)  # without questions after so many failures in a row
FAILURES = 3


class CallState(StrEnum):
    """The state of a question."""

    ASKING = "asking"
    OK = "ok"
    NOTHING = "nothing"  # the model proposes nothing
    REJECTED = "rejected"  # two replies were rejected
    FAILED = "failed"  # the server gave no reply
    # These are never stored.
    NOT_ASKED = "not_asked"
    KNOWN = "known"  # asked before, or being asked by another process
    LOST = "lost"  # another process took the question over, or the product was removed


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one product, and the most it can cost in dollars."""

    team_id: int
    product_id: int
    model: str
    facts_hash: bytes
    at: datetime
    largest_cost: Decimal


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to ask a question, until its time is over."""

    id: int
    at: datetime
    largest_cost: Decimal


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question ended. Tokens None: the server did not report them."""

    state: CallState
    model: str | None
    cost: Decimal
    reasons: Sequence[str] = ()
    replies: Sequence[str] = ()
    prompt_tokens: int | None = None
    reply_tokens: int | None = None
    suggestions: int = 0


def claim_question(
    session: Session, question: Question, *, lost_after: timedelta, dollars_per_day: Decimal
) -> Claim | str | None:
    """Claim a question. Return the claim, why the model isn't asked, or None if it was before.

    Claims are made one at a time, so that parallel calls keep the budget together. A question
    that a crash left in `asking` can be claimed again after `lost_after`; its possible cost
    stays counted.
    """
    lock_budget(session)
    if not _can_claim(session, question, lost_after):
        return None
    if session.scalar(select(Product.id).where(Product.id == question.product_id)) is None:
        return "The product was removed."
    if is_backing_off(session, question.team_id, question.at):
        return "The model server failed several times in a row; it is asked again in some minutes."
    reason = explain_budget(session, question.largest_cost, dollars_per_day, question.at)
    if reason is not None:
        return reason
    return Claim(_insert_question(session, question), question.at, question.largest_cost)


def _can_claim(session: Session, question: Question, lost_after: timedelta) -> bool:
    """Return whether these facts were never asked about, or failed or got lost long enough ago."""
    before = session.execute(
        select(AdviceCall.state, AdviceCall.at).where(*_same(question))
    ).one_or_none()
    if before is None:
        return True
    waits = {CallState.ASKING: lost_after, CallState.FAILED: AFTER_FAILURE}
    wait = waits.get(CallState(before.state))
    return wait is not None and before.at + wait <= question.at


def _same(question: Question) -> tuple[ColumnElement[bool], ...]:
    return (
        AdviceCall.team_id == question.team_id,
        AdviceCall.product_id == question.product_id,
        AdviceCall.advisor == Advisor.MODEL.value,
        AdviceCall.facts_hash == question.facts_hash,
    )


def _insert_question(session: Session, question: Question) -> int:
    new = insert(AdviceCall).values(
        team_id=question.team_id,
        product_id=question.product_id,
        advisor=Advisor.MODEL.value,
        model=question.model,
        facts_hash=question.facts_hash,
        at=question.at,
        state=CallState.ASKING.value,
        cost_usd=question.largest_cost,
    )
    again = {
        "model": new.excluded.model,
        "at": new.excluded.at,
        "state": new.excluded.state,
        "cost_usd": func.coalesce(AdviceCall.cost_usd, 0) + new.excluded.cost_usd,
    }
    same = ["team_id", "product_id", "advisor", "facts_hash"]
    taken = new.on_conflict_do_update(index_elements=same, set_=again).returning(AdviceCall.id)
    return session.execute(taken).scalar_one()


def close_question(session: Session, claim: Claim, outcome: Outcome) -> bool:
    """Store how a question ended; return False if another process has taken it over."""
    closed = session.execute(
        update(AdviceCall)
        .where(
            AdviceCall.id == claim.id,
            AdviceCall.at == claim.at,
            AdviceCall.state == CallState.ASKING.value,
        )
        .values(
            state=outcome.state.value,
            model=outcome.model,
            reasons=list(outcome.reasons),
            replies=list(outcome.replies),
            suggestions=outcome.suggestions,
            prompt_tokens=outcome.prompt_tokens,
            reply_tokens=outcome.reply_tokens,
            cost_usd=AdviceCall.cost_usd - claim.largest_cost + outcome.cost,
        )
        .returning(AdviceCall.id)
    )
    return closed.scalar_one_or_none() is not None


def count_suggestions(session: Session, claim: Claim, stored: int) -> None:
    """Store the number of new suggestions of a question that was just closed."""
    session.execute(update(AdviceCall).where(AdviceCall.id == claim.id).values(suggestions=stored))


def is_backing_off(session: Session, team_id: int, now: datetime) -> bool:
    """Return whether the server's newest answers of the last minutes were all failures."""
    newest = session.scalars(
        select(AdviceCall.state)
        .where(
            AdviceCall.team_id == team_id,
            AdviceCall.advisor == Advisor.MODEL.value,
            AdviceCall.at > now - BACK_OFF,
            AdviceCall.state != CallState.ASKING.value,
        )
        .order_by(AdviceCall.at.desc(), AdviceCall.id.desc())
        .limit(FAILURES)
    ).all()
    return len(newest) == FAILURES and set(newest) == {CallState.FAILED.value}


_LOST = "The process that asked the model ended before it stored an answer."


def requeue_lost_questions(session: Session, now: datetime, lost_after: timedelta) -> int:
    """Queue the products whose question a crash left open; return how many.

    The questions become failed now and are asked again `AFTER_FAILURE` after they were claimed.
    """
    lost = session.execute(
        update(AdviceCall)
        .where(
            AdviceCall.advisor == Advisor.MODEL.value,
            AdviceCall.state == CallState.ASKING.value,
            AdviceCall.at <= now - lost_after,
        )
        .values(state=CallState.FAILED.value, reasons=[_LOST])
        .returning(AdviceCall.team_id, AdviceCall.product_id, AdviceCall.at)
    ).all()
    for each in lost:
        waiting = {"team_id": each.team_id, "product_id": each.product_id}
        due_at = max(now, each.at + AFTER_FAILURE)
        session.execute(insert(AdviceDue).values(**waiting, due_at=due_at).on_conflict_do_nothing())
    return len(lost)
