"""Rules for property tests: any that can be built, and those that make sense."""

from datetime import timedelta

from hypothesis import strategies as st

from core.alerts.rules.rule import (
    AlertRule,
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
    Value,
)
from core.alerts.rules.validation import STATES, list_comparisons, list_problems

SCOPES = st.builds(
    RuleScope,
    kind=st.sampled_from([ScopeKind.OWN, ScopeKind.COMPETITORS, ScopeKind.TRACKED]),
) | st.sampled_from(
    [
        RuleScope(ScopeKind.TAG, tag="best lamps"),
        RuleScope(ScopeKind.PRODUCT, product_id=7),
        RuleScope(ScopeKind.VIEW, view_id=3),
    ]
)
TIMINGS = st.builds(
    Timing,
    pending_observations=st.integers(1, 5),
    pending_for=st.sampled_from([timedelta(0), timedelta(hours=12), timedelta(minutes=90)]),
    rearm_after=st.sampled_from([timedelta(0), timedelta(hours=6), timedelta(days=3)]),
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """A condition of a comparison that its subject has."""
    subject = draw(st.sampled_from(Subject))
    comparison = draw(st.sampled_from(sorted(list_comparisons(subject))))
    states: frozenset[Value] = frozenset()
    before: frozenset[Value] = frozenset()
    target = clear_at = percent = clear_percent = amount = None
    reference = Reference.PREVIOUS
    if comparison in (Comparison.IS, Comparison.BECAME):
        known = st.sampled_from(sorted(STATES[subject], key=str))
        states = frozenset(draw(st.lists(known, min_size=1, max_size=4)))
        before = frozenset(draw(st.lists(known, max_size=4))) - states
    if comparison in (Comparison.BELOW, Comparison.ABOVE):
        target = draw(st.integers(0, 50) | st.integers(0, 10**7))
        clear_at = draw(st.none() | st.integers(0, 50))
    if comparison is Comparison.CHANGED:
        percent = draw(st.none() | st.decimals("0.01", 1000, places=2).map(float))
        amount = draw(st.integers(1, 5000)) if percent is None or draw(st.booleans()) else None
        reference = draw(st.sampled_from(Reference))
        if reference is Reference.AVERAGE:
            clear_percent = draw(st.none() | st.just(percent))
    return Condition(
        subject,
        comparison,
        target=target,
        clear_at=clear_at,
        percent=percent,
        amount=amount,
        clear_percent=clear_percent,
        reference=reference,
        direction=draw(st.sampled_from(Direction)),
        days=draw(st.integers(1, 366)),
        states=states,
        before=before,
        category=draw(st.none() | st.just("Desk lamps")) if subject is Subject.RANK else None,
    )


RULES = st.builds(
    AlertRule,
    conditions=st.lists(conditions(), min_size=1, max_size=3).map(tuple),
    combination=st.sampled_from(Combination),
    scope=SCOPES,
    timing=TIMINGS,
    severity=st.sampled_from(Severity),
)
SENSIBLE_RULES = RULES.filter(lambda rule: not any(list_problems(rule)))
