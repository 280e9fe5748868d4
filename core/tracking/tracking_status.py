"""Whether products are tracked by a user or the team, and being fetched. One SELECT."""

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
    """A known product's status for a user and the team."""

    product_id: int
    is_mine: bool  # the user tracks it
    is_the_teams: bool  # anyone in the team tracks it

    def is_tracked(self, scope: ListScope) -> bool:
        """Return whether the user, or anyone in the team, tracks it."""
        return self.is_mine if scope is ListScope.MINE else self.is_the_teams


_STATUSES = """
SELECT p.marketplace, p.asin, p.id, t.is_the_teams, COALESCE(t.is_mine, false) AS is_mine
FROM unnest(%(marketplaces)s::text[], %(asins)s::text[]) AS k (marketplace, asin)
JOIN product p USING (marketplace, asin)
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS is_the_teams, bool_or(person_id = %(person)s) AS is_mine
    FROM tracking WHERE product_id = p.id AND team_id = %(team)s
) AS t
"""


def find_tracking_status(
    session: Session, principal: Principal, keys: Collection[Key]
) -> dict[Key, TrackingStatus]:
    """Return the status of each product; unknown products are left out.

    For operations, which have checked the permission.
    """
    wanted = sorted(set(keys))
    values = {
        "marketplaces": [marketplace for marketplace, _ in wanted],
        "asins": [asin for _, asin in wanted],
        "person": principal.person_id,
        "team": principal.team_id,
    }
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = cursor.execute(_STATUSES, values).fetchall()
    return {
        (row.marketplace, row.asin): TrackingStatus(
            product_id=row.id, is_mine=row.is_mine, is_the_teams=row.is_the_teams
        )
        for row in rows
    }
