"""Rounds of applying: each may run twice, and one failing action holds up no other."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.errors import OutsideServiceError
from core.settings.environment import get_settings
from core.suggestions.execution import apply
from core.suggestions.execution.connectors import PushRequest, Receipt
from core.suggestions.review.service import approve
from jobs.tasks import apply_actions
from tests.factories.suggestions import new_cadence, only_action, suggest
from tests.factories.tables import fetch_rows
from tests.jobs.fetch_world import set_environment
from tests.jobs.tasks.action_world import ago, approve_title, broken_for, list_job_runs, track_lamp


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_lamp(session, principal)


@pytest.fixture(autouse=True)
def read_settings_anew() -> Iterator[None]:
    yield
    get_settings.cache_clear()


def test_a_round_applies_what_is_approved_once(
    session: Session, principal: Principal, lamp: int
) -> None:
    action = approve_title(session, principal)
    apply_actions.apply_approved()
    apply_actions.apply_approved()
    session.refresh(action)
    assert action.state == "applied"
    assert [run["note"] for run in list_job_runs(session, "apply")] == [
        "1 of 1 approved actions applied.",
        "Nothing is approved.",
    ]


def test_a_dry_run_is_on_the_time_line(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_APPLIER="dry-run")
    approve_title(session, principal)
    apply_actions.apply_approved()
    [event] = fetch_rows(session, "SELECT why FROM suggestion_event WHERE after = 'applied'")
    assert "Nothing was pushed." in event["why"]


def test_an_applier_that_is_not_there_stops_only_what_it_should_push(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = get_settings().model_copy(update={"amazcope_applier": "telepathy"})
    monkeypatch.setattr(apply_actions, "get_settings", lambda: gone)
    title = approve_title(session, principal)
    cadence = only_action(session, suggest(session, principal, new_cadence(), now=ago(1)))
    assert approve(session, principal, cadence.id, ago(0.5)).did
    apply_actions.apply_approved()
    session.refresh(title)
    session.refresh(cadence)
    assert (title.state, cadence.state) == ("failed", "verified")
    assert "telepathy is unknown" in (title.trouble or "")


class Shut:
    """A connector whose marketplace does not answer."""

    name = "shut"

    def push(self, request: PushRequest) -> Receipt:
        raise OutsideServiceError(f"{request.marketplace} does not answer.")


def test_what_could_not_be_pushed_has_failed_with_the_reason(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_APPLIER="dry-run")
    monkeypatch.setattr(apply_actions, "find_connector", lambda _name: Shut())
    action = approve_title(session, principal)
    apply_actions.apply_approved()
    session.refresh(action)
    assert (action.state, action.trouble) == ("failed", "US does not answer.")


def test_an_action_that_breaks_its_round_holds_up_no_other(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = approve_title(session, principal)
    second = only_action(session, suggest(session, principal, new_cadence(), now=ago(1)))
    assert approve(session, principal, second.id, ago(0.4)).did
    with monkeypatch.context() as patch:
        patch.setattr(apply, "apply", broken_for(first.id, apply.apply))
        with pytest.raises(ExceptionGroup) as failed:
            apply_actions.apply_approved()
    assert failed.value.exceptions[0].__notes__ == [f"Action {first.id}"]
    session.refresh(first)
    session.refresh(second)
    assert (first.state, second.state) == ("approved", "verified")
    assert [run["state"] for run in list_job_runs(session, "apply")] == ["failed"]


def test_an_action_that_is_gone_meanwhile_is_passed_over(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "list_approved_actions", lambda _session: [2**40])
    apply_actions.apply_approved()
    assert [run["note"] for run in list_job_runs(session, "apply")] == ["Nothing is approved."]
