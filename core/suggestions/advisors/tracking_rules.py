"""When a product should be watched otherwise. Pure; each rule needs history of its own."""

from dataclasses import dataclass
from math import ceil

from core.history.observation import Availability
from core.suggestions.evidence.competitor_candidates import ENOUGH, WANTED
from core.suggestions.evidence.lookup import EvidenceLookup
from core.suggestions.rules import Advice, Change, Direction, Metric, ProposedAction
from core.text.numbers import format_rank
from core.text.times import format_cadence
from core.thresholds import LARGEST_THRESHOLD
from core.tracking.rules import Cadence


@dataclass(frozen=True, slots=True)
class NoiseRule:
    """When a threshold calls the ordinary news."""

    pairs: int = 21  # of neighbouring days: fewer, and no quantile means much
    too_often: float = 0.2  # of the days pass the threshold


@dataclass(frozen=True, slots=True)
class CadenceRule:
    """When looks are too many or too few."""

    days: int = 25  # of the last 30 with a price
    idle_looks: float = 3.0  # looks on a day that brought no news
    restless_share: float = 0.4  # of days that close at another price
    out_of_stock: float = 5.0  # percent of 90 days


USUAL_NOISE = NoiseRule()
USUAL_CADENCE = CadenceRule()


def advise_price_threshold(known: EvidenceLookup, rule: NoiseRule = USUAL_NOISE) -> Advice | None:
    """The price passes its threshold so often that an alert says nothing."""
    current = known.facts.price_change_percent
    return _threshold(known, "price", Change.SET_PRICE_THRESHOLD, current, rule)


def advise_rank_threshold(known: EvidenceLookup, rule: NoiseRule = USUAL_NOISE) -> Advice | None:
    """The rank passes its threshold so often that an alert says nothing."""
    current = known.facts.rank_change_percent
    return _threshold(known, "rank", Change.SET_RANK_THRESHOLD, current, rule)


def _threshold(
    known: EvidenceLookup, name: str, change: Change, current: float | None, rule: NoiseRule
) -> Advice | None:
    keys = (f"{name}_threshold", f"{name}_alerts_90", f"{name}_moves_90", f"{name}_wide_move_90")
    found = known.numbers(*keys)
    if found is None:
        return None
    threshold, fired, pairs, wide = found
    then = rounded_up(wide)
    if pairs < rule.pairs or fired / pairs < rule.too_often:
        return None
    if not threshold < then <= LARGEST_THRESHOLD:
        return None
    said = (
        f"On {fired:g} of {pairs:g} days of the last 90 the {name} moved by {threshold:g} % or "
        f"more. Nine in ten of its daily moves are within {wide:g} %: at {then:g} % it is news "
        "only when it is unusual."
    )
    before = {"percent": None if current is None else f"{current:g}"}
    proposed = ProposedAction(change, before, {"percent": f"{then:g}"}, said)
    title = f"Raise the {name} threshold from {threshold:g} % to {then:g} %"
    return _tracking(known, title, said, 3, 0.8, keys, proposed)


def rounded_up(percent: float) -> float:
    """Return a percentage a person would choose, just above: 7.2 → 7.5, 43 → 45, 212 → 225."""
    step = 0.5 if percent < 10 else 5 if percent < 100 else 25
    return (ceil(percent / step - 1e-9) + (percent % step < 1e-9)) * step


# How often to look


_SLOWER = {Cadence.HOURLY: Cadence.SIX_HOURS, Cadence.SIX_HOURS: Cadence.DAILY}
_FASTER = {Cadence.WEEKLY: Cadence.DAILY, Cadence.DAILY: Cadence.SIX_HOURS}


def advise_cadence(known: EvidenceLookup, rule: CadenceRule = USUAL_CADENCE) -> Advice | None:
    """Looks bring no news and cost money, or things happen between them."""
    if not known.has("price_days_30", rule.days):
        return None
    return _faster(known, rule) or _slower(known, rule)


