"""Rounds of advice, applying and verifying: each may run twice, and one failure holds up none."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.errors import OutsideServiceError
from core.settings.environment import get_settings
from core.suggestions.advice_queue import service as asking
from core.suggestions.advice_queue.service import AdviceRequest, request_advice
from core.suggestions.execution import apply, verify
from core.suggestions.execution.connectors import PushRequest, Receipt
from core.suggestions.models import AdviceCall, AdviceDue, Suggestion, SuggestionAction
from core.suggestions.review.service import approve
from core.tracking.rules import Role
from jobs.tasks import advise_products, apply_actions, expire_actions, verify_actions
from tests.core.suggestions.world import (
    new_cadence,
    new_price,
    new_title,
    only_action,
    show,
    suggest,
)
from tests.factories.products import KETTLE, LAMP, make_listing, track_products
from tests.factories.tables import fetch_rows
from tests.jobs.fetch_world import set_environment

EVIL = "Lamp! " * 50  # breaks three listing rules


def ago(hours: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    [number, _] = track_products(session, principal, [LAMP, KETTLE], role=Role.OWN)
    show(session, ago(2), listing=make_listing(EVIL))
    show(session, ago(2), KETTLE, listing=make_listing(EVIL))
    return number


def ask(session: Session, principal: Principal) -> None:
    products = [row["product_id"] for row in fetch_rows(session, "SELECT product_id FROM tracking")]
    request_advice(session, principal, products, ago(0.1))


@pytest.fixture(autouse=True)
def read_settings_anew() -> Iterator[None]:
    yield
    get_settings.cache_clear()


def job_runs(session: Session, name: str) -> list[dict[str, Any]]:
    return fetch_rows(session, "SELECT * FROM job_run WHERE job = :name ORDER BY id", name=name)


def test_a_round_advises_on_all_that_waits_and_a_second_finds_nothing(
    session: Session, principal: Principal, lamp: int
) -> None:
    ask(session, principal)
    advise_products.advise_products()
    advise_products.advise_products()
    assert session.query(AdviceDue).count() == 0
    assert session.query(AdviceCall).count() == 2
    made = session.query(Suggestion).count()
    assert made >= 2
    first, second = job_runs(session, "advise")
    assert first["note"] == f"{made} suggestions for 2 products."
    assert second["note"] == "No product waits."


def test_the_morning_lets_own_products_wait(
    session: Session, principal: Principal, lamp: int
) -> None:
    asking_at = datetime.now(UTC).replace(hour=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(advise_products, "_now", lambda: asking_at)
        advise_products.plan_advice()
        advise_products.plan_advice()
    assert session.query(AdviceDue).count() == 2
    assert [run["note"] for run in job_runs(session, "plan advice")] == [
        "2 products.",
        "Nothing to plan.",
    ]


def test_one_product_that_fails_holds_up_no_other(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., int] = asking.answer_by_rules

    def failing(session: Session, asked: AdviceRequest, now: datetime) -> int:
        if asked.facts.product_id == lamp:
            raise ZeroDivisionError("in a rule")
        return real(session, asked, now)

    monkeypatch.setattr(asking, "answer_by_rules", failing)
    ask(session, principal)
    with pytest.raises(ExceptionGroup):
        advise_products.advise_products()
    [left] = session.query(AdviceDue)
    assert left.product_id == lamp
    assert {each.product_id for each in session.query(Suggestion)} != set()
    assert lamp not in {each.product_id for each in session.query(Suggestion)}


class Quiet:
    """An advisor that is asked and says nothing."""

    def __init__(self) -> None:
        self.asked: list[AdviceRequest] = []

    def answer(self, asked: AdviceRequest, now: datetime) -> int:
        self.asked.append(asked)
        return 0


def test_another_advisor_is_asked_about_each_product_and_the_rules_answer_too(
    session: Session, principal: Principal, lamp: int
) -> None:
    ask(session, principal)
    advisor = Quiet()
    advise_products.advise_products(advisor)
    assert len(advisor.asked) == 2
    assert session.query(Suggestion).count() >= 2


# Applying


def approved(session: Session, principal: Principal) -> SuggestionAction:
    title = new_title("Desk lamp", current=EVIL.strip())
    action = only_action(session, suggest(session, principal, title, now=ago(1)))
    assert approve(session, principal, action.id, ago(0.5)).did
    return action


def test_a_round_applies_what_is_approved_once(
    session: Session, principal: Principal, lamp: int
) -> None:
    action = approved(session, principal)
    apply_actions.apply_approved()
    apply_actions.apply_approved()
    session.refresh(action)
    assert action.state == "applied"
    assert [run["note"] for run in job_runs(session, "apply")] == [
        "1 of 1 approved actions applied.",
        "Nothing is approved.",
    ]


def test_a_dry_run_is_told_on_the_time_line(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_APPLIER="dry-run")
    approved(session, principal)
    apply_actions.apply_approved()
    [event] = fetch_rows(session, "SELECT why FROM suggestion_event WHERE after = 'applied'")
    assert "Nothing was pushed." in event["why"]


def test_an_applier_that_is_not_there_stops_only_what_it_should_push(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = get_settings().model_copy(update={"amazcope_applier": "telepathy"})
    monkeypatch.setattr(apply_actions, "get_settings", lambda: gone)
    title = approved(session, principal)
    cadence = only_action(session, suggest(session, principal, new_cadence(), now=ago(1)))
    assert approve(session, principal, cadence.id, ago(0.5)).did
    apply_actions.apply_approved()
    session.refresh(title)
    session.refresh(cadence)
    assert (title.state, cadence.state) == ("failed", "verified")
    assert "there is no telepathy" in (title.trouble or "")


class Shut:
    """An applier whose marketplace does not answer."""

    name = "shut"

    def push(self, order: PushRequest) -> Receipt:
        raise OutsideServiceError(f"{order.marketplace} does not answer.")


def test_what_could_not_be_pushed_has_failed_with_the_reason(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_APPLIER="dry-run")
    monkeypatch.setattr(apply_actions, "find_applier", lambda _name: Shut())
    action = approved(session, principal)
    apply_actions.apply_approved()
    session.refresh(action)
    assert (action.state, action.trouble) == ("failed", "US does not answer.")


def broken_for(poison: int, step: Any) -> Any:
    """Return a step that fails for one action in a way that nobody thought of."""

    def taken(session: Session, action_id: int, *more: Any) -> Any:
        if action_id == poison:
            raise KeyError("percent")
        return step(session, action_id, *more)

    return taken


def test_an_action_that_breaks_its_round_holds_up_no_other(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = approved(session, principal)
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
    assert [run["state"] for run in job_runs(session, "apply")] == ["failed"]


def test_an_action_that_can_not_be_verified_holds_up_no_other(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = approved(session, principal)
    second = only_action(session, suggest(session, principal, new_price(), now=ago(1)))
    assert approve(session, principal, second.id, ago(0.5)).did
    with monkeypatch.context() as patch:
        patch.setattr(apply_actions, "_now", lambda: ago(0.4))
        apply_actions.apply_approved()
    show(session, ago(0.2), listing=make_listing("Desk lamp"), price=1900)
    monkeypatch.setattr(verify, "verify_one", broken_for(first.id, verify.verify_one))
    with pytest.raises(ExceptionGroup):
        verify_actions.verify_applied()
    session.refresh(second)
    assert second.state == "verified"


def test_an_action_that_is_gone_meanwhile_is_passed_over(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "waiting_to_apply", lambda _session: [2**40])
    apply_actions.apply_approved()
    assert [run["note"] for run in job_runs(session, "apply")] == ["Nothing is approved."]


# Verifying and expiring


def test_a_round_verifies_what_a_later_look_shows(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = approved(session, principal)
    with monkeypatch.context() as patch:
        patch.setattr(apply_actions, "_now", lambda: ago(0.4))
        apply_actions.apply_approved()
    verify_actions.verify_applied()
    show(session, ago(0.2), listing=make_listing("Desk lamp"))
    verify_actions.verify_applied()
    session.refresh(action)
    assert action.state == "verified"
    assert [run["note"] for run in job_runs(session, "verify")][-1] == (
        "1 verified, 0 not confirmed in time."
    )


def test_a_stored_observation_verifies_the_actions_of_its_own_products_at_once(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = approved(session, principal)
    with monkeypatch.context() as patch:
        patch.setattr(apply_actions, "_now", lambda: ago(0.4))
        apply_actions.apply_approved()
    show(session, ago(0.2), listing=make_listing("Desk lamp"))
    verify_actions.verify_products([lamp + 1])
    session.refresh(action)
    assert action.state == "applied"
    assert job_runs(session, "verify") == []
    verify_actions.verify_products([lamp])
    session.refresh(action)
    assert action.state == "verified"
    assert [run["note"] for run in job_runs(session, "verify")] == [
        "1 verified, 0 not confirmed in time."
    ]


def test_a_round_ends_what_nobody_decided(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = suggest(session, principal, new_price(), now=ago(24 * 8))
    expire_actions.expire_suggestions()
    assert only_action(session, number).state == "expired"


def test_a_question_that_a_crash_left_open_lets_its_product_wait_again(
    session: Session, principal: Principal, lamp: int
) -> None:
    advise_products.plan_advice()  # whatever the day's plan is, it is made
    fetch_rows(session, "DELETE FROM advice_due RETURNING product_id")
    session.add(
        AdviceCall(
            team_id=principal.team_id,
            product_id=lamp,
            advisor="model",
            model="some-model",
            facts_hash=b"x" * 16,
            at=ago(30),
            state="asking",
        )
    )
    session.commit()
    advise_products.plan_advice()
    assert [
        row["product_id"] for row in fetch_rows(session, "SELECT product_id FROM advice_due")
    ] == [lamp]
    assert fetch_rows(session, "SELECT state FROM advice_call") == [{"state": "failed"}]


def test_a_round_asks_the_model_of_the_settings_where_there_is_one(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    advisor = Quiet()
    monkeypatch.setattr(advise_products, "find_model_advisor", lambda _settings: advisor)
    ask(session, principal)
    advise_products.advise_products()
    assert len(advisor.asked) == 2
