"""The job that makes subscribed reports: once each, also after a failure or a kill."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse

from core.accounts.access.permissions import Principal
from core.accounts.models import Person
from core.reports import service
from core.reports.content import ReportParagraph
from core.reports.models import ReportSubscription
from core.reports.rules import ReportKind, Subscription
from core.suggestions.llm.config import ModelSetup
from core.suggestions.llm.costs import Price
from core.suggestions.model_server.client import ModelAccess
from core.tracking.list_filter import ListScope
from jobs.tasks import make_reports
from tests.factories.people import add_colleague
from tests.factories.tables import fetch_rows
from tests.model_stand_in import KEY, MODEL, SPOKEN, completion, running_model
from tests.open_scopes import record_open_scopes

pytestmark = pytest.mark.dates  # a report is due by the database's clock


def subscribe(session: Session, principal: Principal) -> None:
    """Subscribe to a report that was due within the last day."""
    wish = Subscription(ReportKind.DAILY, ListScope.TEAM)
    service.subscribe(session, principal, wish, datetime.now(UTC) - timedelta(days=2))
    session.commit()


def list_summaries(session: Session) -> list[tuple[str, str]]:
    rows = fetch_rows(
        session, "SELECT state, note FROM job_run WHERE job = 'make reports' ORDER BY id"
    )
    return [(row["state"], row["note"]) for row in rows]


def test_a_due_report_is_made_once(session: Session, principal: Principal) -> None:
    subscribe(session, principal)
    make_reports.make_reports()
    make_reports.make_reports()
    [report] = service.list_reports(session, principal, 10)
    assert report.is_subscribed
    assert service.open_report(session, principal, report.id).products == 0
    assert list_summaries(session) == [
        ("done", "1 of 1 reports made."),
        ("done", "No report is due."),
    ]


def test_one_that_fails_keeps_no_other_from_being_made(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    colleague = add_colleague(session, principal)
    subscribe(session, principal)
    subscribe(session, colleague)
    usual = make_reports.make_due_report

    def failing(due: service.DueSubscription) -> bool:
        if due.person_id == principal.person_id:
            raise ValueError("a report that can't be made")
        return usual(due)

    monkeypatch.setattr(make_reports, "make_due_report", failing)
    with pytest.raises(RuntimeError):
        make_reports.make_reports()
    assert len(service.list_reports(session, colleague, 10)) == 1
    assert list_summaries(session) == [("failed", "1 of 2 reports made.")]
    monkeypatch.undo()


def test_a_worker_killed_before_the_report_is_kept_makes_it_later(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(session, principal)

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt  # as a signal ends it: no handler of errors runs

    with monkeypatch.context() as patch:
        patch.setattr(service, "keep_due_report", killed)
        with pytest.raises(KeyboardInterrupt):
            make_reports.make_reports()
    assert service.list_reports(session, principal, 10) == []
    make_reports.make_reports()
    assert len(service.list_reports(session, principal, 10)) == 1


def test_who_was_disabled_meanwhile_gets_none(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    colleague = add_colleague(session, principal)
    subscribe(session, colleague)
    due = service.list_due(session, datetime.now(UTC))
    session.execute(update(Person).where(Person.id == colleague.person_id).values(state="disabled"))
    session.commit()
    monkeypatch.setattr(service, "list_due", lambda *_args: due)
    make_reports.make_reports()
    assert list_summaries(session) == [("done", "0 of 1 reports made.")]


def test_reports_of_erased_users_are_deleted(session: Session, principal: Principal) -> None:
    colleague = add_colleague(session, principal)
    subscribe(session, colleague)
    session.execute(update(Person).where(Person.id == colleague.person_id).values(state="erased"))
    session.commit()
    make_reports.delete_old_reports()
    assert session.query(ReportSubscription).count() == 0


def test_an_email_is_stored_with_its_report(session: Session, principal: Principal) -> None:
    wish = Subscription(ReportKind.DAILY, ListScope.TEAM, by_email=True)
    service.subscribe(session, principal, wish, datetime.now(UTC) - timedelta(days=2))
    session.commit()
    make_reports.make_reports()
    make_reports.make_reports()
    [report] = service.list_reports(session, principal, 10)
    assert report.is_emailed
    [message] = fetch_rows(session, "SELECT * FROM outbox_message")
    assert (message["key"], message["purpose"]) == (f"report/{report.id}", "report")
    assert (message["person_id"], message["channel_id"]) == (principal.person_id, None)
    assert message["content"]["subject"].startswith("Daily report, ")
    assert "/unsubscribe-reports?token=" in message["content"]["unsubscribe"]


def test_a_paragraph_is_asked_for_once_with_no_transaction_open(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    colleague = add_colleague(session, principal)
    wish = Subscription(ReportKind.DAILY, ListScope.TEAM, by_email=True, has_paragraph=True)
    service.subscribe(session, principal, wish, datetime.now(UTC) - timedelta(days=2))
    subscribe(session, colleague)

    def ask(*_args: object) -> ReportParagraph:
        return ReportParagraph("No product is tracked yet.", "stand-in-1", None)

    monkeypatch.setattr(make_reports, "ask_paragraph", ask)
    calls = record_open_scopes(monkeypatch, make_reports, "ask_paragraph", "write_message")
    make_reports.make_reports()
    assert calls == [("ask_paragraph", 0), ("write_message", 0)]
    [report] = service.list_reports(session, principal, 10)
    kept = service.open_report(session, principal, report.id).paragraph
    assert kept == ReportParagraph("No product is tracked yet.", "stand-in-1", None)
    [message] = fetch_rows(session, "SELECT content FROM outbox_message")
    first = message["content"]["items"][0]
    assert (first["title"], first["text"]) == ("Summary", "No product is tracked yet.")
    [other] = service.list_reports(session, colleague, 10)
    assert service.open_report(session, colleague, other.id).paragraph is None


def test_a_job_that_is_killed_after_the_answer_keeps_it_and_asks_once(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = Subscription(ReportKind.DAILY, ListScope.TEAM, has_paragraph=True)
    service.subscribe(session, principal, wish, datetime.now(UTC) - timedelta(days=2))
    session.commit()

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    text = "Nothing changed, and there is no product to look at."
    with running_model() as server:
        access = ModelAccess(KEY, server.url, MODEL, reply_tokens=1000)
        setup = ModelSetup(access, Price(Decimal(1), Decimal(10)), Decimal(1))
        monkeypatch.setattr(make_reports, "get_setup", lambda _settings: setup)
        server.answer_next(JSONResponse(completion(json.dumps({"paragraph": text}))))
        with monkeypatch.context() as patch:
            patch.setattr(service, "keep_due_report", killed)
            with pytest.raises(KeyboardInterrupt):
                make_reports.make_reports()
        make_reports.make_reports()
        assert len(server.asked) == 1
    [report] = service.list_reports(session, principal, 10)
    assert service.open_report(session, principal, report.id).paragraph == ReportParagraph(
        text, SPOKEN, None
    )


def test_a_report_whose_model_is_not_connected_comes_without_a_paragraph(
    session: Session, principal: Principal
) -> None:
    wish = Subscription(ReportKind.DAILY, ListScope.TEAM, has_paragraph=True)
    service.subscribe(session, principal, wish, datetime.now(UTC) - timedelta(days=2))
    session.commit()
    make_reports.make_reports()
    [report] = service.list_reports(session, principal, 10)
    found = service.open_report(session, principal, report.id).paragraph
    assert found is not None
    assert found.text is None
    assert found.reason


def test_an_email_is_written_with_no_transaction_open(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = Subscription(ReportKind.DAILY, ListScope.TEAM, by_email=True)
    service.subscribe(session, principal, wish, datetime.now(UTC) - timedelta(days=2))
    session.commit()
    calls = record_open_scopes(monkeypatch, make_reports, "write_message")
    make_reports.make_reports()
    assert calls == [("write_message", 0)]
    assert len(fetch_rows(session, "SELECT * FROM outbox_message")) == 1
