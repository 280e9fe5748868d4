"""Rounds of verifying, and the check of products whose observations were just stored."""

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.suggestions.execution import verify
from core.suggestions.review.service import approve
from jobs.tasks import apply_actions, verify_actions
from tests.factories.products import make_listing
from tests.factories.suggestions import new_price, only_action, show, suggest
from tests.jobs.tasks.action_world import ago, approve_title, broken_for, list_job_runs, track_lamp


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_lamp(session, principal)


def test_an_action_that_can_not_be_verified_holds_up_no_other(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = approve_title(session, principal)
    second = only_action(session, suggest(session, principal, new_price(), now=ago(1)))
    assert approve(session, principal, second.id, ago(0.5)).did
    with monkeypatch.context() as patch:
        patch.setattr(apply_actions, "_now", lambda: ago(0.4))
        apply_actions.apply_approved()
    show(session, ago(0.2), listing=make_listing("Desk lamp"), price=1900)
    monkeypatch.setattr(verify, "verify_action", broken_for(first.id, verify.verify_action))
    with pytest.raises(ExceptionGroup):
        verify_actions.verify_applied()
    session.refresh(second)
    assert second.state == "verified"


def test_a_round_verifies_what_a_later_observation_shows(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = approve_title(session, principal)
    with monkeypatch.context() as patch:
        patch.setattr(apply_actions, "_now", lambda: ago(0.4))
        apply_actions.apply_approved()
    verify_actions.verify_applied()
    show(session, ago(0.2), listing=make_listing("Desk lamp"))
    verify_actions.verify_applied()
    session.refresh(action)
    assert action.state == "verified"
    assert [run["note"] for run in list_job_runs(session, "verify")][-1] == (
        "1 verified, 0 not confirmed in time."
    )


def test_a_stored_observation_verifies_the_actions_of_its_own_products_at_once(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = approve_title(session, principal)
    with monkeypatch.context() as patch:
        patch.setattr(apply_actions, "_now", lambda: ago(0.4))
        apply_actions.apply_approved()
    show(session, ago(0.2), listing=make_listing("Desk lamp"))
    verify_actions.verify_products([lamp + 1])
    session.refresh(action)
    assert action.state == "applied"
    assert list_job_runs(session, "verify") == []
    verify_actions.verify_products([lamp])
    session.refresh(action)
    assert action.state == "verified"
    assert [run["note"] for run in list_job_runs(session, "verify")] == [
        "1 verified, 0 not confirmed in time."
    ]
