"""Who comes from a single sign-on, whom that lets in, and as what."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.accounts.login import single_sign_on
from core.accounts.login.single_sign_on import AdmissionPolicy, Claims, LinkNeedsPasswordError
from core.accounts.models import AuditEvent, Person
from core.errors import ConfigurationError, NotAllowedError
from tests.factories.people import list_security_mails

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ISSUER = "https://id.example.com"
OPEN, CLOSED = AdmissionPolicy(True, {}), AdmissionPolicy(False, {})
BY_GROUP = AdmissionPolicy(True, {"buyers": Role.SELLER, "it": Role.ADMIN})
GIVEN: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "u-1",
    "email": "Anna@Team.example",
    "email_verified": True,
    "name": "Anna",
    "iat": NOW.timestamp(),
    "nonce": "n-1",
}


def claims(**changed: Any) -> Claims:
    return single_sign_on.parse_claims(GIVEN | changed, ISSUER)


def let_in(
    session: Session, who: Claims, how: AdmissionPolicy = OPEN, now: datetime = NOW
) -> Person:
    return session.get_one(
        Person, single_sign_on.complete_single_sign_on(session, who, how, now, None)
    )


def add_person(session: Session, principal: Principal, **values: Any) -> Person:
    usual = {"team_id": principal.team_id, "name": "Anna", "mail": "anna@team.example"}
    person = Person(**(usual | values))
    session.add(person)
    session.commit()
    return person


# Messages


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": ["u-1"]},
        {"nonce": None},
        {"iat": None},
        {"iat": "now"},
        {"iat": float("nan")},
        {"iat": 10.0**30},
        {"email_verified": None},
        {"email_verified": "false"},
        {"email_verified": 1.5},
        {"email": None},
        {"email": "anna"},
        {"email": "a\x00@team.example"},
    ],
)
def test_claims_that_vouch_for_no_user_let_no_user_in(wrong: dict[str, Any]) -> None:
    with pytest.raises(NotAllowedError):
        claims(**wrong)


ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=300))


@given(st.dictionaries(st.sampled_from([*GIVEN, "groups"]), st.one_of(ODD, st.lists(ODD))))
def test_no_claims_raise_anything_else(changed: dict[str, Any]) -> None:
    try:
        read = claims(**changed)
    except NotAllowedError:
        return
    assert read.mail.count("@") >= 1
    assert 1 <= len(read.name) <= 80


def test_groups_come_as_a_list_or_as_one_name() -> None:
    assert claims(groups=["a", 1, "b"]).groups == ("a", "b")
    assert claims(groups="a").groups == ("a",)
    assert claims(groups={"a": 1}).groups == ()


def test_of_several_groups_the_highest_role_counts() -> None:
    roles = single_sign_on.parse_group_roles(" buyers=seller ,it = admin, team=leads=manager ,")
    assert (roles["buyers"], roles["team=leads"]) == (Role.SELLER, Role.MANAGER)
    assert single_sign_on.find_highest_role(["buyers", "it"], roles) is Role.ADMIN
    assert single_sign_on.find_highest_role(["nobody"], roles) is None


@pytest.mark.parametrize("setting", ["buyers", "buyers=boss", "=seller", "buyers="])
def test_groups_that_give_no_role_are_refused_at_the_start(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="AMAZCOPE_OIDC_GROUPS"):
        single_sign_on.parse_group_roles(setting)


# Who it is


def test_a_stranger_is_made_only_where_registration_is_open(
    session: Session, principal: Principal
) -> None:
    with pytest.raises(NotAllowedError, match="invited"):
        let_in(session, claims(), CLOSED)
    person = let_in(session, claims())
    assert (person.mail, person.role, person.state) == ("anna@team.example", "viewer", "active")


def test_a_user_known_by_email_is_linked_and_then_known_by_the_identity(
    session: Session, principal: Principal
) -> None:
    known = add_person(session, principal, role="seller")
    assert let_in(session, claims(), CLOSED).id == known.id
    moved = claims(email="anna@married.example", nonce="n-2")
    assert let_in(session, moved, CLOSED).id == known.id
    assert known.role == "seller"


def test_an_account_with_a_password_is_linked_once_its_owner_has_shown_it(
    session: Session, principal: Principal
) -> None:
    known = add_person(session, principal, role="seller", password_hash="$argon2id$theirs")
    with pytest.raises(LinkNeedsPasswordError):
        let_in(session, claims())
    assert known.outside_identity is None
    number = single_sign_on.complete_single_sign_on(
        session, claims(), OPEN, NOW, None, is_proven=True
    )
    assert number == known.id
    assert let_in(session, claims(nonce="n-2")).id == known.id  # linked: never asked again


def test_another_identity_with_the_same_email_is_another_user(
    session: Session, principal: Principal
) -> None:
    let_in(session, claims())
    with pytest.raises(NotAllowedError, match="Another account"):
        let_in(session, claims(sub="u-2", nonce="n-2"))


@pytest.mark.parametrize("state", ["disabled", "erased"])
def test_who_is_shut_out_stays_out(session: Session, principal: Principal, state: str) -> None:
    add_person(session, principal, state=state)
    with pytest.raises(NotAllowedError, match="may not sign in"):
        let_in(session, claims())


def test_people_of_the_demo_come_from_no_provider(session: Session, principal: Principal) -> None:
    add_person(session, principal, is_demo=True)
    with pytest.raises(NotAllowedError, match="may not sign in"):
        let_in(session, claims())


@pytest.mark.parametrize("state", ["invited", "registered"])
def test_who_was_expected_joins_without_the_password_of_before(
    session: Session, principal: Principal, state: str
) -> None:
    add_person(session, principal, state=state, password_hash="of a person who claimed the address")
    person = let_in(session, claims())
    assert (person.state, person.password_hash) == ("active", None)


# Once, and soon


def test_a_sign_on_counts_once(session: Session, principal: Principal) -> None:
    let_in(session, claims())
    with pytest.raises(NotAllowedError, match="used already"):
        let_in(session, claims())
    let_in(session, claims(nonce="n-2"))


@pytest.mark.parametrize("late", [timedelta(minutes=6), -timedelta(minutes=6)])
def test_a_sign_on_does_not_keep(session: Session, principal: Principal, late: timedelta) -> None:
    with pytest.raises(NotAllowedError, match="too long"):
        let_in(session, claims(), now=NOW + late)


# As what


def test_groups_give_the_role_each_time_and_it_is_noted(
    session: Session, principal: Principal
) -> None:
    assert let_in(session, claims(groups=["it"]), BY_GROUP).role == "admin"
    again = let_in(session, claims(groups=["buyers"], nonce="n-2"), BY_GROUP)
    assert again.role == "seller"
    noted = session.scalars(select(AuditEvent).where(AuditEvent.verb == "changed role")).one()
    assert noted.new is not None
    assert (noted.new["from"], noted.new["role"]) == ("admin", "seller")
    assert list_security_mails(session) == [("Your role is now seller.", again.mail)]


def test_who_is_in_no_group_is_not_let_in(session: Session, principal: Principal) -> None:
    with pytest.raises(NotAllowedError, match="no group"):
        let_in(session, claims(groups=["others"]), BY_GROUP)


def test_groups_do_not_take_the_last_administrator(session: Session, principal: Principal) -> None:
    owner = session.get_one(Person, principal.person_id)
    who = claims(email=owner.mail, groups=["buyers"])
    assert let_in(session, who, BY_GROUP).role == "admin"
