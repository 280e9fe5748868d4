"""Stores observations: quality gate, snapshots, ranks, listings, latest values, days.

A batch is stored in the caller's transaction. Storing an observation twice stores it
once. Never commits.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.catalog.listing import Listing
from core.catalog.listing_versions import (
    NewVersion,
    content_hash,
    current_listings,
    merge_listing,
    neighbouring_hashes,
    store_versions,
)
from core.catalog.marketplaces import Marketplace, get_marketplace
from core.catalog.service import ensure_categories
from core.database.bulk_write import copy_rows, execute_with_arrays, insert_rows
from core.database.partitions import create_partitions, month_of
from core.history.ingest.dirty_days import Corrections, DirtyDays
from core.history.ingest.earlier_values import read_references, reread_accepted
from core.history.ingest.latest_values import (
    LatestValues,
    apply_observation,
    lock_latest,
    write_latest,
)
from core.history.ingest.quality_gate import (
    GatedValues,
    Reference,
    UnconfirmedValue,
    check_values,
    confirmed_bits,
    make_gated_values,
    without_zero_amounts,
)
from core.history.ingest.rejections import check_storable
from core.history.ingest.replay import Key, LateObservation, Replay, replay_observations
from core.history.ingest.snapshot_rows import SNAPSHOT, snapshot_row
from core.history.observation import Observation
from core.history.periods.product_changes import update_changes

Category = tuple[str, str]


class SourcedObservation(NamedTuple):
    """An observation of a known product, and where it came from."""

    product_id: int
    observation: Observation
    fetch_run_id: int | None = None
    import_run_id: int | None = None


@dataclass(slots=True)
class StoreResult:
    """What became of a batch. `stored` + `known` + `refused` is its size."""

    stored: int = 0
    known: int = 0  # stored before, or twice in the batch
    refused: list[tuple[SourcedObservation, str]] = field(default_factory=list)  # with reasons
    # Of the new snapshots: product, time, source.
    new_keys: set[tuple[int, datetime, int]] = field(default_factory=set)


@dataclass(slots=True)
class _Batch:
    """What the steps of storing one batch share."""

    categories: dict[Category, int]
    states: dict[int, LatestValues]
    snapshots: list[Sequence[Any]] = field(default_factory=list)
    ranks: list[Sequence[Any]] = field(default_factory=list)
    versions: list[NewVersion] = field(default_factory=list)
    confirmed: list[tuple[int, UnconfirmedValue]] = field(default_factory=list)
    dirty_days: DirtyDays = field(default_factory=DirtyDays)
    corrections: Corrections = field(default_factory=Corrections)
    zones: dict[int, ZoneInfo] = field(default_factory=dict)
    newest_before: dict[int, datetime | None] = field(default_factory=dict)
    returning: dict[int, Reference] = field(default_factory=dict)
    replays: dict[int, Replay] = field(default_factory=dict)  # by product with late observations

    def get_reference(self, state: LatestValues) -> Reference:
        """Return the accepted past of a product whose observations are newer than the stored."""
        return self.returning.get(state.product_id) or state.make_reference()


_STORED_KEYS = """
SELECT s.product_id, s.captured_at, s.source
FROM unnest(%s::int8[], %s::timestamptz[], %s::int2[]) AS k (product_id, captured_at, source)
JOIN snapshot AS s ON s.product_id = k.product_id AND s.captured_at = k.captured_at
    AND s.source = k.source
