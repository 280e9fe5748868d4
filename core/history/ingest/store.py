"""Stores looks at products: gate, snapshot, ranks, listing, latest values, days.

Everything of one batch goes into the caller's transaction, once, however often
the same looks come. Never commits.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any
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
from core.catalog.service import category_ids
from core.database.bulk_write import copy_rows, execute_with_arrays, insert_rows
from core.database.partitions import create_partitions, month_of
from core.history.ingest.dirty_days import DirtyDays, local_day
from core.history.ingest.earlier_values import references_before, reread_accepted
from core.history.ingest.latest_values import (
    LatestState,
    apply_observation,
    detect_change,
    lock_latest,
    start_day,
    write_latest,
)
from core.history.ingest.quality_gate import (
    ALL_FLAGS,
    GatedValues,
    Reference,
    UnconfirmedValue,
    check_values,
    confirmation_of,
    values_of,
    without_zero_amounts,
)
from core.history.ingest.rejections import check_storable
from core.history.ingest.replay import Key, LateObservation, Replay, replay_observations
from core.history.ingest.snapshot_rows import SNAPSHOT, snapshot_row
from core.history.observation import Observation

Category = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SourcedObservation:
    """An observation of a known product, and where it came from."""

    product_id: int
    observation: Observation
    fetch_run_id: int | None = None
    import_run_id: int | None = None


@dataclass(slots=True)
class StoreResult:
    """What became of a batch. `stored` + `known` + `refused` is its size."""

    stored: int = 0
    known: int = 0
    refused: list[tuple[SourcedObservation, str]] = field(default_factory=list)
    flagged: int = 0
    kept: set[tuple[int, datetime, int]] = field(default_factory=set)  # keys of the new snapshots


@dataclass(slots=True)
class _Batch:
    """What the steps of one batch hand on to each other."""

    categories: dict[Category, int]
    states: dict[int, LatestState]
    snapshots: list[Sequence[Any]] = field(default_factory=list)
    ranks: list[Sequence[Any]] = field(default_factory=list)
    versions: list[NewVersion] = field(default_factory=list)
    confirmed: list[tuple[int, UnconfirmedValue]] = field(default_factory=list)
    touched: DirtyDays = field(default_factory=DirtyDays)
    zones: dict[int, ZoneInfo] = field(default_factory=dict)
    newest_before: dict[int, datetime | None] = field(default_factory=dict)
    usual: dict[int, Reference] = field(default_factory=dict)
    replays: dict[int, Replay] = field(default_factory=dict)  # of products with late looks

    def past_of(self, state: LatestState) -> Reference:
        """Return the accepted past of a product whose looks go on from its newest values."""
        return self.usual.get(state.product_id) or state.reference()


_STORED_KEYS = """
SELECT s.product_id, s.captured_at, s.source
FROM unnest(%s::int8[], %s::timestamptz[], %s::int2[]) AS k (product_id, captured_at, source)
JOIN snapshot AS s ON s.product_id = k.product_id AND s.captured_at = k.captured_at
    AND s.source = k.source
