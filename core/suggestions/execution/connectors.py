"""Connectors push an approved change to a marketplace. Off by default.

To add one: a class with `name` and `push`, its entry in CONNECTORS, and its name among
those that `core/settings/environment.py` accepts. The connectors here use no network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.errors import ConfigurationError
from core.suggestions.rules import Change

OFF = "off"


@dataclass(frozen=True, slots=True)
class PushRequest:
    """One approved change, as a connector receives it."""

    key: str  # the same for the same change, however often it is pushed
    marketplace: str
    asin: str
    change: Change
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    patch: Mapping[str, Any]  # the change set's JSON document of this change


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer of a connector."""

    connector: str
    detail: str  # for the timeline


class Connector(Protocol):
    """Pushes changes. Pushing a request again must change nothing."""

    name: str

    def push(self, request: PushRequest) -> Receipt:
        """Change a price or listing on the marketplace. Raises OutsideServiceError."""
        ...


class DryRun:
    """Reports what it would push, and pushes nothing."""

    name = "dry-run"

    def push(self, request: PushRequest) -> Receipt:
        """Return what would be pushed; the same for the same request."""
        paths = ", ".join(patch["path"] for patch in request.patch["patches"])
        detail = (
            f"Would write {paths} of {request.asin} in {request.marketplace}. Nothing was pushed."
        )
        return Receipt(self.name, detail)


CONNECTORS: Mapping[str, Callable[[], Connector]] = {DryRun.name: DryRun}


def find_connector(name: str) -> Connector | None:
    """Return the connector with this name, None for "off". Raises ConfigurationError."""
    if name == OFF:
        return None
    if name not in CONNECTORS:
        known = ", ".join((OFF, *CONNECTORS))
        raise ConfigurationError(f"AMAZCOPE_APPLIER: {name} is unknown. Choose from {known}.")
    return CONNECTORS[name]()
