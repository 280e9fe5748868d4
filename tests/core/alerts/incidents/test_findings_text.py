"""What an incident's conditions compared, as a person reads it."""

from datetime import timedelta

import pytest

from core.alerts.evaluation.fold import Finding
from core.alerts.incidents.findings_text import describe_findings
from core.alerts.rules.rule import (
    AlertRule,
    Comparison,
    Condition,
    Reference,
    Subject,
    Value,
)
from core.alerts.rules.subject_text import SUBJECTS
from core.text.numbers import THIN_SPACE
from tests.factories.observations import NOON

HOUR = timedelta(hours=1)


def described(condition: Condition, value: Value, before: Value | None = None) -> str:
    finding = Finding(value, NOON + HOUR, before, NOON)
    return describe_findings(AlertRule((condition,)), (finding,), "US").replace(THIN_SPACE, " ")


def changed(subject: Subject, **values: object) -> Condition:
    return Condition(subject, Comparison.CHANGED, percent=10, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("condition", "value", "before", "text"),
    [
        (changed(Subject.PRICE), 1700, 2000, "Price: $20.00 → $17.00, −15 %"),
        (changed(Subject.RANK), 1200, 600, "BSR: #600 → #1,200, worsened ×2.0"),
        (changed(Subject.RATING), 41, 45, "Rating: 4.5 stars → 4.1 stars"),
        (
            changed(Subject.RANK, reference=Reference.AVERAGE, days=30),
            1200, 600, "BSR: #1,200, usual #600 (30-day average), worsened ×2.0",
        ),
        (
            Condition(Subject.PRICE, Comparison.BELOW, target=1800),
            1700, 1800, "Price: $17.00, below $18.00",
        ),
        (
            Condition(Subject.PRICE, Comparison.LOWEST),
            1700, 1800, "Price: $17.00, the lowest before was $18.00",
        ),
        (
            Condition(Subject.AVAILABILITY, Comparison.IS, states=frozenset({7})),
            7, 1, "Availability: in stock → currently unavailable",
        ),
        (
            Condition(Subject.SELLER, Comparison.DIFFERS),
            "Other Shop", "Bright Shop", "Buy Box seller: Bright Shop → Other Shop",
        ),
        (
            Condition(Subject.PRICE_LIMITS, Comparison.IS, states=frozenset({"below_floor"})),
            "below_floor", None, "Price: below its floor",
        ),
        (Condition(Subject.TITLE, Comparison.DIFFERS), "f00", "ba5", "Title changed"),
    ],
)  # fmt: skip
def test_a_finding_is_written_with_its_value_before(
    condition: Condition, value: Value, before: Value | None, text: str
) -> None:
    assert described(condition, value, before) == text


def test_with_a_time_zone_each_value_has_its_time() -> None:
    rule = AlertRule((changed(Subject.PRICE),))
    text = describe_findings(rule, (Finding(1700, NOON + HOUR, 2000, NOON),), "US", "UTC")
    assert text.replace(THIN_SPACE, " ") == (
        "Price: $20.00 (2 Mar 2026, 12:00) → $17.00 (2 Mar 2026, 13:00), −15 %"
    )


def test_only_conditions_that_held_are_written() -> None:
    rule = AlertRule((changed(Subject.PRICE), changed(Subject.RATING)))
    text = describe_findings(rule, (None, Finding(41, NOON, 45, NOON)), "US")
    assert text == "Rating: 4.5 stars → 4.1 stars"


def test_findings_of_another_version_of_the_rule_are_unknown() -> None:
    rule = AlertRule((changed(Subject.PRICE), changed(Subject.RATING)))
    assert describe_findings(rule, (Finding(41, NOON, 45, NOON),), "US") == "unknown"


def test_every_subject_has_a_name() -> None:
    assert set(SUBJECTS) == set(Subject)
