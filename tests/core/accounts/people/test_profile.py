"""One's own profile, password and address."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.accounts.access import audit, sessions
from core.accounts.access.confirmation import mark_confirmed
from core.accounts.access.one_time_tokens import Purpose, create_token, find_token_owner
from core.accounts.access.permissions import Principal
from core.accounts.models import Person
from core.accounts.people.membership import get_owner_principal, get_principal
from core.accounts.people.profile import (
    ProfileUpdate,
    change_email,
    change_password,
    get_own_password_hash,
    get_profile,
    update_profile,
)
from core.database import session as db
from core.errors import InvalidInputError
from tests.core.accounts.conftest import (
    LIFETIME,
    NEW_HASH,
    NOW,
    OLD_HASH,
    Member,
    person,
    signed_in,
)
from tests.factories.people import count_unread_notices, list_security_mails
from tests.hypothesis_runs import examples

WANTED = ProfileUpdate(
    name="Sam",
    time_zone="Asia/Tokyo",
    locale="ja_JP",
    page_size=100,
    currency_display="code",
    theme="dark",
    price_change_percent=Decimal("7.5"),
    rank_change_percent=None,
    mails=False,
)


def test_a_profile_is_changed_and_read_again(session: Session, member: Member) -> None:
    sam = member()
    update_profile(session, sam, WANTED)
    seen = get_profile(session, sam)
    assert {name: getattr(seen, name) for name in ProfileUpdate.__dataclass_fields__} == {
        name: getattr(WANTED, name) for name in ProfileUpdate.__dataclass_fields__
    }
    assert get_principal(session, sam.person_id).time_zone == "Asia/Tokyo"


def test_the_audit_keeps_what_changed_but_not_the_name(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    update_profile(session, sam, WANTED)
    update_profile(session, sam, WANTED)
    update_profile(session, sam, replace(WANTED, name="Samuel"))
    renamed, changed = audit.list_events(session, principal, verb="changed profile")
    assert changed.new is not None
    assert (changed.new["locale"], changed.new["price_change_percent"]) == ("ja_JP", "7.50")
    assert renamed.new is not None
    assert renamed.new["name"] == "changed"
    assert "Samuel" not in str(renamed)[str(renamed).index("old=") :]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "x" * 81},
        {"time_zone": "Europe/Atlantis"},
        {"time_zone": "../../etc/passwd"},
        {"locale": "tlh_KL"},
        {"locale": ""},
        {"locale": "../en"},
        {"page_size": 0},
        {"page_size": 10_000},
        {"currency_display": "none"},
        {"theme": "<script>"},
        {"price_change_percent": Decimal(0)},
        {"rank_change_percent": Decimal(-1)},
        {"price_change_percent": Decimal("NaN")},
        {"price_change_percent": Decimal("Infinity")},
        {"rank_change_percent": Decimal(10_001)},
        {"price_change_percent": Decimal("0.004")},  # which would be kept as 0
        {"rank_change_percent": Decimal("0.005")},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(
    session: Session, member: Member, wrong: dict[str, object]
) -> None:
    sam = member()
    with pytest.raises(InvalidInputError):
        update_profile(session, sam, replace(WANTED, **wrong))  # type: ignore[arg-type]
    assert get_profile(session, sam).locale == "en_US"


def test_a_threshold_is_kept_and_noted_with_two_decimals(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    fine = replace(WANTED, price_change_percent=Decimal("7.556"))
    update_profile(session, sam, fine)
    update_profile(session, sam, fine)
    assert get_profile(session, sam).price_change_percent == Decimal("7.56")
    [changed] = audit.list_events(session, principal, verb="changed profile")
    assert changed.new is not None
    assert changed.new["price_change_percent"] == "7.56"


@settings(max_examples=examples(30))
@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=100))
def test_any_text_is_taken_or_refused_in_words(
    session: Session, principal: Principal, locale: str, zone: str, name: str
) -> None:
    wanted = replace(WANTED, locale=locale, time_zone=zone, name=name)
    with suppress(InvalidInputError):
        update_profile(session, principal, wanted)
        assert get_profile(session, principal).time_zone == zone


# Password


def test_a_new_password_ends_all_other_sign_ins(session: Session, member: Member) -> None:
    sam = member()
    elsewhere, here = signed_in(session, sam), signed_in(session, sam)
    reset = create_token(session, sam.person_id, Purpose.RESET, NOW)
    found = sessions.find_session(session, here, LIFETIME, NOW, None)
    assert found is not None
    proven = get_own_password_hash(session, found.principal)
    mark_confirmed(session, found.principal, NOW)
    change_password(session, found.principal, NEW_HASH, proven, NOW)
    assert person(session, sam).password_hash == NEW_HASH
    assert sessions.find_session(session, here, LIFETIME, NOW, None)
    assert sessions.find_session(session, elsewhere, LIFETIME, NOW, None) is None
    assert find_token_owner(session, reset, Purpose.RESET, NOW) is None
    assert count_unread_notices(session, sam) == 1
    assert list_security_mails(session) == [("Your password was changed.", "seller@team.example")]


def test_a_password_that_was_changed_meanwhile_is_not_overwritten(
    session: Session, member: Member
) -> None:
    sam = member()
    with pytest.raises(InvalidInputError, match="meanwhile"):
        change_password(session, sam, NEW_HASH, "$another", NOW)
    with pytest.raises(InvalidInputError, match="meanwhile"):
        change_password(session, sam, NEW_HASH, None, NOW)
    assert person(session, sam).password_hash == OLD_HASH


def test_the_demos_people_keep_password_and_address(session: Session, member: Member) -> None:
    sam = member(is_demo=True)
    with pytest.raises(InvalidInputError, match="Demo users"):
        change_password(session, sam, NEW_HASH, OLD_HASH, NOW + timedelta(days=1))
    with pytest.raises(InvalidInputError, match="Demo users"):
        change_email(session, sam, "sam@shop.example", NOW)


# Address


def test_a_new_address_makes_links_to_the_old_mailbox_void(
    session: Session, member: Member
) -> None:
    sam = member()
    reset = create_token(session, sam.person_id, Purpose.RESET, NOW)
    change_email(session, sam, " Sam@Shop.example", NOW)
    assert get_profile(session, sam).mail == "sam@shop.example"
    assert find_token_owner(session, reset, Purpose.RESET, NOW) is None
    assert count_unread_notices(session, sam) == 1
    assert list_security_mails(session) == [
        ("Your email address was changed.", "seller@team.example")
    ]


@pytest.mark.parametrize("state", ["active", "disabled", "invited"])
def test_an_address_in_use_is_refused(session: Session, member: Member, state: str) -> None:
    sam = member()
    member(mail="taken@team.example", state=state)
    with pytest.raises(InvalidInputError, match="already"):
        change_email(session, sam, "Taken@team.example", NOW)
    assert person(session, sam).mail == "seller@team.example"
    change_email(session, sam, "seller@team.example", NOW)  # one's own is no other's


@pytest.fixture
def pair(committed_database: str) -> list[int]:
    with db.write_scope() as session:
        team = get_owner_principal(session).team_id
        people = [Person(team_id=team, name=name, role="seller") for name in ("Sam", "Eve")]
        session.add_all(people)
        session.flush()
        return [each.id for each in people]


def test_one_address_taken_by_two_at_one_moment_is_one_persons(pair: list[int]) -> None:
    def take(number: int) -> bool:
        try:
            with db.write_scope() as session:
                change_email(session, get_principal(session, number), "one@shop.example", NOW)
        except InvalidInputError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, pair)) == [False, True]
