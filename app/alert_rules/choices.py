"""Labels of what a rule is put together from, and a usual condition to begin with. Pure."""

from typing import Final

from core.alerts.rules.rule import (
    DAY_SUBJECTS,
    Combination,
    Comparison,
    Condition,
    Direction,
    Reference,
    ScopeKind,
    Subject,
)
from core.alerts.rules.sentences import find_example
from core.alerts.rules.subject_text import OFFERED_AT_TIMES, SUBJECTS, capitalize
from core.alerts.rules.validation import NUMBERS, STATES, list_comparisons

SCOPES: Final = {
    ScopeKind.OWN: "Own products",
    ScopeKind.COMPETITORS: "Competitors",
    ScopeKind.TRACKED: "Every tracked product",
    ScopeKind.TAG: "Products with a tag",
    ScopeKind.VIEW: "Products in a saved view",
    ScopeKind.PRODUCT: "One product",
}
COMBINATIONS: Final = {Combination.ALL: "All must hold", Combination.ANY: "Any is enough"}
SUBJECT_LABELS: Final = {subject: capitalize(name) for subject, name in SUBJECTS.items()} | {
    Subject.PRICE_LIMITS: "Price against its caps",
    Subject.BUY_BOX_OWNER: "Buy Box: yours or another's",
    Subject.LISTING_EDIT: "Listing against what was approved",
}
_COMPARISONS: Final = {
    Comparison.CHANGED: "changes by",
    Comparison.BELOW: "is below",
    Comparison.ABOVE: "is above",
    Comparison.LOWEST: "is the lowest in",
    Comparison.HIGHEST: "is the highest in",
    Comparison.IS: "is",
    Comparison.BECAME: "becomes",
    Comparison.DIFFERS: "changes at all",
    Comparison.FIRST: "is one not seen in",
}
_OF_RANKS: Final = {
    Comparison.BELOW: "is better than",
    Comparison.ABOVE: "is worse than",
    Comparison.LOWEST: "is the best in",
    Comparison.HIGHEST: "is the worst in",
}
_DIRECTIONS: Final = {Direction.ANY: "Either", Direction.UP: "Up", Direction.DOWN: "Down"}
_DIRECTIONS_OF_RANKS: Final = {
    Direction.ANY: "Either",
    Direction.UP: "Worse",
    Direction.DOWN: "Better",
}
_REFERENCES: Final = {
    Reference.PREVIOUS: "the last accepted value",
    Reference.NOTIFIED: "the value of the last alert",
    Reference.AVERAGE: "its average of days",
}


def label_comparisons(subject: Subject) -> dict[Comparison, str]:
    """Return how a subject's values can be compared, with labels."""
    names = _COMPARISONS | (_OF_RANKS if subject is Subject.RANK else {})
    possible = list_comparisons(subject)
    return {each: names[each] for each in Comparison if each in possible}


def label_directions(subject: Subject) -> dict[Direction, str]:
    """Return the directions of a change, with labels."""
    return _DIRECTIONS_OF_RANKS if subject is Subject.RANK else _DIRECTIONS


def label_references(subject: Subject) -> dict[Reference, str]:
    """Return what a change of a subject can be measured against, with labels."""
    return {
        each: label
        for each, label in _REFERENCES.items()
        if each is not Reference.AVERAGE or subject in DAY_SUBJECTS
    }


def make_condition(subject: Subject, comparison: Comparison, marketplace: str) -> Condition:
    """Return a condition with usual values, to be changed."""
    match comparison:
        case Comparison.CHANGED if subject is Subject.RATING:
            return Condition(subject, comparison, amount=1)
        case Comparison.CHANGED:
            return Condition(subject, comparison, percent=10)
        case Comparison.BELOW | Comparison.ABOVE:
            return Condition(subject, comparison, target=_find_target(subject, marketplace))
        case Comparison.IS | Comparison.BECAME:
            first = min(STATES[subject], key=str)
            return Condition(subject, comparison, states=frozenset({first}))
    return Condition(subject, comparison)


def _find_target(subject: Subject, marketplace: str) -> int:
    if subject is Subject.CHEAPEST_COMPETITOR:
        return 950
    if subject in OFFERED_AT_TIMES:
        return 0
    return find_example(subject, marketplace) if subject in NUMBERS else 1
