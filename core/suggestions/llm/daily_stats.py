"""The model's questions of today: counts, cost and problems."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.models import Product
from core.suggestions.llm.call_log import CallState, is_backing_off
from core.suggestions.llm.costs import sum_spent_today
from core.suggestions.models import AdviceCall
from core.suggestions.rules import Advisor

MOST_PROBLEMS = 20  # questions without a usable reply that are listed
_PROBLEM_STATES = (CallState.REJECTED, CallState.FAILED)


@dataclass(frozen=True, slots=True)
class ModelProblem:
    """A question without a usable reply. The replies are data and must not be rendered."""

    at: datetime
    marketplace: str
    asin: str
    model: str | None
    state: CallState  # rejected or failed
    reasons: tuple[str, ...]
    replies: tuple[str, ...]  # the rejected ones


@dataclass(frozen=True, slots=True)
class ModelDay:
    """A team's questions of this UTC day. `dollars` is what all teams spent."""

    asked: int
    answered: int  # with suggestions, or that there is nothing to suggest
    rejected: int
    failed: int
    suggestions: int
    dollars: Decimal
    is_backing_off: bool = False  # the server failed several times in a row
    problems: tuple[ModelProblem, ...] = ()  # newest first


@requires(Permission.READ)
def get_model_day(session: Session, principal: Principal, now: datetime) -> ModelDay:
    """Return the team's questions to the model today."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    counted = (
        select(AdviceCall.state, func.count(), func.sum(AdviceCall.suggestions))
        .where(
            AdviceCall.team_id == principal.team_id,
            AdviceCall.advisor == Advisor.MODEL.value,
            AdviceCall.at >= midnight,
        )
        .group_by(AdviceCall.state)
    )
    counts, made = {}, 0
    for state, number, suggestions in session.execute(counted):
        counts[CallState(state)] = number
        made += suggestions
    return ModelDay(
        asked=sum(counts.values()),
        answered=counts.get(CallState.OK, 0) + counts.get(CallState.NOTHING, 0),
        rejected=counts.get(CallState.REJECTED, 0),
        failed=counts.get(CallState.FAILED, 0),
        suggestions=made,
        dollars=sum_spent_today(session, now),
        is_backing_off=is_backing_off(session, principal.team_id, now),
        problems=_read_problems(session, principal.team_id, midnight),
    )


def _read_problems(session: Session, team_id: int, since: datetime) -> tuple[ModelProblem, ...]:
    found = session.execute(
        select(AdviceCall, Product.marketplace, Product.asin)
        .join(Product, Product.id == AdviceCall.product_id)
        .where(
            AdviceCall.team_id == team_id,
            AdviceCall.advisor == Advisor.MODEL.value,
            AdviceCall.at >= since,
            AdviceCall.state.in_([state.value for state in _PROBLEM_STATES]),
        )
        .order_by(AdviceCall.at.desc(), AdviceCall.id.desc())
        .limit(MOST_PROBLEMS)
    )
    return tuple(_make_problem(*row) for row in found)


def _make_problem(call: AdviceCall, marketplace: str, asin: str) -> ModelProblem:
    return ModelProblem(
        at=call.at,
        marketplace=marketplace,
        asin=asin,
        model=call.model,
        state=CallState(call.state),
        reasons=tuple(call.reasons),
        replies=tuple(call.replies),
    )
