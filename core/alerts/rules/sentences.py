"""A rule as plain sentences, with an example. Pure.

Numbers and amounts are in the user's formats; amounts in a marketplace's currency.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from math import ceil, floor
from typing import Final

from core.alerts.rules.builtin import PRICE_CHANGE, RANK_CHANGE, without_own_sellers
from core.alerts.rules.rule import (
    AMOUNTS,
    FOR_SALE,
    LISTING_PARTS,
    NOT_FOR_SALE,
    REMOVED,
    SUPPRESSED,
    AlertRule,
    BuyBoxOwner,
    Combination,
    Comparison,
    Condition,
    Direction,
    ListingEdit,
    Reference,
    RuleScope,
    ScopeKind,
    Subject,
    Timing,
    Value,
)
from core.alerts.rules.subject_text import (
    LISTED,
    OFFERED_AT_TIMES,
    PLURALS,
    capitalize,
    describe_states,
    describe_subject,
    format_difference,
    format_value,
    join_choices,
)
from core.catalog.marketplaces import get_marketplace
from core.text.locale import localize_digits
from core.text.numbers import THIN_SPACE, format_count, format_counted
from core.text.times import format_duration
from core.tracking.views.rules import TeamView

NAMES: Final = {
    "listing_removed": "Listing removed",
    "out_of_stock": "Out of stock",
    "buy_box_suppressed": "Buy Box suppressed",
    "buy_box_lost": "Buy Box lost",
    "rank_below_usual": "BSR far below usual",
    "price_outside_caps": "Price outside its caps",
    "unexplained_edit": "Unexplained listing edit",
    PRICE_CHANGE: "Price changed",
    RANK_CHANGE: "BSR changed",
}
# While the team named no sellers of its own, whose Buy Box it was is not known.
_NAMES_WITHOUT_SELLERS: Final = {"buy_box_lost": "Buy Box moved"}
# Of a price, in the minor unit; 24.90 elsewhere.
_EXAMPLE_PRICES: Final = {"JPY": 2980, "INR": 249_900, "MXN": 49_900, "SEK": 24_900, "TRY": 99_900}
_EXAMPLES: Final = {
    Subject.RANK: 1000,
    Subject.RATING: 45,
    Subject.RATINGS_COUNT: 1000,
    Subject.STOCK_LEFT: 100,
    Subject.OFFERS_NEW: 10,
    Subject.OFFERS_USED: 10,
    Subject.COUPON_PERCENT: 20,
}


def name_rule(
    code: str | None, name: str | None, rule: AlertRule, marketplace: str, *, has_own_sellers: bool
) -> str:
    """Return a rule's name: the built-in one, the one a user gave, or else what it watches."""
    if code is not None:
        unknown_owner = None if has_own_sellers else _NAMES_WITHOUT_SELLERS.get(code)
        return unknown_owner or NAMES[code]
    return name or capitalize(_describe_conditions(rule, marketplace))


def describe_rule(
    rule: AlertRule,
    marketplace: str,
    *,
    has_own_sellers: bool = True,
    product: str | None = None,
    view: TeamView | None = None,
) -> str:
    """Return a rule as sentences: what it watches, of which products, when it ends, an example.

    Without own sellers it is not known whose the Buy Box was: it says *moved*. `product`: the
    name of the scope's product. `view`: the scope's view; None: it was deleted.
    """
    if not has_own_sellers:
        rule = without_own_sellers(rule)
    sentences = [
        f"{_describe_conditions(rule, marketplace)}{_describe_pending(rule.timing)}",
        f"applies to {describe_scope(rule.scope, product, view)}",
        *describe_ends(rule, marketplace),
        *_describe_rearm(rule.timing),
        *_give_example(rule, marketplace),
    ]
    return " ".join(f"{capitalize(each)}." for each in sentences)


