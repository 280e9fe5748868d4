"""Whether a change is good or bad for the user who tracks the product. Pure.

A worse rank is bad for an own product and good for a competitor's; a price change is
neither. Kinds are those stored in `product_change.attention_kind`.
"""

from enum import StrEnum

from core.thresholds import Thresholds
from core.tracking.rules import Role


class Sentiment(StrEnum):
    """Better or worse for the user."""

    BETTER = "better"
    WORSE = "worse"
    NEUTRAL = "neutral"


_SETBACKS = (
    "gone",
    "out_of_stock",
    "buy_box_suppressed",
    "ratings_lost",
    "rank_worsened",
)
_GAINS = ("back_in_stock", "rank_improved")

_MOODS = (
    {(Role.OWN, kind): Sentiment.WORSE for kind in (*_SETBACKS, "buy_box_moved")}
    | {(Role.OWN, kind): Sentiment.BETTER for kind in _GAINS}
    | {(Role.COMPETITOR, kind): Sentiment.BETTER for kind in _SETBACKS}
    | {(Role.COMPETITOR, kind): Sentiment.WORSE for kind in _GAINS}
)

# Pairs of role and kind as one text, as SQL compares them.
OPPORTUNITIES = tuple(
    f"{role}:{kind}" for (role, kind), m in _MOODS.items() if m is Sentiment.BETTER
)
# An improvement of a product that is only watched is no reason to act.
NOT_A_PROBLEM = (*OPPORTUNITIES, *(f"{Role.WATCHED}:{kind}" for kind in _GAINS))


def find_sentiment(role: Role, kind: str) -> Sentiment:
    """Return whether a change of a product with this role is better or worse."""
    return _MOODS.get((role, kind), Sentiment.NEUTRAL)


def rank_sentiment(role: Role | None, before: float | None, after: float | None) -> Sentiment:
    """Return whether a changed rank is better or worse; role None: the product isn't tracked."""
    if role is None or before is None or after is None or before == after:
        return Sentiment.NEUTRAL
    return find_sentiment(role, "rank_improved" if after < before else "rank_worsened")


def exceeds_threshold(
    kind: str, before: int | None, after: int | None, thresholds: Thresholds
) -> bool:
    """Return whether a change of a product reaches the user's thresholds.

    Ranks are compared by their ratio: halving counts as much as doubling. The same in SQL:
    `list_filter_sql.IS_ENOUGH`.
    """
    if before is None or after is None:
        return True
    if kind == "price_moved":
        return abs(after - before) * 100 >= thresholds.price_percent * before
    if kind in ("rank_worsened", "rank_improved"):
        return max(before, after) * 100 >= min(before, after) * (100 + thresholds.rank_percent)
    return True
