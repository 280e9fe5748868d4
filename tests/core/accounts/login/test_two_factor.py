"""Codes of an authenticator app, and recovery codes."""

import math
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pyotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.credentials import encrypt
from core.accounts.access.permissions import Principal, Role
from core.accounts.login.two_factor import (
    confirm_two_factor_setup,
    count_recovery_codes,
    is_two_factor_enabled,
    remove_member_two_factor,
    remove_two_factor,
    renew_recovery_codes,
    start_two_factor_setup,
    verify_code,
)
from core.accounts.models import Person, RecoveryCode
from core.errors import InvalidInputError, NotFoundError
from tests.core.accounts.conftest import KEY, NOW, Member, person
from tests.factories.people import add_stranger, list_security_mails
from tests.hypothesis_runs import examples

# RFC 6238, appendix B: the ASCII secret "12345678901234567890", SHA-1, its last six digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
STEP = timedelta(seconds=30)


def with_app(session: Session, who: Principal, secret: str = RFC_SECRET) -> pyotp.TOTP:
    kept = person(session, who)
    kept.totp_secret, kept.totp_confirmed_at = encrypt(secret, KEY), NOW
    session.flush()
    return pyotp.TOTP(secret)


@pytest.mark.parametrize(("second", "code"), RFC_CODES)
def test_the_codes_are_those_of_the_standard(
    session: Session, member: Member, second: int, code: str
) -> None:
    sam = member()
    with_app(session, sam)
    at = datetime.fromtimestamp(second, UTC)
    assert verify_code(session, sam.person_id, f" {code[:3]} {code[3:]} ", KEY, at)


def test_a_code_counts_once(session: Session, member: Member) -> None:
    sam = member()
    code = with_app(session, sam).at(NOW)
    assert verify_code(session, sam.person_id, code, KEY, NOW)
    assert not verify_code(session, sam.person_id, code, KEY, NOW)
    assert not verify_code(session, sam.person_id, code, KEY, NOW + STEP)


def test_after_a_code_an_older_one_counts_no_more(session: Session, member: Member) -> None:
    sam = member()
    app = with_app(session, sam)
    assert verify_code(session, sam.person_id, app.at(NOW + STEP), KEY, NOW)
    assert not verify_code(session, sam.person_id, app.at(NOW), KEY, NOW)