def describe_scope(
    scope: RuleScope, product: str | None = None, view: TeamView | None = None
) -> str:
    """Return which products a rule is for: "your own products"."""
    match scope.kind:
        case ScopeKind.PRODUCT:
            return product or "one product"
        case ScopeKind.TAG:
            return f"products tagged “{scope.tag}”"
        case ScopeKind.OWN:
            return "your own products"
        case ScopeKind.COMPETITORS:
            return "competitors' products"
        case ScopeKind.TRACKED:
            return "every tracked product"
        case ScopeKind.VIEW:
            return _describe_view(view)


def _describe_view(view: TeamView | None) -> str:
    if view is None:
        return "no product, because its saved view was deleted"
    if view.follows_values:
        return (
            f"no product, because its saved view “{view.name}” filters by a status that each check "
            "can change"
        )
    return f"the products in the saved view “{view.name}”"


# Conditions


def _describe_conditions(rule: AlertRule, marketplace: str) -> str:
    texts = [describe_condition(each, marketplace) for each in rule.conditions]
    texts = list(dict.fromkeys(texts))  # a coupon is in money or in percent
    return join_choices(texts, "and" if rule.combination is Combination.ALL else "or")


def describe_condition(condition: Condition, marketplace: str) -> str:
    """Return when a condition holds: "price changes by 10 % or more, up or down, …"."""
    subject, name = condition.subject, describe_subject(condition)
    match condition.comparison:
        case Comparison.CHANGED:
            return f"{name} {_describe_change(condition, marketplace)}"
        case Comparison.BELOW | Comparison.ABOVE if condition.target is not None:
            if condition.target == 0 and subject in OFFERED_AT_TIMES:
                return f"there is a {_offer(subject)}"
            target = format_value(subject, condition.target, marketplace)
            return f"{name} is {_side(condition)} {target}"
        case Comparison.LOWEST | Comparison.HIGHEST:
            return f"{name} is the {_extreme(condition)} in {_days(condition)}"
        case Comparison.FIRST:
            return f"{name} is one not seen in {_days(condition)}"
        case Comparison.DIFFERS:
            if subject is Subject.SELLER:
                return "the Buy Box moves to another seller"
            if subject in LISTING_PARTS:
                return f"the {name} {'change' if subject in PLURALS else 'changes'}"
            return f"{name} changes"
        case _:
            return _describe_state(condition, name)


def _describe_change(condition: Condition, marketplace: str) -> str:
    reach = join_choices(list(_list_reaches(condition, marketplace)))
    if condition.subject is Subject.RANK:
        verbs = {Direction.UP: "worsens", Direction.DOWN: "improves"}
        both = "improves or worsens"
    else:
        verbs = {Direction.UP: "rises", Direction.DOWN: "falls"}
        both = "changes"
    verb = verbs.get(condition.direction, both)
    is_either = condition.direction is Direction.ANY and condition.subject is not Subject.RANK
    ways = ", up or down," if is_either else ""
    return f"{verb} by {reach} or more{ways} against {_reference(condition)}"


def _list_reaches(condition: Condition, marketplace: str) -> Iterator[str]:
    if condition.percent is not None:
        yield format_percent(condition.percent)
    if condition.amount is not None:
        yield format_difference(condition.subject, condition.amount, marketplace)


def format_percent(percent: float) -> str:
    """Write a percentage as it was given: "10 %", "7.5 %"."""
    return localize_digits(f"{Decimal(str(percent)).normalize():,f}") + f"{THIN_SPACE}%"


def _reference(condition: Condition) -> str:
    name = describe_subject(condition)
    match condition.reference:
        case Reference.PREVIOUS:
            return f"the last accepted {name}"
        case Reference.NOTIFIED:
            return f"the {name} of the last alert"
        case Reference.AVERAGE:
            return f"its average of {_days(condition)}"


def _days(condition: Condition) -> str:
    return f"the last {format_counted(condition.days, 'day')}"


def _side(condition: Condition) -> str:
    is_below = condition.comparison is Comparison.BELOW
    if condition.subject is Subject.RANK:
        return "better than" if is_below else "worse than"
    return "below" if is_below else "above"