WHERE s.captured_at >= '{first}' AND s.captured_at <= '{last}'
"""


def ensure_partitions(session: Session, times: Iterable[datetime]) -> None:
    """Make the monthly partitions that hold these times. Call it in a scope of its own."""
    months = {time.astimezone(UTC).date().replace(day=1) for time in times}
    tables = ("snapshot", "snapshot_rank")
    create_partitions(
        session, [month_of(month, table) for month in sorted(months) for table in tables]
    )


def store_observations(
    session: Session, looks: Sequence[SourcedObservation], now: datetime
) -> StoreResult:
    """Store a batch of looks and return what became of them.

    The partitions of their months must be there (`ensure_partitions`). Looks of one
    product are taken in the order of their times, late ones among older ones.
    """
    result = StoreResult()
    wanted = _acceptable(looks, now, result)
    if not wanted:
        return result
    states = lock_latest(session, (look.product_id for look in wanted))
    fresh = _not_yet_stored(session, wanted, result)
    batch = _Batch(_categories_of(session, fresh), states)
    batch.replays = _replayed(session, fresh, batch)
    batch.usual = _usual_values(session, fresh, batch)
    for product_id, group in groupby(fresh, key=lambda look: look.product_id):
        _take_product(batch, states[product_id], list(group), result)
    _store_listings(session, batch, fresh)
    _write(session, batch)
    result.stored = len(fresh)
    result.kept = {(row[0], row[1], row[2]) for row in batch.snapshots}
    return result


def _acceptable(
    looks: Sequence[SourcedObservation], now: datetime, result: StoreResult
) -> list[SourcedObservation]:
    """Return the looks that may be stored, by product and time; refused ones go to `result`."""
    accepted = []
    for look in looks:
        reason = check_storable(look.observation, now)
        if reason is None:
            accepted.append(look)
        else:
            result.refused.append((look, reason))
    return sorted(accepted, key=_order)


def _order(look: SourcedObservation) -> tuple[int, datetime, int]:
    return look.product_id, look.observation.captured_at, int(look.observation.source)


def _not_yet_stored(
    session: Session, looks: Sequence[SourcedObservation], result: StoreResult
) -> list[SourcedObservation]:
    """Return the looks whose key is new; the products' rows are locked, so it stays so."""
    times = [look.observation.captured_at for look in looks]
    # The bounds are in the text, so that the plan opens only the partitions it needs.
    statement = _STORED_KEYS.format(first=min(times).isoformat(), last=max(times).isoformat())
    keys = [_order(look) for look in looks]
    known = {(a, b, c) for a, b, c in execute_with_arrays(session, statement, keys, fetch=True)}
    fresh = []
    for look, key in zip(looks, keys, strict=True):
        if key not in known:
            known.add(key)  # the same look twice in one batch counts once
            fresh.append(look)
    result.known += len(looks) - len(fresh)
    return fresh


def _categories_of(session: Session, looks: Sequence[SourcedObservation]) -> dict[Category, int]:
    names = {
        (look.observation.marketplace, rank.category)
        for look in looks
        for rank in look.observation.ranks
    }
    return category_ids(session, names)


def _replayed(
    session: Session, looks: Sequence[SourcedObservation], batch: _Batch
) -> dict[int, Replay]:
    """Judge products whose first look here is not newer than what is stored of them."""
    late: dict[int, LateObservation] = {}
    for product_id, group in groupby(looks, key=lambda look: look.product_id):
        newest = batch.states[product_id].captured_at
        first = next(group)
        if newest is not None and first.observation.captured_at <= newest:
            currency = get_marketplace(first.observation.marketplace).currency
            of_product = [_values(batch, each, currency) for each in (first, *group)]
            late[product_id] = LateObservation(currency, of_product)
    return replay_observations(session, late) if late else {}


def _values(batch: _Batch, look: SourcedObservation, currency: str) -> GatedValues:
    """Return what the gate looks at in a look."""
    observation = without_zero_amounts(look.observation)
    return values_of(observation, currency, _category(batch, observation))


def _category(batch: _Batch, observation: Observation) -> int | None:
    """Return the id of the main rank's category, None without a rank."""
    if not observation.ranks:
        return None
    return batch.categories[observation.marketplace, observation.ranks[0].category]


def _usual_values(
    session: Session, looks: Sequence[SourcedObservation], batch: _Batch
) -> dict[int, Reference]:
    """Return the past of products to which a value comes back that was last seen to be absent.

    The usual price of a product that was sold out is the one it had before that.
    """
    back: dict[int, datetime] = {}
    for look in looks:
        state = batch.states[look.product_id]
        is_late = look.product_id in batch.replays
        if state.captured_at is not None and not is_late and _comes_back(state, look.observation):
            back[look.product_id] = state.captured_at
    past = references_before(session, list(back.items()))
    return {number: batch.states[number].reference().or_else(past[number]) for number in back}


