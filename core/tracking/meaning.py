"""What a change means to the person who follows the product. Pure.

A rank that worsens is bad news of one's own product and good news of a
competitor's; a price that moves is neither. Kinds are those stored in
`product_latest.attention_kind`.
"""

from enum import StrEnum

from core.tracking.rules import Role


class Mood(StrEnum):
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
    {(Role.OWN, kind): Mood.WORSE for kind in (*_SETBACKS, "buy_box_moved")}
    | {(Role.OWN, kind): Mood.BETTER for kind in _GAINS}
    | {(Role.COMPETITOR, kind): Mood.BETTER for kind in _SETBACKS}
    | {(Role.COMPETITOR, kind): Mood.WORSE for kind in _GAINS}
)

# Pairs of role and kind, joined: what SQL compares with.
OPPORTUNITIES = tuple(f"{role}:{kind}" for (role, kind), m in _MOODS.items() if m is Mood.BETTER)
# Good news of a product that is only watched is no reason to act.
CALM = (*OPPORTUNITIES, *(f"{Role.WATCHED}:{kind}" for kind in _GAINS))


def mood(role: Role, kind: str) -> Mood:
    """Return whether a change is better or worse for somebody with this role."""
    return _MOODS.get((role, kind), Mood.NEUTRAL)
