"""Questions to the model as rows: claimed before it is asked, closed with what it said.

Never commits and never calls out. A claim is a row in `asking`; whoever holds it knows its
id and its time, so that an answer that comes after another took the question over is let go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.catalog.models import Product
from core.suggestions.llm.costs import spent_today
from core.suggestions.models import AdviceCall, AdviceDue
from core.suggestions.rules import Advisor

AFTER_FAILURE = timedelta(minutes=30)  # before a question that failed is asked again
_REST = timedelta(minutes=5)  # of a server that failed so many times in a row
_FAILURES = 3


class CallState(StrEnum):
    """What became of a question."""

    ASKING = "asking"
    OK = "ok"
    NOTHING = "nothing"  # the model proposes nothing
    REJECTED = "rejected"  # two replies could not be used
    FAILED = "failed"  # the server gave no reply
    # Of these no row is written: the model was not asked.
    NOT_ASKED = "not_asked"
    KNOWN = "known"  # asked already, or being asked by another
    LOST = "lost"  # another took the question over, or the product is gone


@dataclass(frozen=True, slots=True)
class Question:
    """What a question is about, and what it can cost at most in dollars."""

    team_id: int
    product_id: int
    model: str
    facts_hash: bytes
    at: datetime
    most: Decimal


@dataclass(frozen=True, slots=True)
class Claim:
    """A question that is this process's own to ask, until its time is over."""

    id: int
    at: datetime
    most: Decimal


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question ended. Tokens None: the server did not say."""

    state: CallState
    model: str | None
    cost: Decimal
    reasons: Sequence[str] = ()
    replies: Sequence[str] = ()
    prompt_tokens: int | None = None
    reply_tokens: int | None = None
    suggestions: int = 0


def claim(
    session: Session, question: Question, *, lost_after: timedelta, dollars_per_day: Decimal
) -> Claim | str | None:
    """Take a question over: a claim, or why the model isn't asked, or None if it was already.

    One claim is made at a time, so that many at once keep to the budget together. What a
    crash left in `asking` is free again after `lost_after`; what it may have cost stays.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('amazcope'), hashtext('model'))"))
    if not _is_free(session, question, lost_after):
        return None
    if session.scalar(select(Product.id).where(Product.id == question.product_id)) is None:
        return "The product is gone."
    if is_resting(session, question.team_id, question.at):
        return "The model server failed several times in a row; it is asked again in some minutes."
    if spent_today(session, question.at) + question.most > dollars_per_day:
        return (
            f"The model is asked again tomorrow (UTC): what is left of today's ${dollars_per_day} "
            "is less than a question may cost. AMAZCOPE_MODEL_DOLLARS_PER_DAY sets the limit."
        )
    return Claim(_take(session, question), question.at, question.most)


def _is_free(session: Session, question: Question, lost_after: timedelta) -> bool:
    """Return whether nobody has asked this, or whoever did got no answer long enough ago."""
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


def _take(session: Session, question: Question) -> int:
    new = insert(AdviceCall).values(
        team_id=question.team_id,
        product_id=question.product_id,
        advisor=Advisor.MODEL.value,
        model=question.model,
        facts_hash=question.facts_hash,
        at=question.at,
        state=CallState.ASKING.value,
        cost_usd=question.most,
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


def close(session: Session, claim: Claim, outcome: Outcome) -> bool:
    """Keep how a question ended; False when it is no longer this claim's to close."""
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
            cost_usd=AdviceCall.cost_usd - claim.most + outcome.cost,
        )
        .returning(AdviceCall.id)
    )
    return closed.scalar_one_or_none() is not None


def count_suggestions(session: Session, claim: Claim, stored: int) -> None:
    """Keep how many suggestions came of a question that was just closed."""
    session.execute(update(AdviceCall).where(AdviceCall.id == claim.id).values(suggestions=stored))


def is_resting(session: Session, team_id: int, now: datetime) -> bool:
    """Return whether the newest answers of the last minutes were all failures of the server."""
    newest = session.scalars(
        select(AdviceCall.state)
        .where(
            AdviceCall.team_id == team_id,
            AdviceCall.advisor == Advisor.MODEL.value,
            AdviceCall.at > now - _REST,
            AdviceCall.state != CallState.ASKING.value,
        )
        .order_by(AdviceCall.at.desc(), AdviceCall.id.desc())
        .limit(_FAILURES)
    ).all()
    return len(newest) == _FAILURES and set(newest) == {CallState.FAILED.value}


_LOST = "The process that asked was ended before an answer was kept."


def put_back_lost(session: Session, now: datetime, lost_after: timedelta) -> int:
    """Let products wait for advice again whose question a crash left open; return how many.

    They are asked when `AFTER_FAILURE` is over. What was left open counts as failed from now.
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
