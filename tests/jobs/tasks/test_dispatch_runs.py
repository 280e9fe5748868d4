"""A fetch from due to stored, and every way it can go wrong, with the real client."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.demo.fake_apify.server import NO_CREDIT_TOKEN
from core.scraping.runs.apify import Apify, RefusedError
from core.tracking.rules import Cadence
from jobs.tasks import collect_runs, dispatch_runs
from jobs.tasks.providers import map_providers
from tests.jobs.fetch_world import ASINS, UNSEEN, World, set_environment


def test_a_due_product_is_fetched_and_stored(world: World) -> None:
    world.follow()
    world.fetch()
    (run,) = world.runs()
    assert (run["state"], run["batch_size"], run["outside_status"]) == ("collected", 5, "SUCCEEDED")
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5
    assert world.value("SELECT count(*) AS n FROM raw_item") == 5
    assert world.value("SELECT count(*) AS n FROM product_daily") == 5
    assert run["cost_usd"] is not None
    assert world.runs_paid() == 1
    assert world.state() is not None
    assert world.state()["state"] == "ok"


def test_a_fetched_product_is_due_again_after_its_cadence(world: World) -> None:
    before = datetime.now(UTC)
    world.follow(ASINS[:1])
    world.fetch()
    (due,) = world.rows("SELECT * FROM fetch_schedule")
    assert due["leased_until"] is None
    assert due["failures"] == 0
    assert before + timedelta(days=1) <= due["due_at"] <= datetime.now(UTC) + timedelta(days=1)
    world.fetch()
    assert world.runs_paid() == 1


def test_reading_a_finished_run_again_stores_nothing_twice(world: World) -> None:
    world.follow()
    world.fetch()
    world.change("UPDATE fetch_run SET state = 'finished'")
    world.collect_all()
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5
    assert world.value("SELECT count(*) AS n FROM raw_item") == 5


def test_a_data_set_is_read_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_runs, "PAGE", 2)
    world.follow()
    world.fetch()
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5
    assert world.fake_apify.stats()["operations"]["list_items"] == 3


def test_products_of_two_marketplaces_are_two_runs(world: World) -> None:
    world.follow(ASINS[:2])
    world.follow([UNSEEN], marketplace="DE")
    world.fetch()
    assert sorted(run["marketplace"] for run in world.runs()) == ["DE", "US"]


def test_no_more_runs_than_allowed_are_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, AMAZCOPE_PARALLEL_RUNS="2", AMAZCOPE_PRODUCTS_PER_RUN="1")
    world.follow()
    assert dispatch_runs.start_due_runs() == 2
    assert world.runs_paid() == 2


def test_the_days_budget_stops_further_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(
        monkeypatch,
        AMAZCOPE_DOLLARS_PER_DAY="0.011",
        AMAZCOPE_PRODUCTS_PER_RUN="1",
        AMAZCOPE_DOLLARS_PER_PRODUCT="0.005",
    )
    world.follow()
    world.fetch()
    world.fetch()
    assert world.runs_paid() == 2


def test_without_a_token_the_state_names_it_and_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APIFY_TOKEN")
    set_environment(monkeypatch)
    world.follow()
    assert dispatch_runs.start_due_runs() == 0
    assert world.state() is not None
    assert world.state()["state"] == "no_token"
    assert "APIFY_TOKEN" in world.state()["detail"]
    set_environment(monkeypatch, APIFY_TOKEN=world.fake_apify.token)
    world.fetch()
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


@pytest.mark.parametrize(
    ("token", "state"), [("wrong", "bad_token"), (NO_CREDIT_TOKEN, "no_credit")]
)
def test_a_token_that_does_not_work_is_a_state_and_rests(
    world: World, monkeypatch: pytest.MonkeyPatch, token: str, state: str
) -> None:
    set_environment(monkeypatch, APIFY_TOKEN=token)
    world.follow()
    assert dispatch_runs.start_due_runs() == 0
    assert world.state() is not None
    assert world.state()["state"] == state
    asked = world.fake_apify.stats()["operations"]["start_run"]
    assert dispatch_runs.start_due_runs() == 0
    assert world.fake_apify.stats()["operations"]["start_run"] == asked
    assert world.value("SELECT count(*) AS n FROM fetch_schedule WHERE leased_until IS NULL") == 5
    set_environment(monkeypatch, APIFY_TOKEN=world.fake_apify.token)
    world.end_of_rest()
    world.fetch()
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5
    assert world.runs_paid() == 1


def test_a_token_that_stops_working_while_a_run_is_open_is_a_state(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    dispatch_runs.start_due_runs()
    set_environment(monkeypatch, APIFY_TOKEN="wrong")
    collect_runs.advance_open_runs()
    assert world.state() is not None
    assert world.state()["state"] == "bad_token"
    set_environment(monkeypatch, APIFY_TOKEN=world.fake_apify.token)
    world.collect_all()
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


def test_too_many_requests_are_a_short_rest(world: World) -> None:
    world.fake_apify.fail_next("http_429", operation="start_run")
    world.follow()
    assert dispatch_runs.start_due_runs() == 0
    assert world.state() is not None
    assert world.state()["state"] == "unreachable"
    assert world.state()["retry_at"] - world.state()["checked_at"] <= timedelta(minutes=5)
    world.end_of_rest()
    world.fetch()
    assert world.runs_paid() == 1


def test_a_machine_that_does_not_answer_leaves_the_products_due(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, APIFY_API_URL="http://127.0.0.1:9")
    world.follow()
    assert dispatch_runs.start_due_runs() == 0
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert world.value("SELECT count(*) AS n FROM fetch_item") == 0
    assert world.value("SELECT count(*) AS n FROM fetch_schedule WHERE leased_until IS NULL") == 5


def test_every_run_leaves_a_job_run(world: World) -> None:
    world.follow()
    world.fetch()
    jobs = world.rows("SELECT job, state FROM job_run ORDER BY id")
    assert {(each["job"], each["state"]) for each in jobs} == {
        ("fetch", "done"),
        ("collect", "done"),
        ("alerts", "done"),
    }


def test_an_unknown_actor_is_a_state_and_not_a_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    set_environment(monkeypatch, AMAZCOPE_ACTOR="nobody/knows-it")
    assert dispatch_runs.start_due_runs() == 0
    state = world.state()
    assert state is not None
    assert state["state"] == "misconfigured"
    assert "nobody/knows-it" in state["detail"]
    assert world.runs_paid() == 0


def test_a_start_that_is_refused_is_a_state_and_not_tried_with_all_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="1")

    def refused(*_: Any) -> Any:
        raise RefusedError("Apify refused the request: Actor was not found")

    monkeypatch.setattr(Apify, "start_run", refused)
    world.follow()
    assert dispatch_runs.start_due_runs() == 0
    assert dispatch_runs.start_due_runs() == 0
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert world.state() is not None
    assert world.state()["state"] == "refused"
    assert "not found" in world.state()["detail"]


def test_a_mended_token_is_tried_as_soon_as_the_worker_starts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, APIFY_TOKEN="wrong")
    world.follow()
    dispatch_runs.start_due_runs()
    set_environment(monkeypatch, APIFY_TOKEN=world.fake_apify.token)
    assert dispatch_runs.start_due_runs() == 0
    dispatch_runs.clear_backoffs()
    assert dispatch_runs.start_due_runs() == 1


def test_a_job_reports_whether_a_run_was_started(world: World) -> None:
    world.fake_apify.fail_next("no_credit", operation="start_run")
    world.follow()
    dispatch_runs.start_due_runs()
    assert "not started" in world.value("SELECT note FROM job_run WHERE job = 'fetch'")


def test_every_round_leaves_a_job_run_and_idle_ones_only_the_last(world: World) -> None:
    for _ in range(3):
        dispatch_runs.dispatch_due()
        collect_runs.collect_runs()
    idle = world.rows("SELECT id, job, state FROM job_run ORDER BY id")
    assert [(each["job"], each["state"]) for each in idle] == [
        ("dispatch", "done"),
        ("collect runs", "done"),
    ]
    world.follow()
    dispatch_runs.dispatch_due()
    collect_runs.collect_runs()
    jobs = [each["job"] for each in world.rows("SELECT job FROM job_run ORDER BY id")]
    assert jobs[:4] == ["dispatch", "collect runs", "dispatch", "fetch"]


def test_the_time_a_run_takes_does_not_make_checks_rarer(world: World) -> None:
    world.follow(ASINS[:1], cadence=Cadence.HOURLY)
    world.change("UPDATE fetch_schedule SET due_at = now() - interval '10 minutes'")
    due = world.value("SELECT due_at FROM fetch_schedule")
    world.fetch()
    assert world.value("SELECT due_at FROM fetch_schedule") == due + timedelta(hours=1)


def test_a_check_that_comes_back_half_a_round_late_begins_a_new_rhythm(world: World) -> None:
    world.follow(ASINS[:1], cadence=Cadence.HOURLY)
    world.change("UPDATE fetch_schedule SET due_at = now() - interval '31 minutes'")
    before = datetime.now(UTC)
    world.fetch()
    assert world.value("SELECT due_at FROM fetch_schedule") >= before + timedelta(hours=1)


def test_one_that_does_not_answer_is_asked_once_a_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="1")
    world.follow()
    assert dispatch_runs.start_due_runs() == 5
    world.fake_apify.fail_next("http_500", operation="get_run", times=None)
    collect_runs.advance_open_runs()
    assert world.fake_apify.stats()["operations"]["get_run"] == 1
    assert world.value("SELECT count(claimed_until) AS n FROM fetch_run") == 0
    world.fake_apify.app.script.clear_faults()
    world.collect_all()
    assert {run["state"] for run in world.runs()} == {"collected"}


def test_garbage_about_one_run_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="1")
    world.follow()
    assert dispatch_runs.start_due_runs() == 5
    world.wait_until_runs_end()
    world.fake_apify.fail_next("garbage_json", operation="get_run")
    assert collect_runs.advance_open_runs() == 5
    assert [run["state"] for run in world.runs()] == ["running"] + 4 * ["collected"]
    assert "could not be read" in world.runs()[0]["error"]
    assert world.state() is not None
    assert world.state()["state"] == "ok"
    world.collect_all()
    assert {run["state"] for run in world.runs()} == {"collected"}


def test_a_data_set_that_stays_unreadable_is_given_up_and_its_products_come_back(
    world: World,
) -> None:
    world.follow()
    dispatch_runs.start_due_runs()
    world.fake_apify.fail_next("garbage_json", operation="list_items", times=None)
    world.wait_until_runs_end()
    collect_runs.advance_open_runs()
    assert [run["state"] for run in world.runs()] == ["finished"]
    world.change("UPDATE fetch_run SET intended_at = now() - interval '3 hours'")
    collect_runs.advance_open_runs()
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert world.value("SELECT count(leased_until) AS n FROM fetch_schedule") == 0


def test_a_start_answered_with_an_error_is_cleared_up_within_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch_runs, "ANSWERED_AFTER", timedelta(seconds=15))
    monkeypatch.setattr(dispatch_runs, "UNCLEAR_AFTER", timedelta(minutes=3))
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="1")
    world.fake_apify.fail_next("http_500", operation="start_run")
    world.follow()
    dispatch_runs.start_due_runs()
    assert world.fake_apify.stats()["operations"]["start_run"] == 1  # the rest waits
    left = world.value("SELECT extract(epoch FROM claimed_until - now()) AS n FROM fetch_run")
    assert 0 < left <= 15
    assert world.state() is not None
    assert world.state()["retry_at"] - world.state()["checked_at"] == timedelta(seconds=10)


def test_a_provider_that_answers_slowly_holds_up_no_other() -> None:
    has_answered = threading.Event()

    def work(name: str) -> str:
        if name == "demo":
            has_answered.set()
        assert has_answered.wait(120), "the other one waits for this one"
        return name

    assert map_providers(work, ["apify", "demo"]) == ["apify", "demo"]
