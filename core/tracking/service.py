"""Operations of tracking. Each takes the principal; none commits."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.service import ensure_products
from core.database.bulk_write import insert_rows
from core.database.session import driver_connection
from core.errors import InvalidInputError
from core.tracking.editable_rows import editable_conditions, find_own_rows
from core.tracking.list_filter import ListScope
from core.tracking.models import FetchSchedule, Tracking
from core.tracking.rules import LONGEST_TAG, Cadence, Role


@dataclass(frozen=True, slots=True)
class NewTracking:
    """A product to track, and how. None keeps the present setting."""

    marketplace: str
    asin: str
    role: Role | None = None
    cadence: Cadence | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    price_change_percent: Decimal | None = None
    rank_change_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TrackResult:
    """The result of a request to track."""

    product_id: int
    is_new: bool  # False: the user tracked it already
    is_paused: bool = False  # it was paused before and stays paused


@requires(Permission.TRACK)
def track(
    session: Session,
    principal: Principal,
    requests: Sequence[NewTracking],
    *,
    is_demo: bool = False,
    fetch: bool = True,
    keep: bool = False,
    is_recorded: bool = True,
) -> list[TrackResult]:
    """Track products for the principal; return one result per request, in order.

    A product that is tracked already keeps the settings that the request leaves out, or all
    of them with `keep`. With `fetch` the products are due at once. `is_recorded` False: the
    caller records all its calls in the audit log at once.
    """
    _lock_team_tracking(session, principal)
    products, _ = ensure_products(
        session, [(request.marketplace, request.asin) for request in requests], is_demo=is_demo
    )
    ids = [products[request.marketplace, request.asin] for request in requests]
    first: dict[int, NewTracking] = {}
    for product_id, request in zip(ids, requests, strict=True):
        first.setdefault(product_id, request)
    made = _insert_tracking(session, principal, first)
    if is_recorded:
        audit.record_bulk(session, principal, "followed", "product", list(made))
    repeated = [
        (product_id, request)
        for product_id, request in zip(ids, requests, strict=True)
        if product_id not in made or request is not first[product_id]
    ]
    tracked = find_own_rows(session, principal, {product_id for product_id, _ in repeated})
    for product_id, request in [] if keep else repeated:
        _apply_request(tracked[product_id], request)
    # A product that was tracked before is on the schedule; its cadence may have changed.
    sync_schedule(session, first if fetch else tracked.keys() - made)
    paused = {product_id for product_id, row in tracked.items() if row.paused_at is not None}
    results = []
    for product_id in ids:
        results.append(TrackResult(product_id, product_id in made, product_id in paused))
        made.discard(product_id)  # for a second request it is tracked already
    return results


def _insert_tracking(
    session: Session, principal: Principal, requests: dict[int, NewTracking]
) -> set[int]:
    rows = [
        (
            principal.team_id,
            principal.person_id,
            product_id,
            (request.role or Role.WATCHED).value,
            (request.cadence or Cadence.DAILY).value,
            "\x1f".join(clean_tags(request.tags)),
            request.note,
            request.price_change_percent,
            request.rank_change_percent,
            True,
        )
        for product_id, request in sorted(requests.items())
    ]
    columns = {
        "team_id": "int8",
        "person_id": "int8",
        "product_id": "int8",
        "role": "text",
        "cadence": "text",
        "tags": "text",
        "note": "text",
        "price_change_percent": "numeric",
        "rank_change_percent": "numeric",
        "is_first": "bool",
    }
    made = insert_rows(
        session,
        "tracking",
        columns,
        rows,
        on_conflict="ON CONFLICT (person_id, product_id) DO NOTHING",
        returning="product_id",
        expressions=_STORED,
    )
    return {product_id for (product_id,) in made}


def _threshold_sql(column: str) -> str:
    """Return the SQL of a threshold: the request's, else the user's default."""
    return f"COALESCE({column}, (SELECT p.{column} FROM person p WHERE p.id = v.person_id))"


_STORED = {
    "tags": "COALESCE(string_to_array(NULLIF(tags, ''), E'\\x1f'), '{}')",
    "price_change_percent": _threshold_sql("price_change_percent"),
    "rank_change_percent": _threshold_sql("rank_change_percent"),
    "is_first": "NOT EXISTS (SELECT 1 FROM tracking o WHERE o.team_id = v.team_id "
    "AND o.product_id = v.product_id)",
}


def _lock_team_tracking(session: Session, principal: Principal) -> None:
    """Lock the team's tracking until the end of the transaction.

    Of several users who track a product, one row is the first; two at once must not both be.
    """
    lock = text("SELECT pg_advisory_xact_lock(hashtext('following'), :team)")
    session.execute(lock, {"team": principal.team_id})


def _apply_request(tracking: Tracking, request: NewTracking) -> None:
    """Apply a request's settings to a product that is tracked already."""
    if request.role is not None:
        tracking.role = request.role.value
    if request.cadence is not None:
        tracking.cadence = request.cadence.value
    if request.tags:
        tracking.tags = sorted({*tracking.tags, *clean_tags(request.tags)})
    if request.note:
        tracking.note = request.note
    if request.price_change_percent is not None:
        tracking.price_change_percent = request.price_change_percent
    if request.rank_change_percent is not None:
        tracking.rank_change_percent = request.rank_change_percent


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Return tags without duplicates and extra spaces, sorted. Raises InvalidInputError."""
    cleaned = {" ".join(tag.replace("\x1f", " ").replace("\x00", "").split()) for tag in tags}
    for tag in cleaned:
        if len(tag) > LONGEST_TAG:
            raise InvalidInputError(f"A tag has at most {LONGEST_TAG} characters.")
    return sorted(cleaned - {""})


@requires(Permission.TRACK)
def pause(
    session: Session,
    principal: Principal,
    product_ids: Collection[int],
    scope: ListScope = ListScope.MINE,
    *,
    is_recorded: bool = True,
) -> int:
    """Pause products for the principal or the team; return how many were not paused before."""
    paused = _set_paused(session, principal, product_ids, scope, datetime.now(UTC))
    if is_recorded:
        audit.record_bulk(session, principal, "paused", "product", paused)
    return len(paused)


@requires(Permission.TRACK)
def resume(
    session: Session,
    principal: Principal,
    product_ids: Collection[int],
    scope: ListScope = ListScope.MINE,
) -> int:
    """Resume paused products for the principal or the team; return how many were paused."""
    resumed = _set_paused(session, principal, product_ids, scope, None)
    audit.record_bulk(session, principal, "resumed", "product", resumed)
    return len(resumed)


def _set_paused(
    session: Session,
    principal: Principal,
    product_ids: Collection[int],
    scope: ListScope,
    at: datetime | None,
) -> Sequence[int]:
    is_other = Tracking.paused_at.is_not(None) if at is None else Tracking.paused_at.is_(None)
    changed = session.scalars(
        update(Tracking)
        .where(*editable_conditions(principal, scope, product_ids), is_other)
        .values(paused_at=at)
        .returning(Tracking.product_id)
    ).all()
    sync_schedule(session, changed)
    return sorted(set(changed))


@requires(Permission.TRACK)
def stop_tracking(
    session: Session,
    principal: Principal,
    product_ids: Collection[int],
    scope: ListScope = ListScope.MINE,
) -> int:
    """Stop tracking products for the principal or the team; history stays. Return how many."""
    _lock_team_tracking(session, principal)
    removed = session.scalars(
        delete(Tracking)
        .where(*editable_conditions(principal, scope, product_ids))
        .returning(Tracking.product_id)
    ).all()
    _promote_earliest(session, principal, removed)
    sync_schedule(session, removed)
    audit.record_bulk(session, principal, "unfollowed", "product", sorted(set(removed)))
    return len(set(removed))


def _promote_earliest(session: Session, principal: Principal, product_ids: Sequence[int]) -> None:
    """Make the earliest remaining row of each product its first."""
    session.execute(
        text(
            "UPDATE tracking SET is_first = true WHERE id IN ("
            "SELECT min(t.id) FROM tracking t WHERE t.team_id = :team "
            "AND t.product_id = ANY(:ids) GROUP BY t.product_id HAVING NOT bool_or(t.is_first))"
        ),
        {"team": principal.team_id, "ids": list(product_ids)},
    )


@requires(Permission.TRACK)
def add_tags(
    session: Session,
    principal: Principal,
    product_ids: Collection[int],
    tags: Sequence[str],
    scope: ListScope = ListScope.MINE,
) -> int:
    """Add tags to tracked products; return how many products."""
    cleaned = clean_tags(tags)
    rows = session.scalars(
        select(Tracking).where(*editable_conditions(principal, scope, product_ids))
    ).all()
    for tracking in rows:
        tracking.tags = sorted({*tracking.tags, *cleaned})
    ids = sorted({tracking.product_id for tracking in rows})
    audit.record_bulk(session, principal, "tagged", "product", ids, {"tags": cleaned})
    return len(ids)


@requires(Permission.TRACK)
def request_checks(session: Session, principal: Principal, product_ids: Collection[int]) -> int:
    """Make tracked products due now, before regular checks; return how many.

    A product that is being fetched now is not requested again.
    """
    tracked = select(Tracking.product_id).where(
        Tracking.team_id == principal.team_id, Tracking.product_id.in_(product_ids)
    )
    ids = session.scalars(tracked).unique().all()
    # A check of a paused product may be requested: it runs once and stays paused.
    sync_schedule(session, ids, keep_paused=True)
    requested = session.scalars(
        update(FetchSchedule)
        .where(FetchSchedule.product_id.in_(ids), FetchSchedule.leased_until.is_(None))
        .values(priority=0, due_at=func.now(), requested_at=func.now())
        .returning(FetchSchedule.product_id)
    ).all()
    audit.record_bulk(session, principal, "asked for a fetch", "product", requested)
    return len(requested)


_MINUTES_OF = " ".join(f"WHEN '{cadence}' THEN {cadence.minutes}" for cadence in Cadence)
_SYNC = f"""
WITH wanted AS (
    SELECT p.id AS product_id, p.marketplace,
           CASE WHEN p.is_demo THEN 'demo' ELSE 'apify' END AS provider,
           COALESCE(min(c.minutes) FILTER (WHERE t.paused_at IS NULL), min(c.minutes)) AS minutes
    FROM product p JOIN tracking t ON t.product_id = p.id
    CROSS JOIN LATERAL (SELECT CASE t.cadence {_MINUTES_OF} END AS minutes) AS c
    WHERE p.id = ANY(%(ids)s) AND (t.paused_at IS NULL OR %(keep)s)
    GROUP BY p.id, p.marketplace, p.is_demo
), gone AS (
    DELETE FROM fetch_schedule AS s WHERE s.product_id = ANY(%(ids)s)
    AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.product_id = s.product_id)
    AND s.leased_until IS NULL
)
INSERT INTO fetch_schedule AS s (product_id, provider, marketplace, cadence_minutes, due_at)
SELECT product_id, provider, marketplace, minutes, now() FROM wanted ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE SET
    cadence_minutes = excluded.cadence_minutes,
    due_at = LEAST(s.due_at, COALESCE(s.looked_at, now())
                             + excluded.cadence_minutes * interval '1 minute')
WHERE s.cadence_minutes <> excluded.cadence_minutes
"""


def sync_schedule(
    session: Session, product_ids: Iterable[int], *, keep_paused: bool = False
) -> None:
    """Update the schedule from the tracking rows: the shortest cadence of a product applies.

    A product that no one tracks any more leaves the schedule; one that is being fetched
    leaves it when the fetch ends.
    """
    ids = sorted(set(product_ids))
    if not ids:
        return
    session.flush()
    with driver_connection(session).cursor() as cursor:
        cursor.execute(_SYNC, {"ids": ids, "keep": keep_paused})
