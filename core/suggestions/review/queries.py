"""SELECTs of suggestions: the queue, one suggestion, its events. Only the caller's team.

A pending suggestion counts as expired from its expiry on, even before a job stores that.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.suggestions.changes.values import Values
from core.suggestions.queue_filter import LARGEST_PAGE, Group, QueueFilter, count_groups
from core.suggestions.review.views import (
    ActionView,
    Event,
    PendingAction,
    QueuePage,
    QueuePlace,
    QueueRow,
    SuggestionView,
    VerifiedAction,
)
from core.suggestions.rules import (
    ActionState,
    Advisor,
    Change,
    Direction,
    Kind,
    Metric,
    SuggestionState,
    read_evidence,
)
from core.tracking.lists.search import read_search

_STATE = "CASE WHEN s.state = 'pending' AND s.expires_at <= %(now)s THEN 'expired' ELSE s.state END"
_PENDING = "s.team_id = %(team)s AND s.state = 'pending' AND s.expires_at > %(now)s"


def _fetch(session: Session, statement: str, values: Values) -> list[dict[str, Any]]:
    # Never prepared: a plan made for any filter is a bad plan for this one.
    with driver_connection(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, dict(values), prepare=False).fetchall()


# The queue

_ROW = f"""
s.id, s.product_id, p.marketplace, p.asin, x.title AS product_title, s.kind, s.title,
s.priority, s.confidence, s.metric, s.direction, s.window_days, {_STATE} AS state,
s.advisor, s.model, s.made_at, s.expires_at, s.decided_at, a.actions, a.waiting,
b.name AS asked_by_name
"""
_OF_ROW = """
JOIN product p ON p.id = s.product_id
LEFT JOIN product_text x ON x.product_id = s.product_id
LEFT JOIN person b ON b.id = s.asked_by
LEFT JOIN LATERAL (
    SELECT count(*) AS actions,
        array_agg(a.id || ':' || a.change ORDER BY a.place) FILTER (WHERE a.state = 'pending')
        AS waiting
    FROM suggestion_action a WHERE a.suggestion_id = s.id
) AS a ON true
"""


@requires(Permission.READ)
def read_queue(
    session: Session, principal: Principal, asked: QueueFilter, page: int, size: int, now: datetime
) -> QueuePage:
    """Return page `page` (from 1) of the team's suggestions.

    Pending ones have the highest priority first, others the newest. Beyond the last page
    there are no rows.
    """
    size = min(max(size, 1), LARGEST_PAGE)
    values = _values(principal, asked, now) | {"size": size, "skipped": (max(page, 1) - 1) * size}
    return _page(session, asked, _conditions(asked), values)


@requires(Permission.READ)
def read_queue_after(
    session: Session,
    principal: Principal,
    asked: QueueFilter,
    after: int | None,
    size: int,
    now: datetime,
) -> tuple[QueuePage, bool]:
    """Return the suggestions behind a suggestion in the order of the queue, and if more follow.

    `after` None: from the first on. The cursor stays valid after its suggestion was decided:
    paging skips no pending suggestion.
    """
    size = min(max(size, 1), LARGEST_PAGE)
    values = _values(principal, asked, now) | {"size": size + 1, "skipped": 0, "after": after}
    conditions = _conditions(asked)
    if after is not None:
        conditions += f" AND {_behind(asked)}"
    found = _page(session, asked, conditions, values)
    return replace(found, rows=found.rows[:size]), len(found.rows) > size


def _behind(asked: QueueFilter) -> str:
    if asked.state is not SuggestionState.PENDING:
        return "s.id < %(after)s"
    here = "SELECT h.worth, h.id FROM suggestion h WHERE h.id = %(after)s AND h.team_id = %(team)s"
    return f"(s.worth, s.id) < ({here})"


def _page(session: Session, asked: QueueFilter, conditions: str, values: Values) -> QueuePage:
    order = "s.worth DESC, s.id DESC" if asked.state is SuggestionState.PENDING else "s.id DESC"
    ids = (
        f"SELECT s.id FROM suggestion s WHERE {conditions} "
        f"ORDER BY {order} OFFSET %(skipped)s LIMIT %(size)s"
    )
    found = _fetch(
        session,
        f"SELECT {_ROW} FROM suggestion s {_OF_ROW} WHERE s.id IN ({ids}) ORDER BY {order}",
        values,
    )
    counts = count_groups(_groups(session, asked, values), asked)
    return QueuePage(tuple(map(_row, found)), counts)


def _values(principal: Principal, asked: QueueFilter, now: datetime) -> dict[str, Any]:
    search = read_search(asked.product)
    return {
        "team": principal.team_id,
        "now": now,
        "state": asked.state,
        "kinds": list(asked.kinds),
        "priorities": list(asked.priorities),
        "advisors": list(asked.advisors),
        "words": search.words,
        "pairs": list(search.pairs),
        "asin": f"{search.asin_prefix}%",
        "product": asked.product_id,
    }


def _conditions(asked: QueueFilter) -> str:
    found = [_PENDING if asked.state is SuggestionState.PENDING else "s.team_id = %(team)s"]
    if asked.state not in (None, SuggestionState.PENDING):
        found.append(f"{_STATE} = %(state)s")
    for name, chosen in (
        ("kind", asked.kinds),
        ("priority", asked.priorities),
        ("advisor", asked.advisors),
    ):
        if chosen:
            plural = {"kind": "kinds", "priority": "priorities", "advisor": "advisors"}[name]
            found.append(f"s.{name} = ANY(%({plural})s)")
    return " AND ".join([*found, *_about(asked)])


def _about(asked: QueueFilter) -> list[str]:
    """Return the conditions of the filter on products; empty: no filter."""
    search = read_search(asked.product)
    only = [] if asked.product_id is None else ["s.product_id = %(product)s"]
    if search.is_empty:
        # Only punctuation was typed: no title consists of that.
        return ["false"] if asked.product.strip() else only
    by_text = []
    if search.words is not None:
        by_text.append("words @@ to_tsquery('simple', %(words)s)")
    if search.pairs:
        by_text.append("pairs @> %(pairs)s::text[]")
    ways = ["SELECT product_id FROM product_text WHERE " + " AND ".join(by_text)] if by_text else []
    if search.asin_prefix is not None:
        ways.append("SELECT id FROM product WHERE asin LIKE %(asin)s")
    return [*only, "s.product_id IN (" + " UNION ALL ".join(ways) + ")"]


def _groups(session: Session, asked: QueueFilter, values: Values) -> list[Group]:
    conditions = " AND ".join(["s.team_id = %(team)s", *_about(asked)])
    rows = _fetch(
        session,
        f"SELECT {_STATE} AS state, s.kind, s.priority, s.advisor, count(*) AS number "
        f"FROM suggestion s WHERE {conditions} GROUP BY 1, 2, 3, 4",
        values,
    )
    return [
        Group(
            SuggestionState(row["state"]),
            Kind(row["kind"]),
            row["priority"],
            Advisor(row["advisor"]),
            row["number"],
        )
        for row in rows
    ]


def _row(row: Values) -> QueueRow:
    return QueueRow(
        id=row["id"],
        product_id=row["product_id"],
        marketplace=row["marketplace"],
        asin=row["asin"],
        product_title=row["product_title"],
        kind=Kind(row["kind"]),
        title=row["title"],
        priority=row["priority"],
        confidence=row["confidence"],
        metric=Metric(row["metric"]),
        direction=Direction(row["direction"]),
        window_days=row["window_days"],
        state=SuggestionState(row["state"]),
        advisor=Advisor(row["advisor"]),
        model=row["model"],
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        decided_at=row["decided_at"],
        actions=row["actions"],
        waiting=tuple(map(_pending, row["waiting"] or ())),
        asked_by=row["asked_by_name"],
    )


def _pending(written: str) -> PendingAction:
    number, _, change = written.partition(":")
    return PendingAction(int(number), Change(change))


# One suggestion


@requires(Permission.READ)
def find_suggestion(
    session: Session, principal: Principal, suggestion_id: int, now: datetime
) -> SuggestionView | None:
    """Return one suggestion of the team; None: the team has none with this id."""
    values = {"id": suggestion_id, "team": principal.team_id, "now": now}
    found = _fetch(
        session,
        f"SELECT {_ROW}, s.reasoning, s.evidence FROM suggestion s {_OF_ROW} "
        "WHERE s.id = %(id)s AND s.team_id = %(team)s",
        values,
    )
    if not found:
        return None
    row = found[0]
    return SuggestionView(
        row=_row(row),
        reasoning=row["reasoning"],
        evidence=tuple(map(read_evidence, row["evidence"])),
        asked_by=row["asked_by_name"],
        actions=_actions(session, suggestion_id),
    )


_ACTIONS = """
SELECT a.*, p.name AS decided_by_name FROM suggestion_action a
LEFT JOIN person p ON p.id = a.decided_by
WHERE a.suggestion_id = %(id)s ORDER BY a.place, a.id
"""


def _actions(session: Session, suggestion_id: int) -> tuple[ActionView, ...]:
    rows = _fetch(session, _ACTIONS, {"id": suggestion_id})
    return tuple(map(_action, rows))


def _action(row: Values) -> ActionView:
    return ActionView(
        id=row["id"],
        place=row["place"],
        change=Change(row["change"]),
        current=row["current"],
        proposed=row["proposed"],
        edited=row["edited"],
        reason=row["reason"],
        state=ActionState(row["state"]),
        decided_by=row["decided_by_name"],
        decided_at=row["decided_at"],
        decision_reason=row["decision_reason"],
        applied_at=row["applied_at"],
        verify_until=row["verify_until"],
        verified_at=row["verified_at"],
        seen_at=row["seen_at"],
        trouble=row["trouble"],
    )


_EVENTS = """
SELECT e.at, p.name AS person, e.means, a.change, e.before, e.after, e.why,
    e.after = 'approved' AND a.edited IS NOT NULL AS is_edited
