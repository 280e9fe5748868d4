"""The filter of the review queue, and its counts. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from core.suggestions.rules import Advisor, Kind, SuggestionState

LARGEST_PAGE = 200

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which suggestions of the queue to list; an empty choice keeps all."""

    state: SuggestionState | None = SuggestionState.PENDING  # None: any state
    kinds: tuple[Kind, ...] = ()
    priorities: tuple[int, ...] = ()
    advisors: tuple[Advisor, ...] = ()
    product: str = ""  # words of a title, a brand, or an ASIN
    product_id: int | None = None  # only suggestions about this product

    @property
    def is_narrow(self) -> bool:
        """Return whether anything but the state is filtered."""
        return self != QueueFilter(state=self.state)


@dataclass(frozen=True, slots=True)
class Group:
    """The number of suggestions with the same value in every choice of the filter."""

    state: SuggestionState
    kind: Kind
    priority: int
    advisor: Advisor
    number: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of suggestions for each option of a choice, the other choices unchanged."""

    total: int
    states: dict[SuggestionState, int]
    kinds: dict[Kind, int]
    priorities: dict[int, int]
    advisors: dict[Advisor, int]


def count_groups(groups: Iterable[Group], chosen: QueueFilter) -> Counts:
    """Count the groups under a filter. They must already fit its product search."""
    found = list(groups)
    return Counts(
        total=sum(group.number for group in found if _fits(group, chosen)),
        states=_per(found, lambda group: group.state, replace(chosen, state=None)),
        kinds=_per(found, lambda group: group.kind, replace(chosen, kinds=())),
        priorities=_per(found, lambda group: group.priority, replace(chosen, priorities=())),
        advisors=_per(found, lambda group: group.advisor, replace(chosen, advisors=())),
    )


def _per(groups: list[Group], choice: Callable[[Group], K], chosen: QueueFilter) -> dict[K, int]:
    counted: Counter[K] = Counter()
    for group in groups:
        if _fits(group, chosen):
            counted[choice(group)] += group.number
    return dict(counted)


def _fits(group: Group, chosen: QueueFilter) -> bool:
    return (
        chosen.state in (None, group.state)
        and (not chosen.kinds or group.kind in chosen.kinds)
        and (not chosen.priorities or group.priority in chosen.priorities)
        and (not chosen.advisors or group.advisor in chosen.advisors)
    )
