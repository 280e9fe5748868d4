"""Notices of sign-ins from a browser or a network that a user has not signed in from before."""

from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.accounts.access.credentials import hash_token
from core.accounts.access.devices import DEVICE_LIFETIME
from core.accounts.models import KnownDevice, Person, SignIn
from core.accounts.people import account_notices
from core.runtime.outbound import find_carried_address

# A provider gives its customers changing addresses of about one such network.
_IPV4_PREFIX, _IPV6_PREFIX = 16, 32
_FIRST_SIGN_IN = timedelta(hours=1)  # after the account was set up


def notify_new_sign_in(
    session: Session, sign_in_token: str, presented: str | None, now: datetime
) -> None:
    """Notify a user of their new session if its browser or network is new.

    Call it before `remember_device`. `presented`: the device cookie that the browser sent. The
    first sign-in of an account has no notice, and a demo user none.
    """
    opened = session.scalars(
        select(SignIn).where(SignIn.token_hash == hash_token(sign_in_token))
    ).one()
    person = session.get_one(Person, opened.person_id)
    if person.is_demo or _is_first(session, opened, person, now):
        return
    news = []
    if not _is_known_device(session, person.id, presented, now):
        news.append("browser")
    if _is_new_network(session, opened):
        news.append("network")
    if news:
        account_notices.notify_security(
            session,
            person.id,
            f"Your account was signed in to from a new {' and a new '.join(news)}.",
            "profile",
            address=opened.address,
            browser=opened.browser,
        )


def _is_first(session: Session, opened: SignIn, person: Person, now: datetime) -> bool:
    """Return whether an account was set up just now, or has never been signed in to.

    Sessions and devices of long ago are deleted: then it depends on when the password was set.
    """
    changed = person.password_changed_at
    if changed is not None and changed < now - _FIRST_SIGN_IN:
        return False
    others = exists().where(SignIn.person_id == person.id, SignIn.id != opened.id)
    known = exists().where(KnownDevice.person_id == person.id)
    return not session.scalar(select(others | known))


def _is_known_device(
    session: Session, person_id: int, presented: str | None, now: datetime
) -> bool:
    if not presented:
        return False
    found = exists().where(
        KnownDevice.token_hash == hash_token(presented),
        KnownDevice.person_id == person_id,
        KnownDevice.seen_at > now - DEVICE_LIFETIME,
    )
    return bool(session.scalar(select(found)))


def _is_new_network(session: Session, opened: SignIn) -> bool:
    """Return whether no other stored session of the user came from the same network."""
    if opened.address is None:
        return False
    addresses = select(SignIn.address).where(
        SignIn.person_id == opened.person_id,
        SignIn.id != opened.id,
        SignIn.address.is_not(None),
    )
    known = {find_network(address) for address in session.scalars(addresses.distinct()) if address}
    return bool(known) and find_network(opened.address) not in known


def find_network(address: str) -> str:
    """Return the network of an address by which places are compared; other texts as they are."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    parsed = find_carried_address(parsed) or parsed
    prefix = _IPV4_PREFIX if isinstance(parsed, IPv4Address) else _IPV6_PREFIX
    return str(ip_network(f"{parsed}/{prefix}", strict=False))
