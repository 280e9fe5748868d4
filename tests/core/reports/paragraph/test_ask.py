"""Asking for a paragraph: kept, asked once, within the budget; no failure stops a report."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse

from core.accounts.access.permissions import Principal
from core.history.periods.change_period import ChangePeriod
from core.reports.compute_report import compute_report
from core.reports.content import Report, ReportParagraph
from core.reports.paragraph import ask
from core.reports.paragraph.ask import ask_paragraph
from core.suggestions.llm.config import ModelSetup
from core.suggestions.llm.conversation import Conversation
from core.suggestions.llm.costs import Price, sum_spent_today
from core.suggestions.llm.text_calls import TextReader
from core.suggestions.model_server.client import ModelAccess
from core.suggestions.models import ModelTextCall
from core.tracking.list_filter import ListScope
from tests.factories.reports import AT, seed_report
from tests.factories.tables import fetch_rows
from tests.model_stand_in import KEY, MODEL, SPOKEN, ModelStandIn, completion

GOOD = "Two products changed. The BSR went from #1,000 to #1,500 (+50 %): look at it first."
WRONG = "The BSR went from #1,000 to #4,711, so this is the first thing to look at."
SUBJECT = "report/daily/2026-03-10"


@pytest.fixture
def setup(stand_in: ModelStandIn) -> ModelSetup:
    access = ModelAccess(KEY, stand_in.url, MODEL, timeout=60.0, reply_tokens=1000)
    return ModelSetup(access, Price(Decimal(1), Decimal(10)), Decimal(1))


@pytest.fixture
def report(session: Session, principal: Principal) -> Report:
    seed_report(session, principal)
    return compute_report(
        session, principal, ListScope.TEAM, ChangePeriod.DAY, AT, AT, Decimal("0.01")
    )


def reply(paragraph: str) -> JSONResponse:
    return JSONResponse(completion(json.dumps({"paragraph": paragraph})))


def reader(principal: Principal) -> TextReader:
    return TextReader(principal.team_id, principal.person_id)


def get_call(session: Session) -> dict[str, object]:
    [row] = fetch_rows(session, "SELECT * FROM model_text_call")
    return dict(row)


def test_an_accepted_paragraph_is_kept_and_paid_for(
    session: Session,
    principal: Principal,
    report: Report,
    stand_in: ModelStandIn,
    setup: ModelSetup,
) -> None:
    stand_in.answer_next(reply(GOOD))
    found = ask_paragraph(report, reader(principal), SUBJECT, setup, AT)
    assert found == ReportParagraph(GOOD, SPOKEN, None)
    call = get_call(session)
    assert (call["state"], call["answer"], call["reasons"]) == ("ok", GOOD, [])
    assert call["cost_usd"] == Decimal("0.0042") == sum_spent_today(session, AT)


def test_a_rejected_reply_is_asked_anew_once_with_the_reason(
    session: Session,
    principal: Principal,
    report: Report,
    stand_in: ModelStandIn,
    setup: ModelSetup,
) -> None:
    stand_in.answer_next(reply(WRONG), reply(GOOD))
    assert ask_paragraph(report, reader(principal), SUBJECT, setup, AT).text == GOOD
    assert "4,711 #" in stand_in.asked[1].body["messages"][-1]["content"]
    stand_in.answer_next(reply(WRONG), reply(WRONG), reply(GOOD))
    found = ask_paragraph(report, reader(principal), "report/daily/2026-03-11", setup, AT)
    assert found.text is None
    assert "The report has no such numbers: 4,711 #." in str(found.reason)
    assert len(stand_in.asked) == 4


def test_a_job_that_is_repeated_asks_nothing_again(
    session: Session,
    principal: Principal,
    report: Report,
    stand_in: ModelStandIn,
    setup: ModelSetup,
) -> None:
    stand_in.answer_next(reply(GOOD))
    first = ask_paragraph(report, reader(principal), SUBJECT, setup, AT)
    assert ask_paragraph(report, reader(principal), SUBJECT, setup, AT) == first
    # The kept text is checked against the figures of now.
    changed = replace(report, changes=(), movers=())
    again = ask_paragraph(changed, reader(principal), SUBJECT, setup, AT)
    assert (again.text, "no such numbers" in str(again.reason)) == (None, True)
    assert len(stand_in.asked) == 1


def test_an_answer_that_was_lost_by_a_kill_is_not_asked_for_again(
    session: Session,
    principal: Principal,
    report: Report,
    stand_in: ModelStandIn,
    setup: ModelSetup,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(_conversation: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(Conversation, "run", killed)
        ask_paragraph(report, reader(principal), SUBJECT, setup, AT)
    found = ask_paragraph(report, reader(principal), SUBJECT, setup, AT)
    assert (found.text, "ended before it stored" in str(found.reason)) == (None, True)
    assert stand_in.asked == []
    assert sum_spent_today(session, AT) == get_call(session)["cost_usd"] > 0


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        ("http_429_long", "failed", "429"),
        ("http_401", "failed", "key"),
        ("http_400", "failed", "refused"),
        ("no_credit", "failed", "credit"),
        ("hang", "failed", "in time"),
        ("no_json", "rejected", "could not be read"),
        ("huge", "rejected", "larger"),
    ],
)
def test_a_failure_leaves_the_report_without_a_paragraph(
    session: Session,
    principal: Principal,
    report: Report,
    stand_in: ModelStandIn,
    setup: ModelSetup,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    state: str,
    reason: str,
) -> None:
    monkeypatch.setattr(ask, "LONGEST_WAIT", 0.5 if kind == "hang" else 60.0)
    stand_in.answer_next(kind)
    found = ask_paragraph(report, reader(principal), SUBJECT, setup, AT)
    assert found.text is None
    assert reason in str(found.reason)
    assert get_call(session)["state"] == state


@pytest.mark.parametrize(
    "kind", ["http_500", "invalid_json", "truncated", "refusal", "nul", "long"]
)
def test_a_failure_that_repeats_ends_too(
    session: Session,
    principal: Principal,
    report: Report,
    stand_in: ModelStandIn,
    setup: ModelSetup,
    kind: str,
) -> None:
    stand_in.answer_next(kind, kind, kind)
    found = ask_paragraph(report, reader(principal), SUBJECT, setup, AT)
    assert found.text is None
    assert found.reason
    assert get_call(session)["answer"] is None


def test_the_budget_and_a_missing_model_are_reasons(
    session: Session,
    principal: Principal,
    report: Report,
    stand_in: ModelStandIn,
    setup: ModelSetup,
) -> None:
    poor = replace(setup, dollars_per_day=Decimal("0.001"))
    found = ask_paragraph(report, reader(principal), SUBJECT, poor, AT)
    assert "AMAZCOPE_MODEL_DOLLARS_PER_DAY" in str(found.reason)
    missing = replace(setup, access=None, missing="No model is connected.")
    assert (
        ask_paragraph(report, reader(principal), SUBJECT, missing, AT).reason
        == "No model is connected."
    )
    assert (stand_in.asked, fetch_rows(session, "SELECT * FROM model_text_call")) == ([], [])
    # What other questions cost counts too.
    stand_in.answer_next(reply(GOOD))
    ask_paragraph(report, reader(principal), SUBJECT, setup, AT)
    session.execute(update(ModelTextCall).values(cost_usd=Decimal(1)))
    spent = ask_paragraph(report, reader(principal), "report/daily/2026-03-11", setup, AT)
    assert "AMAZCOPE_MODEL_DOLLARS_PER_DAY" in str(spent.reason)


def test_a_server_that_fails_for_three_reports_is_asked_again_later(
    session: Session,
    principal: Principal,
    report: Report,
    stand_in: ModelStandIn,
    setup: ModelSetup,
) -> None:
    for day in range(1, 4):
        stand_in.answer_next("http_400")
        ask_paragraph(report, reader(principal), f"report/daily/2026-04-0{day}", setup, AT)
    found = ask_paragraph(report, reader(principal), SUBJECT, setup, AT)
    assert "failed several times" in str(found.reason)
    assert len(stand_in.asked) == 3
    stand_in.answer_next(reply(GOOD))
    later = AT + timedelta(minutes=6)
    assert ask_paragraph(report, reader(principal), SUBJECT, setup, later).text == GOOD


def test_a_fault_of_ours_does_not_stop_the_report(
    principal: Principal, report: Report, setup: ModelSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "collect_report_data", lambda _report: 1 / 0)
    found = ask_paragraph(report, reader(principal), SUBJECT, setup, AT)
    assert found.text is None
    assert found.reason