def _slower(known: EvidenceLookup, rule: CadenceRule) -> Advice | None:
    then = _SLOWER.get(Cadence(known.facts.cadence))
    keys = ("looks_per_day_30", "price_changes_30", "price_ranges_30", "out_of_stock_90")
    found = known.numbers(*keys)
    if then is None or found is None:
        return None
    looks, changes, ranges, away = found
    if looks < rule.idle_looks or changes or ranges or away or known.has("rank_alerts_90", 1):
        return None
    said = (
        f"With {looks:g} looks on a day, the price never moved in 30 days, stock never ran out in "
        "90, and no move of the rank passed its threshold: fewer looks would have seen the same."
    )
    return _cadence(known, then, said, (*keys, "rank_alerts_90"), Direction.FALLS)


def _faster(known: EvidenceLookup, rule: CadenceRule) -> Advice | None:
    then = _FASTER.get(Cadence(known.facts.cadence))
    found = known.numbers("price_days_30", "price_changes_30")
    if then is None or found is None:
        return None
    days, changes = found
    away = known.number("out_of_stock_90") or 0
    is_restless = changes / days >= rule.restless_share
    if not is_restless and away < rule.out_of_stock:
        return None
    said = (
        f"The price was another one on {changes:g} of {days:g} days: much happens between looks."
        if is_restless
        else f"It was out of stock for {away:g} % of the last 90 days; a look more often says "
        "sooner when it is, and when it is back."
    )
    keys = ("price_days_30", "price_changes_30", "out_of_stock_90", "looks_per_day_30")
    return _cadence(known, then, said, keys, Direction.RISES)


def _cadence(
    known: EvidenceLookup, then: Cadence, said: str, keys: tuple[str, ...], direction: Direction
) -> Advice:
    now = known.facts.cadence
    proposed = ProposedAction(Change.SET_CADENCE, {"cadence": now}, {"cadence": then.value}, said)
    title = f"Look {format_cadence(then.value)} instead of {format_cadence(now)}"
    return _tracking(known, title, said, 3, 0.6, keys, proposed, direction=direction)


def advise_pause(known: EvidenceLookup, rule: CadenceRule = USUAL_CADENCE) -> Advice | None:
    """The page has been gone for a month: looking at it brings nothing."""
    found = known.numbers("stock_days_30", "out_of_stock_30")
    if known.facts.availability != Availability.GONE or found is None:
        return None
    days, away = found
    if days < rule.days or away < 100:
        return None
    said = f"The page is gone, on all {days:g} days of the last 30 with a look."
    keys = ("availability_now", "stock_days_30", "out_of_stock_30")
    proposed = ProposedAction(Change.PAUSE_TRACKING, {}, {}, said)
    return _tracking(known, "Pause looking at a page that is gone", said, 3, 0.7, keys, proposed)


# Whom to compare with


def advise_competitors(known: EvidenceLookup) -> Advice | None:
    """Followed products of the same shelf rank near it, and few competitors are chosen."""
    chosen_now, own = len(known.facts.competitors), known.number("bsr_now")
    numbered = [f"candidate_{number}" for number in range(1, WANTED - chosen_now + 1)]
    chosen = [each for each in numbered if known.text(each) is not None]
    if own is None or chosen_now >= ENOUGH or not chosen:
        return None
    said = (
        f"They stand on the same shelf and rank near {format_rank(own)}. Advice on price and "
        "content compares with chosen competitors only."
    )
    actions = [_add(known, each) for each in chosen]
    keys = ("bsr_now", *(key for each in chosen for key in (each, f"{each}_bsr")))
    title = f"Compare with {len(chosen)} more product{'s' if len(chosen) > 1 else ''}"
    return _tracking(known, title, said, 3, 0.7, keys, *actions, direction=Direction.RISES)


def _add(known: EvidenceLookup, candidate: str) -> ProposedAction:
    rank = format_rank(known.number(f"{candidate}_bsr"))
    proposed = {"marketplace": known.facts.marketplace, "asin": known.text(candidate)}
    reason = f"Same shelf, rank {rank}."
    return ProposedAction(Change.ADD_COMPETITOR, {}, proposed, reason)


def _tracking(
    known: EvidenceLookup,
    title: str,
    reasoning: str,
    priority: int,
    confidence: float,
    keys: tuple[str, ...],
    *actions: ProposedAction,
    direction: Direction = Direction.FALLS,
) -> Advice:
    return Advice(
        title=title,
        reasoning=reasoning,
        priority=priority,
        confidence=confidence,
        metric=Metric.ALERTS,
        direction=direction,
        window_days=30,
        evidence=known.cite(*keys),
        actions=actions,
    )
