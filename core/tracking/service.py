"""The verbs of following products. Each is told who acts; none commits."""

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
from core.tracking.editable_rows import editable_by, owned_by
from core.tracking.list_filter import ListScope
from core.tracking.models import FetchSchedule, Tracking
from core.tracking.rules import LONGEST_TAG, Cadence, Role


@dataclass(frozen=True, slots=True)
class NewTracking:
    """What somebody wants to follow, and how. None leaves what is set already."""

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
    """What became of a wish."""

    product_id: int
    is_new: bool  # False: this person followed it already
    is_paused: bool = False  # and has paused it, which stays so


@requires(Permission.TRACK)
def track(
    session: Session,
    principal: Principal,
    wishes: Sequence[NewTracking],
    *,
    is_demo: bool = False,
    fetch: bool = True,
    keep: bool = False,
    noted: bool = True,
) -> list[TrackResult]:
    """Follow products for the acting person and return one answer per wish, in order.

    A product that is followed already keeps its settings, apart from those the
    wish names, or all of them with `keep`. With `fetch` they are due at once. `noted`
    False: the caller tells the audit of all its calls at once.
    """
    _one_at_a_time(session, principal)
    products, _ = ensure_products(
        session, [(wish.marketplace, wish.asin) for wish in wishes], is_demo=is_demo
    )
    ids = [products[wish.marketplace, wish.asin] for wish in wishes]
    first: dict[int, NewTracking] = {}
    for product_id, wish in zip(ids, wishes, strict=True):
        first.setdefault(product_id, wish)
    made = _insert_tracking(session, principal, first)
    if noted:
        audit.record_bulk(session, principal, "followed", "product", list(made))
    further = [
        (product_id, wish)
        for product_id, wish in zip(ids, wishes, strict=True)
        if product_id not in made or wish is not first[product_id]
    ]
    followed = owned_by(session, principal, {product_id for product_id, _ in further})
    for product_id, wish in [] if keep else further:
        _apply_wish(followed[product_id], wish)
    # What is followed already may be running, and its cadence may be another one now.
    sync_schedule(session, first if fetch else followed.keys() - made)
    paused = {product_id for product_id, row in followed.items() if row.paused_at is not None}
    answers = []
    for product_id in ids:
        answers.append(TrackResult(product_id, product_id in made, product_id in paused))
        made.discard(product_id)  # the second wish for it finds it followed
    return answers


