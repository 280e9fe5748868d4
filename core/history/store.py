"""Stores looks at products: gate, snapshot, ranks, listing, latest values, days.

Everything of one batch goes into the caller's transaction, once, however often
the same looks come. Never commits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from core.bulk import copy_rows, insert_rows, run_rows
from core.catalog.listing import Listing
from core.catalog.listings import (
    NewVersion,
    content_hash,
    current_listings,
    hashes_around,
    merged,
    store_versions,
)
from core.catalog.marketplaces import Marketplace, get_marketplace
from core.catalog.service import category_ids
from core.history.gate import (
    Judgement,
    Pending,
    Reference,
    judge,
    refuse,
    without_zero_amounts,
)
from core.history.latest import (
    LatestState,
    begin_day,
    judge_attention,
    lock_latest,
    move_on,
    references_before,
    unreadable_names,
    write_latest,
)
from core.history.observation import Observation
from core.history.touched import TouchedDays, local_day
from core.partitions import make_partitions, month_of

Category = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """An observation of a known product, and where it came from."""

    product_id: int
    observation: Observation
    fetch_run_id: int | None = None
    import_run_id: int | None = None


@dataclass(slots=True)
class Stored:
    """What became of a batch. `stored` + `known` + `refused` is its size."""

    stored: int = 0
    known: int = 0
    refused: list[tuple[Look, str]] = field(default_factory=list)
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
    confirmed: list[tuple[int, Pending]] = field(default_factory=list)
    touched: TouchedDays = field(default_factory=TouchedDays)
    zones: dict[int, ZoneInfo] = field(default_factory=dict)
    newest_before: dict[int, datetime | None] = field(default_factory=dict)
    usual: dict[int, Reference] = field(default_factory=dict)

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


def make_room(session: Session, times: Iterable[datetime]) -> None:
    """Make the monthly partitions that hold these times. Call it in a scope of its own."""
    months = {time.astimezone(UTC).date().replace(day=1) for time in times}
    tables = ("snapshot", "snapshot_rank")
    make_partitions(
        session, [month_of(month, table) for month in sorted(months) for table in tables]
    )


def store_looks(session: Session, looks: Sequence[Look], now: datetime) -> Stored:
    """Store a batch of looks and return what became of them.

    The partitions of their months must be there (`make_room`). Looks of one
    product are taken in the order of their times, late ones among older ones.
    """
    result = Stored()
    wanted = _acceptable(looks, now, result)
    if not wanted:
        return result
    states = lock_latest(session, (look.product_id for look in wanted))
    fresh = _not_yet_stored(session, wanted, result)
    batch = _Batch(_categories_of(session, fresh), states)
    references = _late_references(session, fresh, states)
    batch.usual = _usual_values(session, fresh, states)
    for product_id, group in groupby(fresh, key=lambda look: look.product_id):
        _take_product(batch, states[product_id], list(group), references.get(product_id), result)
    _store_listings(session, batch, fresh)
    _write(session, batch)
    result.stored = len(fresh)
    result.kept = {(row[0], row[1], row[2]) for row in batch.snapshots}
    return result


def _acceptable(looks: Sequence[Look], now: datetime, result: Stored) -> list[Look]:
    """Return the looks that may be stored, by product and time; refused ones go to `result`."""
    accepted = []
    for look in looks:
        reason = refuse(look.observation, now)
        if reason is None:
            accepted.append(look)
        else:
            result.refused.append((look, reason))
    return sorted(accepted, key=_order)


def _order(look: Look) -> tuple[int, datetime, int]:
    return look.product_id, look.observation.captured_at, int(look.observation.source)


def _not_yet_stored(session: Session, looks: Sequence[Look], result: Stored) -> list[Look]:
    """Return the looks whose key is new; the products' rows are locked, so it stays so."""
    times = [look.observation.captured_at for look in looks]
    # The bounds are in the text, so that the plan opens only the partitions it needs.
    statement = _STORED_KEYS.format(first=min(times).isoformat(), last=max(times).isoformat())
    keys = [_order(look) for look in looks]
    known = {(a, b, c) for a, b, c in run_rows(session, statement, keys, fetch=True)}
    fresh = []
    for look, key in zip(looks, keys, strict=True):
        if key not in known:
            known.add(key)  # the same look twice in one batch counts once
            fresh.append(look)
    result.known += len(looks) - len(fresh)
    return fresh


