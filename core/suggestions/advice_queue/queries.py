"""Products to ask advisors about, their progress and answers. Reads only."""

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


_PROGRESS = """
SELECT
    count(*) FILTER (WHERE leased_until IS NULL OR leased_until <= :postponed_from) AS pending,
    count(*) FILTER (WHERE leased_until > :postponed_from) AS postponed,
    (SELECT count(*) FROM suggestion s WHERE s.team_id = :team AND s.made_at >= :since
        AND s.product_id = ANY(CAST(:products AS bigint[]))) AS made
FROM advice_due WHERE team_id = :team AND product_id = ANY(CAST(:products AS bigint[]))
"""


@dataclass(frozen=True, slots=True)
class AdviceProgress:
    """The advisors' progress with some products."""

    pending: int  # products in the queue or being worked on
    postponed: int  # products whose advice failed; tried again later
    made: int  # suggestions since the request


@requires(Permission.READ)
def get_advice_progress(
    session: Session,
    principal: Principal,
    product_ids: Sequence[int],
    since: datetime,
    now: datetime,
) -> AdviceProgress:
    """Return the advisors' progress with products whose advice was requested at `since`."""
    values = {
        "team": principal.team_id,
        "products": list(product_ids),
        "since": since,
        "postponed_from": now + LEASE,
    }
    return AdviceProgress(**_fetch(session, _PROGRESS, values)[0])


@requires(Permission.READ)
def list_own_product_ids(session: Session, principal: Principal, limit: int) -> list[int]:
    """Return the ids of the team's own products, paused ones left out, primary ones first."""
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
    """An advisor's answer about one product."""

    product_id: int
    advisor: Advisor
    model: str | None
    at: datetime
    state: str  # asking, ok, nothing, rejected, failed
    reasons: tuple[str, ...]
    suggestions: int


@requires(Permission.READ)
def list_advisor_answers(
    session: Session, principal: Principal, product_ids: Sequence[int], since: datetime
) -> list[AdvisorAnswer]:
    """Return the advisors' answers about products since a time, newest first."""
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