def _insert_tracking(
    session: Session, principal: Principal, wishes: dict[int, NewTracking]
) -> set[int]:
    rows = [
        (
            principal.team_id,
            principal.person_id,
            product_id,
            (wish.role or Role.WATCHED).value,
            (wish.cadence or Cadence.DAILY).value,
            "\x1f".join(clean_tags(wish.tags)),
            wish.note,
            wish.price_change_percent,
            wish.rank_change_percent,
            True,
        )
        for product_id, wish in sorted(wishes.items())
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


def _default(column: str) -> str:
    """Return the SQL of a threshold: the wish's, else the person's usual one."""
    return f"COALESCE({column}, (SELECT p.{column} FROM person p WHERE p.id = v.person_id))"


_STORED = {
    "tags": "COALESCE(string_to_array(NULLIF(tags, ''), E'\\x1f'), '{}')",
    "price_change_percent": _default("price_change_percent"),
    "rank_change_percent": _default("rank_change_percent"),
    "is_first": "NOT EXISTS (SELECT 1 FROM tracking o WHERE o.team_id = v.team_id "
    "AND o.product_id = v.product_id)",
}


def _one_at_a_time(session: Session, principal: Principal) -> None:
    """Let nobody else of the team begin or end following until this transaction is over.

    Of several who follow a product one is the first; two at once must not both be.
    """
    lock = text("SELECT pg_advisory_xact_lock(hashtext('following'), :team)")
    session.execute(lock, {"team": principal.team_id})


def _apply_wish(tracking: Tracking, wish: NewTracking) -> None:
    """Change what the wish names of a product that is followed already."""
    if wish.role is not None:
        tracking.role = wish.role.value
    if wish.cadence is not None:
        tracking.cadence = wish.cadence.value
    if wish.tags:
        tracking.tags = sorted({*tracking.tags, *clean_tags(wish.tags)})
    if wish.note:
        tracking.note = wish.note
    if wish.price_change_percent is not None:
        tracking.price_change_percent = wish.price_change_percent
    if wish.rank_change_percent is not None:
        tracking.rank_change_percent = wish.rank_change_percent


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Return tags without doubles and odd spaces, sorted. Raises for one that is too long."""
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
    whose: ListScope = ListScope.MINE,
    *,
    noted: bool = True,
) -> int:
    """Stop looking at products for the acting person, or the team; return how many ran."""
    paused = _set_paused(session, principal, product_ids, whose, datetime.now(UTC))
    if noted:
        audit.record_bulk(session, principal, "paused", "product", paused)
    return len(paused)


@requires(Permission.TRACK)
def resume(
    session: Session,
    principal: Principal,
    product_ids: Collection[int],
    whose: ListScope = ListScope.MINE,
) -> int:
    """Look at paused products again; return how many were paused."""
    resumed = _set_paused(session, principal, product_ids, whose, None)
    audit.record_bulk(session, principal, "resumed", "product", resumed)
    return len(resumed)


def _set_paused(
    session: Session,
    principal: Principal,
    product_ids: Collection[int],
    whose: ListScope,
    at: datetime | None,
) -> Sequence[int]:
    is_other = Tracking.paused_at.is_not(None) if at is None else Tracking.paused_at.is_(None)
    changed = session.scalars(
        update(Tracking)
        .where(*editable_by(principal, whose, product_ids), is_other)
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
    whose: ListScope = ListScope.MINE,
) -> int:
    """Remove products from a list, or from everybody's; history stays. Returns how many."""
    _one_at_a_time(session, principal)
    removed = session.scalars(
        delete(Tracking)
        .where(*editable_by(principal, whose, product_ids))
        .returning(Tracking.product_id)
    ).all()
    _let_others_be_first(session, principal, removed)
    sync_schedule(session, removed)
    audit.record_bulk(session, principal, "unfollowed", "product", sorted(set(removed)))
    return len(set(removed))


def _let_others_be_first(
    session: Session, principal: Principal, product_ids: Sequence[int]
) -> None:
    """Make the earliest of those who still follow a product its first."""
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
    whose: ListScope = ListScope.MINE,
) -> int:
    """Add tags to followed products; return how many products."""
    cleaned = clean_tags(tags)
    rows = session.scalars(
        select(Tracking).where(*editable_by(principal, whose, product_ids))
    ).all()
    for tracking in rows:
        tracking.tags = sorted({*tracking.tags, *cleaned})
    ids = sorted({tracking.product_id for tracking in rows})
    audit.record_bulk(session, principal, "tagged", "product", ids, {"tags": cleaned})
    return len(ids)


@requires(Permission.TRACK)
def request_refresh(session: Session, principal: Principal, product_ids: Collection[int]) -> int:
    """Make followed products due now, ahead of the usual round; return how many.

    A product that is being fetched at this moment is not asked for twice.
    """
    followed = select(Tracking.product_id).where(
        Tracking.team_id == principal.team_id, Tracking.product_id.in_(product_ids)
    )
    ids = session.scalars(followed).unique().all()
    # A paused product may still be asked for: once, and then it is paused again.
    sync_schedule(session, ids, keep_paused=True)
    asked = session.scalars(
        update(FetchSchedule)
        .where(FetchSchedule.product_id.in_(ids), FetchSchedule.leased_until.is_(None))
        .values(priority=0, due_at=func.now(), requested_at=func.now())
        .returning(FetchSchedule.product_id)
    ).all()
    audit.record_bulk(session, principal, "asked for a fetch", "product", asked)
    return len(asked)


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
    """Bring the schedule in line with who follows: the fastest cadence wins.

    A product that nobody follows any more leaves the schedule; one that is being
    fetched right now leaves it when it comes back.
    """
    ids = sorted(set(product_ids))
    if not ids:
        return
    session.flush()
    with driver_connection(session).cursor() as cursor:
        cursor.execute(_SYNC, {"ids": ids, "keep": keep_paused})
