"""Reads what frozen reports show, records their hashes, finds who made a file. Never commits.

The file itself is written in between, by `frozen_file`, with no transaction open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Via
from core.accounts.people.membership import get_principal
from core.alerts.charts.alert_marks import list_alert_marks
from core.errors import InvalidInputError, NotFoundError
from core.history.product_summary import ProductSummary, find_product_summary
from core.reports.frozen.frozen_file import FrozenFile
from core.reports.frozen.product_page import MOST_COMPARED, FrozenProduct, read_frozen_product
from core.tracking.sellers.queries import read_own_sellers
from core.tracking.sellers.rules import OwnSellers


@requires(Permission.READ)
def read_frozen_products(
    session: Session,
    principal: Principal,
    keys: Sequence[tuple[str, str]],
    period: tuple[datetime, datetime],
) -> list[FrozenProduct]:
    """Return products over a period, for a file. SELECTs only.

    `keys`: marketplaces and ASINs. Raises NotFoundError for a product that was never observed.
    """
    if not 0 < len(keys) <= MOST_COMPARED:
        raise InvalidInputError(f"Choose 1 to {MOST_COMPARED} products.")
    own = read_own_sellers(session, principal.team_id)
    products = []
    for marketplace, asin in keys:
        head = find_product_summary(session, principal, marketplace, asin)
        found = None if head is None else _read_product(session, principal, head, period, own)
        if found is None:
            raise NotFoundError(f"{asin} in {marketplace} was never observed.")
        products.append(found)
    return products


def _read_product(
    session: Session,
    who: Principal,
    head: ProductSummary,
    period: tuple[datetime, datetime],
    own: OwnSellers,
) -> FrozenProduct | None:
    alerts = list_alert_marks(session, who, head.product_id, period, period[1])
    return read_frozen_product(session, head, *period, own, alerts, who.time_zone)


@requires(Permission.READ)
def record_file(session: Session, principal: Principal, file: FrozenFile) -> None:
    """Record that a user made a file. It shows what the user could read when it was read.

    Raises NotFoundError for a user who was disabled meanwhile.
    """
    get_principal(session, principal.person_id, principal.via)
    values = {"of": file.subject, "bytes": len(file.body)}
    audit.record(session, principal, "made frozen report", _name_event(file.sha256), new=values)


def _name_event(digest: str) -> str:
    return f"sha256:{digest}"


@dataclass(frozen=True, slots=True)
class FrozenOrigin:
    """When a file was made, by whom, and of what. `person` None: a former member."""

    made_at: datetime
    person: str | None
    via: Via
    subject: str
    is_sealed: bool  # in the audit's chain of hashes


_ORIGIN: Final = """
SELECT e.at, CASE WHEN p.state <> 'erased' THEN p.name END AS person, e.means, e.new,
    e.seal IS NOT NULL AS is_sealed
FROM audit_event e LEFT JOIN person p ON p.id = e.person_id
WHERE e.team_id = :team AND e.verb = 'made frozen report' AND e.object = :object
ORDER BY e.id LIMIT 1
"""


@requires(Permission.READ)
def find_origin(session: Session, principal: Principal, digest: str) -> FrozenOrigin | None:
    """Return who made the file of a hash first, None if no one in the team made it."""
    values = {"team": principal.team_id, "object": _name_event(digest)}
    row = session.execute(text(_ORIGIN), values).first()
    if row is None:
        return None
    new: Mapping[str, Any] = row.new or {}
    return FrozenOrigin(row.at, row.person, Via(row.means), str(new.get("of", "")), row.is_sealed)
