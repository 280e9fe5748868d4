"""Costs of the model: prices from the settings, cost of a question, today's costs.

Amounts are in US dollars, prices per million tokens. A day is a UTC day, as for fetching.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.accounts.models import Team
from core.suggestions.llm import prompt, reply_parser
from core.suggestions.models import AdviceCall, ModelTextCall

MOST_REPLIES = 2  # to a question: the first, and one after the reasons for its rejection
_MOST_OF_A_REPLY = 1_500  # tokens of the rejected reply and the reasons, sent with the second
_MILLION = Decimal(1_000_000)
_FINEST = Decimal("0.000001")  # the column's precision


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a model's tokens, in dollars per million."""

    prompt: Decimal
    reply: Decimal

    def calculate_cost(self, prompt_tokens: int, reply_tokens: int) -> Decimal:
        """Return the cost of so many tokens, rounded up to a millionth of a dollar."""
        exact = (self.prompt * prompt_tokens + self.reply * reply_tokens) / _MILLION
        return exact.quantize(_FINEST, ROUND_UP)


def read_prices(setting: str) -> dict[str, Price]:
    """Return the prices of AMAZCOPE_MODEL_PRICES by model. The settings checked its form."""
    entries = (entry.rpartition("=") for entry in setting.split(",") if entry)
    return {model.strip(): _price(written) for model, _, written in entries}


def _price(written: str) -> Price:
    prompt, reply = written.split("/")
    return Price(Decimal(prompt), Decimal(reply))


def sum_spent_today(session: Session, now: datetime) -> Decimal:
    """Return the cost of all teams' calls of this UTC day; open ones at their largest cost.

    Those for advice and those for texts of reports.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    spent = session.scalar(
        # By team, since the index begins with the team.
        select(func.sum(AdviceCall.cost_usd))
        .select_from(Team)
        .join(AdviceCall, AdviceCall.team_id == Team.id)
        .where(AdviceCall.at >= midnight)
    )
    texts = session.scalar(
        select(func.sum(ModelTextCall.cost_usd)).where(ModelTextCall.at >= midnight)
    )
    return (spent or Decimal(0)) + (texts or Decimal(0))


def lock_budget(session: Session) -> None:
    """Have claims of questions made one at a time, so that together they keep the budget."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('amazcope'), hashtext('model'))"))


def explain_budget(
    session: Session, largest_cost: Decimal, dollars_per_day: Decimal, now: datetime
) -> str | None:
    """Return why a question may not be asked by today's budget; None: it may."""
    if sum_spent_today(session, now) + largest_cost <= dollars_per_day:
        return None
    return (
        f"The model is asked again tomorrow (UTC): what is left of today's ${dollars_per_day} "
        "is less than a question may cost. AMAZCOPE_MODEL_DOLLARS_PER_DAY sets the limit."
    )


# The largest cost of a question: two replies, both as long as allowed


@dataclass(frozen=True, slots=True)
class CostRange:
    """The largest cost of the shortest and of the longest question."""

    shortest: Decimal
    longest: Decimal


def estimate_largest_cost(
    messages: Sequence[prompt.Message], price: Price, reply_tokens: int
) -> Decimal:
    """Return the largest cost of a question with these messages."""
    message_tokens = sum(prompt.count_tokens(each["content"]) for each in messages)
    return _most(message_tokens, price, reply_tokens)


def estimate_cost_range(price: Price, reply_tokens: int) -> CostRange:
    """Return the largest cost of a question without facts and of one with the longest facts."""
    without_facts = prompt.count_tokens(prompt.SYSTEM)
    with_facts = without_facts + prompt.MOST_TOKENS
    return CostRange(
        _most(without_facts, price, reply_tokens), _most(with_facts, price, reply_tokens)
    )


def _most(message_tokens: int, price: Price, reply_tokens: int) -> Decimal:
    sent = message_tokens + prompt.count_tokens(str(reply_parser.get_reply_schema()))
    return price.calculate_cost(MOST_REPLIES * sent + _MOST_OF_A_REPLY, MOST_REPLIES * reply_tokens)
