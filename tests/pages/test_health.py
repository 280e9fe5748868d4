"""Data health, through the app's own entry point, and the texts of its tiles."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.health.failed_checks import describe_next
from app.health.tiles import (
    Level,
    make_database_tile,
    make_mail_tile,
    make_model_tile,
    make_provider_tile,
    make_queue_tile,
    make_worker_tile,
)
from core.accounts.access.permissions import Principal, Role
from core.backup.pause import begin_pause, confirm_restore
from core.connections.resolve import Origin
from core.connections.service import ConnectionTest, ListedConnection
from core.connections.values import ConnectionName, MailServer
from core.errors import NotAllowedError
from core.history.observation import Seen
from core.scraping.runs.lifecycle import set_provider_state
from core.suggestions.llm.config import ModelAddress
from core.suggestions.llm.daily_stats import ModelDay
from core.upkeep.check_counts import FailureReason
from core.upkeep.health import Schedule
from core.upkeep.heartbeat import WorkerRestarts, record_heartbeat, record_restart
from core.upkeep.job_runs import begin_job, end_job
from tests.core.upkeep.test_health import APIFY, FINE, NOW, follow_two, make_run
from tests.factories.observations import make_price_observation, store_observations
from tests.pages.conftest import SignIn
from tests.pages.screen import open_page, plain, press


def headings(app: AppTest) -> list[str]:
    return [each.value for each in app.header]


def table(app: AppTest, column: str) -> list[dict[str, object]]:
    [found] = [each.value for each in app.dataframe if column in each.value.columns]
    return found.to_dict("records")


def open_part(part: str) -> AppTest:
    app = open_page("health")
    app.session_state[part] = True
    return app.run()


# The page


def test_a_new_installation_names_what_does_not_run(session: Session) -> None:
    app = open_page("health")
    shown = plain(app)
    assert "**1 problem**" in shown
    assert "**The worker has not started yet** · Nothing is checked or imported." in shown
    assert "No check in the last 24 hours." in shown
    assert "No product is checked regularly yet." in shown
    assert "No check failed in the last 24 hours." in shown
    assert "Problems" in headings(app)


def test_all_systems_are_operational_with_a_restart_that_left_a_trace(session: Session) -> None:
    now = datetime.now(UTC)
    record_heartbeat(session, now)
    record_restart(session, now - timedelta(minutes=5), "worker was ended by SIGKILL")
    session.commit()
    app = open_page("health")
    shown = plain(app)
    assert [each.value for each in app.title] == ["Data health"]
    assert "**All systems operational**" in shown
    assert "restarted 5 min ago, once in 24 h" in shown
    assert "Apify isn't connected" in shown, "worth knowing, and no problem"
    assert "Problems" not in headings(app)


def test_products_that_wait_for_a_connection_are_a_problem_with_a_button(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal], sign_in: SignIn
) -> None:
    record_heartbeat(session, datetime.now(UTC))
    follow_two(session, principal)
    session.commit()
    app = open_page("health")
    assert "**Apify isn't connected** · 2 products are not checked." in plain(app)
    sign_in(make_user(Role.SELLER))
    app = open_page("health")
    assert "2 products are not checked" in plain(app)
    assert not [each for each in app.button if each.label == "Connect"]


def test_a_provider_that_does_not_answer_is_amber_at_once(
    session: Session, principal: Principal
) -> None:
    now = datetime.now(UTC)
    record_heartbeat(session, now)
    first, _ = follow_two(session, principal)
    asked = now - timedelta(seconds=47)
    make_run(session, {first: None}, provider="demo", state="intended", asked_at=asked)
    session.commit()
    app = open_page("health")
    assert "operational" not in plain(app)
    assert "**1 run has had no answer of Demo data source for 4" in plain(app)
    assert ":orange[:material/error: **No answer for 4" in plain(app)
    app = press(app, "Details")
    assert [row["State"] for row in table(app, "Actor")] == ["intended"]


def test_checks_failures_and_cost_of_the_day_are_drawn_and_listed(
    session: Session, principal: Principal
) -> None:
    now = datetime.now(UTC)
    record_heartbeat(session, now)
    first, second = follow_two(session, principal)
    make_run(session, {first: "ok", second: "blocked"}, intended_at=now)
    session.commit()
    app = open_page("health")
    shown = plain(app)
    assert "2 in 24 h, 1 failed" in shown
    assert "$0.25; today (UTC) $0.25" in shown
    assert {"Checks per hour", "Freshness", "Cost this month"} <= set(headings(app))
    assert len(app.get("plotly_chart")) == 3
    [row] = table(app, "What happens")
    assert (row["Reason"], row["Marketplace"], row["Checks"], row["Affects"]) == (
        "Blocked by Amazon", "DE", 1, "1 product",
    )  # fmt: skip


def test_technical_details_are_for_administrators_and_read_when_opened(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal], sign_in: SignIn
) -> None:
    now = datetime.now(UTC)
    record_heartbeat(session, now)
    first, second = follow_two(session, principal)
    make_run(session, {first: "ok", second: "blocked"}, intended_at=now)
    end_job(session, begin_job(session, "retention"), now, None, "OSError: disk full")
    at = now - timedelta(hours=1)
    observation = make_price_observation(at=at, ranks=(), unreadable={Seen.BSR: "Pozycja ??"})
    store_observations(session, observation, now=now)
    session.commit()
    app = open_page("health")
    assert "**1 background job failed in 24 hours**" in plain(app)
    assert len(app.dataframe) == 1, "nothing is read before it is opened"
    app = press(app, "Details")
    assert table(app, "Duration")[0]["Result"] == "OSError: disk full"
    [run] = table(open_part("part_runs"), "Actor")
    assert (run["Products"], run["Stored"], run["Failed"], run["Cost"]) == (2, 1, 1, "$0.25")
    [field] = table(open_part("part_fields"), "What stood there")
    assert (field["Field"], field["What stood there"]) == ("bsr", "Pozycja ??")
    assert "Partitions prepared until" in plain(open_part("part_storage"))
    sign_in(make_user(Role.SELLER))
    app = open_part("part_jobs")
    assert "Technical details" not in headings(app)
    assert "background job" not in plain(app)
    assert [each.value["Reason"].tolist() for each in app.dataframe] == [["Blocked by Amazon"]]


def test_after_a_restore_an_administrator_sees_what_waits_and_continues(
    session: Session, principal: Principal, make_user: Callable[[Role], Principal], sign_in: SignIn
) -> None:
    now = datetime.now(UTC)
    record_heartbeat(session, now)
    follow_two(session, principal)
    begin_pause(session, principal, now - timedelta(days=3), now)
    session.commit()
    sign_in(seller := make_user(Role.SELLER))
    paused = "**Checks, notifications and approved changes are paused** · A backup made 3 days ago"
    app = open_page("health")
    assert paused in plain(app)
    assert "Restored from a backup" not in headings(app)
    with pytest.raises(NotAllowedError):
        confirm_restore(session, seller, now)
    sign_in(principal)
    app = open_page("health")
    assert "Restored from a backup" in headings(app)
    assert "Apify: 2 products due to be checked, for about $0.01." in plain(app)
    press(app, "Continue")
    assert "Restored from a backup" not in headings(app)
    assert paused not in plain(app)


def test_an_outage_of_the_database_during_a_reload_is_a_sentence(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("app.data.health.read_health", fail)
    app = open_page("health")
    assert "This page could not be shown" in app.error[0].value
    assert "secret detail" not in app.error[0].value


def test_a_provider_out_of_credit_is_a_state(session: Session, principal: Principal) -> None:
    now = datetime.now(UTC)
    set_provider_state(session, "demo", "no_credit", "402", now, now + timedelta(minutes=30))
    session.commit()
    assert ":red[:material/cancel: **Out of credit**]" in plain(open_page("health"))


# Tiles


def test_the_worker_is_running_offline_or_not_started() -> None:
    assert make_worker_tile(FINE).state == "Running"
    offline = make_worker_tile(replace(FINE, worker_seen_at=NOW - timedelta(minutes=9)))
    assert (offline.level, offline.note) == (Level.ALARM, "seen 9 min ago")
    assert make_worker_tile(replace(FINE, worker_seen_at=None)).state == "Not started"
    often = WorkerRestarts(3, NOW - timedelta(hours=2), "worker was ended by SIGKILL")
    assert make_worker_tile(replace(FINE, restarts=often)).note == (
        "restarted 2 h ago, 3 times in 24 h"
    )


@pytest.mark.parametrize(
    ("values", "level", "state", "note"),
    [
        ({}, Level.GOOD, "Responding", "answered just now"),
        ({"state": "unused", "checked_at": None}, Level.OFF, "Not called yet", "no product was"),
        ({"state": "no_token"}, Level.ALARM, "Not connected", "100 products wait"),
        (
            {"state": "no_token", "schedule": Schedule(0, 0, 0, 0, None)},
            Level.OFF,
            "Not connected",
            "no product needs it",
        ),
        (
            {"state": "unreachable", "retry_at": NOW + timedelta(minutes=2)},
            Level.WARNING,
            "Not responding",
            "backing off, retry in 2 min",
        ),
        ({"state": "bad_token"}, Level.ALARM, "Token refused", "called just now"),
        (
            {"schedule": Schedule(9, 9, 0, 9, NOW, NOW - timedelta(seconds=45), 1)},
            Level.WARNING,
            "No answer for 45 s",
            "the run is searched for",
        ),
    ],
)
def test_a_data_source_has_a_state_and_what_comes_next(
    values: dict[str, object], level: Level, state: str, note: str
) -> None:
    tile = make_provider_tile(replace(APIFY, **values), NOW)  # type: ignore[arg-type]
    assert (tile.level, tile.state) == (level, state)
    assert tile.note.startswith(note)


def test_queue_and_database_warn_when_they_are_full() -> None:
    assert make_queue_tile(FINE).note == "10 in progress"
    late = replace(APIFY, schedule=Schedule(100, 30, 10, 7, NOW))
    tile = make_queue_tile(replace(FINE, providers=[late]))
    assert (tile.level, tile.state) == (Level.WARNING, "30 queued")
    assert tile.note == "10 in progress, 7 overdue"
    assert make_database_tile(FINE).note == "on its own server"
    full = replace(FINE, storage=replace(FINE.storage, free_bytes=5_000_000))
    assert make_database_tile(full).level is Level.WARNING


def test_model_and_mail_have_the_state_of_their_connection() -> None:
    address = ModelAddress("gpt-x", "models.example", Decimal(1), None)
    day = ModelDay(3, 2, 1, 0, 2, Decimal("0.1"))
    assert make_model_tile(address, day).note == "3 questions, 2 answered, 1 rejected today"
    assert make_model_tile(replace(address, missing="No model."), day).level is Level.OFF
    assert make_model_tile(address, replace(day, is_backing_off=True)).state == "Not responding"
    assert make_model_tile(address, replace(day, dollars=Decimal(1))).state == "Budget used up"
    values = MailServer("mail.example", 587, "a@team.example")
    mail = ListedConnection(ConnectionName.MAIL, Origin.STORED, values, "", None)
    assert make_mail_tile(mail).note == "not tested yet"
    failed = replace(mail, test=ConnectionTest(NOW, False, "No mail server answers."))
    assert make_mail_tile(failed).level is Level.WARNING
    assert make_mail_tile(replace(mail, values=None)).level is Level.OFF
    assert make_mail_tile(replace(mail, values=None, problem="key")).level is Level.ALARM


def test_failures_show_what_became_of_their_products() -> None:
    reason = FailureReason("blocked", "JP", 47, 27, 0, NOW, NOW + timedelta(minutes=18))
    assert describe_next(reason, NOW) == "Retry in 18 min"
    assert (
        describe_next(replace(reason, recovered=8), NOW) == "8 of 27 since checked, retry in 18 min"
    )
    assert describe_next(replace(reason, recovered=27), NOW) == "All were checked since"
    assert describe_next(replace(reason, next_due_at=NOW), NOW) == "Retry is due"
    assert "no longer tracked" in describe_next(replace(reason, next_due_at=None), NOW).lower()
