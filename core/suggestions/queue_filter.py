"""How the review queue is narrowed, and what is counted of it. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from core.suggestions.rules import Advisor, Kind, SuggestionState

LARGEST_PAGE = 200

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What of the queue is asked for; an empty choice leaves everything."""

    state: SuggestionState | None = SuggestionState.PENDING  # None: in any state
    kinds: tuple[Kind, ...] = ()
    priorities: tuple[int, ...] = ()
    advisors: tuple[Advisor, ...] = ()
    product: str = ""  # words of a title, a brand, or an ASIN
    product_id: int | None = None  # only about this one

    @property
    def is_narrow(self) -> bool:
        """Return whether anything but the state narrows it."""
        return self != QueueFilter(state=self.state)


@dataclass(frozen=True, slots=True)
class Group:
    """How many suggestions are the same in all that can be chosen."""

    state: SuggestionState
    kind: Kind
    priority: int
    advisor: Advisor
    number: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many suggestions each choice of a filter would leave, the other choices as they are."""

    total: int
    states: dict[SuggestionState, int]
    kinds: dict[Kind, int]
    priorities: dict[int, int]
    advisors: dict[Advisor, int]


def counts_of(groups: Iterable[Group], asked: QueueFilter) -> Counts:
    """Count the groups under a filter; its words for the product are counted in already."""
    found = list(groups)
    return Counts(
        total=sum(group.number for group in found if _fits(group, asked)),
        states=_per(found, lambda group: group.state, replace(asked, state=None)),
        kinds=_per(found, lambda group: group.kind, replace(asked, kinds=())),
        priorities=_per(found, lambda group: group.priority, replace(asked, priorities=())),
        advisors=_per(found, lambda group: group.advisor, replace(asked, advisors=())),
    )


def _per(groups: list[Group], choice: Callable[[Group], K], asked: QueueFilter) -> dict[K, int]:
    counted: Counter[K] = Counter()
    for group in groups:
        if _fits(group, asked):
            counted[choice(group)] += group.number
    return dict(counted)


def _fits(group: Group, asked: QueueFilter) -> bool:
    return (
        asked.state in (None, group.state)
        and (not asked.kinds or group.kind in asked.kinds)
        and (not asked.priorities or group.priority in asked.priorities)
        and (not asked.advisors or group.advisor in asked.advisors)
    )
