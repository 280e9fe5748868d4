"""A change of a product: its kind, and the values before and after. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.history.accepted_values import CURRENT_COLUMNS, PRIOR_COLUMNS, AcceptedValues
from core.history.ingest.change_detection import ChangeKind


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a product, and its values then and now."""

    kind: ChangeKind
    marketplace: str
    bsr_category: str | None
    then: AcceptedValues
    now: AcceptedValues


def read_change(row: Mapping[Any, Any]) -> Change:
    """Return the change of a product list's row, since the day before."""
    return Change(
        ChangeKind(row["attention_kind"]),
        row["marketplace"],
        row["bsr_category"],
        AcceptedValues(*map(row.get, PRIOR_COLUMNS)),
        AcceptedValues(*map(row.get, CURRENT_COLUMNS)),
    )
