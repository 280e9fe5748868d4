"""What screens show of the model: which one answers or why none, its day, what was rejected."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.accounts.access.permissions import Principal, Role
from core.suggestions.models import AdviceCall
from tests.core.settings.test_environment import _read_anew  # noqa: F401 - settings are read anew
from tests.factories.products import LAMP
from tests.factories.suggestions import own_lamp
from tests.jobs.fetch_world import set_environment
from tests.pages.conftest import SignIn
from tests.pages.screen import open_page, plain

EVIL = "<script>alert(1)</script> **Approve everything** [here](https://evil.example)"


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    number = own_lamp(session, principal)
    session.commit()
    return number


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(
        monkeypatch,
        OPENAI_API_KEY="key",
        OPENAI_BASE_URL="http://models.example:8080/v1",
        AMAZCOPE_MODEL="local-8b",
        AMAZCOPE_MODEL_PRICES="local-8b=1/2",
        AMAZCOPE_MODEL_DOLLARS_PER_DAY="0.50",
    )


def asked(
    session: Session, principal: Principal, product_id: int, state: str, **values: object
) -> None:
    usual = {"cost_usd": Decimal("0.04"), "model": "local-8b-instruct", "advisor": "model"}
    call = AdviceCall(
        team_id=principal.team_id,
        product_id=product_id,
        facts_hash=bytes([len(session.query(AdviceCall).all())]) * 16,
        at=datetime.now(UTC),
        state=state,
        **(usual | values),
    )
    session.add(call)
    session.commit()


def a_day(session: Session, principal: Principal, lamp: int) -> None:
    asked(session, principal, lamp, "ok", suggestions=3)
    asked(session, principal, lamp, "nothing")
    asked(session, principal, lamp, "failed", reasons=["Question 1: The server is away."])
    asked(
        session,
        principal,
        lamp,
        "rejected",
        reasons=["Reply 1: It cites 99, which is in no evidence.", "Reply 2: It has no actions."],
        replies=[EVIL, ""],
    )


def open_health() -> AppTest:
    app = open_page("health")
    app.session_state["part_model"] = True
    return app.run()


def figures(app: AppTest) -> dict[str, tuple[str, str]]:
    return {each.label: (each.value, each.delta) for each in app.metric}


def trouble(app: AppTest) -> list[dict[str, str]]:
    [found] = [each.value for each in app.dataframe if "What came" in each.value.columns]
    return found.to_dict("records")


def test_without_a_model_both_screens_show_why(lamp: int, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, OPENAI_API_KEY="", OPENAI_BASE_URL="", AMAZCOPE_MODEL="")
    why = (
        "Rules alone. No model is connected. An administrator connects it at Connections, or the "
        "operator sets OPENAI_BASE_URL, OPENAI_API_KEY and AMAZCOPE_MODEL."
    )
    assert f"Advisors: {why}" in plain(open_page("suggestions"))
    assert why in plain(open_health())


def test_the_queue_names_the_model_and_shows_its_day(
    session: Session, principal: Principal, lamp: int, model: None
) -> None:
    a_day(session, principal, lamp)
    assert (
        "Advisors: Rules, and the model local-8b at models.example. Today (UTC): 4 questions, "
        "2 answered, 1 rejected, 1 without an answer, $0.16 of $0.50."
    ) in plain(open_page("suggestions"))


def test_health_shows_calls_what_came_of_them_and_their_cost(
    session: Session, principal: Principal, lamp: int, model: None
) -> None:
    a_day(session, principal, lamp)
    shown = figures(open_health())
    assert shown["Questions today"] == ("4", "2 answered")
    assert shown["Brought"][0] == "3 suggestions"
    assert shown["Rejected"][0] == "1"
    assert shown["No answer"][0] == "1"
    assert shown["Model's cost today"] == ("$0.16", "of $0.50 a day")


def test_health_gives_the_reasons_of_every_reply_that_was_rejected(
    session: Session, principal: Principal, lamp: int, model: None
) -> None:
    a_day(session, principal, lamp)
    rejected, failed = trouble(open_health())
    assert (rejected["What came"], rejected["Product"]) == ("Reply rejected", f"US {LAMP}")
    assert rejected["Model"] == "local-8b-instruct"
    assert rejected["Why"].startswith("Reply 1: It cites 99, which is in no evidence. Reply 2: ")
    assert (failed["What came"], failed["Why"]) == (
        "No answer",
        "Question 1: The server is away.",
    )


def test_a_day_without_problems_is_shown_as_such(
    session: Session, principal: Principal, lamp: int, model: None
) -> None:
    asked(session, principal, lamp, "ok", suggestions=1)
    app = open_health()
    assert "Every question of today was answered with something usable." in plain(app)
    assert figures(app)["Brought"][0] == "1 suggestion"


def test_a_spent_budget_and_a_resting_server_are_shown(
    session: Session, principal: Principal, lamp: int, model: None
) -> None:
    for _ in range(3):
        asked(session, principal, lamp, "failed", reasons=["Question 1: away"])
    assert "asked again in some minutes" in plain(open_page("suggestions"))
    asked(session, principal, lamp, "ok", cost_usd=Decimal("0.60"))
    app = open_health()
    assert [each.value for each in app.warning if "budget is spent" in each.value]


@pytest.mark.parametrize(
    ("spent", "warning"),
    [
        ("0.47", None),  # a question costs 0.021 to 0.024 at most
        ("0.479", "only short ones are asked before tomorrow"),
        ("0.49", "less than a question may cost: the model is asked again tomorrow"),
    ],
)
def test_a_rest_of_the_budget_that_is_too_small_for_a_question_is_shown(
    session: Session, principal: Principal, lamp: int, model: None, spent: str, warning: str | None
) -> None:
    asked(session, principal, lamp, "ok", cost_usd=Decimal(spent))
    warnings = [each.value for each in open_health().warning if "budget" in each.value]
    assert [each for each in warnings if warning and warning in each] == warnings
    assert len(warnings) == (warning is not None)
    assert warning is None or warning in plain(open_page("suggestions"))


def test_a_budget_that_no_question_fits_into_is_shown(
    lamp: int, model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_MODEL_DOLLARS_PER_DAY="0.01")
    assert "The model is never asked: a question may cost" in plain(open_page("suggestions"))


def test_the_models_replies_are_for_managers_only(
    session: Session,
    principal: Principal,
    lamp: int,
    model: None,
    make_user: Callable[[Role], Principal],
    sign_in: SignIn,
) -> None:
    a_day(session, principal, lamp)
    assert "Tick a row to read the model's replies." in plain(open_health())
    sign_in(make_user(Role.SELLER))
    app = open_health()
    assert trouble(app)[0]["What came"] == "Reply rejected"
    assert "Tick a row to read the model's replies." not in plain(app)


def test_a_reply_is_shown_as_it_came_and_as_nothing_but_text() -> None:
    app = AppTest.from_function(_show_a_reply, args=(EVIL,)).run()
    assert not app.exception
    assert [each.value for each in app.code] == [EVIL, "(empty)"]
    assert not [each for each in app.markdown if "<script>" in each.value.replace("\\<", "")]


def _show_a_reply(evil: str) -> None:
    from datetime import UTC, datetime

    from app.suggestions import model_status
    from core.suggestions.llm.call_log import CallState
    from core.suggestions.llm.daily_stats import ModelProblem

    reasons = (f"Reply 1: {evil}", "Reply 2: It has no actions.")
    problem = ModelProblem(
        datetime.now(UTC), "US", "B0X", "m", CallState.REJECTED, reasons, (evil, "")
    )
    model_status._show_replies([problem], [0])
