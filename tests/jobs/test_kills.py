"""Workers killed at every step and at random: nothing lost, nothing paid or stored twice.

Real processes and a real SIGKILL; what was paid is counted at the fake Apify server.
"""

import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobs import queue
from tests.fake_apify import RunningFakeApify, running_fake_apify
from tests.jobs.fetch_world import ASINS, World, forget_queue, set_environment
from tests.jobs.kill_driver import STEPS
from tests.jobs.killed_workers import Workers

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def committed_database(cloned_for_processes: str) -> str:
    return cloned_for_processes


@pytest.fixture
def world(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with running_fake_apify(run_seconds=0.05) as server:
        set_environment(
            monkeypatch,
            AMAZCOPE_DEMO="false",
            APIFY_TOKEN=server.token,
            APIFY_API_URL=server.url,
            AMAZCOPE_PARALLEL_RUNS="5",
        )
        queue.make_tables()
        forget_queue()
        yield World(server)
        forget_queue()


def assert_nothing_lost_or_doubled(world: World, products: int) -> None:
    """Assert that every product came back, and that everything was paid and stored once."""
    collected = world.rows("SELECT * FROM fetch_run WHERE state = 'collected'")
    assert world.value("SELECT count(*) AS n FROM fetch_schedule WHERE leased_until IS NULL") == (
        products
    )
    assert world.value("SELECT count(DISTINCT product_id) AS n FROM snapshot") == products
    assert world.runs_paid() == len(collected)
    assert len({run["outside_run_id"] for run in collected}) == len(collected)
    asked = sum(run["batch_size"] for run in collected)
    assert world.value("SELECT count(*) AS n FROM snapshot") == asked
    assert world.value("SELECT count(*) AS n FROM raw_item") == asked
    assert world.value("SELECT sum(looks) AS n FROM product_daily") == asked


def test_a_worker_killed_at_any_step_loses_nothing_and_pays_once(
    world: World, workers: Workers
) -> None:
    world.follow()
    for rounds, step in enumerate(STEPS, start=1):
        world.change("UPDATE fetch_schedule SET due_at = now()")
        assert workers.carry_out(step=step) == signal.SIGKILL, step
        workers.recover()
        assert world.runs_paid() == rounds, step
        assert_nothing_lost_or_doubled(world, len(ASINS))


def test_a_lost_answer_and_a_kill_together_pay_once(world: World, workers: Workers) -> None:
    world.follow()
    world.fake_apify.fail_next("lost_answer", operation="start_run")
    assert workers.carry_out(step="after the end is stored") == signal.SIGKILL
    workers.recover()
    assert world.runs_paid() == 1
    assert_nothing_lost_or_doubled(world, len(ASINS))


@pytest.mark.parametrize("kills", [15, pytest.param(50, marks=pytest.mark.long)])
def test_kills_at_random_lose_nothing_and_pay_once(
    world: World, workers: Workers, kills: int
) -> None:
    world.follow()
    chance = random.Random(7)
    for number in range(kills):
        if number % 10 == 3:
            world.fake_apify.fail_next("lost_answer", operation="start_run")
        world.change("UPDATE fetch_schedule SET due_at = now() WHERE leased_until IS NULL")
        workers.carry_out(kill_after=chance.uniform(0.0, 0.35))
    workers.recover()
    assert_nothing_lost_or_doubled(world, len(ASINS))


def test_two_workers_at_once_do_each_step_once(
    world: World, workers: Workers, other_workers: Workers
) -> None:
    world.follow()
    for _ in range(5):
        world.change("UPDATE fetch_schedule SET due_at = now()")
        other_workers.begin(unclear_after=60)
        assert workers.carry_out(unclear_after=60) == 0
        assert other_workers.end() == 0
    assert world.runs_paid() == 5
    assert_nothing_lost_or_doubled(world, len(ASINS))


# The worker as it really runs


@pytest.fixture
def worker(world: World) -> Iterator[psutil.Popen]:
    process = psutil.Popen(
        [sys.executable, "-c", "from jobs.launcher.worker import run_worker; run_worker()"],
        cwd=ROOT,
        env=os.environ | {"AMAZCOPE_WORKER_PROCESSES": "1"},
        start_new_session=True,
    )
    yield process
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=120)


def test_a_worker_fetches_what_is_due_and_survives_the_kill_of_its_children(
    world: World, worker: psutil.Popen
) -> None:
    world.follow()
    _wait_for(lambda: len(_open_children(worker)) >= 2, "the worker's own processes")
    _wait_for(lambda: world.value("SELECT count(*) AS n FROM snapshot") == 5, "the first fetch")
    assert world.runs_paid() == 1
    first = world.value("SELECT max(id) AS n FROM fetch_run")
    killed = _open_children(worker)
    for child in killed:
        child.kill()
    queue.huey.storage.flush_all()
    world.change("UPDATE fetch_schedule SET due_at = now(), priority = 0")
    _wait_for(
        lambda: len([child for child in _open_children(worker) if child not in killed]) >= 2,
        "new children in place of the killed ones",
    )
    # A round of the minute may have begun meanwhile: what is due now is a run of its own.
    assert world.runs_paid() <= 1 + world.value(
        "SELECT count(*) AS n FROM fetch_run WHERE id > :first", first=first
    )


def _open_children(process: psutil.Popen) -> list[psutil.Process]:
    return [child for child in process.children() if _is_alive(child)]


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it has ended since it was listed
        return False


def _wait_for(is_so: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"Waited in vain for {what}.")
        time.sleep(0.1)


# Workers that hang

STOPPED_AT = (
    "before the intent is committed",
    "after the intent is committed",
    "after the start was answered",
    "within a page, after its snapshots",
    "before the run is closed",
)


def test_a_worker_that_hangs_stops_no_other_and_does_nothing_when_it_wakes_up(
    world: World, workers: Workers, other_workers: Workers
) -> None:
    world.follow()
    for rounds, step in enumerate(STOPPED_AT, start=1):
        world.change("UPDATE fetch_schedule SET due_at = now()")
        assert workers.carry_out(step=step, signal=signal.SIGSTOP) == signal.SIGSTOP, step
        other_workers.recover()
        assert world.runs_paid() == rounds, step
        assert_nothing_lost_or_doubled(world, len(ASINS))
        workers.carry_out(wake=True)
        assert world.runs_paid() == rounds, step
        assert_nothing_lost_or_doubled(world, len(ASINS))


def test_an_emptied_queue_only_costs_time(world: World, workers: Workers) -> None:
    world.follow()
    assert workers.carry_out(step="after the run's id is stored") == signal.SIGKILL
    forget_queue()
    queue.huey.storage.flush_all()
    forget_queue()
    workers.recover()
    assert world.runs_paid() == 1
    assert_nothing_lost_or_doubled(world, len(ASINS))


def test_the_fake_server_counts_what_is_paid(world: World, workers: Workers) -> None:
    world.follow()
    assert workers.carry_out() == 0
    stats: dict[str, Any] = RunningFakeApify.stats(world.fake_apify)
    assert stats["runs_by_input"] == {next(iter(stats["runs_by_input"])): 1}
