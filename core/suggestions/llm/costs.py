"""What models cost: prices by setting, the cost of a call, what today has cost.

Amounts are US dollars; prices are for a million tokens. The day is UTC's, as for fetching.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.models import Team
from core.suggestions.llm import prompt, reply_parser
from core.suggestions.models import AdviceCall

TIMES_ASKED = 2  # at most: once, and once more with what was wrong
_MOST_OF_A_REPLY = 1_500  # tokens of the reply and the reasons that are shown again
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


# One question. It is asked twice at most, and every reply may be as long as is allowed.


@dataclass(frozen=True, slots=True)
class CostRange:
    """What the shortest and the longest question can cost at most."""

    shortest: Decimal
    longest: Decimal


def most_cost(messages: Sequence[prompt.Message], price: Price, reply_tokens: int) -> Decimal:
    """Return what one question can cost at most."""
    told = sum(prompt.count_tokens(each["content"]) for each in messages)
    return _most(told, price, reply_tokens)


def cost_range(price: Price, reply_tokens: int) -> CostRange:
    """Return between what and what a question can cost at most, before its facts are known."""
    without_facts = prompt.count_tokens(prompt.SYSTEM)
    with_facts = without_facts + prompt.MOST_TOKENS
    return CostRange(
        _most(without_facts, price, reply_tokens), _most(with_facts, price, reply_tokens)
    )


def _most(message_tokens: int, price: Price, reply_tokens: int) -> Decimal:
    told = message_tokens + prompt.count_tokens(str(reply_parser.reply_schema()))
    return price.of(TIMES_ASKED * told + _MOST_OF_A_REPLY, TIMES_ASKED * reply_tokens)
