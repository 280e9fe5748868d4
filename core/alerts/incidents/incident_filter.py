"""Kinds of incidents and of their handling, and filters by them. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.alerts.rules.rule import Severity
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role

LARGEST_PAGE: Final = 200
COUNTED: Final = 1_000  # lists are counted exactly up to here


class IncidentKind(StrEnum):
    """What an incident is about: the code of its built-in rule or threshold, or a team's rule."""

    LISTING_REMOVED = "listing_removed"
    OUT_OF_STOCK = "out_of_stock"
    BUY_BOX_SUPPRESSED = "buy_box_suppressed"
    BUY_BOX_LOST = "buy_box_lost"
    RANK_BELOW_USUAL = "rank_below_usual"
    PRICE_OUTSIDE_CAPS = "price_outside_caps"
    UNEXPLAINED_EDIT = "unexplained_edit"
    PRICE_CHANGE = "price_change"
    RANK_CHANGE = "rank_change"
    TEAM_RULE = "team_rule"  # of a rule that the team made itself


class Handling(StrEnum):
    """What users did about an incident."""

    NEW = "new"  # nothing
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"  # until a time that is not over
    RESOLVED = "resolved"  # a user marked it as resolved; its state may last


class EventKind(StrEnum):
    """What a user did with an incident. Stored as text."""

    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    SNOOZED = "snoozed"
    SNOOZE_ENDED = "snooze_ended"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    RESOLVED = "resolved"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """A filter of incidents. Empty: all; the values of one field are alternatives."""

    scope: ListScope = ListScope.TEAM
    roles: tuple[Role, ...] = ()
    marketplaces: tuple[str, ...] = ()
    kinds: tuple[IncidentKind, ...] = ()
    severities: tuple[Severity, ...] = ()
    handling: tuple[Handling, ...] = ()
    product_id: int | None = None
    rule_id: int | None = None
    only_unread: bool = False  # the user was notified of it in the app and has not read it

    @property
    def is_empty(self) -> bool:
        """True if nothing but the scope is filtered."""
        return self == IncidentFilter(scope=self.scope)
