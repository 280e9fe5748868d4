"""Who took a lost Buy Box, and at which price. SELECTs only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from core.alerts.evaluation.fold import Findings
from core.alerts.incidents.incident_text import BuyBoxHolder
from core.alerts.rules.rule import AlertRule, BuyBoxOwner, Subject
from core.database.bulk_write import execute_with_arrays
from core.history.ingest.quality_gate import PRICE_FLAGS

SEEN_TOGETHER: Final = timedelta(days=1)  # longer apart, two prices explain nothing


@dataclass(frozen=True, slots=True)
class LostBuyBox:
    """An incident in which another seller took the Buy Box."""

    incident_id: int
    product_id: int
    lost_at: datetime
    held_at: datetime | None  # when the team's own offer was seen last; None: not known


def find_lost(
    rule: AlertRule, findings: Findings, incident_id: int, product_id: int
) -> LostBuyBox | None:
    """Return that an incident is of a lost Buy Box, None for any other."""
    if len(findings) != len(rule.conditions):
        return None
    for condition, finding in zip(rule.conditions, findings, strict=True):
        if (
            condition.subject is Subject.BUY_BOX_OWNER
            and finding is not None
            and finding.value == BuyBoxOwner.OTHER.value
        ):
            return LostBuyBox(incident_id, product_id, finding.at, finding.before_at)
    return None


# A moment is kept with its microseconds, or as the whole second in which it lies.
_PRICE: Final = f"CASE WHEN s.flags & {PRICE_FLAGS} = 0 THEN s.price END"
_HOLDERS: Final = f"""
SELECT w.incident_id, n.name, n.price, o.price
FROM unnest(%s::int8[], %s::int8[], %s::timestamptz[], %s::timestamptz[])
    AS w (incident_id, product_id, lost_at, held_at)
CROSS JOIN LATERAL (
    SELECT coalesce(s.buy_box_seller, s.buy_box_seller_id) AS name, {_PRICE} AS price
    FROM snapshot AS s WHERE s.product_id = w.product_id
    AND s.captured_at >= w.lost_at AND s.captured_at < w.lost_at + interval '1 second'
    AND coalesce(s.buy_box_seller, s.buy_box_seller_id) IS NOT NULL
    ORDER BY s.captured_at DESC, s.source DESC LIMIT 1
) AS n
LEFT JOIN LATERAL (
    SELECT {_PRICE} AS price FROM snapshot AS s WHERE s.product_id = w.product_id
    AND s.captured_at >= w.held_at AND s.captured_at < w.held_at + interval '1 second'
    ORDER BY s.captured_at DESC, s.source DESC LIMIT 1
) AS o ON true
"""


def read_holders(session: Session, lost: Iterable[LostBuyBox]) -> dict[int, BuyBoxHolder]:
    """Return who took the Buy Box, by incident; one whose snapshot was deleted has none."""
    asked = [(each.incident_id, each.product_id, each.lost_at, _seen_before(each)) for each in lost]
    rows: list[tuple[Any, ...]] = execute_with_arrays(session, _HOLDERS, asked, fetch=True)
    return {number: BuyBoxHolder(*values) for number, *values in rows}


def _seen_before(lost: LostBuyBox) -> datetime | None:
    """Return when the own offer was seen, None if that was too long before to explain anything."""
    if lost.held_at is None or lost.lost_at - lost.held_at > SEEN_TOGETHER:
        return None
    return lost.held_at
