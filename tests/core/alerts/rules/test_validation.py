"""Which rules make sense."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from core.alerts.evaluation.fold import Measured, Reading, evaluate, make_memory
from core.alerts.rules.builtin import make_new_rules, make_threshold_rule
from core.alerts.rules.rule import (
    NOT_FOR_SALE,
    REMOVED,
    AlertRule,
    BuyBoxOwner,
    Combination,
    Comparison,
    Condition,
    Direction,
    Reference,
    RuleScope,
    ScopeKind,
    Severity,
    Subject,
    Timing,
)
from core.alerts.rules.validation import (
    LONGEST_RULE_NAME,
    check_builtin_change,
    check_rule,
    check_rule_name,
    list_problems,
)
from core.errors import InvalidInputError
from tests.core.alerts.rules.strategies import RULES
from tests.factories.alerts import BUILTIN_RULES

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def below(target: int, **more: object) -> Condition:
    return Condition(Subject.PRICE, Comparison.BELOW, target=target, **more)  # type: ignore[arg-type]


def above(target: int, **more: object) -> Condition:
    return Condition(Subject.PRICE, Comparison.ABOVE, target=target, **more)  # type: ignore[arg-type]


def changed(**more: object) -> Condition:
    return Condition(Subject.PRICE, Comparison.CHANGED, **more)  # type: ignore[arg-type]


def is_in(subject: Subject, states: object) -> Condition:
    return Condition(subject, Comparison.IS, states=states)  # type: ignore[arg-type]


@pytest.mark.parametrize("each", make_new_rules(), ids=lambda each: each.code)
def test_every_built_in_rule_makes_sense(each: object) -> None:
    check_rule(each.rule)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("conditions", "combination", "message"),
    [
        ((below(10), above(20)), Combination.ALL, "contradict each other"),
        ((below(20), above(19)), Combination.ALL, "contradict each other"),
        ((below(20), above(10)), Combination.ANY, "always holds"),
        ((below(20), below(20)), Combination.ALL, "are the same"),
        (
            (changed(percent=5, direction=Direction.UP), changed(percent=5, direction="down")),
            Combination.ALL,
            "contradict each other",
        ),
        (
            (is_in(Subject.AVAILABILITY, REMOVED), is_in(Subject.AVAILABILITY, NOT_FOR_SALE)),
            Combination.ALL,
            "contradict each other",
        ),
        (
            (
                Condition(Subject.PRICE, Comparison.LOWEST),
                Condition(Subject.PRICE, Comparison.HIGHEST),
            ),
            Combination.ALL,
            "contradict each other",
        ),
        (
            tuple(is_in(Subject.BUY_BOX_OWNER, frozenset({each.value})) for each in BuyBoxOwner),
            Combination.ANY,
            "always holds",
        ),
    ],
)
def test_conditions_that_never_or_always_hold_are_refused(
    conditions: tuple[Condition, ...], combination: Combination, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check_rule(AlertRule(conditions, combination))


def test_conditions_that_leave_room_are_allowed() -> None:
    check_rule(AlertRule((below(20), above(10))))
    check_rule(AlertRule((below(10), above(20)), Combination.ANY))
    check_rule(AlertRule((below(20), above(18))))  # 19


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (changed(percent=-1), "above 0"),
        (changed(percent=10_001), "at most 10,000"),
        (changed(percent=math.nan), "above 0"),
        (changed(percent=math.inf), "at most 10,000"),
        (changed(percent=100, direction=Direction.DOWN), "can't fall by 100"),
        (changed(amount=-5), "above 0"),
        (changed(percent=10, clear_percent=5), "against an average"),
        (
            changed(percent=10, clear_percent=20, reference=Reference.AVERAGE),
            "at a smaller percentage",
        ),
        (below(0), "never below"),
        (below(20, clear_at=10), "at the target or beyond"),
        (above(20, clear_at=30), "at the target or beyond"),
        (Condition(Subject.RATING, Comparison.BELOW, target=10), "never below"),
        (Condition(Subject.RATING, Comparison.ABOVE, target=50), "never above"),
        (Condition(Subject.COUPON_PERCENT, Comparison.ABOVE, target=101), "never above"),
        (below(20, category="Lamps"), "Only a BSR is in a category"),
        (
            Condition(Subject.RANK, Comparison.BELOW, target=20, category=" "),
            "Name the category",
        ),
        (Condition(Subject.TITLE, Comparison.LOWEST), "can't be compared"),
        (Condition(Subject.RANK, Comparison.DIFFERS), "can't be compared"),
        (is_in(Subject.AVAILABILITY, frozenset({99})), "no such state"),
        (is_in(Subject.AVAILABILITY, frozenset(range(1, 9))), "always in one of these"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(condition: Condition, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check_rule(AlertRule((condition,)))


@pytest.mark.parametrize(
    ("timing", "message"),
    [
        (Timing(pending_observations=0), "1 to 50 observations"),
        (Timing(pending_for=timedelta(days=31)), "at most 30 days"),
        (Timing(rearm_after=timedelta(days=-1)), "at most 365 days"),
        (Timing(flap_openings=1), "Flapping is 2 to 50"),
        (Timing(flap_within=timedelta(0)), "within 1 hour"),
    ],
)
def test_a_time_out_of_its_range_is_refused(timing: Timing, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check_rule(AlertRule((changed(percent=5),), timing=timing))


def test_all_reasons_are_given_at_once_and_each_once() -> None:
    rule = AlertRule(
        (below(0), Condition(Subject.TITLE, Comparison.LOWEST), changed(percent=math.nan)),
        scope=RuleScope(ScopeKind.TAG, tag="x" * 41),
    )
    with pytest.raises(InvalidInputError) as refused:
        check_rule(rule)
    message = str(refused.value)
    assert message.count("A percentage must be above 0") == 1
    for part in ("never below", "can't be compared", "at most 40 characters"):
        assert part in message


def test_a_new_seller_cannot_be_pending_for_a_day() -> None:
    new = Condition(Subject.SELLER, Comparison.FIRST)
    with pytest.raises(InvalidInputError, match="not new a day later"):
        check_rule(AlertRule((new,), timing=Timing(pending_for=timedelta(days=1))))


@given(rule=RULES)
def test_checking_any_rule_ends_in_reasons_that_are_sentences(rule: AlertRule) -> None:
    for each in list_problems(rule):
        assert each[0].isupper()
        assert each.endswith(".")
        assert "None" not in each


def test_of_two_targets_that_are_allowed_some_value_holds() -> None:
    for low in range(12):
        for high in range(1, 12):
            rule = AlertRule((above(low), below(high)))
            can_hold = any(low < value < high for value in range(14))
            assert can_hold is not any(list_problems(rule))
            readings = [
                Reading(
                    BEGAN + timedelta(days=value),
                    (Measured(value, BEGAN + timedelta(days=value)),) * 2,
                )
                for value in range(14)
            ]
            found = evaluate(rule, readings, make_memory(rule))
            assert bool(found.incidents) is can_hold


# Built-in rules


def test_a_built_in_rule_takes_another_threshold_time_and_severity() -> None:
    usual = BUILTIN_RULES["rank_below_usual"]
    [condition] = usual.conditions
    wanted = AlertRule(
        (
            Condition(
                condition.subject,
                condition.comparison,
                percent=70,
                clear_percent=20,
                reference=condition.reference,
                direction=condition.direction,
                days=14,
            ),
        ),
        timing=Timing(pending_observations=4, rearm_after=timedelta(days=1)),
        severity=Severity.CRITICAL,
    )
    check_builtin_change(usual, wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        make_threshold_rule("rank_change", 5),
        AlertRule((changed(percent=5),), scope=RuleScope(ScopeKind.OWN)),
        AlertRule(
            (changed(percent=5, direction=Direction.UP),), scope=RuleScope(ScopeKind.TRACKED)
        ),
        AlertRule((changed(amount=200),) * 1, scope=RuleScope(ScopeKind.TAG, tag="best")),
    ],
)
def test_a_built_in_rule_goes_on_watching_what_it_watches(wanted: AlertRule) -> None:
    with pytest.raises(InvalidInputError, match="create a rule of your own"):
        check_builtin_change(make_threshold_rule("price_change", 10), wanted)


def test_a_built_in_rule_takes_no_senseless_threshold() -> None:
    with pytest.raises(InvalidInputError, match="above 0"):
        check_builtin_change(
            make_threshold_rule("price_change", 10), make_threshold_rule("price_change", -3)
        )


# Names


def test_a_name_is_cleaned_and_may_be_left_out() -> None:
    assert check_rule_name("  Cheap \x00 lamps ") == "Cheap lamps"
    assert check_rule_name("  ") is None
    assert check_rule_name("x" * LONGEST_RULE_NAME) == "x" * LONGEST_RULE_NAME
    with pytest.raises(InvalidInputError, match="at most 80"):
        check_rule_name("x" * (LONGEST_RULE_NAME + 1))


def test_what_is_not_kept_by_day_is_not_compared_with_days() -> None:
    lowest = Condition(Subject.STOCK_LEFT, Comparison.LOWEST)
    assert "not kept by day" in " ".join(list_problems(AlertRule((lowest,))))
    price = Condition(Subject.PRICE, Comparison.LOWEST)
    assert list(list_problems(AlertRule((price,)))) == []
