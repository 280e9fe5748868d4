"""API tokens: a program acts as its owner, within scopes."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import api_tokens
from core.accounts.access.api_tokens import (
    PREFIX,
    create_api_token,
    find_bearer,
    list_own_tokens,
    list_team_tokens,
    mark_token_used,
    revoke_own_token,
    revoke_team_token,
)
from core.accounts.access.permissions import Permission, Principal, Role, Scope, Via
from core.accounts.models import ApiToken
from core.accounts.people import membership
from core.errors import InvalidInputError, NotFoundError
from tests.core.accounts.conftest import NOW, Member, person
from tests.factories.people import add_stranger
from tests.hypothesis_runs import examples

DAY = timedelta(days=1)


def make(session: Session, who: Principal, *scopes: Scope, days: int | None = None) -> str:
    ends = NOW + days * DAY if days else None
    return create_api_token(session, who, "A script", scopes or (Scope.READ,), ends, NOW)


def test_a_token_acts_as_its_owner_within_its_scopes(session: Session, member: Member) -> None:
    sam = member(Role.MANAGER)
    bearer = find_bearer(session, make(session, sam, Scope.READ), NOW, "203.0.113.7")
    assert bearer is not None
    principal = bearer.principal
    assert (principal.person_id, principal.role, principal.via) == (
        sam.person_id,
        Role.MANAGER,
        Via.TOOL,
    )
    assert principal.token_name == "A script"
    assert principal.may(Permission.READ)
    assert not principal.may(Permission.TRACK)


def test_a_token_never_does_more_than_its_owners_role(session: Session, member: Member) -> None:
    bearer = find_bearer(session, make(session, member(Role.VIEWER), *Scope), NOW, None)
    assert bearer is not None
    principal = bearer.principal
    assert not principal.may(Permission.TRACK)


def test_a_token_follows_its_owners_role_at_once(session: Session, member: Member) -> None:
    sam = member(Role.SELLER)
    token = make(session, sam, Scope.READ, Scope.ACT)
    person(session, sam).role = Role.VIEWER.value
    session.flush()
    bearer = find_bearer(session, token, NOW, None)
    assert bearer is not None
    principal = bearer.principal
    assert not principal.may(Permission.TRACK)


def test_a_token_is_shown_once_and_kept_as_a_hash(session: Session, member: Member) -> None:
    sam = member()
    token = make(session, sam)
    assert token.startswith(PREFIX)
    [kept] = session.scalars(select(ApiToken))
    assert token.encode() not in kept.token_hash
    [shown] = list_own_tokens(session, sam, NOW)
    assert shown.hint == token[: len(PREFIX) + 4]
    assert shown.is_valid


def test_a_token_expires_at_its_chosen_time(session: Session, member: Member) -> None:
    token = make(session, member(), days=30)
    assert find_bearer(session, token, NOW + 30 * DAY - timedelta(seconds=1), None)
    assert find_bearer(session, token, NOW + 30 * DAY, None) is None


def test_a_revoked_token_is_dead_at_once(session: Session, member: Member) -> None:
    sam = member()
    token = make(session, sam)
    [shown] = list_own_tokens(session, sam, NOW)
    revoke_own_token(session, sam, shown.id, NOW)
    assert find_bearer(session, token, NOW, None) is None
    assert list_own_tokens(session, sam, NOW) == []
    with pytest.raises(NotFoundError):
        revoke_own_token(session, sam, shown.id, NOW)


def test_a_disabled_owners_token_is_dead(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    token = make(session, sam)
    membership.disable_member(session, principal, sam.person_id, NOW)
    assert find_bearer(session, token, NOW, None) is None
    assert list_team_tokens(session, principal, NOW) == []
    membership.enable_member(session, principal, sam.person_id, NOW)
    assert find_bearer(session, token, NOW, None) is None
    assert find_bearer(session, make(session, sam), NOW, None) is not None


def test_anothers_token_is_not_found(
    session: Session, principal: Principal, member: Member
) -> None:
    sam, eve = member(), member(mail="eve@team.example")
    token = make(session, sam)
    [shown] = list_own_tokens(session, sam, NOW)
    with pytest.raises(NotFoundError):
        revoke_own_token(session, eve, shown.id, NOW)
    with pytest.raises(NotFoundError):
        revoke_team_token(session, add_stranger(session), shown.id, NOW)
    assert find_bearer(session, token, NOW, None)
    assert [each.owner for each in list_team_tokens(session, principal, NOW)] == ["Seller"]
    revoke_team_token(session, principal, shown.id, NOW)
    assert find_bearer(session, token, NOW, None) is None


def test_another_teams_tokens_are_not_seen(session: Session, member: Member) -> None:
    make(session, member())
    assert list_team_tokens(session, add_stranger(session), NOW) == []


@pytest.mark.parametrize(
    ("name", "scopes", "days", "problem"),
    [
        ("", [Scope.READ], None, "Name the token"),
        ("\x00 \u200b", [Scope.READ], None, "Name the token"),
        ("x" * 61, [Scope.READ], None, "Name the token"),
        ("A script", [], None, "Choose what"),
        ("A script", [Scope.READ], 0, "within a year"),
        ("A script", [Scope.READ], -1, "within a year"),
        ("A script", [Scope.READ], 367, "within a year"),
    ],
)
def test_a_token_without_name_scope_or_sensible_end_is_refused(
    session: Session, member: Member, name: str, scopes: list[Scope], days: int | None, problem: str
) -> None:
    ends = None if days is None else NOW + days * DAY
    with pytest.raises(InvalidInputError, match=problem):
        create_api_token(session, member(), name, scopes, ends, NOW)


def test_the_tokens_of_a_user_are_limited(
    session: Session, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_tokens, "MAX_TOKENS", 2)
    sam = member()
    make(session, sam)
    make(session, sam, days=1)
    with pytest.raises(InvalidInputError, match="many tokens"):
        make(session, sam)


def test_when_a_token_was_last_used_is_known_to_the_minute(
    session: Session, member: Member
) -> None:
    sam = member()
    make(session, sam)
    [kept] = list_own_tokens(session, sam, NOW)
    for seconds, seen in ((0, 0), (30, 0), (61, 61)):
        mark_token_used(session, kept.id, NOW + timedelta(seconds=seconds))
        session.expire_all()
        assert list_own_tokens(session, sam, NOW)[0].used_at == NOW + timedelta(seconds=seen)


@settings(max_examples=examples(25))
@given(st.text(max_size=200))
def test_an_invented_token_acts_as_no_user(session: Session, token: str) -> None:
    assert find_bearer(session, PREFIX + token, NOW, None) is None
