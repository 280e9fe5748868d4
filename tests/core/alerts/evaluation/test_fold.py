"""From readings to incidents: what opens one, what ends it, and what must not."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.alerts.evaluation.fold as fold_module
from core.alerts.evaluation.fold import (
    Incident,
    IncidentState,
    Measured,
    Reading,
    evaluate,
    make_memory,
)
from core.alerts.evaluation.memory_json import dump_memory, is_quiet, load_memory
from core.alerts.rules.rule import (
    AlertRule,
    Combination,
    Comparison,
    Condition,
    Direction,
    Reference,
    Subject,
    Timing,
    Value,
)
from tests.factories.observations import NOON

HOUR = timedelta(hours=1)
PRICE, RANK, STOCK = Subject.PRICE, Subject.RANK, Subject.AVAILABILITY
TEN_PERCENT = Condition(PRICE, Comparison.CHANGED, percent=10)
BELOW_1800 = Condition(PRICE, Comparison.BELOW, target=1800)
OUT_OF_STOCK = Condition(STOCK, Comparison.IS, states=frozenset({6, 7}))


def rule_of(*conditions: Condition, **timing: object) -> AlertRule:
    return AlertRule(conditions, timing=Timing(**timing))  # type: ignore[arg-type]


def measure(at: datetime, value: Value | None, **others: object) -> Reading:
    return Reading(at, (Measured(value, at, **others),))  # type: ignore[arg-type]


def hourly(*values: Value | None, **others: object) -> list[Reading]:
    return [measure(NOON + number * HOUR, value, **others) for number, value in enumerate(values)]


def incidents_of(rule: AlertRule, readings: Iterable[Reading]) -> list[Incident]:
    """Return each incident as it stands in the end, in the order of their openings."""
    return list(evaluate(rule, readings, make_memory(rule)).incidents.values())


def value_of(incident: Incident) -> Value:
    [finding] = incident.findings
    assert finding is not None
    return finding.value


def before_of(incident: Incident) -> Value | None:
    [finding] = incident.findings
    assert finding is not None
    return finding.before


def opened(rule: AlertRule, *values: Value | None) -> list[Value]:
    return [value_of(each) for each in incidents_of(rule, hourly(*values))]


def test_a_change_in_either_direction_is_one_incident_that_ends_at_once() -> None:
    [drop, rise] = incidents_of(rule_of(TEN_PERCENT), hourly(2000, 1790, 1790, 1990))
    assert (before_of(drop), value_of(drop), before_of(rise), value_of(rise)) == (
        2000, 1790, 1790, 1990,
    )  # fmt: skip
    assert [each.state for each in (drop, rise)] == [IncidentState.RESOLVED] * 2


def test_only_the_wanted_direction_counts() -> None:
    rises = rule_of(replace(TEN_PERCENT, direction=Direction.UP))
    assert opened(rises, 2000, 1700, 2000) == [2000]
    drops = rule_of(replace(TEN_PERCENT, direction=Direction.DOWN))
    assert opened(drops, 2000, 1700, 2000) == [1700]


def test_small_steps_add_up_against_the_last_notified_value() -> None:
    steps = (2000, 1900, 1805, 1750, 1700)
    assert opened(rule_of(TEN_PERCENT), *steps) == []
    notified = rule_of(replace(TEN_PERCENT, reference=Reference.NOTIFIED))
    assert opened(notified, *steps) == [1750]


def test_a_rank_changes_by_its_ratio() -> None:
    rule = rule_of(Condition(RANK, Comparison.CHANGED, percent=50))
    assert opened(rule, 100, 150) == [150]
    assert opened(rule, 150, 100) == [100]
    assert opened(rule, 100, 149) == []
    assert opened(rule, 149, 100) == []


def test_a_rank_in_another_category_is_not_compared() -> None:
    rule = rule_of(Condition(RANK, Comparison.CHANGED, percent=50))
    readings = [
        measure(NOON + number * HOUR, rank, scope=category)
        for number, (rank, category) in enumerate([(100, 1), (900, 2)])
    ]
    assert incidents_of(rule, readings) == []


def test_a_target_opens_on_the_first_reading_and_ends_where_it_clears() -> None:
    rule = rule_of(replace(BELOW_1800, clear_at=1900))
    [incident] = incidents_of(rule, hourly(1700, 1850, 1899, 1900, 1850))
    assert (incident.opened_at, incident.ended_at) == (NOON, NOON + 3 * HOUR)


def test_a_value_that_is_not_there_neither_opens_nor_ends() -> None:
    rule = rule_of(BELOW_1800)
    [incident] = incidents_of(rule, hourly(2000, None, 1700, None, None))
    assert (incident.state, incident.ended_at) == (IncidentState.FIRING, None)


def test_pending_counts_readings_and_time() -> None:
    twice = rule_of(BELOW_1800, pending_observations=2)
    assert opened(twice, 1700, 1900, 1700, 1650) == [1650]
    for_two_hours = rule_of(BELOW_1800, pending_for=2 * HOUR)
    assert opened(for_two_hours, 1700, 1690, 1680) == [1680]


def test_a_pending_change_is_measured_from_where_it_began() -> None:
    twice = rule_of(TEN_PERCENT, pending_observations=2)
    [incident] = incidents_of(twice, hourly(2000, 1700, 1700, 1700))
    assert (before_of(incident), value_of(incident)) == (2000, 1700)
    assert opened(twice, 2000, 1700, 2000) == []


def test_a_new_low_is_reported_once_a_day_of_lows() -> None:
    rule = rule_of(Condition(PRICE, Comparison.LOWEST))
    readings = hourly(1950, 1890, low=1900)
    assert list(map(before_of, incidents_of(rule, readings))) == [1900]
    assert incidents_of(rule, hourly(1950, 1)) == [], "no days before: nothing to be lower than"


def test_another_seller_or_listing_is_an_incident() -> None:
    rule = rule_of(Condition(Subject.SELLER, Comparison.DIFFERS))
    assert opened(rule, "A", "A", "B", "A") == ["B", "A"]


def test_a_state_lasts_until_it_is_left() -> None:
    [first, second] = incidents_of(rule_of(OUT_OF_STOCK), hourly(1, 7, 6, 1, 7))
    assert first.ended_at == NOON + 3 * HOUR
    assert second.ended_at is None


def test_what_comes_and_goes_is_one_flapping_incident() -> None:
    rule = rule_of(TEN_PERCENT)
    found = incidents_of(rule, hourly(*(2000, 1700) * 10))
    assert [each.state for each in found] == [IncidentState.RESOLVED] * 3 + [IncidentState.FLAPPING]


def test_flapping_ends_after_a_quiet_day_and_goes_on_firing_where_the_condition_holds() -> None:
    rule = rule_of(BELOW_1800)
    back_and_forth = (2000, 1700) * 4
    quiet = incidents_of(rule, hourly(*back_and_forth, *(2000,) * 26))
    assert quiet[-1].state is IncidentState.RESOLVED
    held = incidents_of(rule, hourly(*back_and_forth, *(1700,) * 26))
    assert (held[-1].state, held[-1].ended_at) == (IncidentState.FIRING, None)


@pytest.mark.parametrize(
    "comparison",
    [
        Comparison.BELOW,
        Comparison.ABOVE,
        Comparison.CHANGED,
        Comparison.IS,
        Comparison.BECAME,
    ],
)
def test_a_condition_without_its_value_is_refused(comparison: Comparison) -> None:
    with pytest.raises(ValueError, match=comparison.value):
        Condition(PRICE, comparison)


# States and events


BACK = Condition(STOCK, Comparison.BECAME, states=frozenset({1, 2}), before=frozenset({6, 7, 8}))


def test_back_in_stock_is_an_event_that_needs_a_state_before() -> None:
    assert opened(rule_of(BACK), 1, 7, 1, 2) == [1]
    assert opened(rule_of(BACK), 1, 1) == [], "the first observation is no return"


def test_became_without_states_before_means_any_other() -> None:
    rule = rule_of(Condition(STOCK, Comparison.BECAME, states=frozenset({8})))
    assert opened(rule, 8, 8, 1, 8, 8) == [8]


LOST = Condition(
    Subject.BUY_BOX_OWNER,
    Comparison.IS,
    states=frozenset({"other"}),
    before=frozenset({"own"}),
)


def test_what_was_never_held_is_not_lost() -> None:
    rule = rule_of(LOST)
    assert incidents_of(rule, hourly("other", "other")) == []
    [lost] = incidents_of(rule, hourly("other", "own", "other", None, "other", "own"))
    assert (lost.opened_at, lost.ended_at) == (NOON + 2 * HOUR, NOON + 5 * HOUR)


def test_a_lost_state_is_still_lost_when_it_may_open_again() -> None:
    rule = rule_of(LOST, rearm_after=4 * HOUR)
    found = incidents_of(rule, hourly("own", "other", "own", "other", "other", "other", "other"))
    assert [each.opened_at for each in found] == [NOON + HOUR, NOON + 5 * HOUR]


def test_a_first_value_is_what_the_days_before_did_not_have() -> None:
    rule = rule_of(Condition(Subject.SELLER, Comparison.FIRST, days=90))
    readings = [*hourly("A", "B"), measure(NOON + 2 * HOUR, "C", is_first=True)]
    assert list(map(value_of, incidents_of(rule, readings))) == ["C"]


def test_far_from_the_average_lasts_until_it_is_nearly_back() -> None:
    rule = rule_of(
        Condition(
            RANK,
            Comparison.CHANGED,
            percent=100,
            clear_percent=50,
            reference=Reference.AVERAGE,
            direction=Direction.UP,
        )
    )
    [incident] = incidents_of(rule, hourly(100, 210, 160, 149, 160, average=100.0))
    assert (incident.opened_at, incident.ended_at) == (NOON + HOUR, NOON + 3 * HOUR)


# Several conditions


def both(at: datetime, price: int | None, stock: int | None) -> Reading:
    values = (price, stock)
    return Reading(at, tuple(None if each is None else Measured(each, at) for each in values))


def test_all_conditions_must_hold_and_a_state_holds_until_it_is_left() -> None:
    rule = rule_of(BELOW_1800, OUT_OF_STOCK)
    readings = [
        both(NOON, 1700, 1),
        both(NOON + HOUR, None, 7),  # the price is not reported, and is still low
        both(NOON + 2 * HOUR, 1900, None),
    ]
    [incident] = incidents_of(rule, readings)
    assert (incident.opened_at, incident.ended_at) == (NOON + HOUR, NOON + 2 * HOUR)
    assert [each and each.at for each in incident.findings] == [NOON, NOON + HOUR]


def test_an_event_beside_a_state_is_an_event() -> None:
    rule = rule_of(TEN_PERCENT, replace(OUT_OF_STOCK, states=frozenset({1})))
    readings = [
        both(NOON, 2000, 7),
        both(NOON + HOUR, 1000, 7),
        both(NOON + 2 * HOUR, 2000, 1),
        both(NOON + 3 * HOUR, None, 1),
    ]
    [incident] = incidents_of(rule, readings)
    assert (incident.opened_at, incident.state) == (NOON + 2 * HOUR, IncidentState.RESOLVED)


def test_any_condition_is_enough() -> None:
    rule = replace(rule_of(BELOW_1800, OUT_OF_STOCK), combination=Combination.ANY)
    readings = [
        both(NOON, 2000, 7),
        both(NOON + HOUR, 1700, 1),
        both(NOON + 2 * HOUR, 2000, 1),
    ]
    [incident] = incidents_of(rule, readings)
    assert [each is None for each in incident.findings] == [True, False]
    assert incident.ended_at == NOON + 2 * HOUR


# What holds for every series

changes = st.builds(
    Condition,
    subject=st.sampled_from([PRICE, RANK, Subject.RATINGS_COUNT]),
    comparison=st.just(Comparison.CHANGED),
    percent=st.sampled_from([1.0, 10.0, 50.0]),
    amount=st.none() | st.integers(1, 50),
    reference=st.sampled_from(Reference),
    direction=st.sampled_from(Direction),
)
targets = st.builds(
    Condition,
    subject=st.just(PRICE),
    comparison=st.sampled_from([Comparison.BELOW, Comparison.ABOVE]),
    target=st.integers(1, 100),
)
states = st.builds(
    Condition,
    subject=st.just(STOCK),
    comparison=st.sampled_from([Comparison.IS, Comparison.BECAME]),
    states=st.frozensets(st.integers(0, 50), min_size=1),
    before=st.frozensets(st.integers(51, 100)),
)
others = st.builds(
    Condition,
    subject=st.just(PRICE),
    comparison=st.sampled_from([Comparison.LOWEST, Comparison.DIFFERS, Comparison.FIRST]),
)
timings = st.builds(
    Timing,
    pending_observations=st.integers(1, 3),
    pending_for=st.sampled_from([timedelta(0), 2 * HOUR]),
    rearm_after=st.sampled_from([timedelta(0), 5 * HOUR]),
)
rules = st.builds(
    AlertRule,
    conditions=st.tuples(changes | targets | states | others)
    | st.tuples(changes | targets, states | others),
    combination=st.sampled_from(Combination),
    timing=timings,
)


@st.composite
def measured_values(draw: st.DrawFn, at: datetime) -> Measured | None:
    if draw(st.integers(0, 4)) == 0:
        return None
    return Measured(
        draw(st.none() | st.integers(0, 100)),
        at,
        scope=draw(st.sampled_from([1, 1, 1, 2])),
        average=draw(st.none() | st.floats(0, 100)),
        low=draw(st.none() | st.integers(0, 100)),
        is_first=draw(st.booleans()),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[AlertRule, list[Reading]]:
    """Return a rule, and readings that have a value for each of its conditions."""
    rule, at, found = draw(rules), NOON, []
    for gap in draw(st.lists(st.integers(1, 30), max_size=40)):
        at += gap * HOUR
        found.append(Reading(at, tuple(draw(measured_values(at)) for _ in rule.conditions)))
    return rule, found


@given(case=cases(), cut=st.integers(0, 40))
def test_in_pieces_it_is_as_at_once(case: tuple[AlertRule, list[Reading]], cut: int) -> None:
    rule, readings = case
    whole = evaluate(rule, readings, make_memory(rule))
    first = evaluate(rule, readings[:cut], make_memory(rule))
    second = evaluate(rule, readings[cut:], first.memory)
    assert first.incidents | second.incidents == whole.incidents
    assert second.memory == whole.memory


@given(case=cases(), cut=st.integers(0, 40))
def test_what_is_stored_between_pieces_is_enough(
    case: tuple[AlertRule, list[Reading]], cut: int
) -> None:
    rule, readings = case
    whole = evaluate(rule, readings, make_memory(rule))
    first = evaluate(rule, readings[:cut], make_memory(rule))
    memory = first.memory
    stored = None if is_quiet(rule, memory) else dump_memory(memory)
    second = evaluate(rule, readings[cut:], load_memory(rule, stored, memory.last))
    assert first.incidents | second.incidents == whole.incidents


@given(case=cases())
def test_what_is_passed_over_changes_nothing(case: tuple[AlertRule, list[Reading]]) -> None:
    rule, readings = case
    fold = fold_module._Fold(rule, make_memory(rule))
    for each in readings:
        fold.add_reading(each)
    found = evaluate(rule, readings, make_memory(rule))
    assert (found.memory, found.incidents) == (fold.memory, fold.incidents)


def test_a_state_that_was_known_before_the_rule_opens_with_its_next_reading() -> None:
    rule = rule_of(OUT_OF_STOCK)
    known = make_memory(rule, [Measured(7, NOON)])
    found = evaluate(rule, hourly(7, 7), known)
    assert list(found.incidents) == [NOON + HOUR]


@given(case=cases())
def test_readings_evaluated_again_change_nothing(case: tuple[AlertRule, list[Reading]]) -> None:
    rule, readings = case
    first = evaluate(rule, readings, make_memory(rule))
    again = evaluate(rule, readings, first.memory)
    assert (again.memory, again.incidents) == (first.memory, {})


@given(case=cases(), where=st.integers(0, 40))
def test_a_reading_without_a_value_changes_nothing(
    case: tuple[AlertRule, list[Reading]], where: int
) -> None:
    rule, readings = case
    at = readings[where - 1].at if 0 < where <= len(readings) else NOON
    empty = Reading(
        at + timedelta(minutes=1), (Measured(None, at, 1),) + (None,) * (len(rule.conditions) - 1)
    )
    holed = sorted([*readings, empty], key=lambda each: each.at)
    assert incidents_of(rule, holed) == incidents_of(rule, readings)


@given(case=cases())
def test_incidents_keep_their_distance_and_end_after_they_open(
    case: tuple[AlertRule, list[Reading]],
) -> None:
    rule, readings = case
    found = incidents_of(rule, readings)
    openings = [each.opened_at for each in found]
    assert openings == sorted(set(openings))
    pairs = pairwise(openings)
    assert all(later - earlier >= rule.timing.rearm_after for earlier, later in pairs)
    assert all(each.ended_at is None or each.ended_at >= each.opened_at for each in found)
    assert sum(each.ended_at is None for each in found) <= 1
    assert all(any(each.findings) for each in found), "an incident says what was found"


@given(rule=rules, value=st.integers(0, 100), count=st.integers(0, 30))
def test_a_constant_value_is_at_most_one_incident(rule: AlertRule, value: int, count: int) -> None:
    readings: Sequence[Reading] = [
        Reading(at, tuple(Measured(value, at) for _ in rule.conditions))
        for at in (NOON + number * HOUR for number in range(count))
    ]
    assert len(incidents_of(rule, readings)) <= 1


@given(case=cases())
def test_the_short_way_of_a_repeated_value_leads_to_the_same(
    case: tuple[AlertRule, list[Reading]],
) -> None:
    rule, readings = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Condition, "needs_days", True)  # never the short way
        long_way = evaluate(rule, readings, make_memory(rule))
    assert evaluate(rule, readings, make_memory(rule)) == long_way
