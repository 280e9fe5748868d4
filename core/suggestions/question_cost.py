"""What a question to the model can cost at most, in dollars. Pure.

It is asked twice at most, and every reply may be as long as is allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.suggestions import prompt, replies
from core.suggestions.spending import Price

TIMES_ASKED = 2  # at most: once, and once more with what was wrong
_MOST_OF_A_REPLY = 1_500  # tokens of the reply and the reasons that are shown again


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
    told = message_tokens + prompt.count_tokens(str(replies.schema()))
    return price.of(TIMES_ASKED * told + _MOST_OF_A_REPLY, TIMES_ASKED * reply_tokens)
