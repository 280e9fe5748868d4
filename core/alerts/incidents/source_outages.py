"""Blocked sources as incidents of the operators: listed, acknowledged. Never commits."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Person
from core.alerts.models import SourceOutage
from core.catalog.marketplaces import get_marketplace
from core.errors import NotFoundError
from core.text.numbers import format_count
from core.text.times import format_age, format_duration


@dataclass(frozen=True, slots=True)
class OutageIncident:
    """A time in which Amazon blocked most checks of an actor in a marketplace.

    `ended_at` None: it lasts. `acknowledged_by`: a name, None as long as no one did.
    """

    id: int
    marketplace: str
    actor: str
    began_at: datetime
    ended_at: datetime | None
    blocked: int
    checked: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None

    def describe(self, now: datetime) -> str:
        """Return what is blocked, since when, and what that does."""
        counted = f"{format_count(self.blocked)} of {format_count(self.checked)} checks"
        source = f"Amazon blocks {self.actor} in {get_marketplace(self.marketplace).name}"
        if self.ended_at is not None:
            lasted = format_duration((self.ended_at - self.began_at).total_seconds())
            return f"{source.replace('blocks', 'blocked')} for {lasted} ({counted} when it began)."
        since = format_age(self.began_at, now)
        return f"{source}: {counted}, begun {since}. Alerts from these checks are muted."


@requires(Permission.ADMIN)
def list_blocked_sources(
    session: Session, principal: Principal, since: datetime
) -> list[OutageIncident]:
    """Return what is blocked now, then what was until after `since`, each the newest first."""
    del principal  # outages are the installation's
    rows = session.execute(
        select(SourceOutage, Person.name)
        .outerjoin(Person, Person.id == SourceOutage.acknowledged_by)
        .where(or_(SourceOutage.ended_at.is_(None), SourceOutage.ended_at >= since))
        .order_by(SourceOutage.ended_at.is_not(None), SourceOutage.began_at.desc())
    )
    return [_read_outage(outage, name) for outage, name in rows]


def _read_outage(outage: SourceOutage, name: str | None) -> OutageIncident:
    return OutageIncident(
        id=outage.id,
        marketplace=outage.marketplace,
        actor=outage.actor,
        began_at=outage.began_at,
        ended_at=outage.ended_at,
        blocked=outage.blocked,
        checked=outage.checked,
        acknowledged_at=outage.acknowledged_at,
        acknowledged_by=name,
    )


@requires(Permission.ADMIN)
def acknowledge_blocked_source(
    session: Session, principal: Principal, outage_id: int, now: datetime
) -> bool:
    """Acknowledge that a source is blocked; return whether this call did it.

    Raises NotFoundError for an unknown outage.
    """
    outage = session.get(SourceOutage, outage_id, with_for_update=True)
    if outage is None:
        raise NotFoundError("This blocked source is no longer stored.")
    if outage.acknowledged_at is not None:
        return False
    outage.acknowledged_at, outage.acknowledged_by = now, principal.person_id
    audit.record(session, principal, "acknowledged blocked source", f"source_outage:{outage.id}")
    return True