WHERE s.captured_at >= '{first}' AND s.captured_at <= '{last}'
"""


def ensure_partitions(session: Session, times: Iterable[datetime]) -> None:
    """Create the monthly partitions for these times. Call it in a scope of its own."""
    months = {time.astimezone(UTC).date().replace(day=1) for time in times}
    tables = ("snapshot", "snapshot_rank")
    create_partitions(
        session, [month_of(month, table) for month in sorted(months) for table in tables]
    )


def store_observations(
    session: Session, observations: Sequence[SourcedObservation], now: datetime
) -> StoreResult:
    """Store a batch of observations and return what became of them.

    The partitions of their months must exist (`ensure_partitions`). A product's
    observations are processed in the order of their times.
    """
    result = StoreResult()
    storable = _find_storable(observations, now, result)
    if not storable:
        return result
    states = lock_latest(session, (sourced.product_id for sourced in storable))
    new = _find_new(session, storable, result)
    batch = _Batch(_find_categories(session, new), states)
    batch.replays = _replay_late(session, new, batch)
    batch.returning = _find_returning_references(session, new, batch)
    for product_id, group in groupby(new, key=lambda sourced: sourced.product_id):
        _add_product(batch, states[product_id], list(group))
    _store_listings(session, batch, new)
    _write(session, batch)
    first_days = batch.dirty_days.find_first_days()
    update_changes(session, batch.states, batch.zones, first_days, now)
    result.stored = len(new)
    result.new_keys = {(row[0], row[1], row[2]) for row in batch.snapshots}
    return result


def _find_storable(
    observations: Sequence[SourcedObservation], now: datetime, result: StoreResult
) -> list[SourcedObservation]:
    """Return what can be stored, by product and time; add the rest to `result.refused`."""
    accepted = []
    for sourced in observations:
        reason = check_storable(sourced.observation, now)
        if reason is None:
            accepted.append(sourced)
        else:
            result.refused.append((sourced, reason))
    return sorted(accepted, key=_order)


def _order(sourced: SourcedObservation) -> tuple[int, datetime, int]:
    return sourced.product_id, sourced.observation.captured_at, int(sourced.observation.source)


def _find_new(
    session: Session, observations: Sequence[SourcedObservation], result: StoreResult
) -> list[SourcedObservation]:
    """Return the observations whose key is new. The products' rows are locked meanwhile."""
    times = [sourced.observation.captured_at for sourced in observations]
    # The bounds are in the text, so that the plan opens only the partitions it needs.
    statement = _STORED_KEYS.format(first=min(times).isoformat(), last=max(times).isoformat())
    keys = [_order(sourced) for sourced in observations]
    known = {(a, b, c) for a, b, c in execute_with_arrays(session, statement, keys, fetch=True)}
    new = []
    for sourced, key in zip(observations, keys, strict=True):
        if key not in known:
            known.add(key)  # twice in one batch counts once
            new.append(sourced)
    result.known += len(observations) - len(new)
    return new


def _find_categories(
    session: Session, observations: Sequence[SourcedObservation]
) -> dict[Category, int]:
    names = {
        (sourced.observation.marketplace, rank.category)
        for sourced in observations
        for rank in sourced.observation.ranks
    }
    return ensure_categories(session, names)


def _replay_late(
    session: Session, observations: Sequence[SourcedObservation], batch: _Batch
) -> dict[int, Replay]:
    """Replay the products with observations that are not newer than the stored ones."""
    late: dict[int, LateObservation] = {}
    for product_id, group in groupby(observations, key=lambda sourced: sourced.product_id):
        newest = batch.states[product_id].captured_at
        first = next(group)
        if newest is not None and first.observation.captured_at <= newest:
            currency = get_marketplace(first.observation.marketplace).currency
            inputs = [_gate_input(batch, each, currency) for each in (first, *group)]
            late[product_id] = LateObservation(currency, inputs)
    return replay_observations(session, late) if late else {}


def _gate_input(batch: _Batch, sourced: SourcedObservation, currency: str) -> GatedValues:
    """Return what the gate checks of an observation."""
    observation = without_zero_amounts(sourced.observation)
    return make_gated_values(observation, currency, _find_category(batch, observation))


def _find_category(batch: _Batch, observation: Observation) -> int | None:
    """Return the id of the main rank's category, None without a rank."""
    if not observation.ranks:
        return None
    return batch.categories[observation.marketplace, observation.ranks[0].category]


def _find_returning_references(
    session: Session, observations: Sequence[SourcedObservation], batch: _Batch
) -> dict[int, Reference]:
    """Return the accepted past of products with a value that was absent last time.

    A product that was sold out is compared with the price it had before that.
    """
    returned: dict[int, datetime] = {}
    for sourced in observations:
        state = batch.states[sourced.product_id]
        is_late = sourced.product_id in batch.replays
        if (
            state.captured_at is not None
            and not is_late
            and _has_returned(state, sourced.observation)
        ):
            returned[sourced.product_id] = state.captured_at
    past = read_references(session, list(returned.items()))
    return {
        number: batch.states[number].make_reference().with_fallback(past[number])
        for number in returned
    }