def _categories_of(session: Session, looks: Sequence[Look]) -> dict[Category, int]:
    names = {
        (look.observation.marketplace, rank.category)
        for look in looks
        for rank in look.observation.ranks
    }
    return category_ids(session, names)


def _late_references(
    session: Session, looks: Sequence[Look], states: dict[int, LatestState]
) -> dict[int, Reference]:
    """Return, for products whose first look here is late, the accepted past before it."""
    late: dict[int, datetime] = {}
    for look in looks:
        newest = states[look.product_id].captured_at
        at = look.observation.captured_at
        if newest is not None and at < newest:
            late.setdefault(look.product_id, at)
    return references_before(session, list(late.items()))


def _usual_values(
    session: Session, looks: Sequence[Look], states: dict[int, LatestState]
) -> dict[int, Reference]:
    """Return the past of products to which a value comes back that was last seen to be absent.

    The usual price of a product that was sold out is the one it had before that.
    """
    back: dict[int, datetime] = {}
    for look in looks:
        state = states[look.product_id]
        if state.captured_at is not None and _comes_back(state, look.observation):
            back[look.product_id] = state.captured_at
    past = references_before(session, list(back.items()))
    return {number: states[number].reference().or_else(past[number]) for number in back}


def _comes_back(state: LatestState, seen: Observation) -> bool:
    price = state.price is None and seen.price is not None
    return price or (state.ratings_count is None and seen.ratings_count is not None)


def _take_product(
    batch: _Batch,
    state: LatestState,
    looks: Sequence[Look],
    late_reference: Reference | None,
    result: Stored,
) -> None:
    """Judge one product's looks in order and move its newest values on."""
    marketplace = get_marketplace(looks[0].observation.marketplace)
    zone = batch.zones[state.product_id] = _zone(marketplace.time_zone)
    was_newest = batch.newest_before[state.product_id] = state.captured_at
    reference, is_late = late_reference or batch.past_of(state), late_reference is not None
    for look in looks:
        if is_late and was_newest is not None and look.observation.captured_at >= was_newest:
            reference, is_late = batch.past_of(state), False
        observation = without_zero_amounts(look.observation)
        judgement = judge(observation, reference, marketplace.currency)
        reference = judgement.reference
        result.flagged += bool(judgement.flags)
        batch.confirmed += [(look.product_id, doubt) for doubt in judgement.confirmed]
        _take_look(batch, state, look, observation, judgement, marketplace, zone)
    if was_newest is None or looks[-1].observation.captured_at >= was_newest:
        state.pending = [doubt.as_json() for doubt in reference.pending] or None
    judge_attention(state, zone)
    batch.touched.add(state, [look.observation for look in looks], was_newest, zone)


def _take_look(
    batch: _Batch,
    state: LatestState,
    look: Look,
    observation: Observation,
    judgement: Judgement,
    marketplace: Marketplace,
    zone: ZoneInfo,
) -> None:
    category_id = None
    if observation.ranks:
        category_id = batch.categories[observation.marketplace, observation.ranks[0].category]
    day = local_day(observation.captured_at, zone)
    if state.captured_at is not None and day > local_day(state.captured_at, zone):
        begin_day(state, local_day(state.captured_at, zone))
    flags = judgement.flags
    move_on(state, observation, flags, category_id)
    batch.snapshots.append(_snapshot_row(batch, look, observation, flags, marketplace.currency))
    for rank in observation.ranks[2:]:
        number = batch.categories[observation.marketplace, rank.category]
        key = (look.product_id, observation.captured_at, int(observation.source))
        batch.ranks.append((*key, number, rank.rank))


