"""Rounds of expiring end suggestions without a decision."""

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from jobs.tasks import expire_actions
from tests.factories.suggestions import new_price, only_action, suggest
from tests.jobs.tasks.action_world import ago, track_lamp


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_lamp(session, principal)


def test_a_round_ends_undecided_suggestions(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = suggest(session, principal, new_price(), now=ago(24 * 8))
    expire_actions.expire_suggestions()
    assert only_action(session, number).state == "expired"