def _has_returned(state: LatestValues, observation: Observation) -> bool:
    price = state.price is None and observation.price is not None
    rank = state.bsr is None and bool(observation.ranks)
    return price or rank or (state.ratings_count is None and observation.ratings_count is not None)


def _add_product(
    batch: _Batch, state: LatestValues, observations: Sequence[SourcedObservation]
) -> None:
    """Check one product's observations in order and apply them to its newest values."""
    marketplace = get_marketplace(observations[0].observation.marketplace)
    zone = batch.zones[state.product_id] = _zone(marketplace.time_zone)
    newest_before = batch.newest_before[state.product_id] = state.captured_at
    replay = batch.replays.get(state.product_id)
    checked = (
        _check_in_order(batch, state, observations, marketplace.currency)
        if replay is None
        else _yield_replayed(state, observations, replay)
    )
    for sourced, flags in checked:
        _add_observation(batch, state, sourced, flags, marketplace)
    batch.corrections.add(state.product_id, observations[0].observation.captured_at, newest_before)
    batch.dirty_days.add_observations(
        state, [sourced.observation for sourced in observations], newest_before, zone
    )


def _check_in_order(
    batch: _Batch, state: LatestValues, observations: Sequence[SourcedObservation], currency: str
) -> Iterator[tuple[SourcedObservation, int]]:
    """Yield observations that are newer than the stored ones, each with its flags."""
    reference = batch.get_reference(state)
    for sourced in observations:
        observation = without_zero_amounts(sourced.observation)
        values = make_gated_values(observation, currency, _find_category(batch, observation))
        checked = check_values(values, reference, currency)
        reference = checked.reference
        if checked.confirmed:
            batch.confirmed += [(sourced.product_id, each) for each in checked.confirmed]
        yield _with_observation(sourced, observation), checked.flags
    state.pending = [each.as_json() for each in reference.pending] or None


def _with_observation(sourced: SourcedObservation, observation: Observation) -> SourcedObservation:
    is_same = sourced.observation is observation  # most often: a copy costs more than this
    return sourced if is_same else sourced._replace(observation=observation)


def _yield_replayed(
    state: LatestValues, observations: Sequence[SourcedObservation], replay: Replay
) -> Iterator[tuple[SourcedObservation, int]]:
    """Yield observations, the first of them late, each with its flags from the replay."""
    for sourced in observations:
        observation = without_zero_amounts(sourced.observation)
        key = observation.captured_at, int(observation.source)
        yield _with_observation(sourced, observation), replay.flags[key]
    if replay.pending is not None:
        fields = sum(replay.fields)
        others = [each for each in state.pending or () if not each["flag"] & fields]
        replayed = [each.as_json() for each in replay.pending]
        state.pending = sorted([*others, *replayed], key=itemgetter("at")) or None


def _add_observation(
    batch: _Batch,
    state: LatestValues,
    sourced: SourcedObservation,
    flags: int,
    marketplace: Marketplace,
) -> None:
    observation = sourced.observation
    apply_observation(state, observation, flags, _find_category(batch, observation))
    origin = sourced.product_id, sourced.fetch_run_id, sourced.import_run_id
    batch.snapshots.append(
        snapshot_row(batch.categories, origin, observation, flags, marketplace.currency)
    )
    for rank in observation.ranks[2:]:
        number = batch.categories[observation.marketplace, rank.category]
        key = (sourced.product_id, observation.captured_at, int(observation.source))
        batch.ranks.append((*key, number, rank.rank))


def _store_listings(
    session: Session, batch: _Batch, observations: Sequence[SourcedObservation]
) -> None:
    """Store a listing version for each change of content."""
    with_listing = [sourced for sourced in observations if sourced.observation.listing is not None]
    other_source = [
        sourced.product_id for sourced in with_listing if _is_other_source(batch, sourced)
    ]
    known = current_listings(session, other_source) if other_source else {}
    late: list[NewVersion] = []
    for product_id, group in groupby(with_listing, key=lambda sourced: sourced.product_id):
        state = batch.states[product_id]
        for sourced in group:
            _add_listing(batch, state, sourced, known, late)
    around = neighbouring_hashes(
        session, [(version.product_id, version.seen_at) for version in late]
    )
    for version in late:
        if version.content_hash not in around.get((version.product_id, version.seen_at), set()):
            batch.versions.append(version)


