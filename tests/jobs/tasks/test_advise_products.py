"""Rounds of advice: each may run twice, and one failing product holds up no other."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.suggestions.advice_queue import service as asking
from core.suggestions.advice_queue.service import AdviceRequest, request_advice
from core.suggestions.models import AdviceCall, AdviceDue, Suggestion
from jobs.tasks import advise_products
from tests.factories.tables import fetch_rows
from tests.jobs.tasks.action_world import ago, list_job_runs, track_lamp


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_lamp(session, principal)


def ask(session: Session, principal: Principal) -> None:
    products = [row["product_id"] for row in fetch_rows(session, "SELECT product_id FROM tracking")]
    request_advice(session, principal, products, ago(0.1))


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
    first, second = list_job_runs(session, "advise")
    assert first["note"] == f"{made} suggestions for 2 products."
    assert second["note"] == "No pending products."


def test_the_morning_lets_own_products_wait(
    session: Session, principal: Principal, lamp: int
) -> None:
    asking_at = datetime.now(UTC).replace(hour=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(advise_products, "_now", lambda: asking_at)
        advise_products.plan_advice()
        advise_products.plan_advice()
    assert session.query(AdviceDue).count() == 2
    assert [run["note"] for run in list_job_runs(session, "plan advice")] == [
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
    """An advisor without an answer."""

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
