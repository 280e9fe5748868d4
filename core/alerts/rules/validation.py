"""Which rules make sense, and why others don't. Pure.

Whatever passes here has a sentence, can hold, and doesn't always hold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from math import isfinite
from typing import Final

from core.alerts.rules.rule import (
    AMOUNTS,
    DAY_SUBJECTS,
    LISTING_PARTS,
    AlertRule,
    BuyBoxOwner,
    Combination,
    Comparison,
    Condition,
    Direction,
    ListingEdit,
    PriceLimits,
    Reference,
    ScopeKind,
    Subject,
    Value,
)
from core.alerts.rules.subject_text import OFFERED_AT_TIMES, describe_subject
from core.errors import InvalidInputError
from core.history.observation import Availability
from core.text.numbers import format_count
from core.thresholds import LARGEST_THRESHOLD
from core.tracking.rules import LONGEST_TAG

LONGEST_RULE_NAME: Final = 80  # characters
LONGEST_CATEGORY_NAME: Final = 200
LARGEST_NUMBER: Final = 10**12  # of a target or an amount
MOST_PENDING_OBSERVATIONS: Final = 50
LONGEST_PENDING: Final = timedelta(days=30)
MOST_FLAP_OPENINGS: Final = 50
LONGEST_REARM: Final = timedelta(days=365)

NUMBERS: Final = AMOUNTS | {
    Subject.COUPON_PERCENT,
    Subject.CHEAPEST_COMPETITOR,
    Subject.RANK,
    Subject.RATING,
    Subject.RATINGS_COUNT,
    Subject.STOCK_LEFT,
    Subject.OFFERS_NEW,
    Subject.OFFERS_USED,
}
_OF_NUMBERS = frozenset(
    {
        Comparison.CHANGED,
        Comparison.BELOW,
        Comparison.ABOVE,
        Comparison.LOWEST,
        Comparison.HIGHEST,
    }
)
# They differ from one observation to the next in any case.
_RESTLESS = frozenset({Subject.RANK, Subject.RATINGS_COUNT, Subject.STOCK_LEFT})
_OF_STATES = frozenset({Comparison.IS, Comparison.BECAME})
STATES: Final[Mapping[Subject, frozenset[Value]]] = {
    Subject.AVAILABILITY: frozenset(map(int, Availability)),
    Subject.BUY_BOX_OWNER: frozenset(each.value for each in BuyBoxOwner),
    Subject.PRICE_LIMITS: frozenset(each.value for each in PriceLimits),
    Subject.LISTING_EDIT: frozenset(each.value for each in ListingEdit),
} | {subject: frozenset({0}) for subject in OFFERED_AT_TIMES}
# The least and the largest value that a subject can have.
_RANGES: Final = {
    Subject.RATING: (10, 50),
    Subject.COUPON_PERCENT: (0, 100),
    Subject.RANK: (1, LARGEST_NUMBER),
    Subject.CHEAPEST_COMPETITOR: (1, 100_000),
}


def list_comparisons(subject: Subject) -> frozenset[Comparison]:
    """Return how a subject's values can be compared."""
    if subject in LISTING_PARTS:
        return frozenset({Comparison.DIFFERS})
    if subject is Subject.SELLER:
        return frozenset({Comparison.DIFFERS, Comparison.FIRST})
    if subject is Subject.CHEAPEST_COMPETITOR:
        return frozenset({Comparison.BELOW, Comparison.ABOVE})
    if subject in OFFERED_AT_TIMES:
        return _OF_NUMBERS | {Comparison.BECAME, Comparison.DIFFERS}
    if subject in NUMBERS:
        return _OF_NUMBERS if subject in _RESTLESS else _OF_NUMBERS | {Comparison.DIFFERS}
    return _OF_STATES


def check_rule(rule: AlertRule) -> None:
    """Raise InvalidInputError with every reason why a rule makes no sense."""
    problems = list(dict.fromkeys(list_problems(rule)))
    if problems:
        raise InvalidInputError(" ".join(problems))


