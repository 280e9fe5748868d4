"""Silences: which incidents are sent to no one for a time. Never commits.

The contract for the planning of messages:

- `list_silences_at(session, team_id, at)` reads the silences of a team that apply at a time.
- `find_silences(silences, silenced, at)` is pure: the silences that apply to an incident at a
  time, the one that ends last first; empty: it may be sent. An incident is named by its
  `Silenced`: kind, product, rule and marketplace.
- `SILENCED` is the same as an SQL condition, for statements with the aliases `i` (incident),
  `r` (alert_rule) and `p` (product) and the value `%(now)s`.

A silence keeps back what would be sent while it applies. It changes no state: the incident stays
an open issue, and is marked as silenced. What a silence kept back is not sent when it ends, but an
incident that still lasts then may be.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, require_permission
from core.accounts.models import Person, Team
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.models import AlertSilence, StoredRule
from core.catalog.marketplaces import MARKETPLACES
from core.catalog.models import Product, ProductText
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.tracking.models import Tracking

LONGEST_SILENCE: Final = timedelta(days=366)
LONGEST_REASON: Final = 500  # characters
MOST_SILENCES: Final = 100  # of a team at a time
ENDING_SOON: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Silenced:
    """What silences may be for, of one incident."""

    kind: IncidentKind
    product_id: int
    rule_id: int
    marketplace: str


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which the incidents that match all that is set are sent to no one."""

    id: int
    kind: IncidentKind | None
    product_id: int | None
    rule_id: int | None
    marketplace: str | None
    reason: str
    begins_at: datetime
    ends_at: datetime  # when it ends, or ended before its time
    created_by: str | None  # a name
    ended_by: str | None  # who ended it before its time

    def ends_soon(self, now: datetime) -> bool:
        """Return whether the silence ends within a day."""
        return self.ends_at - now <= ENDING_SOON

    def applies_to(self, silenced: Silenced, at: datetime) -> bool:
        """Return whether an incident is silenced at a time."""
        return self.begins_at <= at < self.ends_at and all(
            wanted is None or wanted == found
            for wanted, found in (
                (self.kind, silenced.kind),
                (self.product_id, silenced.product_id),
                (self.rule_id, silenced.rule_id),
                (self.marketplace, silenced.marketplace),
            )
        )


def find_silences(silences: Iterable[Silence], silenced: Silenced, at: datetime) -> list[Silence]:
    """Return the silences that apply to an incident at a time, the one that ends last first."""
    found = [each for each in silences if each.applies_to(silenced, at)]
    return sorted(found, key=lambda each: each.ends_at, reverse=True)


_TEAM_RULE = IncidentKind.TEAM_RULE.value
# Whether an incident is silenced at %(now)s.
SILENCED: Final = f"""EXISTS (SELECT 1 FROM alert_silence AS q WHERE q.team_id = i.team_id
AND q.begins_at <= %(now)s AND coalesce(q.ended_at, q.ends_at) > %(now)s
AND (q.kind IS NULL OR q.kind = coalesce(r.code, '{_TEAM_RULE}'))
AND (q.product_id IS NULL OR q.product_id = i.product_id)
AND (q.rule_id IS NULL OR q.rule_id = i.rule_id)
AND (q.marketplace IS NULL OR q.marketplace = p.marketplace))"""


def list_silences_at(session: Session, team_id: int, at: datetime) -> list[Silence]:
    """Return the silences of a team that apply at a time, the one that ends first on top."""
    return read_silences(session, team_id, since=at, until=at)


def read_silences(
    session: Session, team_id: int, since: datetime, until: datetime
) -> list[Silence]:
    """Return the silences that apply at some time from `since` to `until`, by their ends."""
    maker, ender = aliased(Person), aliased(Person)
    ends_at = func.coalesce(AlertSilence.ended_at, AlertSilence.ends_at)
    rows = session.execute(
        select(AlertSilence, ends_at, maker.name, ender.name)
        .outerjoin(maker, maker.id == AlertSilence.created_by)
        .outerjoin(ender, ender.id == AlertSilence.ended_by)
        .where(
            AlertSilence.team_id == team_id,
            AlertSilence.begins_at <= until,
            ends_at > since,
        )
        .order_by(ends_at, AlertSilence.id)
        .execution_options(populate_existing=True)
    )
    return [
        Silence(
            id=row.id,
            kind=None if row.kind is None else IncidentKind(row.kind),
            product_id=row.product_id,
            rule_id=row.rule_id,
            marketplace=row.marketplace,
            reason=row.reason,
            begins_at=row.begins_at,
            ends_at=end,
            created_by=created_by,
            ended_by=ended_by,
        )
        for row, end, created_by, ended_by in rows
    ]


@requires(Permission.READ)
def list_silences(session: Session, principal: Principal, now: datetime) -> list[Silence]:
    """Return the team's silences that apply now, the one that ends first on top."""
    return list_silences_at(session, principal.team_id, now)