def _comes_back(state: LatestState, seen: Observation) -> bool:
    price = state.price is None and seen.price is not None
    rank = state.bsr is None and bool(seen.ranks)
    return price or rank or (state.ratings_count is None and seen.ratings_count is not None)


def _take_product(
    batch: _Batch, state: LatestState, looks: Sequence[SourcedObservation], result: StoreResult
) -> None:
    """Judge one product's looks in order and move its newest values on."""
    marketplace = get_marketplace(looks[0].observation.marketplace)
    zone = batch.zones[state.product_id] = _zone(marketplace.time_zone)
    was_newest = batch.newest_before[state.product_id] = state.captured_at
    replayed = batch.replays.get(state.product_id)
    judged = (
        _judged_in_order(batch, state, looks, marketplace.currency)
        if replayed is None
        else _judged_late(state, looks, replayed)
    )
    for look, flags in judged:
        result.flagged += bool(flags & ALL_FLAGS)
        _take_look(batch, state, look, flags, marketplace, zone)
    detect_change(state, zone)
    batch.touched.add(state, [look.observation for look in looks], was_newest, zone)


def _judged_in_order(
    batch: _Batch, state: LatestState, looks: Sequence[SourcedObservation], currency: str
) -> Iterator[tuple[SourcedObservation, int]]:
    """Yield looks that are newer than all that is stored, each with its flags."""
    reference = batch.past_of(state)
    for look in looks:
        observation = without_zero_amounts(look.observation)
        seen = values_of(observation, currency, _category(batch, observation))
        judgement = check_values(seen, reference, currency)
        reference = judgement.reference
        batch.confirmed += [(look.product_id, doubt) for doubt in judgement.confirmed]
        yield replace(look, observation=observation), judgement.flags
    state.pending = [doubt.as_json() for doubt in reference.pending] or None


def _judged_late(
    state: LatestState, looks: Sequence[SourcedObservation], replayed: Replay
) -> Iterator[tuple[SourcedObservation, int]]:
    """Yield looks of which some are late, each with its flags."""
    for look in looks:
        observation = without_zero_amounts(look.observation)
        key = observation.captured_at, int(observation.source)
        yield replace(look, observation=observation), replayed.flags[key]
    if replayed.pending is not None:
        fields = sum(replayed.fields)
        others = [each for each in state.pending or () if not each["flag"] & fields]
        waiting = [doubt.as_json() for doubt in replayed.pending]
        state.pending = sorted([*others, *waiting], key=itemgetter("at")) or None


def _take_look(
    batch: _Batch,
    state: LatestState,
    look: SourcedObservation,
    flags: int,
    marketplace: Marketplace,
    zone: ZoneInfo,
) -> None:
    observation = look.observation
    day = local_day(observation.captured_at, zone)
    if state.captured_at is not None and day > local_day(state.captured_at, zone):
        start_day(state, local_day(state.captured_at, zone))
    apply_observation(state, observation, flags, _category(batch, observation))
    origin = look.product_id, look.fetch_run_id, look.import_run_id
    batch.snapshots.append(
        snapshot_row(batch.categories, origin, observation, flags, marketplace.currency)
    )
    for rank in observation.ranks[2:]:
        number = batch.categories[observation.marketplace, rank.category]
        key = (look.product_id, observation.captured_at, int(observation.source))
        batch.ranks.append((*key, number, rank.rank))


