"""Ways to push an approved change to a marketplace directly. Off by default.

Adding one: a class with `name` and `push`, its entry in APPLIERS, and its name among
those that the settings take (`core/settings/environment.py`). What is here reaches nothing outside.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.errors import ConfigurationError
from core.suggestions.rules import Change

OFF = "off"


@dataclass(frozen=True, slots=True)
class PushRequest:
    """One approved change, as an applier is told it."""

    key: str  # the same for the same change, however often it is pushed
    marketplace: str
    asin: str
    change: Change
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    patch: Mapping[str, Any]  # as JSON, the change set's


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of an order."""

    applier: str
    told: str  # for the time line


class Connector(Protocol):
    """Pushes changes. Pushing an order again must do nothing more than once."""

    name: str

    def push(self, order: PushRequest) -> Receipt:
        """Change a listing or price outside. Raises OutsideServiceError when that failed."""
        ...


class DryRun:
    """Says what it would push, and pushes nothing."""

    name = "dry-run"

    def push(self, order: PushRequest) -> Receipt:
        """Return what would be pushed; always the same for the same order."""
        paths = ", ".join(patch["path"] for patch in order.patch["patches"])
        told = f"Would write {paths} of {order.asin} in {order.marketplace}. Nothing was pushed."
        return Receipt(self.name, told)


CONNECTORS: Mapping[str, Callable[[], Connector]] = {DryRun.name: DryRun}


def find_applier(name: str) -> Connector | None:
    """Return the applier of a setting, None for "off". Raises ConfigurationError."""
    if name == OFF:
        return None
    if name not in CONNECTORS:
        known = ", ".join((OFF, *CONNECTORS))
        raise ConfigurationError(f"AMAZCOPE_APPLIER: there is no {name}. Choose from {known}.")
    return CONNECTORS[name]()
