"""Known devices: recognised for their own user, counted apart from everybody else."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access import devices, sessions
from core.accounts.access.devices import find_device, format_device_bucket, remember_device
from core.accounts.access.permissions import Principal
from core.accounts.login.throttling import (
    AttemptLimits,
    ThrottledForm,
    TooManyAttemptsError,
    begin_attempt,
    reset_failures,
)
from core.accounts.models import KnownDevice, SignIn
from core.accounts.people.membership import disable_member, erase_member
from tests.core.accounts.conftest import LIFETIME, NOW, Member, person, signed_in

LIMITS = AttemptLimits(per_person=3, per_address=6, window=timedelta(minutes=15))
ADA = "ada@shop.example"
HERE, THERE = "203.0.113.7", "198.51.100.2"


def device_of(session: Session, who: Principal, presented: str | None = None) -> str:
    return remember_device(session, signed_in(session, who), presented, NOW)


def fail(session: Session, times: int, address: str, bucket: str | None = None) -> None:
    for _ in range(times):
        begin_attempt(session, ADA, address, LIMITS, NOW, bucket=bucket)


def bucket(session: Session, token: str) -> str:
    found = format_device_bucket(find_device(session, token, ADA, NOW))
    assert found is not None
    return found


def test_an_attacker_elsewhere_does_not_lock_a_known_device(
    session: Session, member: Member
) -> None:
    known = bucket(session, device_of(session, member(mail=ADA)))
    fail(session, 3, THERE)
    with pytest.raises(TooManyAttemptsError):
        fail(session, 1, "192.0.2.9")
    fail(session, 3, HERE, known)


def test_an_attacker_at_the_same_address_does_not_lock_it_either(
    session: Session, member: Member
) -> None:
    known = bucket(session, device_of(session, member(mail=ADA)))
    for number in range(6):
        begin_attempt(session, f"person{number}@shop.example", HERE, LIMITS, NOW)
    with pytest.raises(TooManyAttemptsError):
        fail(session, 1, HERE)
    fail(session, 1, HERE, known)


def test_a_known_device_is_locked_by_its_own_attempts_alone(
    session: Session, member: Member
) -> None:
    ada = member(mail=ADA)
    stolen, other = (bucket(session, device_of(session, ada)) for _ in range(2))
    fail(session, 3, THERE, stolen)
    with pytest.raises(TooManyAttemptsError):
        fail(session, 1, THERE, stolen)
    fail(session, 1, HERE, other)
    fail(session, 1, HERE)


def test_signing_in_on_a_known_device_gives_an_attacker_no_new_attempts(
    session: Session, member: Member
) -> None:
    known = bucket(session, device_of(session, member(mail=ADA)))
    fail(session, 3, THERE)
    reset_failures(session, begin_attempt(session, ADA, HERE, LIMITS, NOW, bucket=known))
    with pytest.raises(TooManyAttemptsError):
        fail(session, 1, THERE)


@pytest.mark.parametrize("typed", ["device {}", "\0device {}", "session {}", "\x00session {}"])
def test_nothing_that_is_typed_as_an_address_locks_a_device(
    session: Session, member: Member, typed: str
) -> None:
    token = device_of(session, member(mail=ADA))
    number = find_device(session, token, ADA, NOW)
    for _ in range(3):
        begin_attempt(session, typed.format(number), THERE, LIMITS, NOW)
    fail(session, 1, HERE, bucket(session, token))
    fail(session, 1, HERE, f"session {number}")


def test_each_form_is_counted_by_itself(session: Session) -> None:
    for form in ThrottledForm:
        for _ in range(3):
            begin_attempt(session, ADA, HERE, LIMITS, NOW, form=form)
        with pytest.raises(TooManyAttemptsError):
            begin_attempt(session, ADA, THERE, LIMITS, NOW, form=form)


def test_a_device_is_known_for_its_own_user_alone(session: Session, member: Member) -> None:
    token = device_of(session, member(mail=ADA))
    member(mail="eve@shop.example")
    assert find_device(session, token, ADA, NOW)
    for other in ("eve@shop.example", "nobody@shop.example", ""):
        assert find_device(session, token, other, NOW) is None
    for cookie in (None, "", "made up", "\0", "\ud800"):
        assert find_device(session, cookie, ADA, NOW) is None


def test_each_sign_in_changes_the_cookie_and_keeps_the_count(
    session: Session, member: Member
) -> None:
    ada = member(mail=ADA)
    first = device_of(session, ada)
    second = device_of(session, ada, first)
    assert second != first
    assert find_device(session, first, ADA, NOW) is None
    assert session.scalar(select(func.count()).select_from(KnownDevice)) == 1


def test_anothers_cookie_is_not_taken_over(session: Session, member: Member) -> None:
    ada, eve = member(mail=ADA), member(mail="eve@shop.example")
    of_eve = device_of(session, eve)
    of_ada = device_of(session, ada, of_eve)
    assert find_device(session, of_eve, "eve@shop.example", NOW)
    assert find_device(session, of_eve, ADA, NOW) is None
    assert find_device(session, of_ada, ADA, NOW)


def test_a_device_without_sign_ins_is_forgotten(session: Session, member: Member) -> None:
    token = device_of(session, member(mail=ADA))
    late = NOW + devices.DEVICE_LIFETIME
    assert find_device(session, token, ADA, late - timedelta(seconds=1))
    assert find_device(session, token, ADA, late) is None
    sessions.delete_old_sign_ins(session, late, timedelta(days=30))
    assert session.scalar(select(func.count()).select_from(KnownDevice)) == 0


def test_a_user_has_no_more_devices_than_a_few(session: Session, member: Member) -> None:
    ada = member(mail=ADA)
    tokens = [device_of(session, ada) for _ in range(devices.MAX_DEVICES + 2)]
    known = [find_device(session, token, ADA, NOW) is not None for token in tokens]
    assert known == [False] * 2 + [True] * devices.MAX_DEVICES


def test_the_token_is_not_what_is_kept(session: Session, member: Member) -> None:
    token = device_of(session, member(mail=ADA))
    [kept] = session.scalars(select(KnownDevice.token_hash))
    assert token.encode() not in kept


def test_ending_a_session_elsewhere_forgets_its_device_and_keeps_this_one(
    session: Session, member: Member
) -> None:
    ada = member(mail=ADA)
    lost, here = device_of(session, ada), signed_in(session, ada)
    kept = remember_device(session, here, None, NOW)
    found = sessions.find_session(session, here, LIFETIME, NOW, None)
    assert found is not None
    sessions.end_other_sessions(session, found.principal, NOW)
    assert find_device(session, lost, ADA, NOW) is None
    assert find_device(session, kept, ADA, NOW)


def test_ending_one_session_forgets_its_device(session: Session, member: Member) -> None:
    ada = member(mail=ADA)
    lost, kept = device_of(session, ada), device_of(session, ada)
    first = session.scalars(select(SignIn.id).order_by(SignIn.id)).first()
    assert first is not None
    sessions.end_own_session(session, ada, first, NOW)
    assert find_device(session, lost, ADA, NOW) is None
    assert find_device(session, kept, ADA, NOW)


def test_signing_out_leaves_the_device_known(session: Session, member: Member) -> None:
    ada = member(mail=ADA)
    here = signed_in(session, ada)
    token = remember_device(session, here, None, NOW)
    sessions.end_session_by_token(session, here, NOW, None)
    assert find_device(session, token, ADA, NOW)


def test_who_is_erased_leaves_no_device(
    session: Session, principal: Principal, member: Member
) -> None:
    ada = member(mail=ADA)
    device_of(session, ada)
    disable_member(session, principal, ada.person_id, NOW)
    erase_member(session, principal, ada.person_id)
    assert person(session, ada).state == "erased"
    assert session.scalar(select(func.count()).select_from(KnownDevice)) == 0
