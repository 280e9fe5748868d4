"""What models cost: prices by setting, the cost of a call, what today has cost.

Amounts are US dollars; prices are for a million tokens. The day is UTC's, as for fetching.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.models import Team
from core.suggestions.models import AdviceCall

_MILLION = Decimal(1_000_000)
_FINEST = Decimal("0.000001")  # what the column keeps


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost, in dollars per million."""

    prompt: Decimal
    reply: Decimal

    def of(self, prompt_tokens: int, reply_tokens: int) -> Decimal:
        """Return what so many tokens cost, rounded up to a millionth of a dollar."""
        exact = (self.prompt * prompt_tokens + self.reply * reply_tokens) / _MILLION
        return exact.quantize(_FINEST, ROUND_UP)


def read_prices(setting: str) -> dict[str, Price]:
    """Return the price table of AMAZCOPE_MODEL_PRICES, whose form the settings have checked."""
    entries = (entry.rpartition("=") for entry in setting.split(",") if entry)
    return {model.strip(): _price(written) for model, _, written in entries}


def _price(written: str) -> Price:
    prompt, reply = written.split("/")
    return Price(Decimal(prompt), Decimal(reply))


def spent_today(session: Session, now: datetime) -> Decimal:
    """Return what all teams' calls of this UTC day have cost, the open ones at their most."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    spent = session.scalar(
        # By team, since that is what the index begins with.
        select(func.sum(AdviceCall.cost_usd))
        .select_from(Team)
        .join(AdviceCall, AdviceCall.team_id == Team.id)
        .where(AdviceCall.at >= midnight)
    )
    return spent or Decimal(0)
