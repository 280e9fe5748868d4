"""Recomputes the flags that late observations change. Never commits.

An observation that is older than a stored one may confirm, contradict or separate its
neighbours. So the gate checks the stored snapshots and the new ones again in the order of
their times: from the last value before them that was accepted at once, to the first one
after them, beyond which nothing changes. The result is the same as if all observations had
arrived in order.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from core.database.bulk_write import execute_with_arrays
from core.history.ingest.quality_gate import (
    CONFIRMABLE,
    COUNT_FIELD,
    COUNT_FLAGS,
    NOT_COMPARED,
    PRICE_FIELD,
    PRICE_FLAGS,
    RANK_FIELD,
    RANK_FLAGS,
    GatedValues,
    Reference,
    UnconfirmedValue,
    check_values,
    confirmed_bits,
    confirmed_flags,
    get_value,
    is_clean,
    list_fields,
)
from core.history.observation import Confirmed, Flag

Key = tuple[datetime, int]  # of a product's snapshots: captured_at, source

_AFTER: Final = 30  # stored snapshots to read after the new ones; more are seldom needed
_STALE: Final = int(Flag.STALE_VALUE)
_WAS_STALE: Final = int(Confirmed.STALE)


@dataclass(frozen=True, slots=True)
class LateObservation:
    """A product's new observations in the order of their times, the first of them late."""

    currency: str  # of the marketplace
    new: Sequence[GatedValues]


@dataclass(frozen=True, slots=True)
class Replay:
    """A product's flags after late observations."""

    flags: Mapping[Key, int]  # of the new observations
    changed: Mapping[Key, int]  # new flags of stored snapshots
    fields: Collection[int]  # which fields were checked again
    # Their unconfirmed values after the newest snapshot; None: unchanged.
    pending: tuple[UnconfirmedValue, ...] | None


class _Row(NamedTuple):
    """An observation to check. `stored` None: it is new."""

    key: Key
    gated: GatedValues
    stored: int | None  # its stored flags


@dataclass(slots=True)
class _Work:
    """A product with the snapshots that its new observations may change."""

    late: LateObservation
    fields: set[int]
    past: Reference = field(default_factory=Reference)
    clean_until: dict[int, Key] = field(default_factory=dict)  # by field, in `past`
    starts_at: datetime | None = None  # None: nothing before the new ones matters
    rows: list[_Row] = field(default_factory=list)  # stored ones, in order
    is_cut: bool = False  # True: more are stored after these


def replay_observations(session: Session, late: Mapping[int, LateObservation]) -> dict[int, Replay]:
    """Return the new flags by product."""
    works = {number: _Work(each, list_fields(each.new)) for number, each in late.items()}
    _find_starts(session, works)
    _read_rows(session, works, _AFTER)
    found = {number: _replay_product(work) for number, work in works.items()}
    cut = {number: works[number] for number, each in found.items() if each is None}
    _read_rows(session, cut, None)
    found |= {number: _replay_product(work) for number, work in cut.items()}
    return {number: each for number, each in found.items() if each is not None}


def _replay_product(work: _Work) -> Replay | None:
    """Return one product's new flags; None: more of its snapshots must be read."""
    reference, unsettled = work.past, set(work.fields)
    flags: dict[Key, int] = {}
    last_new = _key(work.late.new[-1])
    for row in merge(work.rows, _new_rows(work), key=lambda row: row.key):
        gate_result = check_values(_restored_input(work, row), reference, work.late.currency)
        reference, flags[row.key] = gate_result.reference, gate_result.flags
        for each_confirmed in gate_result.confirmed:
            key = each_confirmed.captured_at, each_confirmed.source
            flags[key] = confirmed_flags(flags[key], each_confirmed.flag)
        if row.key > last_new:
            unsettled -= _settled_fields(row, gate_result.flags)
            # An unconfirmed value may still be confirmed by a later snapshot, as before.
            if not unsettled and not reference.pending:
                return _result(work, flags, None)
    return None if work.is_cut else _result(work, flags, reference.pending)


def _result(
    work: _Work, flags: dict[Key, int], pending: tuple[UnconfirmedValue, ...] | None
) -> Replay:
    changed = {
        row.key: flags[row.key]
        for row in work.rows
        if row.key in flags and flags[row.key] != row.stored
    }
    new = {_key(gated): flags[_key(gated)] for gated in work.late.new}
    return Replay(new, changed, work.fields, pending)


def _new_rows(work: _Work) -> Iterator[_Row]:
    return (_Row(_key(gated), gated, None) for gated in work.late.new)


def _restored_input(work: _Work, row: _Row) -> GatedValues:
    """Return a row as it was before the gate, without the fields that need no new check."""
    if row.stored is None:
        return row.gated
    flags = row.stored
    values: dict[int, int | None] = dict.fromkeys(CONFIRMABLE)
    for each in work.fields:
        if each in work.clean_until and row.key <= work.clean_until[each]:
            continue
        values[each] = get_value(row.gated, each)
        flags &= ~(each | confirmed_bits(each))
        if each == PRICE_FIELD and row.stored & (_STALE | _WAS_STALE):
            flags |= _STALE
    return row.gated._replace(
        flags=flags,
        price=values[PRICE_FIELD],
        ratings_count=values[COUNT_FIELD],
        rank=values[RANK_FIELD],
    )


