"""Attempts to sign in, counted in a window that slides."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.login import password_login, throttling
from core.accounts.login.throttling import (
    AttemptLimits,
    TooManyAttemptsError,
    begin_attempt,
    count_failed,
    normalize_network_address,
    reset_failures,
)
from core.accounts.models import AuditEvent, Notice, SignInAttempt
from core.database import session as db
from tests.core.accounts.conftest import NOW, Member

LIMITS = AttemptLimits(per_person=3, per_address=6, window=timedelta(minutes=15))
ADA, EVE = "ada@shop.example", "eve@shop.example"
HERE, THERE = "203.0.113.7", "203.0.113.8"


def fail(
    session: Session, times: int, mail: str = ADA, address: str = HERE, minute: float = 0
) -> None:
    for _ in range(times):
        begin_attempt(session, mail, address, LIMITS, NOW + timedelta(minutes=minute))


def is_open(session: Session, mail: str = ADA, address: str = HERE, minute: float = 0) -> bool:
    try:
        fail(session, 1, mail, address, minute)
    except TooManyAttemptsError:
        return False
    return True


def test_a_person_is_locked_after_a_few_slips_from_anywhere(session: Session) -> None:
    fail(session, 2)
    fail(session, 1, address=THERE)
    assert not is_open(session, address="203.0.113.9")
    assert is_open(session, EVE)


def test_a_locked_user_sees_for_how_long(session: Session) -> None:
    fail(session, 3)
    with pytest.raises(TooManyAttemptsError, match="Try again in 5 minutes"):
        fail(session, 1, minute=10)
    with pytest.raises(TooManyAttemptsError, match="Try again in 1 minute\\."):
        fail(session, 1, minute=14.5)


def test_the_window_slides_and_lets_one_more_in_for_each_that_leaves(session: Session) -> None:
    fail(session, 1)
    fail(session, 2, minute=10)
    assert not is_open(session, minute=14.9)
    assert is_open(session, minute=15)
    assert not is_open(session, minute=15)
    assert is_open(session, minute=25)


def test_trying_on_does_not_lengthen_the_wait(session: Session) -> None:
    fail(session, 3)
    for minute in range(1, 15):
        assert not is_open(session, minute=minute)
    assert is_open(session, minute=15)


def test_an_address_is_locked_for_every_user_tried_from_it(session: Session) -> None:
    for number in range(6):
        fail(session, 1, mail=f"person{number}@shop.example")
    assert not is_open(session, "another@shop.example")
    assert is_open(session, "another@shop.example", THERE)


def test_an_unknown_person_is_locked_like_a_known_one(session: Session, member: Member) -> None:
    member(mail=ADA)
    fail(session, 3, ADA)
    fail(session, 3, EVE, THERE)
    assert not is_open(session, ADA, "203.0.113.9")
    assert not is_open(session, EVE, "203.0.113.9")


def test_getting_in_forgives_the_persons_slips_but_not_the_addresses(session: Session) -> None:
    fail(session, 2)
    reset_failures(session, begin_attempt(session, ADA, HERE, LIMITS, NOW))
    assert count_failed(session, ADA, LIMITS.window, NOW) == 0
    fail(session, 3, EVE)
    fail(session, 1, "third@shop.example")
    assert not is_open(session, "fourth@shop.example")  # 2 + 3 + 1 failed here


def test_what_succeeded_does_not_count_for_the_address(session: Session) -> None:
    for _ in range(20):
        reset_failures(session, begin_attempt(session, ADA, HERE, LIMITS, NOW))
    assert is_open(session, EVE)


def test_mail_addresses_are_not_kept_readable(session: Session) -> None:
    fail(session, 1)
    [kept] = session.scalars(select(SignInAttempt))
    assert ADA.encode() not in kept.who


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, throttling.UNKNOWN_ADDRESS),
        ("", throttling.UNKNOWN_ADDRESS),
        ("no address", "no address"),
    ],
)
def test_an_address_of_ipv6_counts_as_its_network(address: str | None, counted: str) -> None:
    assert normalize_network_address(address) == counted


def test_the_slip_that_locks_is_audited_and_the_user_notified(
    session: Session, member: Member
) -> None:
    ada = member(mail=ADA)
    for slips in (1, 2, 3):
        fail(session, 1)
        password_login.record_failure(session, ADA, HERE, LIMITS, NOW)
        events = session.scalars(select(AuditEvent).where(AuditEvent.verb == "locked out")).all()
        assert len(events) == (1 if slips == 3 else 0)
    [event] = events
    assert (event.person_id, event.address) == (ada.person_id, HERE)
    [notice] = session.scalars(select(Notice).where(Notice.person_id == ada.person_id))
    assert "3 failed attempts" in notice.text


@pytest.mark.usefixtures("committed_database")
def test_a_flood_at_one_moment_gets_no_more_tries_than_one_after_the_other() -> None:
    def attempt(number: int) -> bool:
        try:
            with db.write_scope() as session:
                begin_attempt(session, ADA, f"203.0.113.{number % 3}", LIMITS, NOW)
        except TooManyAttemptsError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        let_through = sum(pool.map(attempt, range(48)))
    assert let_through == LIMITS.per_person


@pytest.mark.usefixtures("committed_database")
def test_many_who_get_in_at_one_moment_do_not_wait_for_each_other_for_ever() -> None:
    wide = AttemptLimits(per_person=1000, per_address=1000, window=LIMITS.window)

    def get_in(_: int) -> None:
        with db.write_scope() as session:
            number = begin_attempt(session, ADA, HERE, wide, NOW)
        with db.write_scope() as session:
            reset_failures(session, number)

    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(get_in, range(40)))) == 40
    with db.read_scope() as session:
        assert count_failed(session, ADA, wide.window, NOW) == 0
