"""What gives lasting access takes a recent confirmation, in the session that asks for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import api_tokens, confirmation, sessions, team_settings
from core.accounts.access.confirmation import (
    CONFIRMATION_LIFETIME,
    ConfirmationNeededError,
    mark_confirmed,
)
from core.accounts.access.permissions import Principal, Role, Scope
from core.accounts.access.team_settings import TeamSettings
from core.accounts.login import two_factor
from core.accounts.models import AuditEvent
from core.accounts.people import membership, profile
from tests.core.accounts.conftest import KEY, LIFETIME, NEW_HASH, NOW, OLD_HASH, Member, signed_in
from tests.core.accounts.conftest import person as kept

Verb = Callable[[Session, Principal, int], Any]
TEAM = TeamSettings("Team", "UTC", "open", requires_second_factor=False)
SENSITIVE: dict[str, Verb] = {
    "a token": lambda s, who, _: api_tokens.create_api_token(s, who, "x", [Scope.READ], None, NOW),
    "setting up": lambda s, who, _: two_factor.start_two_factor_setup(s, who, KEY, NOW),
    "a first code": lambda s, who, _: two_factor.confirm_two_factor_setup(s, who, "0", KEY, NOW),
    "removing": lambda s, who, _: two_factor.remove_two_factor(s, who, "0", KEY, NOW),
    "recovery codes": lambda s, who, _: two_factor.renew_recovery_codes(s, who, NOW),
    "an address": lambda s, who, _: profile.change_email(s, who, "new@shop.example", NOW),
    "a password": lambda s, who, _: profile.change_password(s, who, NEW_HASH, OLD_HASH, NOW),
    "another's factor": lambda s, who, of: two_factor.remove_member_two_factor(s, who, of, NOW),
    "an invitation": lambda s, who, _: membership.invite_member(
        s, who, "n@s.example", Role.ADMIN, NOW
    ),
    "a role": lambda s, who, of: membership.change_role(s, who, of, Role.ADMIN, NOW),
    "enabling": lambda s, who, of: membership.enable_member(s, who, of, NOW),
    "registration": lambda s, who, _: team_settings.update_team_settings(
        s, who, TEAM, "closed", NOW
    ),
}


def at_a_page(session: Session, who: Principal) -> Principal:
    found = sessions.find_session(session, signed_in(session, who), LIFETIME, NOW, None)
    assert found is not None
    return found.principal


@pytest.mark.parametrize("name", SENSITIVE)
def test_a_session_alone_is_not_enough(
    session: Session, principal: Principal, member: Member, name: str
) -> None:
    kept(session, principal).password_hash = OLD_HASH
    other = member()
    here = at_a_page(session, principal)
    with pytest.raises(ConfirmationNeededError):
        SENSITIVE[name](session, here, other.person_id)


def test_a_confirmation_holds_for_ten_minutes_and_in_its_own_session(
    session: Session, member: Member
) -> None:
    sam = member()
    here, elsewhere = at_a_page(session, sam), at_a_page(session, sam)
    mark_confirmed(session, here, NOW)
    confirmation.require_confirmed(
        session, here, NOW + CONFIRMATION_LIFETIME - timedelta(seconds=1)
    )
    for who, at in (
        (here, NOW + CONFIRMATION_LIFETIME),
        (elsewhere, NOW),
        (replace(here, session_id=9**9), NOW),
    ):
        with pytest.raises(ConfirmationNeededError):
            confirmation.require_confirmed(session, who, at)
    verbs = session.scalars(select(AuditEvent.verb).where(AuditEvent.person_id == sam.person_id))
    assert "confirmed identity" in verbs.all()


def test_who_has_no_password_confirms_by_signing_in(session: Session, member: Member) -> None:
    sam = member()
    kept(session, sam).password_hash = None
    here = at_a_page(session, sam)
    confirmation.require_confirmed(session, here, NOW)
    with pytest.raises(ConfirmationNeededError):
        confirmation.require_confirmed(session, here, NOW + CONFIRMATION_LIFETIME)


def test_the_name_and_the_clock_of_the_team_take_no_confirmation(
    session: Session, principal: Principal
) -> None:
    kept(session, principal).password_hash = OLD_HASH
    here = at_a_page(session, principal)
    now = team_settings.get_team_settings(session, here, "closed")
    assert team_settings.update_team_settings(
        session, here, replace(now, name="Lamps"), "closed", NOW
    )
