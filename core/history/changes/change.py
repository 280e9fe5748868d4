"""A change of a product: its kind, and the values before and after. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.history.accepted_values import CURRENT_COLUMNS, DAY_COLUMNS, AcceptedValues
from core.history.periods.change_detection import ChangeKind


@dataclass(frozen=True, slots=True)
class ObservedChange:
    """What happened to a product, and its values then and now."""

    kind: ChangeKind | None  # None: values differ, but none by enough
    marketplace: str
    bsr_category: str | None
    then: AcceptedValues
    now: AcceptedValues


def read_change(row: Mapping[Any, Any]) -> ObservedChange:
    """Return the change of a product list's row, since yesterday."""
    return ObservedChange(
        ChangeKind(row["attention_kind"]),
        row["marketplace"],
        row["bsr_category"],
        AcceptedValues(*map(row.get, DAY_COLUMNS)),
        AcceptedValues(*map(row.get, CURRENT_COLUMNS)),
    )
