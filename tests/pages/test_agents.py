"""The agents screen, through the app's own entry point."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.accounts.access.api_tokens import create_api_token, list_own_tokens
from core.accounts.access.permissions import Principal, Role, Scope
from core.accounts.models import Person
from core.agents.models import AgentCall
from core.agents.queries import PAGE
from core.agents.rules import CallOutcome
from core.settings.environment import ROOT
from tests.factories.people import add_stranger

NOW = datetime.now(UTC)


def open_page() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120).run()
    app.switch_page(str(Path("..") / "pages" / "agents.py"))
    return app.run()


def called(session: Session, who: Principal, outcome: str | None, **values: object) -> None:
    usual = {
        "at": datetime.now(UTC) - timedelta(minutes=5),
        "team_id": who.team_id,
        "person_id": who.person_id,
        "token_id": None,
        "address": None,
        "method": "tools/call",
        "name": "search_products",
        "arguments_hash": b"x",
        "outcome": outcome,
        "took_ms": None if outcome is None else 12,
    }
    session.add(AgentCall(**(usual | values)))
    session.commit()


def test_before_any_call_it_explains_agents(session: Session, principal: Principal) -> None:
    app = open_page()
    assert not app.exception
    assert any("No agent has called yet" in each.value for each in app.markdown)
    assert any("/mcp`" in each.value for each in app.markdown)
    assert not app.metric


def test_each_call_is_a_row_with_how_it_ended(session: Session, principal: Principal) -> None:
    create_api_token(session, principal, "Report", [Scope.READ], None, NOW)
    [kept] = list_own_tokens(session, principal, NOW)
    called(session, principal, "answered", token_id=kept.id, address="203.0.113.7")
    called(session, principal, "limited", name="=HYPERLINK(1)")
    called(session, principal, None, at=datetime.now(UTC) - timedelta(hours=1))
    rows = open_page().dataframe[0].value
    assert rows["Ended"].tolist() == ["its process ended first", "too many calls", "answered"]
    assert rows["Token"].tolist() == ["(deleted)", "(deleted)", "Report"]
    assert rows["Took"].tolist() == ["", "12 ms", "12 ms"]
    assert rows["From"].tolist() == ["this machine", "this machine", "203.0.113.7"]
    assert rows["Called"].tolist()[1] == "=HYPERLINK(1)"


def test_the_day_is_counted_by_outcome(session: Session, principal: Principal) -> None:
    for outcome in (*CallOutcome, CallOutcome.ANSWERED, None):
        called(session, principal, outcome)
    called(session, principal, "answered", at=datetime.now(UTC) - timedelta(days=2))
    shown = {metric.label: metric.value for metric in open_page().metric}
    assert shown["Calls in 24 hours"] == "7"  # with those that still run or were left
    assert (shown["Refused"], shown["Failed"], shown["Too many calls"]) == ("1", "1", "1")


def test_it_narrows_by_how_calls_ended(session: Session, principal: Principal) -> None:
    called(session, principal, "answered")
    called(session, principal, "refused")
    app = open_page()
    app.selectbox(key="call_outcome").set_value("refused").run()
    assert app.dataframe[0].value["Ended"].tolist() == ["refused"]
    app.selectbox(key="call_outcome").set_value("failed").run()
    assert "No calls match." in [each.value for each in app.info]


def test_older_calls_are_a_page_away(session: Session, principal: Principal) -> None:
    for number in range(PAGE + 1):
        called(session, principal, "answered", name=f"tool {number}")
    app = open_page()
    assert len(app.dataframe[0].value) == PAGE
    next(each for each in app.button if each.label == "Older").click().run()
    assert app.dataframe[0].value["Called"].tolist() == ["tool 0"]


def test_where_the_oldest_call_is_shown_nothing_older_is_offered(
    session: Session, principal: Principal
) -> None:
    for number in range(PAGE):
        called(session, principal, "answered", name=f"tool {number}")
    app = open_page()
    assert len(app.dataframe[0].value) == PAGE
    assert "Older" not in [each.label for each in app.button]


def test_another_teams_calls_are_not_shown(session: Session, principal: Principal) -> None:
    called(session, add_stranger(session), "answered")
    app = open_page()
    assert not app.dataframe
    assert not app.metric


def test_it_is_for_administrators(session: Session, principal: Principal) -> None:
    called(session, principal, "answered")
    session.get_one(Person, principal.person_id).role = Role.MANAGER.value
    session.commit()
    assert not open_page().dataframe
