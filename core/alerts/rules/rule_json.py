"""A rule as JSON values to store, and back. Only what differs from the usual is written. Pure."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from core.alerts.rules.rule import AlertRule


@cache
def _adapter() -> TypeAdapter[AlertRule]:
    return TypeAdapter(AlertRule)


def dump_rule(rule: AlertRule) -> dict[str, Any]:
    """Return a rule as JSON values; times as ISO 8601 durations."""
    stored: dict[str, Any] = _adapter().dump_python(rule, mode="json", exclude_defaults=True)
    for condition in stored["conditions"]:
        for name in ("states", "before"):  # sets: the same rule is always written the same
            if name in condition:
                condition[name].sort(key=str)
    return stored


def load_rule(stored: Mapping[str, Any]) -> AlertRule:
    """Return the rule that `dump_rule` wrote. Raises ValueError for anything else."""
    return _adapter().validate_python(stored)
