"""Browsers that a user has signed in with: recognised by a cookie. Never commits.

The protocol is OWASP's "device cookies": failed attempts from a known device are
counted for that device alone, so attempts elsewhere can't lock the user out of it. All
unknown devices of a user share one count.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.accounts.access.credentials import generate_token, hash_token
from core.accounts.models import KnownDevice, Person, SignIn

DEVICE_LIFETIME = timedelta(days=180)  # without a sign-in
MAX_DEVICES = 20  # of a user; the least recently used one is deleted


def find_device(session: Session, token: str | None, mail: str, now: datetime) -> int | None:
    """Return the known device of a cookie's token; None unless it belongs to the address."""
    if not token:
        return None
    return session.scalar(
        select(KnownDevice.id)
        .join(Person, Person.id == KnownDevice.person_id)
        .where(
            KnownDevice.token_hash == hash_token(token),
            KnownDevice.seen_at > now - DEVICE_LIFETIME,
            Person.mail == mail,
        )
    )


def format_device_bucket(device_id: int | None) -> str | None:
    """Return the key by which a device's attempts are counted; None for an unknown device."""
    return None if device_id is None else f"device {device_id}"


def remember_device(
    session: Session, sign_in_token: str, presented: str | None, now: datetime
) -> str:
    """Return the new token for the device cookie of a new session.

    `presented`: the cookie that the browser sent. The user's own device keeps its row and
    count; another user's or an unknown device gets a new row.
    """
    opened = session.scalars(
        select(SignIn).where(SignIn.token_hash == hash_token(sign_in_token))
    ).one()
    token = generate_token()
    opened.device_id = _rotate_token(session, opened.person_id, presented, token, now)
    if opened.device_id is None:
        device = KnownDevice(person_id=opened.person_id, token_hash=hash_token(token), seen_at=now)
        session.add(device)
        session.flush()
        opened.device_id = device.id
    session.flush()
    _delete_oldest(session, opened.person_id, now)
    return token


def _rotate_token(
    session: Session, person_id: int, presented: str | None, token: str, now: datetime
) -> int | None:
    """Give a user's known device a new token; return its id, None without such a device."""
    if not presented:
        return None
    return session.scalar(
        update(KnownDevice)
        .where(
            KnownDevice.token_hash == hash_token(presented),
            KnownDevice.person_id == person_id,
            KnownDevice.seen_at > now - DEVICE_LIFETIME,
        )
        .values(token_hash=hash_token(token), seen_at=now)
        .returning(KnownDevice.id)
    )


def _delete_oldest(session: Session, person_id: int, now: datetime) -> None:
    newest = (
        select(KnownDevice.id)
        .where(KnownDevice.person_id == person_id, KnownDevice.seen_at > now - DEVICE_LIFETIME)
        .order_by(KnownDevice.seen_at.desc(), KnownDevice.id.desc())
        .limit(MAX_DEVICES)
    )
    session.execute(
        delete(KnownDevice).where(KnownDevice.person_id == person_id, KnownDevice.id.not_in(newest))
    )


def delete_devices(session: Session, person_id: int, but_of: int | None = None) -> None:
    """Delete a user's known devices, except the one of the session `but_of`."""
    kept = select(SignIn.device_id).where(SignIn.id == (but_of or 0), SignIn.device_id.is_not(None))
    session.execute(
        delete(KnownDevice).where(KnownDevice.person_id == person_id, KnownDevice.id.not_in(kept))
    )


def delete_session_device(session: Session, sign_in_id: int) -> None:
    """Delete the known device of a session."""
    device = select(SignIn.device_id).where(SignIn.id == sign_in_id)
    session.execute(delete(KnownDevice).where(KnownDevice.id.in_(device)))
