"""Runs whose start was not answered, that never end, vanish or can't be stored."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.tasks import collect_runs, dispatch_runs
from tests.jobs.fetch_world import World, collect_until_error, set_environment


@pytest.mark.parametrize("fault", ["lost_answer", "garbage_json"])
def test_a_run_whose_start_was_not_answered_is_found_by_its_input(world: World, fault: str) -> None:
    world.fake_apify.fail_next(fault, operation="start_run")
    world.follow()
    dispatch_runs.start_due_runs()
    assert [run["outside_run_id"] for run in world.runs()] == [None]
    world.collect_all()
    assert world.runs_paid() == 1
    assert [run["state"] for run in world.runs()] == ["collected"]
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


@pytest.mark.parametrize("fault", ["drop_connection", "http_500"])
def test_a_run_that_was_never_started_is_withdrawn_and_tried_again(
    world: World, fault: str
) -> None:
    world.fake_apify.fail_next(fault, operation="start_run")
    world.follow()
    dispatch_runs.start_due_runs()
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert world.runs_paid() == 0
    world.end_of_rest()
    world.fetch()
    assert world.runs_paid() == 1
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


def test_a_start_that_may_still_be_under_way_is_not_withdrawn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch_runs, "UNCLEAR_AFTER", timedelta(minutes=3))
    world.fake_apify.fail_next("drop_connection", operation="start_run")
    world.follow()
    dispatch_runs.start_due_runs()
    collect_runs.advance_open_runs()
    assert [run["state"] for run in world.runs()] == ["intended"]


def test_two_lost_answers_find_two_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="3")
    world.fake_apify.fail_next("lost_answer", operation="start_run", times=2)
    world.follow()
    for _ in range(2):
        world.fetch()
        world.change("UPDATE provider_state SET retry_at = NULL")
    assert world.runs_paid() == 2
    assert len({run["outside_run_id"] for run in world.runs()}) == 2
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


def test_the_same_batch_asked_again_does_not_take_the_earlier_run_for_its_own(
    world: World,
) -> None:
    world.follow()
    world.fetch()
    world.end_of_rest()
    world.fake_apify.fail_next("drop_connection", operation="start_run")
    world.fetch()
    assert [run["state"] for run in world.runs()] == ["collected", "failed"]
    world.end_of_rest()
    world.fetch()
    assert world.runs_paid() == 2


def test_a_run_that_was_given_up_while_its_start_was_answered_is_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    monkeypatch.setattr(dispatch_runs.lifecycle, "mark_started", lambda *_: False)
    dispatch_runs.start_due_runs()
    operations = world.fake_apify.stats()["operations"]
    assert operations["abort_run"] == operations["start_run"]


def test_a_run_that_can_never_be_stored_is_given_up_after_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    dispatch_runs.start_due_runs()

    def unreadable(*_: Any) -> Any:
        raise RuntimeError("unreadable")

    monkeypatch.setattr(collect_runs, "get_batch", unreadable)
    with pytest.raises(ExceptionGroup):
        collect_until_error()
    assert [run["state"] for run in world.runs()] == ["finished"]
    world.change("UPDATE fetch_run SET intended_at = now() - interval '25 hours'")
    with pytest.raises(ExceptionGroup):
        collect_until_error()
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert world.value("SELECT count(leased_until) AS n FROM fetch_schedule") == 0


def test_a_run_that_never_ends_is_stopped_and_its_products_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fake_apify.fail_next("never_finishes")
    world.follow()
    dispatch_runs.start_due_runs()
    collect_runs.advance_open_runs()
    assert [run["state"] for run in world.runs()] == ["running"]
    monkeypatch.setattr(collect_runs, "LONGEST_RUN", timedelta(0))
    world.collect_all()
    assert [(run["state"], run["outside_status"]) for run in world.runs()] == [
        ("failed", "ABORTED")
    ]
    assert set(world.outcomes().values()) == {"timeout"}
    assert world.value("SELECT count(leased_until) AS n FROM fetch_schedule") == 0
    monkeypatch.setattr(collect_runs, "LONGEST_RUN", timedelta(hours=2))
    world.end_of_rest()
    world.fetch()
    assert set(world.outcomes().values()) == {"ok"}


def test_an_open_run_is_collected_also_when_the_actor_is_set_to_nonsense(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow()
    dispatch_runs.start_due_runs()
    set_environment(monkeypatch, AMAZCOPE_ACTOR="nobody/knows-it")
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["collected"]


def test_a_run_that_is_removed_while_it_is_collected_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="3")
    world.follow()
    dispatch_runs.start_due_runs()
    real, removed = collect_runs.advance_run, world.runs()[0]["id"]

    def advance(claimed: collect_runs.RunClaim) -> bool:
        if claimed.run_id == removed:
            world.change("DELETE FROM fetch_item WHERE fetch_run_id = :id", id=removed)
            world.change("DELETE FROM fetch_run WHERE id = :id", id=removed)
        return real(claimed)

    monkeypatch.setattr(collect_runs, "advance_run", advance)
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["collected"]
