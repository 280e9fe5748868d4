"""What an administrator sets for the team: defaults, what wins, what is written down."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts import audit
from core.accounts.rules import Acting, Role
from core.accounts.team_settings import (
    TeamSettings,
    change_team_settings,
    get_team_settings,
    registration_mode,
)
from core.errors import InvalidInputError, NotAllowedError


def test_what_was_never_set_is_as_the_process_says(session: Session, acting: Acting) -> None:
    assert get_team_settings(session, acting, "closed").registration == "closed"
    assert registration_mode(session, "open") == "open"


def test_what_was_set_wins_over_the_process(session: Session, acting: Acting) -> None:
    now = get_team_settings(session, acting, "invitation")
    assert change_team_settings(session, acting, replace(now, registration="closed"), "invitation")
    assert registration_mode(session, "open") == "closed"
    assert get_team_settings(session, acting, "open").registration == "closed"
    change_team_settings(session, acting, replace(now, registration="open"), "open")
    assert registration_mode(session, "closed") == "open"
    versions = session.execute(text("SELECT version FROM team_setting")).scalars().all()
    assert versions == [2]


def test_a_change_is_audited_with_both_values_and_no_change_is_not(
    session: Session, acting: Acting
) -> None:
    now = get_team_settings(session, acting, "invitation")
    assert not change_team_settings(session, acting, now, "invitation")
    wanted = replace(now, name="  Kettle \x00 & Co ", time_zone="Asia/Tokyo")
    assert change_team_settings(session, acting, wanted, "invitation")
    [event] = audit.events(session, acting, what="changed team settings")
    assert event.old == {"name": now.name, "time_zone": now.time_zone}
    assert event.new == {"name": "Kettle & Co", "time_zone": "Asia/Tokyo"}
    stored = session.execute(text("SELECT count(*) FROM team_setting")).scalar_one()
    assert stored == 0


@pytest.mark.parametrize(
    "bad",
    [{"registration": "all"}, {"registration": ""}, {"time_zone": "Mars/Base"}, {"name": "  "}],
)
def test_what_can_not_be_is_refused(session: Session, acting: Acting, bad: dict[str, Any]) -> None:
    now = get_team_settings(session, acting, "invitation")
    with pytest.raises(InvalidInputError):
        change_team_settings(session, acting, replace(now, **bad), "invitation")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SELLER, Role.MANAGER])
def test_only_an_administrator_may(session: Session, acting: Acting, role: Role) -> None:
    lesser = replace(acting, role=role)
    with pytest.raises(NotAllowedError):
        get_team_settings(session, lesser, "open")
    with pytest.raises(NotAllowedError):
        change_team_settings(session, lesser, TeamSettings("x", "UTC", "open"), "open")
