"""How the model did today, for a screen: what was asked, what it cost, what went wrong."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.models import Product
from core.suggestions.llm.call_log import CallState, is_resting
from core.suggestions.llm.costs import spent_today
from core.suggestions.models import AdviceCall
from core.suggestions.rules import Advisor

MOST_TOLD = 20  # questions of a day that brought nothing usable
_TROUBLE = (CallState.REJECTED, CallState.FAILED)


@dataclass(frozen=True, slots=True)
class ModelProblem:
    """A question that brought nothing usable. What the model said is data, not to be rendered."""

    at: datetime
    marketplace: str
    asin: str
    model: str | None
    state: CallState  # rejected or failed
    reasons: tuple[str, ...]
    replies: tuple[str, ...]  # the rejected ones


@dataclass(frozen=True, slots=True)
class ModelDay:
    """A team's questions of this UTC day. `dollars` is what all teams spent of the budget."""

    asked: int
    answered: int  # with suggestions or with the word that there is nothing to suggest
    rejected: int
    failed: int
    suggestions: int
    dollars: Decimal
    is_resting: bool = False  # the server failed several times in a row
    troubles: tuple[ModelProblem, ...] = ()  # the newest first


@requires(Permission.READ)
def model_day(session: Session, principal: Principal, now: datetime) -> ModelDay:
    """Return how the acting person's team fared with the model today."""
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
        dollars=spent_today(session, now),
        is_resting=is_resting(session, principal.team_id, now),
        troubles=_troubles(session, principal.team_id, midnight),
    )


def _troubles(session: Session, team_id: int, since: datetime) -> tuple[ModelProblem, ...]:
    found = session.execute(
        select(AdviceCall, Product.marketplace, Product.asin)
        .join(Product, Product.id == AdviceCall.product_id)
        .where(
            AdviceCall.team_id == team_id,
            AdviceCall.advisor == Advisor.MODEL.value,
            AdviceCall.at >= since,
            AdviceCall.state.in_([state.value for state in _TROUBLE]),
        )
        .order_by(AdviceCall.at.desc(), AdviceCall.id.desc())
        .limit(MOST_TOLD)
    )
    return tuple(_trouble(*row) for row in found)


def _trouble(call: AdviceCall, marketplace: str, asin: str) -> ModelProblem:
    return ModelProblem(
        at=call.at,
        marketplace=marketplace,
        asin=asin,
        model=call.model,
        state=CallState(call.state),
        reasons=tuple(call.reasons),
        replies=tuple(call.replies),
    )
