"""Makes frozen reports, records their hashes, and finds who made a file. Never commits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Via
from core.errors import InvalidInputError, NotFoundError
from core.history.product_summary import find_product_summary
from core.reports import report_text
from core.reports.content import Report
from core.reports.frozen import period_page, product_page
from core.reports.frozen.document import LARGEST, write_document
from core.reports.frozen.product_page import MOST_COMPARED
from core.tracking.sellers.queries import read_own_sellers

_POINTS: Final = (3_000, 1_500, 700, 300, 100, 0)  # of each line inside a file, until it fits


@dataclass(frozen=True, slots=True)
class FrozenFile:
    """A file and what it is of. The hash is that of all its bytes."""

    title: str
    subject: str  # "US B0TEST0001", "daily report"
    body: bytes

    @property
    def sha256(self) -> str:
        """Return the file's hash as 64 hexadecimal digits."""
        return sha256(self.body).hexdigest()


@requires(Permission.READ)
def freeze_report(session: Session, principal: Principal, report: Report) -> FrozenFile:
    """Return a report of a period as a file, and record that it was made.

    Raises InvalidInputError for a file that would be too large.
    """
    title = report_text.name_report(report)
    body = write_document(
        title,
        period_page.describe_period(report, principal.time_zone),
        period_page.write_period(report, principal.time_zone),
        period_page.collect_period_data(report),
    )
    return _record(session, principal, FrozenFile(title, f"report, {report.period.value}", body))


@requires(Permission.READ)
def freeze_products(
    session: Session,
    principal: Principal,
    keys: Sequence[tuple[str, str]],
    period: tuple[datetime, datetime],
    now: datetime,
) -> FrozenFile:
    """Return products over a period as a file, and record that it was made.

    `keys`: marketplaces and ASINs. Raises NotFoundError for a product that was never observed.
    """
    if not 0 < len(keys) <= MOST_COMPARED:
        raise InvalidInputError(f"Choose 1 to {MOST_COMPARED} products.")
    own, zone = read_own_sellers(session, principal.team_id), principal.time_zone
    products = []
    for marketplace, asin in keys:
        head = find_product_summary(session, principal, marketplace, asin)
        found = head and product_page.read_frozen_product(session, head, *period, own, zone)
        if not found:
            raise NotFoundError(f"{asin} in {marketplace} was never observed.")
        products.append(found)
    title = product_page.name_products(products)
    about = product_page.describe_products(products, now, zone)
    parts = product_page.write_products(products, zone)
    sizes = (
        write_document(title, about, parts, product_page.collect_product_data(products, most))
        for most in _POINTS
    )
    subject = ", ".join(" ".join(key) for key in keys)
    return _record(session, principal, FrozenFile(title, subject, _find_fitting(sizes)))


def _find_fitting(bodies: Iterator[bytes]) -> bytes:
    body = b""
    for body in bodies:
        if len(body) <= LARGEST:
            break
    return body


def _record(session: Session, principal: Principal, file: FrozenFile) -> FrozenFile:
    if len(file.body) > LARGEST:
        raise InvalidInputError("This is too much for one file. Choose a shorter period.")
    values = {"of": file.subject, "bytes": len(file.body)}
    audit.record(session, principal, "made frozen report", _name_event(file.sha256), new=values)
    return file


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
