"""Kept reports and subscriptions: whose they are, how many, and how long."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.models import Person
from core.errors import InvalidInputError, NotFoundError
from core.history.periods.change_period import ChangePeriod
from core.reports import service
from core.reports.compute_report import compute_report
from core.reports.content import Report
from core.reports.models import KeptReport
from core.reports.rules import MOST_ON_REQUEST, ReportKind, Subscription
from core.reports.service import DueSubscription
from core.tracking.list_filter import ListScope
from tests.factories.people import add_colleague
from tests.factories.reports import AT
from tests.factories.tables import fetch_rows

DAILY = Subscription(ReportKind.DAILY, ListScope.TEAM, hour=7)


@pytest.fixture
def report(session: Session, principal: Principal) -> Report:
    return compute_report(
        session, principal, ListScope.TEAM, ChangePeriod.DAY, AT, AT, Decimal("0.01")
    )


def test_a_report_is_kept_for_its_reader_alone(
    session: Session, principal: Principal, report: Report
) -> None:
    number = service.keep_report(session, principal, ReportKind.DAILY, report, date(2026, 3, 10))
    assert [each.id for each in service.list_reports(session, principal, 10)] == [number]
    assert service.open_report(session, principal, number) == report
    colleague = add_colleague(session, principal)
    assert service.list_reports(session, colleague, 10) == []
    with pytest.raises(NotFoundError):
        service.open_report(session, colleague, number)


def test_a_report_of_another_version_is_not_misread(
    session: Session, principal: Principal, report: Report
) -> None:
    number = service.keep_report(session, principal, ReportKind.DAILY, report, date(2026, 3, 10))
    for content in ({"version": 99, "report": {}}, {"version": 1, "report": {}}, {}):
        session.execute(update(KeptReport).values(content=content))
        with pytest.raises(NotFoundError):
            service.open_report(session, principal, number)


def test_only_so_many_are_made_by_hand_in_a_day(
    session: Session, principal: Principal, report: Report
) -> None:
    for _ in range(MOST_ON_REQUEST):
        service.keep_report(session, principal, ReportKind.DAILY, report, AT.date())
    with pytest.raises(InvalidInputError):
        service.keep_report(session, principal, ReportKind.DAILY, report, AT.date())
    later = replace(report, made_at=AT + timedelta(days=2))
    assert service.keep_report(session, principal, ReportKind.DAILY, later, AT.date())


def test_a_due_report_is_made_once(session: Session, principal: Principal, report: Report) -> None:
    service.subscribe(session, principal, DAILY, AT)
    tomorrow = AT + timedelta(days=1)
    [due] = service.list_due(session, tomorrow)
    assert (due.person_id, due.wish, due.due.day) == (
        principal.person_id,
        DAILY,
        tomorrow.date(),
    )
    assert service.keep_due_report(session, principal, due, report) is not None
    assert service.keep_due_report(session, principal, due, report) is None
    assert service.list_due(session, tomorrow) == []
    # Another subscription of this kind makes no second report of the day.
    service.unsubscribe(session, principal, ReportKind.DAILY)
    service.subscribe(session, principal, replace(DAILY, hour=8), AT)
    [again] = service.list_due(session, tomorrow)
    assert service.keep_due_report(session, principal, again, report) is None
    assert len(service.list_reports(session, principal, 10)) == 1


@pytest.mark.parametrize(
    ("meanwhile", "is_kept", "is_emailed"),
    [
        (replace(DAILY, by_email=True, hour=9), True, True),
        (replace(DAILY, by_email=False), True, False),
        (replace(DAILY, by_email=True, scope=ListScope.MINE), False, False),
        (None, False, False),
    ],
)
def test_a_subscription_that_changed_while_its_report_was_made_decides(
    session: Session,
    principal: Principal,
    report: Report,
    meanwhile: Subscription | None,
    is_kept: bool,
    is_emailed: bool,
) -> None:
    service.subscribe(session, principal, replace(DAILY, by_email=True), AT)
    [due] = service.list_due(session, AT + timedelta(days=1))
    if meanwhile is None:
        service.unsubscribe(session, principal, ReportKind.DAILY)
    else:
        service.subscribe(session, principal, meanwhile, AT)
    kept = service.keep_due_report(session, principal, due, report)
    assert (kept is not None) is is_kept
    assert (kept is not None and kept.is_emailed) is is_emailed
    assert len(service.list_reports(session, principal, 10)) == is_kept


def test_a_subscription_is_listed_with_its_next_time(
    session: Session, principal: Principal
) -> None:
    service.subscribe(session, principal, DAILY, AT)
    service.subscribe(session, principal, replace(DAILY, hour=9, by_email=True), AT)
    [listed] = service.list_subscriptions(session, principal, AT)
    assert listed.wish.hour == 9
    assert listed.next_at == AT.replace(day=11, hour=9)
    assert service.unsubscribe(session, principal, ReportKind.DAILY)
    assert not service.unsubscribe(session, principal, ReportKind.DAILY)
    assert service.list_subscriptions(session, principal, AT) == []


def test_subscriptions_are_in_the_audit(session: Session, principal: Principal) -> None:
    service.subscribe(session, principal, DAILY, AT)
    service.unsubscribe(session, principal, ReportKind.DAILY)
    service.unsubscribe(session, principal, ReportKind.DAILY)
    subscribed, ended = fetch_rows(
        session, "SELECT verb, object, old, new FROM audit_event ORDER BY id"
    )
    assert (subscribed["verb"], subscribed["object"]) == ("subscribed to report", "person:1")
    assert subscribed["new"] == {
        "kind": "daily",
        "scope": DAILY.scope.value,
        "hour": DAILY.hour,
        "weekday": DAILY.weekday,
        "by_email": DAILY.by_email,
        "has_paragraph": DAILY.has_paragraph,
    }
    assert (ended["verb"], ended["old"]) == ("ended report subscription", {"kind": "daily"})


def test_no_report_is_due_for_a_disabled_user(session: Session, principal: Principal) -> None:
    colleague = add_colleague(session, principal)
    service.subscribe(session, colleague, DAILY, AT)
    session.execute(update(Person).where(Person.id == colleague.person_id).values(state="disabled"))
    assert service.list_due(session, AT + timedelta(days=1)) == []


def test_old_reports_and_those_of_erased_users_are_deleted(
    session: Session, principal: Principal, report: Report
) -> None:
    colleague = add_colleague(session, principal)
    due = DueSubscription(colleague.person_id, DAILY, service.DueReport(AT.date(), AT))
    service.subscribe(session, colleague, DAILY, AT)
    service.keep_due_report(session, colleague, due, report)
    kept = service.keep_report(session, principal, ReportKind.DAILY, report, AT.date())
    old = replace(report, made_at=AT - timedelta(days=401))
    service.keep_report(session, principal, ReportKind.DAILY, old, AT.date())
    session.execute(update(Person).where(Person.id == colleague.person_id).values(state="erased"))
    assert service.delete_old_reports(session, AT) == 2
    assert session.scalars(select(KeptReport.id)).all() == [kept]
    session.execute(update(Person).where(Person.id == colleague.person_id).values(state="active"))
    assert service.list_due(session, AT + timedelta(days=1)) == []


def test_a_zone_that_is_no_longer_known_stops_no_report(
    session: Session, principal: Principal
) -> None:
    service.subscribe(session, principal, Subscription(ReportKind.DAILY), AT)
    session.execute(update(Person).values(time_zone="Nowhere/Here"))
    assert [each.person_id for each in service.list_due(session, AT + timedelta(days=2))] == [
        principal.person_id
    ]