def _extreme(condition: Condition) -> str:
    is_low = condition.comparison is Comparison.LOWEST
    if condition.subject is Subject.RANK:
        return "best" if is_low else "worst"
    return "lowest" if is_low else "highest"


def _offer(subject: Subject) -> str:
    return "deal" if subject is Subject.DEAL_PRICE else "coupon"


def _describe_state(condition: Condition, name: str) -> str:
    """Return the sentence of a state, or of its beginning."""
    is_beginning = condition.comparison is Comparison.BECAME
    known = _STATES.get((condition.subject, is_beginning, condition.states, condition.before))
    if known is not None:
        return known
    if condition.states == frozenset({0}):
        return f"the {_offer(condition.subject)} ends"
    after = f", after it was {describe_states(condition.before)}" if condition.before else ""
    verb = "becomes" if is_beginning else "is"
    return f"{name} {verb} {describe_states(condition.states)}{after}"


_OWN = frozenset({BuyBoxOwner.OWN.value})
_OTHER = frozenset({BuyBoxOwner.OTHER.value})
_ANY = frozenset[Value]()
# By subject, whether it is a beginning, the states and those before.
_STATES: Final[dict[tuple[Subject, bool, frozenset[Value], frozenset[Value]], str]] = {
    (Subject.AVAILABILITY, False, REMOVED, _ANY): "the listing is removed",
    (Subject.AVAILABILITY, False, NOT_FOR_SALE, _ANY): "the product is out of stock",
    (Subject.AVAILABILITY, False, SUPPRESSED, _ANY): "the Buy Box is suppressed",
    (Subject.AVAILABILITY, True, REMOVED, _ANY): "the listing is removed",
    (Subject.AVAILABILITY, True, NOT_FOR_SALE, _ANY): "the product runs out of stock",
    (Subject.AVAILABILITY, True, SUPPRESSED, _ANY): "the Buy Box is suppressed",
    (Subject.AVAILABILITY, True, FOR_SALE, NOT_FOR_SALE): "the product is back in stock",
    (Subject.AVAILABILITY, True, LISTED, REMOVED): "the listing is restored",
    (Subject.BUY_BOX_OWNER, False, _OTHER, _OWN): "you lose the Buy Box to another seller",
    (Subject.BUY_BOX_OWNER, True, _OTHER, _OWN): "you lose the Buy Box to another seller",
    (Subject.BUY_BOX_OWNER, True, _OWN, _OTHER): "you win the Buy Box",
    (Subject.BUY_BOX_OWNER, True, _OWN, _ANY): "you win the Buy Box",
    (Subject.LISTING_EDIT, False, frozenset({ListingEdit.UNEXPLAINED.value}), _ANY): (
        "the listing shows an edit that no approved suggestion explains"
    ),
    (Subject.LISTING_EDIT, False, frozenset({ListingEdit.DRIFT.value}), _ANY): (
        "the listing no longer shows what was approved"
    ),
    (
        Subject.LISTING_EDIT,
        False,
        frozenset({ListingEdit.UNEXPLAINED.value, ListingEdit.DRIFT.value}),
        _ANY,
    ): (
        "the listing shows an edit that no approved suggestion explains, "
        "or no longer what was approved"
    ),
}


# How long


def _describe_pending(timing: Timing) -> str:
    parts = []
    if timing.pending_observations > 1:
        parts.append(f"{format_count(timing.pending_observations)} observations in a row")
    if timing.pending_for:
        parts.append(f"at least {describe_span(timing.pending_for)}")
    return f", for {' and '.join(parts)}" if parts else ""


def _describe_rearm(timing: Timing) -> Iterator[str]:
    if timing.rearm_after:
        yield (
            f"counts again for a product {describe_span(timing.rearm_after)} after it last did, "
            "at the earliest"
        )