def name_products(session: Session, silences: Iterable[Silence]) -> dict[int, str]:
    """Return the title, or the ASIN, of each product that silences are for."""
    wanted = {each.product_id for each in silences if each.product_id is not None}
    rows = session.execute(
        select(Product.id, func.coalesce(ProductText.title, Product.asin))
        .outerjoin(ProductText, ProductText.product_id == Product.id)
        .where(Product.id.in_(wanted))
    )
    return dict(rows.all())


# Operations


@dataclass(frozen=True, slots=True)
class SilenceRequest:
    """A silence to add. At least one of kind, product, rule and marketplace is set."""

    reason: str
    ends_at: datetime
    kind: IncidentKind | None = None
    product_id: int | None = None
    rule_id: int | None = None
    marketplace: str | None = None


@requires(Permission.TRACK)
def add_silence(
    session: Session, principal: Principal, wanted: SilenceRequest, now: datetime
) -> int:
    """Silence incidents of the team from now on; return the silence's id.

    Sellers silence products that they track, managers all. Raises InvalidInputError,
    NotAllowedError, and NotFoundError for a product or rule that the team doesn't have.
    """
    reason = _read_reason(wanted.reason)
    if not now < wanted.ends_at <= now + LONGEST_SILENCE:
        raise InvalidInputError("A silence ends at a time within the next year.")
    if wanted.marketplace is not None and wanted.marketplace not in MARKETPLACES:
        raise InvalidInputError("Unknown marketplace. Choose one from the list.")
    parts = (wanted.kind, wanted.product_id, wanted.rule_id, wanted.marketplace)
    if all(each is None for each in parts):
        raise InvalidInputError("Choose a kind, a product, a rule or a marketplace to silence.")
    _check_scope(session, principal, wanted)
    # Lock the team: two at once could exceed the limit.
    session.get_one(Team, principal.team_id, with_for_update={"key_share": True})
    if len(list_silences_at(session, principal.team_id, now)) >= MOST_SILENCES:
        raise InvalidInputError(
            f"A team has at most {MOST_SILENCES} silences at a time. End one first."
        )
    silence = AlertSilence(
        team_id=principal.team_id,
        kind=None if wanted.kind is None else wanted.kind.value,
        product_id=wanted.product_id,
        rule_id=wanted.rule_id,
        marketplace=wanted.marketplace,
        reason=reason,
        begins_at=now,
        ends_at=wanted.ends_at,
        created_by=principal.person_id,
    )
    session.add(silence)
    session.flush()
    new = {
        "kind": silence.kind,
        "product_id": silence.product_id,
        "rule_id": silence.rule_id,
        "marketplace": silence.marketplace,
        "until": silence.ends_at,
    }
    audit.record(session, principal, "silenced alerts", f"alert_silence:{silence.id}", new=new)
    return silence.id


def _read_reason(typed: str) -> str:
    reason = " ".join(typed.replace("\x00", "").split())
    if not reason:
        raise InvalidInputError("Write why: teammates see it beside the silence.")
    if len(reason) > LONGEST_REASON:
        raise InvalidInputError(f"A reason has at most {LONGEST_REASON} characters.")
    return reason


def _check_scope(session: Session, principal: Principal, wanted: SilenceRequest) -> None:
    """Raise unless the team has the product and the rule, and the user may silence them."""
    if wanted.rule_id is not None:
        rule = session.get(StoredRule, wanted.rule_id)
        if rule is None or rule.team_id != principal.team_id:
            raise NotFoundError("This alert rule does not exist (any more).")
    if wanted.product_id is None:
        require_permission(principal, Permission.TRACK_TEAM)
        return
    tracking = select(Tracking.person_id).where(
        Tracking.team_id == principal.team_id, Tracking.product_id == wanted.product_id
    )
    trackers = set(session.scalars(tracking))
    if not trackers:
        raise NotFoundError("The team does not track this product (any more).")
    if principal.person_id not in trackers:
        require_permission(principal, Permission.TRACK_TEAM)


@requires(Permission.TRACK)
def end_silence(session: Session, principal: Principal, silence_id: int, now: datetime) -> bool:
    """End a silence before its time; return whether it applied until now.

    Sellers end those that they added, managers all. Raises NotFoundError, NotAllowedError.
    """
    silence = session.get(AlertSilence, silence_id, with_for_update=True, populate_existing=True)
    if silence is None or silence.team_id != principal.team_id:
        raise NotFoundError("This silence does not exist (any more).")
    if silence.created_by != principal.person_id and not principal.may(Permission.TRACK_TEAM):
        raise NotAllowedError("Only a manager, or the user who added a silence, can end it.")
    if (silence.ended_at or silence.ends_at) <= now:
        return False
    silence.ended_at, silence.ended_by = now, principal.person_id
    session.flush()
    audit.record(session, principal, "ended silence of alerts", f"alert_silence:{silence.id}")
    return True
