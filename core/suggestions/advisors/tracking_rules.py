"""Rules that propose tracking settings and competitors. Pure; each needs enough history."""

from dataclasses import dataclass
from math import ceil

from core.history.observation import Availability
from core.suggestions.evidence.competitor_candidates import ENOUGH_COMPETITORS, MOST_CANDIDATES
from core.suggestions.evidence.lookup import EvidenceLookup
from core.suggestions.rules import Advice, Change, Direction, Metric, ProposedAction
from core.text.numbers import format_rank
from core.text.times import format_cadence
from core.thresholds import LARGEST_THRESHOLD
from core.tracking.rules import Cadence


@dataclass(frozen=True, slots=True)
class NoiseRule:
    """When a threshold fires on ordinary changes."""

    pairs: int = 21  # of consecutive days; with fewer a quantile means little
    too_often: float = 0.2  # share of days on which the threshold is passed


@dataclass(frozen=True, slots=True)
class CadenceRule:
    """When checks are too many or too few."""

    days: int = 25  # of the last 30 with a price
    idle_checks: float = 3.0  # checks per day that showed no change
    restless_share: float = 0.4  # share of days that close at another price
    out_of_stock: float = 5.0  # percent of 90 days


USUAL_NOISE = NoiseRule()
USUAL_CADENCE = CadenceRule()


def advise_price_threshold(lookup: EvidenceLookup, rule: NoiseRule = USUAL_NOISE) -> Advice | None:
    """The price passes its threshold too often for an alert to be useful."""
    current = lookup.facts.price_change_percent
    return _advise_threshold(lookup, "price", Change.SET_PRICE_THRESHOLD, current, rule)


def advise_rank_threshold(lookup: EvidenceLookup, rule: NoiseRule = USUAL_NOISE) -> Advice | None:
    """The rank passes its threshold too often for an alert to be useful."""
    current = lookup.facts.rank_change_percent
    return _advise_threshold(lookup, "rank", Change.SET_RANK_THRESHOLD, current, rule)


def _advise_threshold(
    lookup: EvidenceLookup, name: str, change: Change, current: float | None, rule: NoiseRule
) -> Advice | None:
    keys = (f"{name}_threshold", f"{name}_alerts_90", f"{name}_moves_90", f"{name}_wide_move_90")
    found = lookup.find_numbers(*keys)
    if found is None:
        return None
    threshold, fired, pairs, wide = found
    then = round_up_percent(wide)
    if pairs < rule.pairs or fired / pairs < rule.too_often:
        return None
    if not threshold < then <= LARGEST_THRESHOLD:
        return None
    reasoning = (
        f"On {fired:g} of {pairs:g} days of the last 90 the {name} moved by {threshold:g} % or "
        f"more. Nine in ten of its daily moves are within {wide:g} %: at {then:g} % only unusual "
        "moves trigger an alert."
    )
    before = {"percent": None if current is None else f"{current:g}"}
    proposed = ProposedAction(change, before, {"percent": f"{then:g}"}, reasoning)
    title = f"Raise the {name} threshold from {threshold:g} % to {then:g} %"
    return _make_tracking_advice(lookup, title, reasoning, 3, 0.8, keys, proposed)


def round_up_percent(percent: float) -> float:
    """Return the next round percentage above: 7.2 → 7.5, 43 → 45, 212 → 225."""
    step = 0.5 if percent < 10 else 5 if percent < 100 else 25
    return (ceil(percent / step - 1e-9) + (percent % step < 1e-9)) * step


# How often to check


_SLOWER = {Cadence.HOURLY: Cadence.SIX_HOURS, Cadence.SIX_HOURS: Cadence.DAILY}
_FASTER = {Cadence.WEEKLY: Cadence.DAILY, Cadence.DAILY: Cadence.SIX_HOURS}


def advise_cadence(lookup: EvidenceLookup, rule: CadenceRule = USUAL_CADENCE) -> Advice | None:
    """Propose fewer checks if they show no changes, more if much changes between them."""
    if not lookup.has_at_least("price_days_30", rule.days):
        return None
    return _advise_faster(lookup, rule) or _advise_slower(lookup, rule)


