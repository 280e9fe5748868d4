"""Turns an observation into a row of `snapshot`. Pure."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from psycopg.types.json import Jsonb

from core.database.bulk_write import column_types
from core.history.ingest.latest_values import unreadable_names
from core.history.models import Snapshot
from core.history.observation import Observation

Categories = Mapping[tuple[str, str], int]  # ids by marketplace and name
Origin = tuple[int, int | None, int | None]  # product, fetch run, import run

_TYPES = column_types(Snapshot.__table__)
_COMPUTED = (
    "product_id", "captured_at", "source", "fetch_run_id", "import_run_id", "kind", "seen",
    "unreadable", "flags", "outcome", "currency", "bsr", "bsr_category_id", "sub_rank",
    "sub_category_id",
)  # fmt: skip
# Columns with the value of the observation's field of the same name, and their types.
COPIED = {name: kind for name, kind in _TYPES.items() if name not in _COMPUTED}
SNAPSHOT = {name: _TYPES[name] for name in _COMPUTED} | COPIED
_copied_values = attrgetter(*COPIED)


def snapshot_row(
    categories: Categories, origin: Origin, observation: Observation, flags: int, currency: str
) -> Sequence[Any]:
    """Return the row in the order of `SNAPSHOT`. `origin`: product, fetch run, import run."""
    product_id, fetch_run_id, import_run_id = origin
    return (
        product_id,
        observation.captured_at,
        int(observation.source),
        fetch_run_id,
        import_run_id,
        int(observation.kind),
        int(observation.seen),
        Jsonb(unreadable_names(observation)) if observation.unreadable else None,
        flags,
        observation.outcome.value,
        observation.currency or currency,
        *_rank(categories, observation, 0),
        *_rank(categories, observation, 1),
        *_copied_values(observation),
    )


def _rank(
    categories: Categories, observation: Observation, number: int
) -> tuple[int | None, int | None]:
    if len(observation.ranks) <= number:
        return None, None
    rank = observation.ranks[number]
    return rank.rank, categories[observation.marketplace, rank.category]
