"""Every rule as sentences."""

import re
from datetime import timedelta

import pytest
from hypothesis import given

from core.alerts.evaluation.fold import is_change
from core.alerts.rules.builtin import (
    PRICE_CHANGE,
    RANK_CHANGE,
    make_new_rules,
    make_threshold_rule,
)
from core.alerts.rules.rule import (
    FOR_SALE,
    NOT_FOR_SALE,
    AlertRule,
    Combination,
    Comparison,
    Condition,
    Direction,
    Reference,
    RuleScope,
    ScopeKind,
    Subject,
    Timing,
)
from core.alerts.rules.sentences import (
    NAMES,
    _list_ends,
    describe_rule,
    describe_span,
    find_example,
    format_percent,
    name_rule,
)
from core.alerts.rules.subject_text import format_difference, format_value
from tests.core.alerts.rules.strategies import SENSIBLE_RULES
from tests.factories.alerts import BUILTIN_RULES


def written(rule: AlertRule, marketplace: str = "US", **how: object) -> str:
    """A rule's sentences, with plain spaces."""
    return describe_rule(rule, marketplace, **how).translate({0x202F: " ", 0xA0: " "})  # type: ignore[arg-type]


def of(*conditions: Condition, **more: object) -> AlertRule:
    return AlertRule(conditions, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "marketplace", "sentences"),
    [
        (
            make_threshold_rule(PRICE_CHANGE, 10),
            "FR",
            "Price changes by 10 % or more, up or down, against the last accepted price. "
            "Applies to every tracked product. "
            "Example: 24,90 € → 22,41 € or less, or 27,39 € or more.",
        ),
        (
            make_threshold_rule(RANK_CHANGE, 50),
            "US",
            "BSR improves or worsens by 50 % or more against the last accepted BSR. Applies to "
            "every tracked product. Example: #1,000 → #666 or better, or #1,500 or worse.",
        ),
        (
            BUILTIN_RULES["rank_below_usual"],
            "US",
            "BSR worsens by 100 % or more against its average of the last 30 days, for 2 "
            "observations in a row and at least 12 hours. Applies to your own products. Ends when "
            "BSR is less than 50 % worse than its average of the last 30 days. Example: usually "
            "#1,000, now #2,000 or worse.",
        ),
        (
            of(Condition(Subject.PRICE, Comparison.BELOW, target=2000, clear_at=2200)),
            "UK",
            "Price is below £20.00. Applies to your own products. Ends when price is £22.00 or "
            "more.",
        ),
        (
            of(
                Condition(Subject.RANK, Comparison.ABOVE, target=500, category="Desk lamps"),
                Condition(Subject.STOCK_LEFT, Comparison.BELOW, target=5),
                scope=RuleScope(ScopeKind.TAG, tag="best"),
                timing=Timing(rearm_after=timedelta(days=2)),
            ),
            "US",
            "BSR in “Desk lamps” is worse than #500 and stock left is below 5. Applies to "
            "products tagged “best”. Counts again for a product 2 days after it last did, at the "
            "earliest.",
        ),
        (
            of(
                Condition(Subject.TITLE, Comparison.DIFFERS),
                Condition(Subject.BULLETS, Comparison.DIFFERS),
                Condition(Subject.RATING, Comparison.CHANGED, amount=1, direction=Direction.DOWN),
                combination=Combination.ANY,
                scope=RuleScope(ScopeKind.COMPETITORS),
            ),
            "US",
            "The title changes, the bullets change or rating falls by 0.1 stars or more against "
            "the last accepted rating. Applies to competitors' products. Example: 4.5 stars → 4.4 "
            "stars or less.",
        ),
        (
            of(
                Condition(
                    Subject.AVAILABILITY, Comparison.BECAME, states=FOR_SALE, before=NOT_FOR_SALE
                )
            ),
            "US",
            "The product is back in stock. Applies to your own products.",
        ),
    ],
)
def test_a_rule_reads_as_sentences(rule: AlertRule, marketplace: str, sentences: str) -> None:
    assert written(rule, marketplace) == sentences


def test_without_own_sellers_the_buy_box_only_moves() -> None:
    lost = BUILTIN_RULES["buy_box_lost"]
    assert written(lost).startswith("You lose the Buy Box to another seller.")
    assert written(lost, has_own_sellers=False).startswith("The Buy Box moves to another seller.")
    for has_own_sellers, name in ((True, "Buy Box lost"), (False, "Buy Box moved")):
        found = name_rule("buy_box_lost", None, lost, "US", has_own_sellers=has_own_sellers)
        assert found == name


def test_every_built_in_rule_has_a_name_of_its_own() -> None:
    assert list(NAMES) == [each.code for each in make_new_rules()]
    assert len(set(NAMES.values())) == len(NAMES)


def test_a_rule_without_a_name_is_named_by_what_it_watches() -> None:
    rule = of(Condition(Subject.PRICE, Comparison.BELOW, target=2000))
    assert name_rule(None, None, rule, "US", has_own_sellers=True) == "Price is below $20.00"
    assert name_rule(None, "Cheap", rule, "US", has_own_sellers=True) == "Cheap"


@given(rule=SENSIBLE_RULES)
def test_every_number_of_a_sentence_is_the_rules(rule: AlertRule) -> None:
    sentence, _, _ = describe_rule(rule, "US", product="this lamp").partition(" Example: ")
    assert "None" not in sentence
    assert set(re.findall(r"\d[\d.,]*", sentence)) <= set(numbers_of(rule))


def numbers_of(rule: AlertRule) -> list[str]:
    """The numbers of a rule as they are written."""
    timing = rule.timing
    texts = [str(timing.pending_observations)]
    texts += [describe_span(each) for each in (timing.pending_for, timing.rearm_after) if each]
    for each in rule.conditions:
        texts.append(str(each.days))
        texts += [format_percent(p) for p in (each.percent, each.clear_percent) if p is not None]
        texts += [
            format_value(each.subject, value, "US")
            for value in (each.target, each.clear_at)
            if value is not None
        ]
        if each.amount is not None:
            texts.append(format_difference(each.subject, each.amount, "US"))
    # As in a sentence: a point or comma that follows is the sentence's own.
    return [
        number + end
        for text in texts
        for number in re.findall(r"\d+(?:[.,]\d+)*", text)
        for end in ("", ".", ",")
    ]


@given(rule=SENSIBLE_RULES)
def test_an_example_gives_exactly_where_a_change_begins_to_count(rule: AlertRule) -> None:
    for condition in rule.conditions:
        if condition.comparison is not Comparison.CHANGED:
            continue
        before = find_example(condition.subject, "US")
        for value, word in _list_ends(condition, before):
            nearer = value + 1 if word in ("less", "better") else value - 1
            assert is_change(condition, before, value)
            assert not is_change(condition, before, nearer)
            assert format_value(condition.subject, value, "US") in describe_rule(
                of(condition), "US"
            )


def test_an_average_is_a_usual_value_in_the_example() -> None:
    rule = of(Condition(Subject.PRICE, Comparison.CHANGED, percent=20, reference=Reference.AVERAGE))
    assert written(rule, "JP").endswith(
        "Example: usually ￥2,980, now ￥2,384 or less, or ￥3,576 or more."
    )