FROM suggestion_event e
JOIN suggestion s ON s.id = e.suggestion_id AND s.team_id = %(team)s
LEFT JOIN suggestion_action a ON a.id = e.action_id
LEFT JOIN person p ON p.id = e.person_id
WHERE e.suggestion_id = %(id)s ORDER BY e.id
"""


@requires(Permission.READ)
def list_events(session: Session, principal: Principal, suggestion_id: int) -> list[Event]:
    """Return the events of a suggestion of the team, oldest first."""
    rows = _fetch(session, _EVENTS, {"id": suggestion_id, "team": principal.team_id})
    return [
        Event(**{**row, "change": None if row["change"] is None else Change(row["change"])})
        for row in rows
    ]


@requires(Permission.READ)
def list_product_suggestions(
    session: Session, principal: Principal, product_id: int, now: datetime, limit: int = 20
) -> list[QueueRow]:
    """Return the team's suggestions about one product, newest first."""
    values = {"product": product_id, "team": principal.team_id, "now": now, "limit": limit}
    rows = _fetch(
        session,
        f"SELECT {_ROW} FROM suggestion s {_OF_ROW} "
        "WHERE s.product_id = %(product)s AND s.team_id = %(team)s "
        "ORDER BY s.id DESC LIMIT %(limit)s",
        values,
    )
    return list(map(_row, rows))


