"""What an administrator sets for the team: defaults, what wins, what is written down."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access import audit, sessions
from core.accounts.access.api_tokens import create_api_token, find_bearer
from core.accounts.access.confirmation import mark_confirmed
from core.accounts.access.permissions import Permission, Principal, Role, Scope, require_permission
from core.accounts.access.team_settings import (
    TeamSettings,
    get_registration_mode,
    get_team_settings,
    update_team_settings,
)
from core.accounts.login.two_factor import remove_two_factor
from core.errors import InvalidInputError, NotAllowedError
from tests.core.accounts.conftest import KEY, LIFETIME, NOW, OLD_HASH, Member, person, signed_in
from tests.factories.people import add_stranger


def test_what_was_never_set_is_as_in_the_environment(
    session: Session, principal: Principal
) -> None:
    assert get_team_settings(session, principal, "closed").registration == "closed"
    assert get_registration_mode(session, "open") == "open"


def test_what_was_set_wins_over_the_process(session: Session, principal: Principal) -> None:
    now = get_team_settings(session, principal, "invitation")
    assert update_team_settings(
        session, principal, replace(now, registration="closed"), "invitation", NOW
    )
    assert get_registration_mode(session, "open") == "closed"
    assert get_team_settings(session, principal, "open").registration == "closed"
    update_team_settings(session, principal, replace(now, registration="open"), "open", NOW)
    assert get_registration_mode(session, "closed") == "open"
    versions = session.execute(text("SELECT version FROM team_setting")).scalars().all()
    assert versions == [2]


def test_a_change_is_audited_with_both_values_and_no_change_is_not(
    session: Session, principal: Principal
) -> None:
    now = get_team_settings(session, principal, "invitation")
    assert not update_team_settings(session, principal, now, "invitation", NOW)
    wanted = replace(now, name="  Kettle \x00 & Co ", time_zone="Asia/Tokyo")
    assert update_team_settings(session, principal, wanted, "invitation", NOW)
    [event] = audit.list_events(session, principal, verb="changed team settings")
    assert event.old == {"name": now.name, "time_zone": now.time_zone}
    assert event.new == {"name": "Kettle & Co", "time_zone": "Asia/Tokyo"}
    stored = session.execute(text("SELECT count(*) FROM team_setting")).scalar_one()
    assert stored == 0


@pytest.mark.parametrize(
    "bad",
    [{"registration": "all"}, {"registration": ""}, {"time_zone": "Mars/Base"}, {"name": "  "}],
)
def test_what_can_not_be_is_refused(
    session: Session, principal: Principal, bad: dict[str, Any]
) -> None:
    now = get_team_settings(session, principal, "invitation")
    with pytest.raises(InvalidInputError):
        update_team_settings(session, principal, replace(now, **bad), "invitation", NOW)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SELLER, Role.MANAGER])
def test_only_an_administrator_may(session: Session, principal: Principal, role: Role) -> None:
    lesser = replace(principal, role=role)
    with pytest.raises(NotAllowedError):
        get_team_settings(session, lesser, "open")
    with pytest.raises(NotAllowedError):
        update_team_settings(session, lesser, TeamSettings("x", "UTC", "open"), "open", NOW)


# Two-factor authentication for everybody


def at_a_page(session: Session, who: Principal) -> Principal:
    found = sessions.find_session(session, signed_in(session, who), LIFETIME, NOW, None)
    assert found is not None
    return found.principal


def require_it(session: Session, admin: Principal) -> None:
    person(session, admin).totp_confirmed_at = NOW
    now = get_team_settings(session, admin, "open")
    wanted = replace(now, requires_second_factor=True)
    assert update_team_settings(session, admin, wanted, "open", NOW)


def test_who_has_a_password_alone_may_nothing_but_set_it_up(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    assert at_a_page(session, sam).may(Permission.READ)
    require_it(session, principal)
    confined = at_a_page(session, sam)
    assert [right for right in Permission if confined.may(right)] == [Permission.SELF]
    person(session, sam).totp_confirmed_at = NOW
    session.flush()
    assert at_a_page(session, sam).may(Permission.TRACK)


def test_single_sign_on_the_demo_and_other_teams_are_exempt(
    session: Session, principal: Principal, member: Member
) -> None:
    by_sign_on, demo = member(mail="a@t.example"), member(mail="d@t.example", is_demo=True)
    person(session, by_sign_on).password_hash = None
    other = add_stranger(session)
    require_it(session, principal)
    for who in (by_sign_on, demo, other):
        assert not at_a_page(session, who).needs_second_factor


def test_a_token_does_nothing_until_its_owner_has_set_it_up(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    token = create_api_token(session, sam, "Report", list(Scope), None, NOW)
    require_it(session, principal)
    bearer = find_bearer(session, token, NOW, None)
    assert bearer is not None
    assert not any(bearer.principal.may(right) for right in Permission)
    with pytest.raises(NotAllowedError, match="two-factor authentication"):
        require_permission(bearer.principal, Permission.READ)
    person(session, sam).totp_confirmed_at = NOW
    session.flush()
    bearer = find_bearer(session, token, NOW, None)
    assert bearer is not None
    assert bearer.principal.may(Permission.READ)


def test_who_has_yet_to_set_it_up_makes_no_token(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    require_it(session, principal)
    confined = at_a_page(session, sam)
    mark_confirmed(session, confined, NOW)
    with pytest.raises(NotAllowedError, match="two-factor authentication"):
        create_api_token(session, confined, "Report", [Scope.READ], None, NOW)


def test_no_admin_requires_of_others_what_they_lack(session: Session, principal: Principal) -> None:
    person(session, principal).password_hash = OLD_HASH
    now = get_team_settings(session, principal, "open")
    with pytest.raises(InvalidInputError, match="your own"):
        update_team_settings(
            session, principal, replace(now, requires_second_factor=True), "open", NOW
        )


def test_what_is_required_is_not_removed_by_its_owner(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    require_it(session, principal)
    person(session, sam).totp_confirmed_at = NOW
    with pytest.raises(InvalidInputError, match="requires"):
        remove_two_factor(session, sam, "123456", KEY, NOW)