def _store_listings(session: Session, batch: _Batch, looks: Sequence[SourcedObservation]) -> None:
    """Keep a listing version wherever the content changed."""
    with_listing = [look for look in looks if look.observation.listing is not None]
    other_source = [look.product_id for look in with_listing if _is_other_source(batch, look)]
    known = current_listings(session, other_source) if other_source else {}
    late: list[NewVersion] = []
    for product_id, group in groupby(with_listing, key=lambda look: look.product_id):
        state = batch.states[product_id]
        before = state.listing_changed_at
        for look in group:
            _take_listing(batch, state, look, known, late)
        if state.listing_changed_at != before:
            detect_change(state, batch.zones[product_id])
    around = neighbouring_hashes(
        session, [(version.product_id, version.seen_at) for version in late]
    )
    for version in late:
        if version.content_hash not in around.get((version.product_id, version.seen_at), set()):
            batch.versions.append(version)


def _is_other_source(batch: _Batch, look: SourcedObservation) -> bool:
    source = batch.states[look.product_id].listing_source
    return source is not None and source != int(look.observation.source)


def _take_listing(
    batch: _Batch,
    state: LatestState,
    look: SourcedObservation,
    known: dict[int, Listing],
    late: list[NewVersion],
) -> None:
    observation = look.observation
    listing = observation.listing
    if listing is None:
        return
    is_late = state.listing_hash is not None and _is_late(batch, look)
    if look.product_id in known and not is_late:
        listing = merge_listing(listing, known[look.product_id])
        known[look.product_id] = listing
    digest = content_hash(listing)
    version = NewVersion(
        look.product_id, listing, digest, observation.captured_at, int(observation.source)
    )
    if is_late:
        late.append(replace(version, is_current=False))
    elif digest != state.listing_hash:
        batch.versions.append(version)
        if state.listing_hash is not None:  # the first one that is seen is no change
            state.listing_changed_at = observation.captured_at
        state.listing_hash, state.listing_source = digest, int(observation.source)


def _is_late(batch: _Batch, look: SourcedObservation) -> bool:
    newest = batch.newest_before[look.product_id]
    return newest is not None and look.observation.captured_at < newest


def _write(session: Session, batch: _Batch) -> None:
    copy_rows(session, "snapshot", SNAPSHOT, batch.snapshots)
    _write_ranks(session, batch.ranks)
    store_versions(session, batch.versions)
    _lift_flags(session, batch)
    _change_flags(session, batch)
    write_latest(session, list(batch.states.values()))
    batch.touched.roll_up(session)


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
    """Take back the flags of earlier snapshots that a second look confirmed."""
    lifted: dict[tuple[int, Key], int] = {}
    for product_id, doubt in batch.confirmed:
        place = product_id, (doubt.captured_at, doubt.source)
        lifted[place] = lifted.get(place, 0) | doubt.flag
    rows = [
        (product_id, at, source, flag, confirmation_of(flag))
        for (product_id, (at, source)), flag in lifted.items()
    ]
    execute_with_arrays(session, _SET_FLAGS, rows)
    _touch(batch, ((product_id, at) for product_id, (at, _) in lifted))


def _change_flags(session: Session, batch: _Batch) -> None:
    """Write the flags that late observations change, and the newest values that follow."""
    changed = {number: each.changed for number, each in batch.replays.items() if each.changed}
    rows = [
        (product_id, at, source, -1, flags)
        for product_id, of_product in changed.items()
        for (at, source), flags in of_product.items()
    ]
    execute_with_arrays(session, _SET_FLAGS, rows)
    _touch(batch, ((product_id, at) for product_id, at, *_ in rows))
    # A change that held for long is accepted by an observation that may itself be flagged.
    confirmed = {number for number, _ in batch.confirmed}
    states = [batch.states[number] for number in sorted(confirmed | batch.replays.keys())]
    reread_accepted(session, states, batch.zones, changed.keys())


def _touch(batch: _Batch, moments: Iterable[tuple[int, datetime]]) -> None:
    """Have the days rolled up anew in which flags changed."""
    for product_id, at in moments:
        batch.touched.add_lifted(batch.states[product_id], at, batch.zones[product_id])


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
