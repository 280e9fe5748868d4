"""How the model did today, for a screen: what was asked, what it cost, what went wrong last."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.rules import Acting, Right
from core.accounts.verbs import verb
from core.suggestions.calls import CallState
from core.suggestions.models import AdviceCall
from core.suggestions.rules import Advisor
from core.suggestions.spending import spent_today

_TROUBLE = (CallState.REJECTED.value, CallState.FAILED.value)


@dataclass(frozen=True, slots=True)
class ModelDay:
    """A team's questions of this UTC day. `dollars` is what all teams spent of the budget."""

    asked: int
    answered: int  # with suggestions or with the word that there is nothing to suggest
    rejected: int
    failed: int
    dollars: Decimal
    trouble: tuple[str, ...] = ()  # reasons of the newest question that brought nothing usable
    trouble_at: datetime | None = None


@verb(Right.READ)
def model_day(session: Session, acting: Acting, now: datetime) -> ModelDay:
    """Return how the acting person's team fared with the model today."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    today = (
        AdviceCall.team_id == acting.team_id,
        AdviceCall.advisor == Advisor.MODEL.value,
        AdviceCall.at >= midnight,
    )
    counted = select(AdviceCall.state, func.count()).where(*today).group_by(AdviceCall.state)
    counts: dict[str, int] = {row[0]: row[1] for row in session.execute(counted)}
    newest = session.execute(
        select(AdviceCall.reasons, AdviceCall.at)
        .where(*today, AdviceCall.state.in_(_TROUBLE))
        .order_by(AdviceCall.at.desc(), AdviceCall.id.desc())
        .limit(1)
    ).one_or_none()
    return ModelDay(
        asked=sum(counts.values()),
        answered=counts.get(CallState.OK.value, 0) + counts.get(CallState.NOTHING.value, 0),
        rejected=counts.get(CallState.REJECTED.value, 0),
        failed=counts.get(CallState.FAILED.value, 0),
        dollars=spent_today(session, now),
        trouble=tuple(newest.reasons) if newest else (),
        trouble_at=newest.at if newest else None,
    )
