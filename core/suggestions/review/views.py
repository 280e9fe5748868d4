"""Suggestions, their actions and events as pages and tools read them. Pure."""

from dataclasses import dataclass
from datetime import datetime

from core.suggestions.changes.values import Values
from core.suggestions.queue_filter import Counts
from core.suggestions.rules import (
    ActionState,
    Advisor,
    Change,
    Direction,
    Evidence,
    Kind,
    Metric,
    SuggestionState,
)


@dataclass(frozen=True, slots=True)
class PendingAction:
    """An action that is not decided yet."""

    action_id: int
    change: Change


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A suggestion as a row of a list."""

    id: int
    product_id: int
    marketplace: str
    asin: str
    product_title: str | None  # None: no title was read yet
    kind: Kind
    title: str
    priority: int
    confidence: float
    metric: Metric
    direction: Direction
    window_days: int
    state: SuggestionState
    advisor: Advisor
    model: str | None  # the model, or the agent's token; None: neither
    made_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    actions: int
    waiting: tuple[PendingAction, ...]
    asked_by: str | None = None  # the user's name; None: the daily run

    @property
    def is_quick(self) -> bool:
        """Return whether the list can decide it: pending, and about tracking only."""
        is_tracking = all(each.change.kind is Kind.TRACKING for each in self.waiting)
        is_waiting = self.state is SuggestionState.PENDING and bool(self.waiting)
        return self.kind is Kind.TRACKING and is_tracking and is_waiting


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of the queue, and how many suggestions each choice of the filter has."""

    rows: tuple[QueueRow, ...]
    counts: Counts


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action of a suggestion."""

    id: int
    place: int
    change: Change
    current: Values
    proposed: Values
    edited: Values | None  # by the manager; None: as proposed
    reason: str
    state: ActionState
    decided_by: str | None  # the user's name
    decided_at: datetime | None
    decision_reason: str | None
    applied_at: datetime | None
    verify_until: datetime | None
    verified_at: datetime | None
    seen_at: datetime | None
    trouble: str | None

    @property
    def new_values(self) -> Values:
        """Return the values to set: the edited ones, else the proposed ones."""
        return self.proposed if self.edited is None else self.edited


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """One suggestion with its evidence and actions."""

    row: QueueRow
    reasoning: str
    evidence: tuple[Evidence, ...]
    asked_by: str | None  # None: the daily run
    actions: tuple[ActionView, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a suggestion."""

    at: datetime
    person: str | None  # the user's name; None: a job on its own
    means: str
    change: Change | None  # None: the suggestion as a whole
    before: str | None
    after: str
    why: str | None
    is_edited: bool = False  # an approval of another value than the proposed one


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """The place of a pending suggestion in the queue."""

    number: int  # from 1
    total: int
    before: int | None  # the suggestion ahead of it
    after: int | None


@dataclass(frozen=True, slots=True)
class VerifiedAction:
    """An action whose new value a check has seen on Amazon."""

    suggestion_id: int
    change: Change
    verified_at: datetime
    product_id: int
    marketplace: str
    asin: str
    title: str | None  # None: no title was read yet
