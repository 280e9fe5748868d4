"""Channels and delivery settings for tests. What is left out is an ordinary value."""

from typing import Any

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.notifications.models import StoredDeliverySettings
from core.alerts.notifications.policy import DeliverySettings
from core.delivery.models import DeliveryChannel


def add_channel(
    session: Session,
    principal: Principal,
    name: str = "Team chat",
    kind: str = "webhook",
    **values: Any,
) -> int:
    """Return the id of a user's channel."""
    channel = DeliveryChannel(
        person_id=principal.person_id, kind=kind, name=name, **({"hint": "hooks.example"} | values)
    )
    session.add(channel)
    session.flush()
    return channel.id


def set_delivery(session: Session, principal: Principal, **values: Any) -> None:
    """Set some of a user's delivery settings; the others are the defaults."""
    usual = {name: getattr(DeliverySettings(), name) for name in DeliverySettings.__slots__}
    session.merge(StoredDeliverySettings(person_id=principal.person_id, **(usual | values)))
    session.flush()