_APPLIED = """
SELECT a.applied_at, s.title FROM suggestion s JOIN suggestion_action a ON a.suggestion_id = s.id
WHERE s.product_id = %(product)s AND s.team_id = %(team)s AND a.applied_at IS NOT NULL
ORDER BY a.applied_at
"""


@requires(Permission.READ)
def list_applied_changes(
    session: Session, principal: Principal, product_id: int
) -> list[tuple[datetime, str]]:
    """Return when changes of a product were applied, and their suggestion's title, by time."""
    rows = _fetch(session, _APPLIED, {"product": product_id, "team": principal.team_id})
    return [(row["applied_at"], row["title"]) for row in rows]


_PLACE = f"""
WITH here AS (SELECT s.worth, s.id FROM suggestion s WHERE s.id = %(id)s AND {_PENDING})
SELECT
    (SELECT count(*) FROM suggestion s WHERE {_PENDING}
        AND (s.worth, s.id) >= (here.worth, here.id)) AS number,
    (SELECT count(*) FROM suggestion s WHERE {_PENDING}) AS total,
    (SELECT s.id FROM suggestion s WHERE {_PENDING} AND (s.worth, s.id) > (here.worth, here.id)
        ORDER BY s.worth, s.id LIMIT 1) AS before,
    (SELECT s.id FROM suggestion s WHERE {_PENDING} AND (s.worth, s.id) < (here.worth, here.id)
        ORDER BY s.worth DESC, s.id DESC LIMIT 1) AS after
FROM here
"""