def list_problems(rule: AlertRule) -> Iterator[str]:
    """Yield a sentence for each reason why a rule makes no sense."""
    for condition in rule.conditions:
        yield from _list_condition_problems(condition)
    yield from _list_timing_problems(rule)
    yield from _list_scope_problems(rule)
    for one, other in combinations(rule.conditions, 2):
        yield from _list_pair_problems(one, other, rule.combination)


def check_rule_name(name: str | None) -> str | None:
    """Return a rule's name without extra spaces; None: none. Raises InvalidInputError."""
    cleaned = " ".join((name or "").replace("\x00", "").split())
    if len(cleaned) > LONGEST_RULE_NAME:
        raise InvalidInputError(f"A rule's name has at most {LONGEST_RULE_NAME} characters.")
    return cleaned or None


def check_builtin_change(usual: AlertRule, wanted: AlertRule) -> None:
    """Raise InvalidInputError unless only thresholds of a built-in rule differ.

    Thresholds are percentages, amounts, targets, days, and how long a rule waits; its
    severity may differ as well.
    """
    check_rule(wanted)
    if _without_thresholds(usual) != _without_thresholds(wanted):
        raise InvalidInputError(
            "A built-in rule watches what it watches: change its threshold, how long it waits "
            "or its severity, switch it off, or create a rule of your own."
        )


def _without_thresholds(rule: AlertRule) -> tuple[object, ...]:
    conditions = tuple(
        replace(
            each,
            percent=1.0 if each.comparison is Comparison.CHANGED else None,
            amount=None,
            clear_percent=None,
            clear_at=None,
            target=None if each.target is None else 1,
            days=1,
        )
        for each in rule.conditions
    )
    return conditions, rule.combination, rule.scope


# One condition


def _has_days(condition: Condition) -> bool:
    """Return whether the figures of the days before are known of what a condition watches."""
    if condition.comparison is Comparison.FIRST:
        return True
    return condition.subject in DAY_SUBJECTS and condition.category is None


def _list_condition_problems(condition: Condition) -> Iterator[str]:
    subject, name = condition.subject, describe_subject(condition)
    if condition.comparison not in list_comparisons(subject):
        yield f"The {name} can't be compared in this way. Choose another condition."
        return
    if condition.comparison is Comparison.CHANGED:
        yield from _list_change_problems(condition, name)
    if condition.comparison in (Comparison.BELOW, Comparison.ABOVE):
        yield from _list_target_problems(condition, name)
    if condition.needs_days and not _has_days(condition):
        yield f"The {name} is not kept by day: compare it with the value before, or with a target."
    if not (condition.states | condition.before) <= STATES.get(subject, frozenset()):
        yield f"The {name} has no such state. Choose one of the list."
    if condition.comparison is Comparison.IS and condition.states == STATES.get(subject):
        yield f"The {name} is always in one of these states: the alert would never end."
    if condition.category is not None:
        if subject is not Subject.RANK:
            yield "Only a BSR is in a category: remove the category, or watch the BSR."
        elif not condition.category.strip():
            yield "Name the category of the BSR, or leave it out for the main category."
        elif len(condition.category) > LONGEST_CATEGORY_NAME:
            yield f"A category's name has at most {LONGEST_CATEGORY_NAME} characters."


def _list_change_problems(condition: Condition, name: str) -> Iterator[str]:
    for percent in (condition.percent, condition.clear_percent):
        if percent is not None and not (isfinite(percent) and 0 < percent <= LARGEST_THRESHOLD):
            yield (
                f"A percentage must be above 0 and at most {format_count(LARGEST_THRESHOLD)} "
                "percent."
            )
    is_fall = condition.direction is Direction.DOWN and condition.subject is not Subject.RANK
    if is_fall and condition.percent is not None and condition.percent >= 100:
        yield f"The {name} can't fall by 100 percent or more: choose a smaller percentage."
    if condition.amount is not None and not 0 < condition.amount <= LARGEST_NUMBER:
        yield f"The {name} must change by a number above 0."
    if condition.clear_percent is not None:
        if condition.reference is not Reference.AVERAGE:
            yield "Only a change against an average lasts: it alone can end at another percentage."
        elif condition.percent is None or condition.clear_percent > condition.percent:
            yield "A change ends at a smaller percentage than it begins."