def _is_other_source(batch: _Batch, sourced: SourcedObservation) -> bool:
    source = batch.states[sourced.product_id].listing_source
    return source is not None and source != int(sourced.observation.source)


def _add_listing(
    batch: _Batch,
    state: LatestValues,
    sourced: SourcedObservation,
    known: dict[int, Listing],
    late: list[NewVersion],
) -> None:
    observation = sourced.observation
    listing = observation.listing
    if listing is None:
        return
    is_late = state.listing_hash is not None and _is_late(batch, sourced)
    if sourced.product_id in known and not is_late:
        listing = merge_listing(listing, known[sourced.product_id])
        known[sourced.product_id] = listing
    digest = content_hash(listing)
    version = NewVersion(
        sourced.product_id, listing, digest, observation.captured_at, int(observation.source)
    )
    if is_late:
        late.append(replace(version, is_current=False))
    elif digest != state.listing_hash:
        batch.versions.append(version)
        if state.listing_hash is not None:  # the first version is no change
            state.listing_changed_at = observation.captured_at
        state.listing_hash, state.listing_source = digest, int(observation.source)


def _is_late(batch: _Batch, sourced: SourcedObservation) -> bool:
    newest = batch.newest_before[sourced.product_id]
    return newest is not None and sourced.observation.captured_at < newest


def _write(session: Session, batch: _Batch) -> None:
    copy_rows(session, "snapshot", SNAPSHOT, batch.snapshots)
    _write_ranks(session, batch.ranks)
    store_versions(session, batch.versions)
    _lift_flags(session, batch)
    _change_flags(session, batch)
    write_latest(session, list(batch.states.values()))
    batch.dirty_days.roll_up(session)
    batch.corrections.write(session)


def _write_ranks(session: Session, ranks: Sequence[Sequence[Any]]) -> None:
    columns = {
        "product_id": "int8",
        "captured_at": "timestamptz",
        "source": "int2",
        "category_id": "int4",
        "rank": "int4",
    }
    insert_rows(session, "snapshot_rank", columns, ranks, on_conflict="ON CONFLICT DO NOTHING")


_SET_FLAGS = (
    "UPDATE snapshot AS s SET flags = s.flags & ~d.lifted | d.flags "
    "FROM unnest(%s::int8[], %s::timestamptz[], %s::int2[], %s::int4[], %s::int4[]) "
    "AS d (product_id, captured_at, source, lifted, flags) WHERE s.product_id = d.product_id "
    "AND s.captured_at = d.captured_at AND s.source = d.source"
)


def _lift_flags(session: Session, batch: _Batch) -> None:
    """Lift the flags of earlier snapshots that a second observation confirmed."""
    lifted: dict[tuple[int, Key], int] = {}
    for product_id, each in batch.confirmed:
        place = product_id, (each.captured_at, each.source)
        lifted[place] = lifted.get(place, 0) | each.flag
    rows = [
        (product_id, at, source, flag, confirmed_bits(flag))
        for (product_id, (at, source)), flag in lifted.items()
    ]
    execute_with_arrays(session, _SET_FLAGS, rows)
    _mark_dirty(batch, ((product_id, at) for product_id, (at, _) in lifted))


def _change_flags(session: Session, batch: _Batch) -> None:
    """Write the flags that late observations change, and reread the values they affect."""
    changed = {number: each.changed for number, each in batch.replays.items() if each.changed}
    rows = [
        (product_id, at, source, -1, flags)
        for product_id, flags_of in changed.items()
        for (at, source), flags in flags_of.items()
    ]
    execute_with_arrays(session, _SET_FLAGS, rows)
    _mark_dirty(batch, ((product_id, at) for product_id, at, *_ in rows))
    # A value that held for long is accepted by an observation that may itself be flagged.
    confirmed = {number for number, _ in batch.confirmed}
    states = [batch.states[number] for number in sorted(confirmed | batch.replays.keys())]
    reread_accepted(session, states)


def _mark_dirty(batch: _Batch, moments: Iterable[tuple[int, datetime]]) -> None:
    """Mark the days with changed flags for a new rollup, and for another evaluation."""
    for product_id, at in moments:
        batch.dirty_days.add_lifted(batch.states[product_id], at, batch.zones[product_id])
        batch.corrections.add(product_id, at, batch.newest_before[product_id])


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
