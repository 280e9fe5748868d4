"""Of which sign-ins a user is notified: another browser, another network, never the first one."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import sessions
from core.accounts.access.devices import remember_device
from core.accounts.access.permissions import Principal
from core.accounts.login.new_sign_ins import find_network, notify_new_sign_in
from core.accounts.models import KnownDevice, Notice, SignIn
from tests.core.accounts.conftest import LIFETIME, NOW, Member

HOME, HOME_TOMORROW, AWAY = "203.0.113.7", "203.0.99.1", "198.51.100.2"
NEW_BROWSER = "Your account was signed in to from a new browser."
NEW_NETWORK = "Your account was signed in to from a new network."
NEW_BOTH = "Your account was signed in to from a new browser and a new network."


def sign_in(
    session: Session, who: Principal, address: str | None, cookie: str | None = None
) -> str:
    """Sign in; return the cookie of the device."""
    ticket = sessions.create_ticket(session, who.person_id, NOW)
    token = sessions.start_session(session, ticket, LIFETIME, NOW, address, "Firefox")
    assert token is not None
    notify_new_sign_in(session, token, cookie, NOW)
    return remember_device(session, token, cookie, NOW)


def notices(session: Session) -> list[str]:
    return list(session.scalars(select(Notice.text).order_by(Notice.id)))


def test_the_first_sign_in_has_no_notice(session: Session, member: Member) -> None:
    sign_in(session, member(), HOME)
    assert notices(session) == []


def test_the_known_browser_in_a_known_network_has_no_notice(
    session: Session, member: Member
) -> None:
    who = member()
    cookie = sign_in(session, who, HOME)
    cookie = sign_in(session, who, HOME_TOMORROW, cookie)
    sign_in(session, who, None, cookie)
    assert notices(session) == []


def test_a_new_browser_and_a_new_network_have_a_notice_with_where(
    session: Session, member: Member
) -> None:
    who = member()
    cookie = sign_in(session, who, HOME)
    sign_in(session, who, HOME)
    sign_in(session, who, AWAY, cookie)
    sign_in(session, who, "192.0.2.1", "a cookie of another user's")
    assert notices(session) == [NEW_BROWSER, NEW_NETWORK, NEW_BOTH]
    kept = session.scalars(select(Notice).order_by(Notice.id.desc())).first()
    assert kept is not None
    assert (kept.origin, kept.security_mail) == ("192.0.2.1, Firefox", "seller@team.example")


def test_another_users_device_is_a_new_browser(session: Session, member: Member) -> None:
    cookie = sign_in(session, member(mail="a@team.example"), HOME)
    other = member(mail="b@team.example")
    sign_in(session, other, HOME)
    sign_in(session, other, HOME, cookie)
    assert notices(session) == [NEW_BROWSER]


@pytest.mark.parametrize(("age", "expected"), [(90, [NEW_BROWSER]), (0, [])])
def test_after_a_long_absence_a_sign_in_is_new_unless_the_account_is(
    session: Session, member: Member, age: int, expected: list[str]
) -> None:
    """Sessions and devices of long ago are deleted."""
    who = member(password_changed_at=NOW - timedelta(days=age))
    assert session.scalars(select(SignIn)).all() == session.scalars(select(KnownDevice)).all() == []
    sign_in(session, who, HOME)
    assert notices(session) == expected


def test_demo_users_have_no_notice(session: Session, member: Member) -> None:
    who = member(is_demo=True)
    sign_in(session, who, HOME)
    sign_in(session, who, AWAY)
    assert notices(session) == []


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (HOME, "203.0.0.0/16"),
        ("::ffff:203.0.113.7", "203.0.0.0/16"),
        ("2001:db8:1:2::3", "2001:db8::/32"),
        ("fe80::1%eth0", "fe80::/32"),
        ("testclient", "testclient"),
    ],
)
def test_places_are_compared_by_network(address: str, network: str) -> None:
    assert find_network(address) == network
