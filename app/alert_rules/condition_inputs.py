"""The inputs of one condition of a rule: what is watched, how it is compared, with what."""

from dataclasses import replace
from typing import Final

import streamlit as st

from app.alert_rules.choices import (
    SUBJECT_LABELS,
    label_comparisons,
    label_directions,
    label_references,
    make_condition,
)
from core.alerts.rules.rule import Comparison, Condition, Reference, Subject
from core.alerts.rules.subject_text import capitalize, describe_states
from core.alerts.rules.threshold_text import label_threshold, read_threshold, write_threshold
from core.alerts.rules.thresholds import Threshold, ThresholdKind
from core.alerts.rules.validation import LONGEST_CATEGORY_NAME, NUMBERS, STATES
from core.errors import InvalidInputError

_TARGETS: Final = (Comparison.BELOW, Comparison.ABOVE)
_OF_DAYS: Final = (Comparison.LOWEST, Comparison.HIGHEST, Comparison.FIRST)
_OF_STATES: Final = (Comparison.IS, Comparison.BECAME)


def choose_condition(usual: Condition, key: str, marketplace: str, *, is_fixed: bool) -> Condition:
    """Show the inputs; return the condition. `is_fixed`: only its numbers can be changed.

    Raises InvalidInputError for what is no number, ValueError for a missing value.
    """
    condition = usual if is_fixed else _choose_kind(usual, key, marketplace)
    key = f"{key}_{condition.subject.value}_{condition.comparison.value}"
    if condition.comparison is Comparison.CHANGED:
        return _choose_change(condition, key, marketplace, is_fixed=is_fixed)
    if condition.comparison in _TARGETS:
        return _choose_target(condition, key, marketplace)
    if condition.comparison in _OF_DAYS:
        return replace(condition, days=_choose_days(condition, key))
    if condition.comparison in _OF_STATES and not is_fixed:
        return _choose_states(condition, key)
    return condition


def _choose_kind(usual: Condition, key: str, marketplace: str) -> Condition:
    """Return what is watched and how it is compared, with usual values where that is new."""
    subjects = list(SUBJECT_LABELS)
    subject = st.selectbox(
        "Watch",
        subjects,
        index=subjects.index(usual.subject),
        format_func=SUBJECT_LABELS.__getitem__,
        key=f"{key}_subject",
    )
    names = label_comparisons(subject)
    comparisons = list(names)
    is_known = subject is usual.subject and usual.comparison in names
    comparison = st.selectbox(
        "When it",
        comparisons,
        index=comparisons.index(usual.comparison) if is_known else 0,
        format_func=names.__getitem__,
        key=f"{key}_{subject.value}_comparison",
    )
    condition = usual
    if (subject, comparison) != (usual.subject, usual.comparison):
        condition = make_condition(subject, comparison, marketplace)
    if subject is Subject.RANK:
        category = st.text_input(
            "Category, as Amazon names it (optional)",
            usual.category or "",
            max_chars=LONGEST_CATEGORY_NAME,
            key=f"{key}_category",
        )
        condition = replace(condition, category=category.strip() or None)
    return condition


def _choose_change(usual: Condition, key: str, marketplace: str, *, is_fixed: bool) -> Condition:
    subject, changed = usual.subject, usual
    if not is_fixed:
        directions = label_directions(subject)
        direction = st.segmented_control(
            "Direction",
            list(directions),
            default=usual.direction,
            required=True,
            format_func=directions.__getitem__,
            key=f"{key}_direction",
        )
        references = label_references(subject)
        names = list(references)
        reference = st.selectbox(
            "Against",
            names,
            index=names.index(usual.reference) if usual.reference in references else 0,
            format_func=references.__getitem__,
            key=f"{key}_reference",
        )
        changed = replace(changed, direction=direction, reference=reference)
    percent = _choose_value(ThresholdKind.PERCENT, usual, usual.percent, key, marketplace)
    amount = usual.amount
    if not is_fixed or amount is not None:
        value = _choose_value(ThresholdKind.AMOUNT, usual, usual.amount, key, marketplace)
        amount = None if value is None else round(value)
    changed = replace(changed, percent=percent, amount=amount)
    if changed.reference is not Reference.AVERAGE:
        return replace(changed, clear_percent=None)
    changed = replace(changed, days=_choose_days(usual, key))
    clear = _choose_number("Ends below (%)", usual.clear_percent, f"{key}_clear_percent")
    return replace(changed, clear_percent=clear)


def _choose_target(usual: Condition, key: str, marketplace: str) -> Condition:
    target = _choose_value(ThresholdKind.TARGET, usual, usual.target, key, marketplace)
    kind = Threshold(ThresholdKind.TARGET, usual.subject, usual.clear_at or 0)
    typed = st.text_input(
        "Ends at (optional)",
        "" if usual.clear_at is None else write_threshold(kind, marketplace),
        key=f"{key}_clear_at",
        max_chars=30,
        help="Where an alert ends, if not at the threshold: a value that hovers is one alert.",
    )
    clear_at = round(read_threshold(kind, typed, marketplace)) if typed.strip() else None
    return replace(usual, target=None if target is None else round(target), clear_at=clear_at)


def find_input_key(condition: Condition, kind: ThresholdKind, key: str) -> str:
    """Return the key of the input of a condition's threshold. `key`: of the condition."""
    return f"{key}_{condition.subject.value}_{condition.comparison.value}_{kind.value}"


def _choose_value(
    kind: ThresholdKind, condition: Condition, value: float | None, key: str, marketplace: str
) -> float | None:
    """Show an input of a threshold, by the user's own notation; return what it is stored as."""
    is_upper = condition.comparison is not Comparison.BELOW
    threshold = Threshold(kind, condition.subject, value or 0, is_upper)
    typed = st.text_input(
        label_threshold(threshold, marketplace),
        "" if value is None else write_threshold(threshold, marketplace),
        key=f"{key}_{kind.value}",
        max_chars=30,
    )
    return read_threshold(threshold, typed, marketplace) if typed.strip() else None


def _choose_number(label: str, value: float | None, key: str) -> float | None:
    threshold = Threshold(ThresholdKind.PERCENT, Subject.PRICE, value or 0)
    usual = "" if value is None else write_threshold(threshold, "US")
    typed = st.text_input(label, usual, key=key, max_chars=30)
    return read_threshold(threshold, typed, "US") if typed.strip() else None


def _choose_days(usual: Condition, key: str) -> int:
    return int(st.number_input("Days", 1, 366, usual.days, key=f"{key}_days"))


def _choose_states(usual: Condition, key: str) -> Condition:
    offered = sorted(STATES[usual.subject], key=str)
    names = {each: capitalize(describe_states(frozenset({each}))) for each in offered}
    if len(offered) == 1:
        return usual
    states = st.pills(
        "States",
        offered,
        selection_mode="multi",
        default=sorted(usual.states, key=str),
        format_func=names.__getitem__,
        key=f"{key}_states",
    )
    before = st.pills(
        "From (optional)",
        offered,
        selection_mode="multi",
        default=sorted(usual.before, key=str),
        format_func=names.__getitem__,
        key=f"{key}_before",
    )
    if not states:
        raise InvalidInputError("Choose at least one state.")
    return replace(usual, states=frozenset(states), before=frozenset(before))


def has_numbers(condition: Condition) -> bool:
    """Return whether a condition has a number that can be changed."""
    return condition.subject in NUMBERS and condition.comparison in (
        Comparison.CHANGED,
        *_TARGETS,
        *_OF_DAYS,
    )
