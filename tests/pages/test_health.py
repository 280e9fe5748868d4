"""The health screen, through the app's own entry point."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.data import health as data
from app.health import providers
from core.accounts.access.permissions import Principal
from core.history.observation import Seen
from core.scraping.runs.lifecycle import set_provider_state
from core.settings.environment import ROOT
from core.upkeep.health import Provider
from core.upkeep.heartbeat import record_heartbeat
from core.upkeep.job_runs import begin_job, end_job
from tests.core.upkeep.test_health import APIFY, follow_two, make_run
from tests.factories.observations import make_price_observation, store_observations


@pytest.fixture(autouse=True)
def _nothing_kept(session: Session) -> Iterator[None]:
    st.cache_data.clear()
    yield
    st.cache_data.clear()


def open_page() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=30).run()
    app.switch_page(str(Path("..") / "pages" / "health.py"))
    return app.run()


def words(app: AppTest) -> str:
    shown = [*app.success, *app.error, *app.warning, *app.markdown, *app.caption]
    return "\n".join(str(each.value) for each in shown)


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_an_installation_whose_worker_never_ran_says_how_to_start_it(session: Session) -> None:
    app = open_page()
    assert not app.exception
    assert app.error[0].value.startswith("The worker has never run")
    assert figures(app)["Worker"] == "Never ran"
    assert "No run in the last 24 hours" in words(app)
    assert "Nothing was fetched in the last 24 hours." in words(app)


def test_a_worker_that_beats_and_nothing_wrong_is_fine(session: Session) -> None:
    record_heartbeat(session, datetime.now(UTC))
    session.commit()
    app = open_page()
    assert "**Everything is fine.**" in app.success[0].value
    assert figures(app)["Worker"] == "Running"
    assert "Apify isn't connected" in words(app), "worth knowing, and no alarm"


def test_a_provider_that_does_not_answer_keeps_the_page_from_being_green(
    session: Session, principal: Principal
) -> None:
    now = datetime.now(UTC)
    record_heartbeat(session, now)
    first, _ = follow_two(session, principal)
    asked = now - timedelta(minutes=5)
    make_run(session, {first: None}, provider="demo", state="intended", intended_at=asked)
    session.commit()
    app = open_page()
    assert not app.success
    assert "does not answer" in words(app)
    assert app.warning[0].value.startswith("Demo has not answered a request of 5 minutes ago.")


def test_runs_failures_and_cost_of_the_day_are_shown(
    session: Session, principal: Principal
) -> None:
    now = datetime.now(UTC)
    record_heartbeat(session, now)
    first, second = follow_two(session, principal)
    make_run(session, {first: "ok", second: "blocked"}, intended_at=now)
    session.commit()
    app = open_page()
    shown = figures(app)
    assert shown["Checks (24 h)"] == "2"
    assert shown["Cost today (UTC)"] == "$0.25"
    assert shown["Due now"] == "2"
    failed, runs = app.dataframe[0].value, app.dataframe[1].value
    assert failed["ASIN"].tolist() == ["B0TEST0002"]
    assert failed["Original"].tolist() == ["none came"]
    assert runs[["Products", "Stored", "Failed"]].values.tolist() == [[2, 1, 1]]
    assert runs["Cost"].tolist() == ["$0.25"]
    assert "Amazon blocked the request" in words(app)


def test_a_failed_job_is_told_with_its_error(session: Session) -> None:
    now = datetime.now(UTC)
    record_heartbeat(session, now)
    end_job(session, begin_job(session, "retention"), now, None, "OSError: disk full")
    session.commit()
    app = open_page()
    assert "A job failed in the last 24 hours, last “retention”" in words(app)
    assert app.dataframe[0].value["What it did"].tolist() == ["OSError: disk full"]


def test_a_provider_without_a_token_is_not_said_to_have_been_asked() -> None:
    now = APIFY.checked_at
    assert now is not None
    assert "asked" in providers.provider_sentence(APIFY, now)
    without = replace(APIFY, state="no_token")
    assert "asked" not in providers.provider_sentence(without, now)


def test_a_refused_token_is_a_state_and_says_when_it_is_tried_again() -> None:
    now = APIFY.checked_at
    assert now is not None
    resting = providers.provider_sentence(
        Provider(
            name="apify",
            state="bad_token",
            detail="401",
            checked_at=now,
            retry_at=now + timedelta(minutes=30),
            schedule=APIFY.schedule,
            dollars_today=Decimal("1.2"),
            dollars_this_month=Decimal(20),
            dollars_per_day=Decimal(5),
            dollars_per_product=Decimal("0.005"),
        ),
        now,
    )
    assert "100 products scheduled · 3 due" in resting
    assert "\\$1.20 today of \\$5.00" in resting
    assert "rests, tried again in 30 min" in resting


def test_a_provider_out_of_credit_is_shown_as_such(session: Session, principal: Principal) -> None:
    now = datetime.now(UTC)
    set_provider_state(session, "demo", "no_credit", "402", now, now + timedelta(minutes=30))
    session.commit()
    app = open_page()
    assert "out of credit" in words(app)


def test_a_token_that_nobody_needs_yet_is_no_alarm(session: Session) -> None:
    health = data.read_health()
    [unneeded] = [each for each in health.providers if each.name == "apify"]
    missing = replace(unneeded, state="no_token")
    needed = replace(missing, schedule=replace(missing.schedule, scheduled=1))
    assert providers.badge_color(missing, health.as_of) == "gray"
    assert providers.badge_color(needed, health.as_of) == "red"


def test_a_field_that_could_not_be_read_stands_on_the_page_with_its_text(session: Session) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    look = make_price_observation(at=at, ranks=(), unreadable={Seen.BSR: "Pozycja ??"})
    store_observations(session, look, now=datetime.now(UTC))
    session.commit()
    app = open_page()
    (table,) = [frame.value for frame in app.dataframe if "What stood there" in frame.value]
    (row,) = table.to_dict("records")
    assert (row["Field"], row["Last 24 hours"], row["What stood there"]) == ("bsr", 1, "Pozycja ??")
