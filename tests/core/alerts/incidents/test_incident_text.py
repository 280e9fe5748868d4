"""An incident as one sentence."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.evaluation.fold import Finding, Incident, IncidentState
from core.alerts.incidents.incident_text import describe_incident
from core.alerts.rules.builtin import make_threshold_rule
from core.alerts.rules.rule import (
    FOR_SALE,
    LISTING_PARTS,
    NOT_FOR_SALE,
    AlertRule,
    Comparison,
    Condition,
    Reference,
    Subject,
    Value,
)
from core.alerts.rules.validation import STATES
from tests.core.alerts.rules.strategies import SENSIBLE_RULES
from tests.factories.alerts import BUILTIN_RULES

BEGAN = datetime(2026, 11, 27, 10, tzinfo=UTC)
BEFORE = BEGAN - timedelta(days=1)
NOW = BEGAN + timedelta(days=3)


def written(
    rule: AlertRule,
    *findings: Finding | None,
    state: IncidentState = IncidentState.FIRING,
    ended_at: datetime | None = None,
) -> str:
    incident = Incident(BEGAN, findings, state, ended_at)
    text = describe_incident(rule, incident, "US", "UTC", NOW)
    return text.replace("\u202f", " ")


def found(
    value: Value, before: Value | None = None, before_at: datetime | None = BEFORE
) -> Finding:
    return Finding(value, BEGAN, before, before_at if before is not None else None)


@pytest.mark.parametrize(
    ("rule", "finding", "text"),
    [
        (
            BUILTIN_RULES["out_of_stock"],
            found(7, 1),
            "Out of stock since 27 Nov 2026, 10:00, 3 days",
        ),
        (
            BUILTIN_RULES["listing_removed"],
            found(8, 1),
            "Listing removed since 27 Nov 2026, 10:00, 3 days",
        ),
        (
            BUILTIN_RULES["rank_below_usual"],
            found(4120, 1330, None),
            "BSR #4,120 (27 Nov 2026, 10:00), 3.1× its usual #1,330 since 27 Nov 2026, 10:00, "
            "3 days",
        ),
        (
            make_threshold_rule("price_change", 10),
            found(2190, 2490),
            "Price $24.90 (26 Nov 2026, 10:00) → $21.90 (27 Nov 2026, 10:00), −12 %",
        ),
        (
            BUILTIN_RULES["buy_box_lost"],
            found("other", "own"),
            "Buy Box lost since 27 Nov 2026, 10:00, 3 days",
        ),
        (
            AlertRule((Condition(Subject.SELLER, Comparison.DIFFERS),)),
            found("Other Shop", "Bright Shop"),
            "Buy Box moved from Bright Shop (26 Nov 2026, 10:00) to Other Shop "
            "(27 Nov 2026, 10:00)",
        ),
        (
            AlertRule((Condition(Subject.TITLE, Comparison.DIFFERS),)),
            found("f00", "ba5"),
            "Title changed between 26 Nov 2026, 10:00 and 27 Nov 2026, 10:00",
        ),
        (
            AlertRule(
                (
                    Condition(
                        Subject.AVAILABILITY,
                        Comparison.BECAME,
                        states=FOR_SALE,
                        before=NOT_FOR_SALE,
                    ),
                )
            ),
            found(1, 7),
            "Availability currently unavailable (26 Nov 2026, 10:00) → in stock "
            "(27 Nov 2026, 10:00)",
        ),
        (
            AlertRule((Condition(Subject.PRICE, Comparison.BELOW, target=2000),)),
            found(1900, 2000, None),
            "Price $19.00 (27 Nov 2026, 10:00), below $20.00 since 27 Nov 2026, 10:00, 3 days",
        ),
        (
            AlertRule(
                (
                    Condition(
                        Subject.PRICE, Comparison.CHANGED, percent=20, reference=Reference.AVERAGE
                    ),
                )
            ),
            found(2500, 2000, None),
            "Price $25.00 (27 Nov 2026, 10:00), +25 % against its usual $20.00 since "
            "27 Nov 2026, 10:00, 3 days",
        ),
    ],
)
def test_an_incident_reads_as_one_sentence(rule: AlertRule, finding: Finding, text: str) -> None:
    assert written(rule, finding) == text


def test_what_ended_has_both_times_and_its_length() -> None:
    text = written(
        BUILTIN_RULES["out_of_stock"],
        found(7, 1),
        state=IncidentState.RESOLVED,
        ended_at=BEGAN + timedelta(hours=30),
    )
    assert text == "Out of stock from 27 Nov 2026, 10:00 to 28 Nov 2026, 16:00, 1 day"


def test_flapping_and_withdrawn_are_named() -> None:
    rule = make_threshold_rule("price_change", 10)
    assert written(rule, found(2190, 2490), state=IncidentState.FLAPPING).endswith(", flapping")
    withdrawn = written(rule, found(2190, 2490), state=IncidentState.WITHDRAWN, ended_at=BEGAN)
    assert withdrawn.startswith("Withdrawn: price $24.90")


def test_without_own_sellers_the_buy_box_moved_and_was_not_lost() -> None:
    text = written(BUILTIN_RULES["buy_box_lost"], found("A2OTHER", "A1SHOP"))
    assert text == (
        "Buy Box moved from A1SHOP (26 Nov 2026, 10:00) to A2OTHER (27 Nov 2026, 10:00)"
    )


def test_findings_of_another_version_are_unknown() -> None:
    assert written(BUILTIN_RULES["out_of_stock"]) == "Unknown"


@given(rule=SENSIBLE_RULES, data=st.data())
def test_every_incident_has_a_sentence(rule: AlertRule, data: st.DataObject) -> None:
    findings = tuple(
        data.draw(st.none() | st.just(found(value_of(each), value_of(each))))
        for each in rule.conditions
    )
    text = written(rule, *findings)
    assert "None" not in text
    assert text[0].isupper() or not text[0].isalpha()


def value_of(condition: Condition) -> Value:
    """A value that a condition's subject can have."""
    if condition.subject in STATES and condition.states:
        return min(condition.states, key=str)
    if condition.subject in LISTING_PARTS | {Subject.SELLER}:
        return "A1SHOP"
    return 30
