"""What becomes of the items that a run brings, or does not bring."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.history.observation import Outcome
from jobs.tasks import collect_runs, dispatch_runs
from tests.jobs.fetch_world import ASINS, UNSEEN, World, collect_until_error, set_environment


def test_products_missing_from_a_partial_data_set_are_tried_again_soon(world: World) -> None:
    world.fake_apify.fail_next("partial_dataset", share=0.4)
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
def test_a_run_that_brings_nothing_counts_for_every_product(
    world: World, fault: str, outcome: Outcome, state: str
) -> None:
    world.fake_apify.fail_next(fault)
    world.follow()
    world.fetch()
    assert set(world.outcomes().values()) == {outcome.value}
    assert [run["state"] for run in world.runs()] == [state]
    assert world.value("SELECT count(*) AS n FROM snapshot") == 0
    assert world.value("SELECT min(failures) AS n FROM fetch_schedule") == 1


def test_what_a_run_brought_before_it_timed_out_is_kept(world: World) -> None:
    world.fake_apify.fail_next("run_timed_out")
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
    world.fake_apify.fail_next(fault)
    world.follow(ASINS[:1])
    world.fetch()
    found = world.outcomes()[ASINS[0]]
    assert found == outcome or (outcome is None and found is not None)
    assert world.value("SELECT count(*) AS n FROM snapshot") == snapshots


@pytest.mark.parametrize("moved", [ASINS[:1], ASINS[:1] + ASINS[2:3]])
def test_a_redirect_within_a_batch_is_found_by_what_is_left_over(
    world: World, moved: tuple[str, ...]
) -> None:
    world.fake_apify.fail_next("redirected_items", asins=list(moved))
    world.follow()
    world.fetch()
    redirected = {asin for asin, each in world.outcomes().items() if each == "redirected_asin"}
    assert redirected == (set(moved) if len(moved) == 1 else set())
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5 - len(moved)


def test_a_redirect_in_a_partial_data_set_is_not_guessed(world: World) -> None:
    world.fake_apify.fail_next("redirected_items", asins=[ASINS[0]])
    world.fake_apify.fail_next("partial_dataset", share=0.6)
    world.follow()
    world.fetch()
    assert "redirected_asin" not in world.outcomes().values()


def test_an_empty_asin_fails_only_this_product(world: World) -> None:
    world.fake_apify.fail_next("asin_empty", asins=[ASINS[0]])
    world.follow(ASINS[:2])
    world.fetch()
    assert world.outcomes()[ASINS[1]] == "ok"
    assert world.outcomes()[ASINS[0]] not in (None, "ok")


def test_a_blocked_page_never_changes_what_is_known_of_a_product(world: World) -> None:
    world.follow(ASINS[:1])
    world.fetch()
    before = world.rows("SELECT price, availability, captured_at FROM product_latest")
    world.fake_apify.fail_next("blocked_items")
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
    dispatch_runs.start_due_runs()
    world.fake_apify.reset()
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert set(world.outcomes().values()) == {"run_failed"}
    assert world.value("SELECT count(*) AS n FROM fetch_schedule WHERE leased_until IS NULL") == 5


def test_a_data_set_that_vanished_gives_its_products_back(world: World) -> None:
    world.follow()
    world.fetch()
    world.change("UPDATE fetch_run SET state = 'finished'")
    world.change("UPDATE fetch_item SET outcome = NULL")
    world.fake_apify.reset()
    world.collect_all()
    assert [run["state"] for run in world.runs()] == ["failed"]
    assert set(world.outcomes().values()) == {"run_failed"}


@pytest.mark.parametrize("operation", ["get_run", "list_items", "list_runs", "get_record"])
@pytest.mark.parametrize("fault", ["http_500", "drop_connection", "garbage_json"])
def test_a_question_without_an_answer_is_asked_again_in_the_next_round(
    world: World, operation: str, fault: str
) -> None:
    if operation in ("list_runs", "get_record"):
        world.fake_apify.fail_next("lost_answer", operation="start_run")
    world.fake_apify.fail_next(fault, operation=operation, times=1)
    world.follow()
    world.fetch()
    assert world.runs_paid() == 1
    assert world.value("SELECT count(*) AS n FROM snapshot") == 5


def test_a_run_that_can_not_be_read_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, AMAZCOPE_PRODUCTS_PER_RUN="3")
    world.follow()
    dispatch_runs.start_due_runs()
    real, broken = collect_runs.get_batch, world.runs()[0]["id"]

    def get_batch(session: Any, run_id: int, *rest: Any) -> Any:
        if run_id == broken:
            raise RuntimeError("unreadable")
        return real(session, run_id, *rest)

    monkeypatch.setattr(collect_runs, "get_batch", get_batch)
    for _ in range(3):
        with pytest.raises(ExceptionGroup):
            collect_until_error()
    assert [run["state"] for run in world.runs()] == ["finished", "collected"]
    failed = world.rows("SELECT * FROM job_run WHERE state = 'failed'")
    assert "unreadable" in failed[0]["error"]


def test_a_run_that_is_claimed_is_left_alone(world: World) -> None:
    world.follow()
    dispatch_runs.start_due_runs()
    (run,) = world.runs()
    claimed = collect_runs.claim_run(run["id"])
    assert claimed is not None
    assert collect_runs.claim_run(run["id"]) is None
    assert collect_runs.advance_open_runs() == 0
    assert collect_runs.advance_run(claimed)
    (run,) = world.runs()
    assert run["claimed_until"] is None


def test_a_product_no_longer_tracked_leaves_the_round_when_it_comes_back(
    world: World,
) -> None:
    world.follow(ASINS[:2])
    dispatch_runs.start_due_runs()
    world.change(
        "DELETE FROM tracking USING product p WHERE p.id = product_id AND asin = :asin",
        asin=ASINS[0],
    )
    world.collect_all()
    assert world.value("SELECT count(*) AS n FROM fetch_schedule") == 1
    assert world.value("SELECT count(*) AS n FROM snapshot") == 2


def test_what_a_run_stored_is_verified_at_once_and_a_failure_of_that_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = world.follow()
    checked: list[set[int]] = []

    def verify(product_ids: Collection[int]) -> None:
        assert world.value("SELECT count(*) AS n FROM snapshot") == len(numbers)
        checked.append(set(product_ids))
        raise ZeroDivisionError("in a rule")

    monkeypatch.setattr(collect_runs, "verify_products", verify)
    world.fetch()
    assert checked == [set(numbers)]
    assert [run["state"] for run in world.runs()] == ["collected"]