def _list_target_problems(condition: Condition, name: str) -> Iterator[str]:
    least, largest = _RANGES.get(condition.subject, (0, LARGEST_NUMBER))
    is_below = condition.comparison is Comparison.BELOW
    target, clear_at = condition.target or 0, condition.clear_at
    if not least <= target <= largest or (is_below and target == least):
        yield f"The {name} is never {'below' if is_below else 'above'} this target."
    elif not is_below and target == largest:
        yield f"The {name} is never above this target."
    if clear_at is None:
        return
    if not least <= clear_at <= largest:
        yield f"The {name} never reaches the value at which the alert would end."
    elif (clear_at < target) if is_below else (clear_at > target):
        side = "below" if is_below else "above"
        yield f"An alert on a {name} {side} a target ends at the target or beyond it."


# How long, and for which products


def _list_timing_problems(rule: AlertRule) -> Iterator[str]:
    timing = rule.timing
    if not 1 <= timing.pending_observations <= MOST_PENDING_OBSERVATIONS:
        yield f"A rule waits for 1 to {MOST_PENDING_OBSERVATIONS} observations."
    if not timedelta(0) <= timing.pending_for <= LONGEST_PENDING:
        yield f"A rule waits for at most {LONGEST_PENDING.days} days."
    if not timedelta(0) <= timing.rearm_after <= LONGEST_REARM:
        yield f"A rule counts again after at most {LONGEST_REARM.days} days."
    if not 2 <= timing.flap_openings <= MOST_FLAP_OPENINGS:
        yield f"Flapping is 2 to {MOST_FLAP_OPENINGS} alerts within its time."
    if not timedelta(hours=1) <= timing.flap_within <= LONGEST_PENDING:
        yield f"Flapping is counted within 1 hour to {LONGEST_PENDING.days} days."
    if timing.pending_for >= timedelta(days=1) and any(
        each.comparison is Comparison.FIRST for each in rule.conditions
    ):
        yield "What is new is not new a day later: let the rule wait for less than a day."


def _list_scope_problems(rule: AlertRule) -> Iterator[str]:
    if rule.scope.kind is ScopeKind.TAG:
        tag = rule.scope.tag or ""
        if not tag.strip() or len(tag) > LONGEST_TAG:
            yield f"Name a tag of at most {LONGEST_TAG} characters."


# Two conditions


def _list_pair_problems(
    one: Condition, other: Condition, combination: Combination
) -> Iterator[str]:
    if one == other:
        yield "Two conditions are the same: remove one."
        return
    if (one.subject, one.category) != (other.subject, other.category):
        return
    name = describe_subject(one)
    if combination is Combination.ALL and _exclude_each_other(one, other):
        yield f"Two conditions on the {name} contradict each other: they never hold together."
    if combination is Combination.ANY and _cover_everything(one, other):
        yield f"Of two conditions on the {name}, one always holds: the alert would never end."


def _exclude_each_other(one: Condition, other: Condition) -> bool:
    sides = {one.comparison: one, other.comparison: other}
    if {Comparison.BELOW, Comparison.ABOVE} <= sides.keys():
        below, above = sides[Comparison.BELOW].target or 0, sides[Comparison.ABOVE].target or 0
        return below - above < 2  # no whole number between them
    if {Comparison.LOWEST, Comparison.HIGHEST} <= sides.keys():
        return True
    if one.comparison in _OF_STATES and other.comparison in _OF_STATES:
        return not one.states & other.states
    is_change = one.comparison is other.comparison is Comparison.CHANGED
    directions = {one.direction, other.direction}
    return (
        is_change
        and one.reference is other.reference
        and (one.reference is not Reference.AVERAGE or one.days == other.days)
        and directions == {Direction.UP, Direction.DOWN}
    )


def _cover_everything(one: Condition, other: Condition) -> bool:
    sides = {one.comparison: one, other.comparison: other}
    if {Comparison.BELOW, Comparison.ABOVE} <= sides.keys():
        below, above = sides[Comparison.BELOW].target or 0, sides[Comparison.ABOVE].target or 0
        return below > above
    if one.comparison is other.comparison is Comparison.IS and not one.before | other.before:
        return one.states | other.states >= STATES[one.subject]
    return False