def describe_span(span: timedelta) -> str:
    """Write how long a rule waits: "3 days", "36 hours"."""
    minutes = int(span.total_seconds()) // 60
    for unit, size in (("day", 24 * 60), ("hour", 60), ("minute", 1)):
        if minutes and minutes % size == 0 and span == timedelta(minutes=minutes):
            return format_counted(minutes // size, unit)
    return format_duration(span.total_seconds())


def describe_ends(rule: AlertRule, marketplace: str) -> Iterator[str]:
    """Yield where a rule that lasts ends, where that is not where it begins."""
    for condition in rule.conditions:
        end = _describe_end(condition, marketplace)
        if end is not None and rule.lasts:
            yield f"ends when {end}"


def _describe_end(condition: Condition, marketplace: str) -> str | None:
    """Return where a condition ends, if that is not where it begins."""
    name = describe_subject(condition)
    if condition.clear_percent is not None:
        percent = format_percent(condition.clear_percent)
        return f"{name} is less than {percent} {_distance(condition)} {_reference(condition)}"
    if condition.clear_at is None or condition.clear_at == condition.target:
        return None
    clear_at = format_value(condition.subject, condition.clear_at, marketplace)
    is_below = condition.comparison is Comparison.BELOW
    if condition.subject is Subject.RANK:
        return f"{name} is {clear_at} or {'worse' if is_below else 'better'}"
    return f"{name} is {clear_at} or {'more' if is_below else 'less'}"


def _distance(condition: Condition) -> str:
    if condition.direction is Direction.ANY:
        return "away from"
    is_up = condition.direction is Direction.UP
    if condition.subject is Subject.RANK:
        return "worse than" if is_up else "better than"
    return "above" if is_up else "below"


# Example


def _give_example(rule: AlertRule, marketplace: str) -> Iterator[str]:
    """Yield which values count, for the first condition on a change that counts alone."""
    if len(rule.conditions) > 1 and rule.combination is Combination.ALL:
        return
    for condition in rule.conditions:
        if condition.comparison is not Comparison.CHANGED:
            continue
        subject, before = condition.subject, find_example(condition.subject, marketplace)
        ends = [
            f"{format_value(subject, value, marketplace)} or {word}"
            for value, word in _list_ends(condition, before)
        ]
        if ends:
            start = format_value(subject, before, marketplace)
            if condition.reference is Reference.AVERAGE:
                yield f"Example: usually {start}, now {', or '.join(ends)}"
            else:
                yield f"Example: {start} → {', or '.join(ends)}"
            return


def find_example(subject: Subject, marketplace: str) -> int:
    """Return the value before in an example."""
    if subject in AMOUNTS:
        return _EXAMPLE_PRICES.get(get_marketplace(marketplace).currency, 2490)
    return _EXAMPLES[subject]


def _list_ends(condition: Condition, before: int) -> Iterator[tuple[int, str]]:
    """Yield the nearest values that count after `before`, and which others do too."""
    is_rank = condition.subject is Subject.RANK
    if condition.direction is not Direction.UP:
        low = max(_list_lows(condition, before, is_rank), default=0)
        if low > 0:
            yield low, "better" if is_rank else "less"
    if condition.direction is not Direction.DOWN:
        high = min(_list_highs(condition, before))
        if condition.subject is not Subject.RATING or high <= 50:
            yield high, "worse" if is_rank else "more"


def _list_lows(condition: Condition, before: int, is_rank: bool) -> Iterator[int]:
    if condition.amount is not None:
        yield before - condition.amount
    if condition.percent is not None:
        percent = Decimal(str(condition.percent))
        low = before * 100 / (100 + percent) if is_rank else before * (100 - percent) / 100
        yield floor(low)


def _list_highs(condition: Condition, before: int) -> Iterator[int]:
    if condition.amount is not None:
        yield before + condition.amount
    if condition.percent is not None:
        yield ceil(before * (100 + Decimal(str(condition.percent))) / 100)
