"""Whom advisors are asked about, how far they are, and how they answered. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.suggestions.advice_queue.service import LEASE
from core.suggestions.rules import Advisor


def _fetch(session: Session, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(text(statement), values).mappings()]


_HOW_FAR = """
SELECT
    count(*) FILTER (WHERE leased_until IS NULL OR leased_until <= :put_off) AS waiting,
    count(*) FILTER (WHERE leased_until > :put_off) AS put_off,
    (SELECT count(*) FROM suggestion s WHERE s.team_id = :team AND s.made_at >= :since
        AND s.product_id = ANY(CAST(:products AS bigint[]))) AS made
FROM advice_due WHERE team_id = :team AND product_id = ANY(CAST(:products AS bigint[]))
"""


@dataclass(frozen=True, slots=True)
class AdviceProgress:
    """How far the advisors are with some products."""

    waiting: int  # or being looked at
    put_off: int  # looking at them failed; they are tried again later
    made: int  # suggestions since they were asked for


@requires(Permission.READ)
def how_far(
    session: Session,
    principal: Principal,
    product_ids: Sequence[int],
    since: datetime,
    now: datetime,
) -> AdviceProgress:
    """Return how far the advisors are with products that were asked about at `since`."""
    values = {
        "team": principal.team_id,
        "products": list(product_ids),
        "since": since,
        "put_off": now + LEASE,
    }
    return AdviceProgress(**_fetch(session, _HOW_FAR, values)[0])


@requires(Permission.READ)
def own_products(session: Session, principal: Principal, limit: int) -> list[int]:
    """Return the team's own products that are looked at, the primary ones first."""
    rows = _fetch(
        session,
        "SELECT t.product_id FROM tracking t WHERE t.team_id = :team AND t.is_first "
        "AND t.role = 'own' AND t.paused_at IS NULL "
        "ORDER BY t.is_primary DESC, t.product_id LIMIT :limit",
        {"team": principal.team_id, "limit": limit},
    )
    return [row["product_id"] for row in rows]


@dataclass(frozen=True, slots=True)
class AdvisorAnswer:
    """What came of asking an advisor about one product."""

    product_id: int
    advisor: Advisor
    model: str | None
    at: datetime
    state: str  # asking, ok, nothing, rejected, failed
    reasons: tuple[str, ...]
    suggestions: int


@requires(Permission.READ)
def answers_since(
    session: Session, principal: Principal, product_ids: Sequence[int], since: datetime
) -> list[AdvisorAnswer]:
    """Return what advisors were asked about products since then, newest first."""
    rows = _fetch(
        session,
        "SELECT product_id, advisor, model, at, state, reasons, suggestions FROM advice_call "
        "WHERE team_id = :team AND at >= :since AND product_id = ANY(CAST(:products AS bigint[])) "
        "ORDER BY id DESC",
        {"team": principal.team_id, "since": since, "products": list(product_ids)},
    )
    return [
        AdvisorAnswer(
            **{**row, "advisor": Advisor(row["advisor"]), "reasons": tuple(row["reasons"])}
        )
        for row in rows
    ]
