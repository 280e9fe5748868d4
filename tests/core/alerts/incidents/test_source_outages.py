"""Blocked sources as incidents of the operators."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.incidents.source_outages import acknowledge_blocked_source, list_blocked_sources
from core.alerts.models import SourceOutage
from core.errors import NotAllowedError, NotFoundError
from tests.factories.observations import NOON
from tests.factories.people import add_colleague

HOUR = timedelta(hours=1)


def add_outage(session: Session, marketplace: str, hours: int, ended: int | None = None) -> int:
    """Store an outage that began some hours before noon, and ended some hours before it."""
    outage = SourceOutage(
        marketplace=marketplace,
        actor="some/actor",
        began_at=NOON - hours * HOUR,
        ended_at=None if ended is None else NOON - ended * HOUR,
        blocked=14,
        checked=20,
    )
    session.add(outage)
    session.flush()
    return outage.id


def test_what_is_blocked_now_comes_first(session: Session, principal: Principal) -> None:
    add_outage(session, "US", 90, 80)
    ended = add_outage(session, "DE", 3, 1)
    lasting = add_outage(session, "FR", 5)
    found = list_blocked_sources(session, principal, NOON - 24 * HOUR)
    assert [each.id for each in found] == [lasting, ended]
    assert found[0].describe(NOON) == (
        "Amazon blocks some/actor in France: 14 of 20 checks, begun 5 h ago. "
        "Alerts from these checks are muted."
    )
    assert found[1].describe(NOON) == (
        "Amazon blocked some/actor in Germany for 2 h (14 of 20 checks when it began)."
    )


def test_an_outage_is_acknowledged_once(session: Session, principal: Principal) -> None:
    number = add_outage(session, "US", 1)
    assert acknowledge_blocked_source(session, principal, number, NOON)
    assert not acknowledge_blocked_source(session, principal, number, NOON + HOUR)
    [found] = list_blocked_sources(session, principal, NOON)
    assert (found.acknowledged_at, found.acknowledged_by) == (NOON, "Owner")
    with pytest.raises(NotFoundError):
        acknowledge_blocked_source(session, principal, number + 1, NOON)


def test_only_administrators_see_and_acknowledge_outages(
    session: Session, principal: Principal
) -> None:
    seller = add_colleague(session, principal)
    number = add_outage(session, "US", 1)
    with pytest.raises(NotAllowedError):
        list_blocked_sources(session, seller, NOON)
    with pytest.raises(NotAllowedError):
        acknowledge_blocked_source(session, seller, number, NOON)