def _advise_slower(lookup: EvidenceLookup, rule: CadenceRule) -> Advice | None:
    then = _SLOWER.get(Cadence(lookup.facts.cadence))
    keys = ("looks_per_day_30", "price_changes_30", "price_ranges_30", "out_of_stock_90")
    found = lookup.find_numbers(*keys)
    if then is None or found is None:
        return None
    checks, changes, ranges, out_of_stock = found
    if checks < rule.idle_checks or changes or ranges or out_of_stock:
        return None
    if lookup.has_at_least("rank_alerts_90", 1):
        return None
    reasoning = (
        f"With {checks:g} checks a day, the price never moved in 30 days, stock never ran out in "
        "90, and no move of the rank passed its threshold: fewer checks would show the same."
    )
    return _make_cadence_advice(lookup, then, reasoning, (*keys, "rank_alerts_90"), Direction.FALLS)


def _advise_faster(lookup: EvidenceLookup, rule: CadenceRule) -> Advice | None:
    then = _FASTER.get(Cadence(lookup.facts.cadence))
    found = lookup.find_numbers("price_days_30", "price_changes_30")
    if then is None or found is None:
        return None
    days, changes = found
    out_of_stock = lookup.find_number("out_of_stock_90") or 0
    is_restless = changes / days >= rule.restless_share
    if not is_restless and out_of_stock < rule.out_of_stock:
        return None
    reasoning = (
        f"The price changed on {changes:g} of {days:g} days: much happens between checks."
        if is_restless
        else f"It was out of stock for {out_of_stock:g} % of the last 90 days. More frequent "
        "checks show sooner when stock runs out and when it is back."
    )
    keys = ("price_days_30", "price_changes_30", "out_of_stock_90", "looks_per_day_30")
    return _make_cadence_advice(lookup, then, reasoning, keys, Direction.RISES)


def _make_cadence_advice(
    lookup: EvidenceLookup,
    then: Cadence,
    reasoning: str,
    keys: tuple[str, ...],
    direction: Direction,
) -> Advice:
    now = lookup.facts.cadence
    proposed = ProposedAction(
        Change.SET_CADENCE, {"cadence": now}, {"cadence": then.value}, reasoning
    )
    title = f"Check {format_cadence(then.value)} instead of {format_cadence(now)}"
    return _make_tracking_advice(
        lookup, title, reasoning, 3, 0.6, keys, proposed, direction=direction
    )


def advise_pause(lookup: EvidenceLookup, rule: CadenceRule = USUAL_CADENCE) -> Advice | None:
    """Propose to pause a product whose listing has been removed for a month."""
    found = lookup.find_numbers("stock_days_30", "out_of_stock_30")
    if lookup.facts.availability != Availability.GONE or found is None:
        return None
    days, out_of_stock = found
    if days < rule.days or out_of_stock < 100:
        return None
    reasoning = f"The listing has been removed, on all {days:g} checked days of the last 30."
    keys = ("availability_now", "stock_days_30", "out_of_stock_30")
    proposed = ProposedAction(Change.PAUSE_TRACKING, {}, {}, reasoning)
    return _make_tracking_advice(
        lookup, "Pause checks of a removed listing", reasoning, 3, 0.7, keys, proposed
    )


# Competitors


def advise_competitors(lookup: EvidenceLookup) -> Advice | None:
    """Propose tracked products of the same subcategory and a near rank, if few are chosen."""
    chosen_now, own = len(lookup.facts.competitors), lookup.find_number("bsr_now")
    numbered = [f"candidate_{number}" for number in range(1, MOST_CANDIDATES - chosen_now + 1)]
    chosen = [each for each in numbered if lookup.find_text(each) is not None]
    if own is None or chosen_now >= ENOUGH_COMPETITORS or not chosen:
        return None
    reasoning = (
        f"They are in the same subcategory and rank near {format_rank(own)}. Advice on price "
        "and content compares with chosen competitors only."
    )
    actions = [_propose_competitor(lookup, each) for each in chosen]
    keys = ("bsr_now", *(key for each in chosen for key in (each, f"{each}_bsr")))
    title = f"Add {len(chosen)} competitor{'s' if len(chosen) > 1 else ''}"
    return _make_tracking_advice(
        lookup, title, reasoning, 3, 0.7, keys, *actions, direction=Direction.RISES
    )


def _propose_competitor(lookup: EvidenceLookup, candidate: str) -> ProposedAction:
    rank = format_rank(lookup.find_number(f"{candidate}_bsr"))
    proposed = {"marketplace": lookup.facts.marketplace, "asin": lookup.find_text(candidate)}
    reason = f"Same subcategory, rank {rank}."
    return ProposedAction(Change.ADD_COMPETITOR, {}, proposed, reason)


def _make_tracking_advice(
    lookup: EvidenceLookup,
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
        evidence=lookup.cite(*keys),
        actions=actions,
    )
