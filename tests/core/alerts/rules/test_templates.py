"""The ready-made rules to create rules from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.evaluation.fold import Measured, Reading, evaluate, make_memory
from core.alerts.rules.rule import Subject, Value
from core.alerts.rules.sentences import describe_rule
from core.alerts.rules.service import create_rule
from core.alerts.rules.templates import TEMPLATES, RuleTemplate
from core.alerts.rules.validation import check_rule

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
BY_CODE = {each.code: each for each in TEMPLATES}


def test_codes_titles_and_rules_are_each_named_once() -> None:
    assert len({each.code for each in TEMPLATES}) == len(TEMPLATES)
    assert len({each.title for each in TEMPLATES}) == len(TEMPLATES)
    assert len({each.rule for each in TEMPLATES}) == len(TEMPLATES)


@pytest.mark.parametrize("each", TEMPLATES, ids=lambda each: each.code)
def test_each_makes_sense_reads_as_a_sentence_and_can_be_created(
    session: Session, principal: Principal, each: RuleTemplate
) -> None:
    check_rule(each.rule)
    assert describe_rule(each.rule, "DE")
    made = create_rule(session, principal, each.rule, BEGAN, name=each.title)
    assert made.rule.rule == each.rule


def test_a_rank_in_a_category_can_be_watched_once_it_is_named() -> None:
    [template] = [each for each in TEMPLATES if each.needs_category]
    [condition] = template.rule.conditions
    named = replace(template.rule, conditions=(replace(condition, category="Desk Lamps"),))
    check_rule(named)
    assert describe_rule(named, "DE").startswith("BSR in “Desk Lamps” worsens by 50")


@pytest.mark.parametrize(
    ("code", "values", "days_of_incidents"),
    [
        ("price_drop", (2000, 1900, 1800, 1700, 1620), (2, 4)),  # each ten percent below the last
        ("price_rise", (2000, 1800, 1900, 2200), (3,)),
        ("price_below_target", (2000, 1999, 2000, 1500), (1, 3)),
        ("rating_drop", (45, 44, 45, 43), (1, 3)),
        ("ratings_lost", (100, 96, 90, 91), (2,)),
        ("stock_low", (20, 5, 7, 10, 11, 3), (1, 5)),
        ("offers_up", (3, 3, 4, 2), (2,)),
        ("out_of_stock", (1, 7, 7, 1, 6), (1, 4)),
        ("back_in_stock", (1, 7, 2, 8, 1), (2,)),
        ("buy_box_won", ("own", "other", "own"), (2,)),
        ("buy_box_moved", ("A", "B", "B", "A"), (1, 3)),
        ("title_changed", ("a1", "a1", "b2"), (2,)),
        ("listing_restored", (1, 8, 8, 7, 1), (3,)),
    ],
)
def test_a_ready_made_rule_counts_what_its_title_names(
    code: str, values: tuple[Value, ...], days_of_incidents: tuple[int, ...]
) -> None:
    rule = BY_CODE[code].rule
    times = [BEGAN + timedelta(days=day) for day in range(len(values))]
    readings = [
        Reading(at, (Measured(value, at),)) for at, value in zip(times, values, strict=True)
    ]
    found = evaluate(rule, readings, make_memory(rule)).incidents
    assert tuple(found) == tuple(times[day] for day in days_of_incidents)


def test_a_deal_or_coupon_counts_from_its_start_to_its_end() -> None:
    started, ended = BY_CODE["offer_started"].rule, BY_CODE["offer_ended"].rule
    assert (
        started.subjects
        == ended.subjects
        == (
            Subject.DEAL_PRICE,
            Subject.COUPON_AMOUNT,
            Subject.COUPON_PERCENT,
        )
    )
    days = [(0, 0, 0), (1500, 0, 0), (1500, 0, 5), (0, 0, 5), (0, 0, 0)]
    readings = [
        Reading(at, tuple(Measured(value, at) for value in day))
        for number, day in enumerate(days)
        for at in [BEGAN + timedelta(days=number)]
    ]
    [incident] = evaluate(started, readings, make_memory(started)).incidents.values()
    assert (incident.opened_at, incident.ended_at) == (readings[1].at, readings[4].at)
    found = evaluate(ended, readings, make_memory(ended)).incidents
    assert tuple(found) == (readings[3].at, readings[4].at)
