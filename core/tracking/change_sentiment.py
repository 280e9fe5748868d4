"""What a change means to the person who follows the product. Pure.

A rank that worsens is bad news of one's own product and good news of a
competitor's; a price that moves is neither. Kinds are those stored in
`product_latest.attention_kind`.
"""

from decimal import Decimal
from enum import StrEnum

from core.tracking.rules import Role


class Sentiment(StrEnum):
    """Better or worse for this person."""

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

# Pairs of role and kind, joined: what SQL compares with.
OPPORTUNITIES = tuple(
    f"{role}:{kind}" for (role, kind), m in _MOODS.items() if m is Sentiment.BETTER
)
# Good news of a product that is only watched is no reason to act.
NOT_A_PROBLEM = (*OPPORTUNITIES, *(f"{Role.WATCHED}:{kind}" for kind in _GAINS))


def find_sentiment(role: Role, kind: str) -> Sentiment:
    """Return whether a change is better or worse for somebody with this role."""
    return _MOODS.get((role, kind), Sentiment.NEUTRAL)


def rank_sentiment(role: Role | None, before: float | None, after: float | None) -> Sentiment:
    """Return what a rank that moved means for a role; None: the product isn't tracked."""
    if role is None or before is None or after is None or before == after:
        return Sentiment.NEUTRAL
    return find_sentiment(role, "rank_improved" if after < before else "rank_worsened")


def exceeds_threshold(
    kind: str,
    before: int | None,
    after: int | None,
    price_percent: Decimal | None,
    rank_percent: Decimal | None,
) -> bool:
    """Return whether a change reaches the person's own thresholds; None: they set none.

    Ranks are compared by their ratio: half as far is as much as twice as far. The same
    in SQL: `narrowing`.
    """
    if before is None or after is None:
        return True
    if kind == "price_moved" and price_percent is not None:
        return abs(after - before) * 100 >= price_percent * before
    if kind in ("rank_worsened", "rank_improved") and rank_percent is not None:
        return max(before, after) * 100 >= min(before, after) * (100 + rank_percent)
    return True