_SNAPSHOT = {
    "product_id": "int8",
    "captured_at": "timestamptz",
    "source": "int2",
    "kind": "int2",
    "seen": "int4",
    "unreadable": "jsonb",
    "flags": "int4",
    "outcome": "text",
    "currency": "text",
    "price": "int8",
    "price_basis": "int2",
    "list_price": "int8",
    "buy_box_price": "int8",
    "buy_box_shipping": "int8",
    "buy_box_seller": "text",
    "amazon_price": "int8",
    "new_price": "int8",
    "new_fba_price": "int8",
    "used_price": "int8",
    "deal_price": "int8",
    "coupon_amount": "int8",
    "coupon_percent": "int2",
    "fulfilment": "int2",
    "bsr": "int4",
    "bsr_category_id": "int4",
    "sub_rank": "int4",
    "sub_category_id": "int4",
    "rating": "int2",
    "ratings_count": "int4",
    "reviews_count": "int4",
    "availability": "int2",
    "stock_left": "int4",
    "offers_new": "int4",
    "offers_used": "int4",
    "fetch_run_id": "int8",
    "import_run_id": "int8",
}


def _snapshot_row(
    batch: _Batch, look: Look, seen: Observation, flags: int, currency: str
) -> Sequence[Any]:
    """Return the row in the order of `_SNAPSHOT`."""
    main, sub = _rank(batch, seen, 0), _rank(batch, seen, 1)
    return (
        look.product_id,
        seen.captured_at,
        int(seen.source),
        int(seen.kind),
        int(seen.seen),
        Jsonb(unreadable_names(seen)) if seen.unreadable else None,
        flags,
        seen.outcome.value,
        seen.currency or currency,
        seen.price,
        seen.price_basis,
        seen.list_price,
        seen.buy_box_price,
        seen.buy_box_shipping,
        seen.buy_box_seller,
        seen.amazon_price,
        seen.new_price,
        seen.new_fba_price,
        seen.used_price,
        seen.deal_price,
        seen.coupon_amount,
        seen.coupon_percent,
        seen.fulfilment,
        *main,
        *sub,
        seen.rating,
        seen.ratings_count,
        seen.reviews_count,
        seen.availability,
        seen.stock_left,
        seen.offers_new,
        seen.offers_used,
        look.fetch_run_id,
        look.import_run_id,
    )


def _rank(batch: _Batch, seen: Observation, number: int) -> tuple[int | None, int | None]:
    if len(seen.ranks) <= number:
        return None, None
    rank = seen.ranks[number]
    return rank.rank, batch.categories[seen.marketplace, rank.category]


def _store_listings(session: Session, batch: _Batch, looks: Sequence[Look]) -> None:
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
            judge_attention(state, batch.zones[product_id])
    around = hashes_around(session, [(version.product_id, version.seen_at) for version in late])
    for version in late:
        if version.content_hash not in around.get((version.product_id, version.seen_at), set()):
            batch.versions.append(version)


def _is_other_source(batch: _Batch, look: Look) -> bool:
    source = batch.states[look.product_id].listing_source
    return source is not None and source != int(look.observation.source)


def _take_listing(
    batch: _Batch,
    state: LatestState,
    look: Look,
    known: dict[int, Listing],
    late: list[NewVersion],
) -> None:
    observation = look.observation
    listing = observation.listing
    if listing is None:
        return
    is_late = state.listing_hash is not None and _is_late(batch, look)
    if look.product_id in known and not is_late:
        listing = merged(listing, known[look.product_id])
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


def _is_late(batch: _Batch, look: Look) -> bool:
    newest = batch.newest_before[look.product_id]
    return newest is not None and look.observation.captured_at < newest


def _write(session: Session, batch: _Batch) -> None:
    copy_rows(session, "snapshot", _SNAPSHOT, batch.snapshots)
    _write_ranks(session, batch.ranks)
    store_versions(session, batch.versions)
    _lift_doubts(session, batch)
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


def _lift_doubts(session: Session, batch: _Batch) -> None:
    """Take back the flags of earlier snapshots that a second look confirmed."""
    statement = (
        "UPDATE snapshot AS s SET flags = s.flags & ~d.flag "
        "FROM unnest(%s::int8[], %s::timestamptz[], %s::int2[], %s::int4[]) "
        "AS d (product_id, captured_at, source, flag) WHERE s.product_id = d.product_id "
        "AND s.captured_at = d.captured_at AND s.source = d.source"
    )
    rows = [
        (product_id, doubt.captured_at, doubt.source, doubt.flag)
        for product_id, doubt in batch.confirmed
    ]
    run_rows(session, statement, rows)
    for product_id, doubt in batch.confirmed:
        state, zone = batch.states[product_id], batch.zones[product_id]
        batch.touched.add_lifted(state, doubt.captured_at, zone)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
