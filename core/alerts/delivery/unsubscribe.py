"""One-click unsubscribing from emails about alerts (RFC 8058). Never commits.

The token is signed and names a user; it can do nothing else, and has no end.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.credentials import derive_key
from core.accounts.models import Person
from core.alerts.delivery.send_messages import pause_channel
from core.delivery.channels.registry import ChannelKind
from core.delivery.models import DeliveryChannel
from core.settings.environment import Settings
from core.settings.secret_key import get_secret_key

PATH: Final = "/unsubscribe"
UNSUBSCRIBED: Final = "unsubscribed"  # why a channel is paused


def make_unsubscribe_link(session: Session, channel_id: int, settings: Settings) -> str | None:
    """Return the address that ends a channel's emails; None for a channel of another kind."""
    person_id = session.scalar(
        select(DeliveryChannel.person_id).where(
            DeliveryChannel.id == channel_id, DeliveryChannel.kind == ChannelKind.EMAIL.value
        )
    )
    if person_id is None:
        return None
    return f"{settings.public_url}{PATH}?token={make_token(person_id, settings)}"


def make_token(person_id: int, settings: Settings) -> str:
    """Return the token that ends a user's emails about alerts."""
    return f"{person_id}.{_sign(person_id, settings)}"


def _sign(person_id: int, settings: Settings) -> str:
    key = derive_key(get_secret_key(settings), "unsubscribe links")
    digest = hmac.new(key, str(person_id).encode(), sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def read_token(token: str, settings: Settings) -> int | None:
    """Return the id of the user whom a token names, None for one that Amazcope did not make."""
    number, _, signature = token.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        return None
    expected = _sign(int(number), settings)
    is_genuine = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
    return int(number) if is_genuine else None


def unsubscribe(session: Session, person_id: int, now: datetime) -> int:
    """Pause a user's email channels; return how many. Twice does it once."""
    person = session.get(Person, person_id)
    if person is None:
        return 0
    channels = session.scalars(
        select(DeliveryChannel.id).where(
            DeliveryChannel.person_id == person_id,
            DeliveryChannel.kind == ChannelKind.EMAIL.value,
            DeliveryChannel.state == "active",
        )
    ).all()
    for channel_id in channels:
        pause_channel(session, channel_id, UNSUBSCRIBED, now)
    if channels:
        audit.record_anonymous(session, person.team_id, "unsubscribed", None, person_id)
    return len(channels)