@requires(Permission.READ)
def find_place(
    session: Session, principal: Principal, suggestion_id: int, now: datetime
) -> QueuePlace | None:
    """Return the place of a pending suggestion in the queue; None: it isn't pending."""
    rows = _fetch(session, _PLACE, {"id": suggestion_id, "team": principal.team_id, "now": now})
    return QueuePlace(**rows[0]) if rows else None


@requires(Permission.READ)
def count_pending_at(
    session: Session, principal: Principal, moments: Sequence[datetime]
) -> list[int]:
    """Return how many of the team's suggestions were pending at each moment, in their order."""
    statement = (
        "SELECT count(s.id) AS number "
        "FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS m (at, place) "
        "LEFT JOIN suggestion s ON s.team_id = %(team)s AND s.made_at <= m.at "
        "AND s.expires_at > m.at AND (s.decided_at IS NULL OR s.decided_at > m.at) "
        "GROUP BY m.place ORDER BY m.place"
    )
    values = {"team": principal.team_id, "moments": list(moments)}
    return [row["number"] for row in _fetch(session, statement, values)]


@requires(Permission.READ)
def count_priorities(session: Session, principal: Principal, now: datetime) -> dict[int, int]:
    """Return how many of the team's suggestions are pending, by priority; none is left out."""
    statement = (
        f"SELECT s.priority, count(*) AS number FROM suggestion s WHERE {_PENDING} GROUP BY 1"
    )
    rows = _fetch(session, statement, {"team": principal.team_id, "now": now})
    return {row["priority"]: row["number"] for row in rows}


@requires(Permission.READ)
def list_verified(
    session: Session, principal: Principal, since: datetime, size: int
) -> list[VerifiedAction]:
    """Return the team's actions that a check has verified since a time, newest first."""
    rows = _fetch(
        session,
        "SELECT s.id AS suggestion_id, a.change, a.verified_at, s.product_id, p.marketplace, "
        "p.asin, x.title FROM suggestion_action a JOIN suggestion s ON s.id = a.suggestion_id "
        "JOIN product p ON p.id = s.product_id "
        "LEFT JOIN product_text x ON x.product_id = s.product_id "
        "WHERE s.team_id = %(team)s AND a.state = 'verified' AND a.verified_at >= %(since)s "
        "ORDER BY a.verified_at DESC, a.id DESC LIMIT %(size)s",
        {"team": principal.team_id, "since": since, "size": size},
    )
    return [VerifiedAction(**row | {"change": Change(row["change"])}) for row in rows]


@requires(Permission.READ)
def find_first_pending(session: Session, principal: Principal, now: datetime) -> int | None:
    """Return the pending suggestion with the highest priority; None: none is pending."""
    rows = _fetch(
        session,
        f"SELECT s.id FROM suggestion s WHERE {_PENDING} ORDER BY s.worth DESC, s.id DESC LIMIT 1",
        {"team": principal.team_id, "now": now},
    )
    return rows[0]["id"] if rows else None


@requires(Permission.READ)
def count_pending(session: Session, principal: Principal, now: datetime) -> int:
    """Return how many of the team's suggestions are pending."""
    [row] = _fetch(
        session,
        f"SELECT count(*) AS number FROM suggestion s WHERE {_PENDING}",
        {"team": principal.team_id, "now": now},
    )
    return int(row["number"])
