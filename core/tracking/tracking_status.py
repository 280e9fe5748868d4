"""How products stand with somebody: followed by whom, paused, being fetched. One question."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.database.session import driver_connection
from core.tracking.list_filter import ListScope

Key = tuple[str, str]  # marketplace, ASIN


@dataclass(frozen=True, slots=True)
class TrackingStatus:
    """How a product stands with a person and the team."""

    product_id: int
    is_mine: bool  # the person follows it
    runs_for_me: bool  # and has not paused it
    followers: int  # of the team
    running: int  # of the followers, those who have not paused it
    is_being_fetched: bool

    def follows(self, whose: ListScope) -> bool:
        """Return whether the person, or anybody of the team, follows it."""
        return self.is_mine if whose is ListScope.MINE else self.followers > 0

    def runs(self, whose: ListScope) -> bool:
        """Return whether it is looked at for the person, or for anybody of the team."""
        return self.runs_for_me if whose is ListScope.MINE else self.running > 0


_STANDINGS = """
SELECT p.marketplace, p.asin, p.id, t.followers, t.running,
    COALESCE(t.is_mine, false) AS is_mine, COALESCE(t.runs_for_me, false) AS runs_for_me,
    s.leased_until IS NOT NULL AS is_being_fetched
FROM unnest(%(marketplaces)s::text[], %(asins)s::text[]) AS k (marketplace, asin)
JOIN product p USING (marketplace, asin)
CROSS JOIN LATERAL (
    SELECT count(*) AS followers, count(*) FILTER (WHERE paused_at IS NULL) AS running,
        bool_or(person_id = %(person)s) AS is_mine,
        bool_or(person_id = %(person)s AND paused_at IS NULL) AS runs_for_me
    FROM tracking WHERE product_id = p.id AND team_id = %(team)s
) AS t
LEFT JOIN fetch_schedule s ON s.product_id = p.id
"""


def tracking_status_of(
    session: Session, principal: Principal, keys: Collection[Key]
) -> dict[Key, TrackingStatus]:
    """Return how each of these products stands; what is not known here is not in it.

    For verbs, which checked the right that they ask for.
    """
    wanted = sorted(set(keys))
    values = {
        "marketplaces": [marketplace for marketplace, _ in wanted],
        "asins": [asin for _, asin in wanted],
        "person": principal.person_id,
        "team": principal.team_id,
    }
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = cursor.execute(_STANDINGS, values).fetchall()
    return {
        (row.marketplace, row.asin): TrackingStatus(
            product_id=row.id,
            is_mine=row.is_mine,
            runs_for_me=row.runs_for_me,
            followers=row.followers,
            running=row.running,
            is_being_fetched=row.is_being_fetched,
        )
        for row in rows
    }