def _settled_fields(row: _Row, flags: int) -> set[int]:
    """Return the fields of a row that were accepted at once, before and now."""
    assert row.stored is not None
    return {
        each
        for each in CONFIRMABLE
        if get_value(row.gated, each) is not None
        and is_clean(row.stored, each)
        and is_clean(flags, each)
        and not (each == PRICE_FIELD and flags & NOT_COMPARED)
        and not (each == RANK_FIELD and flags & RANK_FLAGS)
    }


def _key(gated: GatedValues) -> Key:
    return gated.captured_at, gated.source


# Reading


def _last_clean(name: str, columns: str, value: str, flags: int) -> str:
    """Return the SQL of the last value of a field that was accepted at once, as `name`."""
    return (
        f"LEFT JOIN LATERAL (SELECT captured_at, source, {columns} FROM snapshot "
        f"WHERE w.{name} AND product_id = w.product_id AND captured_at <= w.at "
        f"AND (captured_at, source) < (w.at, w.source) AND {value} IS NOT NULL "
        f"AND flags & {flags} = 0 ORDER BY captured_at DESC, source DESC LIMIT 1) AS {name} ON true"
    )


def _first(name: str, value: str) -> str:
    """Return the SQL of a field's first time, if none of its values was accepted at once."""
    return (
        f"(SELECT min(captured_at) FROM snapshot WHERE w.{name} AND {name}.captured_at IS NULL "
        f"AND product_id = w.product_id AND captured_at <= w.at AND {value} IS NOT NULL)"
    )


_CLEAN: Final = (
    ("p", "price", "price", PRICE_FLAGS | confirmed_bits(PRICE_FIELD)),
    ("c", "ratings_count", "ratings_count", COUNT_FLAGS | confirmed_bits(COUNT_FIELD)),
    ("r", "bsr, bsr_category_id", "bsr", RANK_FLAGS | confirmed_bits(RANK_FIELD)),
)
_STARTS: Final = (
    "SELECT w.product_id, p.captured_at, p.source, p.price, c.captured_at, c.source, "
    "c.ratings_count, r.captured_at, r.source, r.bsr, r.bsr_category_id, least("
    + ", ".join(f"{name}.captured_at, {_first(name, value)}" for name, _, value, _ in _CLEAN)
    + ") FROM unnest(%s::int8[], %s::timestamptz[], %s::int2[], %s::bool[], %s::bool[], "
    "%s::bool[]) AS w (product_id, at, source, p, c, r) "
    + " ".join(_last_clean(*each) for each in _CLEAN)
)


def _find_starts(session: Session, works: Mapping[int, _Work]) -> None:
    """Find from where to check each product again, and what was accepted until there."""
    keys = [
        (number, *_key(work.late.new[0]), *(each in work.fields for each in CONFIRMABLE))
        for number, work in works.items()
    ]
    for number, *found, starts_at in execute_with_arrays(session, _STARTS, keys, fetch=True):
        work = works[number]
        price_at, price_by, price, count_at, count_by, count, rank_at, rank_by, rank, category = (
            found
        )
        work.past = Reference(price, count, rank, category)
        work.starts_at = starts_at
        for each, at, source in zip(
            CONFIRMABLE,
            (price_at, count_at, rank_at),
            (price_by, count_by, rank_by),
            strict=True,
        ):
            if at is not None:
                work.clean_until[each] = at, source


_COLUMNS: Final = "captured_at, source, kind, flags, price, ratings_count, bsr, bsr_category_id"
_ROWS: Final = f"""
SELECT w.product_id, s.* FROM unnest(%s::int8[], %s::timestamptz[], %s::timestamptz[])
    AS w (product_id, first, last)
JOIN LATERAL (
    (SELECT {_COLUMNS} FROM snapshot WHERE product_id = w.product_id
        AND captured_at >= w.first AND captured_at <= w.last)
    UNION ALL
    (SELECT {_COLUMNS} FROM snapshot WHERE product_id = w.product_id
        AND captured_at > w.last ORDER BY captured_at, source LIMIT {{limit}})
) AS s ON true
ORDER BY w.product_id, s.captured_at, s.source
"""


def _read_rows(session: Session, works: Mapping[int, _Work], after: int | None) -> None:
    """Read each product's snapshots from its start on, and `after` of them after the new ones."""
    keys = [
        (number, work.starts_at or work.late.new[0].captured_at, work.late.new[-1].captured_at)
        for number, work in works.items()
    ]
    for work in works.values():
        work.rows.clear()
    statement = _ROWS.format(limit="ALL" if after is None else after)
    for number, *values in execute_with_arrays(session, statement, keys, fetch=True):
        gated = GatedValues(*values)
        works[number].rows.append(_Row(_key(gated), gated, gated.flags))
    for _, work in works.items():
        last = work.late.new[-1].captured_at
        behind = sum(row.gated.captured_at > last for row in work.rows)
        work.is_cut = after is not None and behind == after