@pytest.mark.parametrize(
    ("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_phones_clock_may_be_half_a_minute_off(
    session: Session, member: Member, steps: int, is_right: bool
) -> None:
    sam = member()
    code = with_app(session, sam).at(NOW + steps * STEP)
    assert verify_code(session, sam.person_id, code, KEY, NOW) is is_right


@settings(max_examples=examples(30))
@given(st.one_of(st.text(max_size=30), st.from_regex(r"\A[\d٠-٩]{5,7}\Z")))
def test_any_other_text_is_no_code(session: Session, member: Member, code: str) -> None:
    found = session.scalars(select(Person).filter_by(mail="fuzz@team.example")).first()
    number = found.id if found else member(mail="fuzz@team.example").person_id
    kept = person(session, number)
    kept.totp_secret, kept.totp_confirmed_at = encrypt(RFC_SECRET, KEY), NOW
    kept.totp_last_step = int((NOW + 2 * STEP).timestamp()) // 30  # none of now's is left
    session.flush()
    assert not verify_code(session, number, code, KEY, NOW)


def set_up(session: Session, who: Principal) -> tuple[pyotp.TOTP, list[str]]:
    uri = start_two_factor_setup(session, who, KEY, NOW)
    app = pyotp.parse_uri(uri)
    assert isinstance(app, pyotp.TOTP)
    return app, confirm_two_factor_setup(session, who, app.at(NOW), KEY, NOW)


def test_nothing_is_asked_for_until_a_first_code_was_right(
    session: Session, member: Member
) -> None:
    sam = member()
    start_two_factor_setup(session, sam, KEY, NOW)
    assert not is_two_factor_enabled(session, sam.person_id)
    with pytest.raises(InvalidInputError, match="Incorrect code"):
        confirm_two_factor_setup(session, sam, "000000", KEY, NOW)
    assert not is_two_factor_enabled(session, sam.person_id)
    set_up(session, sam)
    assert is_two_factor_enabled(session, sam.person_id)
    with pytest.raises(InvalidInputError, match="already"):
        start_two_factor_setup(session, sam, KEY, NOW)


def test_the_secret_is_not_kept_readable(session: Session, member: Member) -> None:
    sam = member()
    app, _ = set_up(session, sam)
    kept = person(session, sam).totp_secret
    assert kept is not None
    assert app.secret.encode() not in kept


def test_a_recovery_code_stands_in_once(session: Session, member: Member) -> None:
    sam = member()
    _, codes = set_up(session, sam)
    assert len(set(codes)) == count_recovery_codes(session, sam).count == 10
    typed = f" {codes[0].upper().replace('-', ' ')} "
    assert verify_code(session, sam.person_id, typed, KEY, NOW)
    assert not verify_code(session, sam.person_id, codes[0], KEY, NOW)
    assert count_recovery_codes(session, sam).count == 9


def test_anothers_recovery_code_does_not_help(session: Session, member: Member) -> None:
    sam, eve = member(), member(mail="eve@team.example")
    _, codes = set_up(session, sam)
    set_up(session, eve)
    assert not verify_code(session, eve.person_id, codes[0], KEY, NOW)
    assert count_recovery_codes(session, sam).count == 10


def test_recovery_codes_are_kept_as_hashes(session: Session, member: Member) -> None:
    _, codes = set_up(session, member())
    kept = session.scalars(select(RecoveryCode.code_hash)).all()
    assert not {code.replace("-", "").encode() for code in codes} & set(kept)


def test_removing_it_takes_a_code_and_leaves_nothing(session: Session, member: Member) -> None:
    sam = member()
    app, codes = set_up(session, sam)
    with pytest.raises(InvalidInputError):
        remove_two_factor(session, sam, "123456", KEY, NOW)
    remove_two_factor(session, sam, app.at(NOW + STEP), KEY, NOW + STEP)
    assert not is_two_factor_enabled(session, sam.person_id)
    assert count_recovery_codes(session, sam).count == 0
    assert not verify_code(session, sam.person_id, codes[0], KEY, NOW)
    assert list_security_mails(session) == [
        ("Two-factor authentication was turned on.", "seller@team.example"),
        ("Two-factor authentication was turned off.", "seller@team.example"),
    ]


def test_an_administrator_helps_who_lost_the_phone_but_not_themselves(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    set_up(session, sam)
    set_up(session, principal)
    remove_member_two_factor(session, principal, sam.person_id, NOW)
    assert not is_two_factor_enabled(session, sam.person_id)
    with pytest.raises(InvalidInputError, match="your own"):
        remove_member_two_factor(session, principal, principal.person_id, NOW)
    with pytest.raises(InvalidInputError, match="has no two-factor authentication"):
        remove_member_two_factor(session, principal, sam.person_id, NOW)


def test_an_administrator_of_another_team_finds_no_user(session: Session, member: Member) -> None:
    sam = member()
    set_up(session, sam)
    with pytest.raises(NotFoundError):
        remove_member_two_factor(session, add_stranger(session), sam.person_id, NOW)
    assert is_two_factor_enabled(session, sam.person_id)


def test_the_demos_people_do_without(session: Session, member: Member) -> None:
    with pytest.raises(InvalidInputError, match="Demo users"):
        start_two_factor_setup(session, member(Role.SELLER, is_demo=True), KEY, NOW)


# Recovery codes


def test_a_code_of_before_works_once(session: Session, member: Member) -> None:
    sam = member()
    with_app(session, sam)
    old = RecoveryCode(person_id=sam.person_id, code_hash=sha256(b"abcde23456").digest())
    session.add(old)
    session.flush()
    assert count_recovery_codes(session, sam).has_short
    assert verify_code(session, sam.person_id, "ABCDE-23456", KEY, NOW)
    assert not verify_code(session, sam.person_id, "abcde-23456", KEY, NOW)


def test_a_new_code_has_more_than_112_random_bits(session: Session, member: Member) -> None:
    sam = member()
    _, codes = set_up(session, sam)
    signs = {len(code.replace("-", "")) for code in codes}
    assert signs == {25}
    assert 25 * math.log2(31) > 112
    assert not count_recovery_codes(session, sam).has_short


def test_new_codes_replace_the_earlier_ones(session: Session, member: Member) -> None:
    sam = member()
    _, first = set_up(session, sam)
    second = renew_recovery_codes(session, sam, NOW)
    assert not verify_code(session, sam.person_id, first[0], KEY, NOW)
    assert verify_code(session, sam.person_id, second[0], KEY, NOW)
    assert count_recovery_codes(session, sam).count == 9


def test_without_a_second_factor_there_are_no_codes(session: Session, member: Member) -> None:
    with pytest.raises(InvalidInputError, match="Set up"):
        renew_recovery_codes(session, member(), NOW)


@pytest.mark.parametrize("code", ["1" * 5_000_000, "a" * 65])
def test_a_text_that_is_too_long_is_no_code(session: Session, member: Member, code: str) -> None:
    sam = member()
    with_app(session, sam)
    assert not verify_code(session, sam.person_id, code, KEY, NOW)
