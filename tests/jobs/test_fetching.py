"""A fetch from due to stored, and every way it can go wrong, with the real client."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest

from core.db import exclusive
from core.demo.stand_in import NO_CREDIT_TOKEN
from core.history.observation import Outcome
from core.scraping.apify import Apify, RefusedError
from core.tracking.rules import Cadence
from jobs import fetching
from tests.jobs.fetch_world import ASINS, UNSEEN, World, forget_queue, set_environment
from tests.stand_in import RunningStandIn, running_stand_in


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandIn]:
    with running_stand_in(run_seconds=0.05) as running:
        yield running


@pytest.fixture
def world(
    server: RunningStandIn, committed_database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    server.reset()
    set_environment(
        monkeypatch,
        AMAZCOPE_DEMO="false",
        APIFY_TOKEN=server.token,
        APIFY_API_URL=server.url,
        AMAZCOPE_PARALLEL_RUNS="5",
    )
    monkeypatch.setattr(fetching, "UNCLEAR_AFTER", timedelta(0))
    impatient = lru_cache(lambda access: Apify(replace(access, retries=0)))
    monkeypatch.setattr(fetching, "_client", impatient)
    forget_queue()
    yield World(server)
    forget_queue()


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
    monkeypatch.setattr(fetching, "PAGE", 2)
    world.follow()
    world.fetch()
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5
    assert world.stand_in.stats()["operations"]["list_items"] == 3


def test_products_of_two_marketplaces_are_two_runs(world: World) -> None:
    world.follow(ASINS[:2])
    world.follow([UNSEEN], marketplace="DE")
    world.fetch()
    assert sorted(run["marketplace"] for run in world.runs()) == ["DE", "US"]


def test_no_more_runs_than_allowed_are_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, AMAZCOPE_PARALLEL_RUNS="2", AMAZCOPE_PRODUCTS_PER_RUN="1")
    world.follow()
    assert fetching.dispatch() == 2
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


def test_without_a_token_the_state_says_so_and_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APIFY_TOKEN")
    set_environment(monkeypatch)
    world.follow()
    assert fetching.dispatch() == 0
    assert world.state() is not None
    assert world.state()["state"] == "no_token"
    assert "APIFY_TOKEN" in world.state()["detail"]
    set_environment(monkeypatch, APIFY_TOKEN=world.stand_in.token)
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
    assert fetching.dispatch() == 0
    assert world.state() is not None
    assert world.state()["state"] == state
    asked = world.stand_in.stats()["operations"]["start_run"]
    assert fetching.dispatch() == 0
    assert world.stand_in.stats()["operations"]["start_run"] == asked
    assert world.value("SELECT count(*) AS n FROM fetch_schedule WHERE leased_until IS NULL") == 5
    set_environment(monkeypatch, APIFY_TOKEN=world.stand_in.token)
    world.end_of_rest()
    world.fetch()
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5
    assert world.runs_paid() == 1


def test_a_token_that_stops_working_while_a_run_is_open_is_a_state(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    fetching.dispatch()
    set_environment(monkeypatch, APIFY_TOKEN="wrong")
    fetching.collect()
    assert world.state() is not None
    assert world.state()["state"] == "bad_token"
    set_environment(monkeypatch, APIFY_TOKEN=world.stand_in.token)
    world.collect_all()
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


def test_too_many_requests_are_a_short_rest(world: World) -> None:
    world.stand_in.fail_next("http_429", operation="start_run")
    world.follow()
    assert fetching.dispatch() == 0
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
    assert fetching.dispatch() == 0
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert world.value("SELECT count(*) AS n FROM fetch_item") == 0
    assert world.value("SELECT count(*) AS n FROM fetch_schedule WHERE leased_until IS NULL") == 5


@pytest.mark.parametrize("fault", ["lost_answer", "garbage_json"])
def test_a_run_whose_start_was_not_answered_is_found_by_its_input(world: World, fault: str) -> None:
    world.stand_in.fail_next(fault, operation="start_run")
    world.follow()
    fetching.dispatch()
    assert [run["outside_run_id"] for run in world.runs()] == [None]
    world.collect_all()
    assert world.runs_paid() == 1
    assert [run["state"] for run in world.runs()] == ["collected"]
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


@pytest.mark.parametrize("fault", ["drop_connection", "http_500"])
def test_a_run_that_was_never_started_is_withdrawn_and_tried_again(
    world: World, fault: str
) -> None:
    world.stand_in.fail_next(fault, operation="start_run")
    world.follow()
    fetching.dispatch()
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert world.runs_paid() == 0
    world.fetch()
    assert world.runs_paid() == 1
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


def test_a_start_that_may_still_be_under_way_is_not_withdrawn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "UNCLEAR_AFTER", timedelta(minutes=3))
    world.stand_in.fail_next("drop_connection", operation="start_run")
    world.follow()
    fetching.dispatch()
    fetching.collect()
    assert [run["state"] for run in world.runs()] == ["intended"]


def test_a_lost_run_is_found_although_a_round_of_dispatching_begins_at_the_same_moment(
    world: World,
) -> None:
    world.stand_in.fail_next("lost_answer", operation="start_run")
    world.follow()
    fetching.dispatch()
    taken, collected = threading.Event(), threading.Event()

    def dispatch_meanwhile() -> None:
        with exclusive(fetching.DISPATCH):
            taken.set()
            collected.wait(0.5)

    other = threading.Thread(target=dispatch_meanwhile)
    other.start()
    taken.wait()
    fetching.collect()
    other.join()
    assert world.runs()[0]["outside_run_id"] is not None


def test_recovery_leaves_a_run_alone_as_long_as_a_process_dispatches(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TURN", 0.3)
    world.stand_in.fail_next("drop_connection", operation="start_run")
    world.follow()
    fetching.dispatch()
    with exclusive(fetching.DISPATCH):
        fetching.collect()
    assert [run["state"] for run in world.runs()] == ["intended"]


def test_two_lost_answers_find_two_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="3")
    world.stand_in.fail_next("lost_answer", operation="start_run", times=2)
    world.follow()
    world.fetch()
    assert world.runs_paid() == 2
    assert len({run["outside_run_id"] for run in world.runs()}) == 2
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


def test_the_same_batch_asked_again_does_not_take_the_earlier_run_for_its_own(
    world: World,
) -> None:
    world.follow()
    world.fetch()
    world.end_of_rest()
    world.stand_in.fail_next("drop_connection", operation="start_run")
    world.fetch()
    assert [run["state"] for run in world.runs()] == ["collected", "failed"]
    world.fetch()
    assert world.runs_paid() == 2


def test_products_missing_from_a_partial_data_set_are_tried_again_soon(world: World) -> None:
    world.stand_in.fail_next("partial_dataset", share=0.4)
    world.follow()
    world.fetch()
    counted = sorted(outcome or "" for outcome in world.outcomes().values())
    assert counted == ["empty_run"] * 3 + ["ok"] * 2
    soon = datetime.now(UTC) + timedelta(minutes=6)
    assert world.value("SELECT count(*) AS n FROM fetch_schedule WHERE due_at < :t", t=soon) == 3
    world.end_of_rest()
    world.fetch()
    assert set(world.outcomes().values()) == {"ok"}


@pytest.mark.parametrize(
    ("fault", "outcome", "state"),
    [
        ("run_failed", Outcome.RUN_FAILED, "failed"),
        ("empty_dataset", Outcome.EMPTY_RUN, "collected"),
    ],
)
def test_a_run_that_brings_nothing_says_so_of_every_product(
    world: World, fault: str, outcome: Outcome, state: str
) -> None:
    world.stand_in.fail_next(fault)
    world.follow()
    world.fetch()
    assert set(world.outcomes().values()) == {outcome.value}
    assert [run["state"] for run in world.runs()] == [state]
    assert world.value("SELECT count(*) AS n FROM snapshot") == 0
    assert world.value("SELECT min(failures) AS n FROM fetch_schedule") == 1


def test_what_a_run_brought_before_it_timed_out_is_kept(world: World) -> None:
    world.stand_in.fail_next("run_timed_out")
    world.follow()
    world.fetch()
    counted = sorted(outcome or "" for outcome in world.outcomes().values())
    assert counted == ["ok"] * 2 + ["timeout"] * 3


@pytest.mark.parametrize(
    ("fault", "outcome", "snapshots"),
    [
        ("blocked_items", "blocked", 0),
        ("redirected_items", "redirected_asin", 0),
        ("not_found_items", "not_found", 1),
        ("duplicate_items", "ok", 1),
        ("price_zero", None, 1),
        ("null_product_details", "ok", 1),
    ],
)
def test_an_item_with_a_quirk_becomes_its_outcome(
    world: World, fault: str, outcome: str | None, snapshots: int
) -> None:
    world.stand_in.fail_next(fault)
    world.follow(ASINS[:1])
    world.fetch()
    found = world.outcomes()[ASINS[0]]
    assert found == outcome or (outcome is None and found is not None)
    assert world.value("SELECT count(*) AS n FROM snapshot") == snapshots


@pytest.mark.parametrize("moved", [ASINS[:1], ASINS[:1] + ASINS[2:3]])
def test_a_redirect_within_a_batch_is_told_by_what_is_left_over(
    world: World, moved: tuple[str, ...]
) -> None:
    world.stand_in.fail_next("redirected_items", asins=list(moved))
    world.follow()
    world.fetch()
    redirected = {asin for asin, each in world.outcomes().items() if each == "redirected_asin"}
    assert redirected == (set(moved) if len(moved) == 1 else set())
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5 - len(moved)


def test_a_redirect_in_a_partial_data_set_is_not_guessed(world: World) -> None:
    world.stand_in.fail_next("redirected_items", asins=[ASINS[0]])
    world.stand_in.fail_next("partial_dataset", share=0.6)
    world.follow()
    world.fetch()
    assert "redirected_asin" not in world.outcomes().values()


def test_an_empty_asin_fails_only_this_product(world: World) -> None:
    world.stand_in.fail_next("asin_empty", asins=[ASINS[0]])
    world.follow(ASINS[:2])
    world.fetch()
    assert world.outcomes()[ASINS[1]] == "ok"
    assert world.outcomes()[ASINS[0]] not in (None, "ok")


def test_a_blocked_page_never_changes_what_is_known_of_a_product(world: World) -> None:
    world.follow(ASINS[:1])
    world.fetch()
    before = world.rows("SELECT price, availability, captured_at FROM product_latest")
    world.stand_in.fail_next("blocked_items")
    world.end_of_rest()
    world.fetch()
    assert world.outcomes()[ASINS[0]] == "blocked"
    assert world.rows("SELECT price, availability, captured_at FROM product_latest") == before


def test_a_page_that_is_gone_is_an_answer(world: World) -> None:
    world.follow([UNSEEN])
    world.fetch()
    assert world.outcomes() == {UNSEEN: "not_found"}
    assert world.value("SELECT failures FROM fetch_schedule") == 0


def test_a_run_that_vanished_gives_its_products_back(world: World) -> None:
    world.follow()
    fetching.dispatch()
    world.stand_in.reset()
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert set(world.outcomes().values()) == {"run_failed"}
    assert world.value("SELECT count(*) AS n FROM fetch_schedule WHERE leased_until IS NULL") == 5


def test_a_data_set_that_vanished_gives_its_products_back(world: World) -> None:
    world.follow()
    world.fetch()
    world.change("UPDATE fetch_run SET state = 'finished'")
    world.change("UPDATE fetch_item SET outcome = NULL")
    world.stand_in.reset()
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert set(world.outcomes().values()) == {"run_failed"}


@pytest.mark.parametrize("operation", ["get_run", "list_items", "list_runs", "get_record"])
@pytest.mark.parametrize("fault", ["http_500", "drop_connection", "garbage_json"])
def test_a_question_without_an_answer_is_asked_again_in_the_next_round(
    world: World, operation: str, fault: str
) -> None:
    if operation in ("list_runs", "get_record"):
        world.stand_in.fail_next("lost_answer", operation="start_run")
    world.stand_in.fail_next(fault, operation=operation, times=1)
    world.follow()
    world.fetch()
    assert world.runs_paid() == 1
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


def test_a_run_that_can_not_be_read_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="3")
    world.follow()
    fetching.dispatch()
    real, broken = fetching.get_batch, world.runs()[0]["id"]

    def get_batch(session: Any, run_id: int, *rest: Any) -> Any:
        if run_id == broken:
            raise RuntimeError("unreadable")
        return real(session, run_id, *rest)

    monkeypatch.setattr(fetching, "get_batch", get_batch)
    for _ in range(3):
        with pytest.raises(ExceptionGroup):
            _collect_until_error()
    assert [run["state"] for run in world.runs()] == ["finished", "collected"]
    failed = world.rows("SELECT * FROM job_run WHERE state = 'failed'")
    assert "unreadable" in failed[0]["error"]


def _collect_until_error() -> None:
    for _ in range(100):
        fetching.collect()


def test_a_run_that_is_claimed_is_left_alone(world: World) -> None:
    world.follow()
    fetching.dispatch()
    (run,) = world.runs()
    assert fetching.claim(run["id"])
    assert not fetching.claim(run["id"])
    assert fetching.collect() == 0
    fetching.advance(run["id"])
    (run,) = world.runs()
    assert run["claimed_until"] is None


def test_a_product_nobody_follows_any_more_leaves_the_round_when_it_comes_back(
    world: World,
) -> None:
    world.follow(ASINS[:2])
    fetching.dispatch()
    world.change(
        "DELETE FROM tracking USING product p WHERE p.id = product_id AND asin = :asin",
        asin=ASINS[0],
    )
    world.collect_all()
    assert world.value("SELECT count(*) AS n FROM fetch_schedule") == 1
    assert world.value("SELECT count(*) AS n FROM snapshot") == 2


def test_every_run_leaves_a_job_run(world: World) -> None:
    world.follow()
    world.fetch()
    jobs = world.rows("SELECT job, state FROM job_run ORDER BY id")
    assert {(each["job"], each["state"]) for each in jobs} == {
        ("fetch", "done"),
        ("collect", "done"),
    }


def test_an_unknown_actor_is_a_state_and_not_a_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    set_environment(monkeypatch, AMAZCOPE_ACTOR="nobody/knows-it")
    assert fetching.dispatch() == 0
    state = world.state()
    assert state is not None
    assert state["state"] == "misconfigured"
    assert "nobody/knows-it" in state["detail"]
    assert world.runs_paid() == 0


def test_a_run_that_was_given_up_while_its_start_was_answered_is_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    monkeypatch.setattr(fetching.service, "mark_started", lambda *_: False)
    fetching.dispatch()
    operations = world.stand_in.stats()["operations"]
    assert operations["abort_run"] == operations["start_run"]


def test_a_run_that_can_never_be_stored_is_given_up_after_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    fetching.dispatch()

    def unreadable(*_: Any) -> Any:
        raise RuntimeError("unreadable")

    monkeypatch.setattr(fetching, "get_batch", unreadable)
    with pytest.raises(ExceptionGroup):
        _collect_until_error()
    assert [run["state"] for run in world.runs()] == ["finished"]
    world.change("UPDATE fetch_run SET intended_at = now() - interval '25 hours'")
    with pytest.raises(ExceptionGroup):
        _collect_until_error()
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert world.value("SELECT count(leased_until) AS n FROM fetch_schedule") == 0


def test_a_run_that_never_ends_is_stopped_and_its_products_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stand_in.fail_next("never_finishes")
    world.follow()
    fetching.dispatch()
    fetching.collect()
    assert [run["state"] for run in world.runs()] == ["running"]
    monkeypatch.setattr(fetching, "LONGEST_RUN", timedelta(0))
    world.collect_all()
    assert [(run["state"], run["outside_status"]) for run in world.runs()] == [
        ("failed", "ABORTED")
    ]
    assert set(world.outcomes().values()) == {"timeout"}
    assert world.value("SELECT count(leased_until) AS n FROM fetch_schedule") == 0
    monkeypatch.setattr(fetching, "LONGEST_RUN", timedelta(hours=2))
    world.end_of_rest()
    world.fetch()
    assert set(world.outcomes().values()) == {"ok"}


def test_an_open_run_is_collected_also_when_the_actor_is_set_to_nonsense(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    fetching.dispatch()
    set_environment(monkeypatch, AMAZCOPE_ACTOR="nobody/knows-it")
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["collected"]


def test_a_run_that_is_removed_while_it_is_collected_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="3")
    world.follow()
    fetching.dispatch()
    real, removed = fetching.advance, world.runs()[0]["id"]

    def advance(run_id: int, silent: set[str]) -> None:
        if run_id == removed:
            world.change("DELETE FROM fetch_item WHERE fetch_run_id = :id", id=run_id)
            world.change("DELETE FROM fetch_run WHERE id = :id", id=run_id)
        real(run_id, silent)

    monkeypatch.setattr(fetching, "advance", advance)
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["collected"]


def test_a_start_that_is_refused_is_a_state_and_not_tried_with_all_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="1")

    def refused(*_: Any) -> Any:
        raise RefusedError("Apify refused the request: Actor was not found")

    monkeypatch.setattr(Apify, "start", refused)
    world.follow()
    assert fetching.dispatch() == 0
    assert fetching.dispatch() == 0
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert world.state() is not None
    assert world.state()["state"] == "misconfigured"
    assert "not found" in world.state()["detail"]


def test_a_mended_token_is_tried_as_soon_as_the_worker_starts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, APIFY_TOKEN="wrong")
    world.follow()
    fetching.dispatch()
    set_environment(monkeypatch, APIFY_TOKEN=world.stand_in.token)
    assert fetching.dispatch() == 0
    fetching.end_rests()
    assert fetching.dispatch() == 1


def test_a_job_says_of_a_run_whether_it_was_started(world: World) -> None:
    world.stand_in.fail_next("no_credit", operation="start_run")
    world.follow()
    fetching.dispatch()
    assert "not started" in world.value("SELECT note FROM job_run WHERE job = 'fetch'")


def test_every_round_leaves_a_job_run_and_idle_ones_only_the_last(world: World) -> None:
    for _ in range(3):
        fetching.dispatch_round()
        fetching.collect_round()
    idle = world.rows("SELECT id, job, state FROM job_run ORDER BY id")
    assert [(each["job"], each["state"]) for each in idle] == [
        ("dispatch", "done"),
        ("collect runs", "done"),
    ]
    world.follow()
    fetching.dispatch_round()
    fetching.collect_round()
    jobs = [each["job"] for each in world.rows("SELECT job FROM job_run ORDER BY id")]
    assert jobs[:4] == ["dispatch", "collect runs", "dispatch", "fetch"]


def test_the_time_a_run_takes_does_not_make_looks_rarer(world: World) -> None:
    world.follow(ASINS[:1], cadence=Cadence.HOURLY)
    world.change("UPDATE fetch_schedule SET due_at = now() - interval '10 minutes'")
    due = world.value("SELECT due_at FROM fetch_schedule")
    world.fetch()
    assert world.value("SELECT due_at FROM fetch_schedule") == due + timedelta(hours=1)


def test_a_look_that_comes_back_half_a_round_late_begins_a_new_rhythm(world: World) -> None:
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
    assert fetching.dispatch() == 5
    world.stand_in.fail_next("http_500", operation="get_run", times=None)
    fetching.collect()
    assert world.stand_in.stats()["operations"]["get_run"] == 1
    assert world.value("SELECT count(claimed_until) AS n FROM fetch_run") == 0
    world.stand_in.app.script.clear()
    world.collect_all()
    assert {run["state"] for run in world.runs()} == {"collected"}
