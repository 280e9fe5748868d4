"""A worker whose own clock is wrong plans, counts and claims by the database's."""

import sys
from datetime import datetime, timedelta, tzinfo

import pytest

from jobs.tasks import advise_products, dispatch_runs, maintenance
from tests.jobs.fetch_world import ASINS, World

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class _OfDatetime(type(datetime)):  # type: ignore[misc]
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, datetime)


@pytest.fixture(params=[DAY, -DAY], ids=["a day ahead", "a day behind"])
def world_of_a_wrong_clock(
    request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch
) -> World:
    """A market that is fetched by a worker whose clock is wrong; the database's is right."""

    class Wrong(datetime, metaclass=_OfDatetime):
        @classmethod
        def now(cls, zone: tzinfo | None = None) -> datetime:
            return datetime.now(zone) + request.param

    for name, module in list(sys.modules.items()):
        is_ours = name.startswith(("core.", "jobs.")) and not name.startswith("core.demo")
        if is_ours and getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", Wrong)
    return world


def minutes_from_now(world: World, moment: str, table: str) -> list[float]:
    """Return how far moments are from the database's present, in minutes."""
    statement = f"SELECT extract(epoch FROM {moment} - now()) / 60 AS n FROM {table}"
    return [float(each["n"]) for each in world.rows(statement)]


def test_what_is_fetched_is_due_again_after_its_cadence(world_of_a_wrong_clock: World) -> None:
    world = world_of_a_wrong_clock
    world.follow(ASINS[:1])
    world.fetch()
    assert minutes_from_now(world, "due_at", "fetch_schedule") == [pytest.approx(1440, abs=2)]
    for moment in ("intended_at", "collected_at", "finished_at"):
        assert minutes_from_now(world, moment, "fetch_run") == [pytest.approx(0, abs=2)]


def test_a_failure_is_tried_again_after_its_wait(world_of_a_wrong_clock: World) -> None:
    world = world_of_a_wrong_clock
    world.fake_apify.fail_next("run_failed")
    world.follow(ASINS[:1])
    world.fetch()
    assert minutes_from_now(world, "due_at", "fetch_schedule") == [pytest.approx(5, abs=2)]


def test_rests_and_signs_of_life_are_of_now(world_of_a_wrong_clock: World) -> None:
    world = world_of_a_wrong_clock
    world.fake_apify.fail_next("no_credit", operation="start_run")
    world.follow(ASINS[:1])
    dispatch_runs.dispatch_due()
    maintenance.send_heartbeat.call_local()
    maintenance.mark_lost()
    assert minutes_from_now(world, "retry_at", "provider_state") == [pytest.approx(30, abs=2)]
    beat = "CAST(value ->> 'at' AS timestamptz)"
    assert minutes_from_now(world, beat, "setting WHERE name = 'heartbeat'") == [
        pytest.approx(0, abs=2)
    ]
    assert world.rows("SELECT * FROM job_run WHERE state = 'lost'") == []


def test_the_days_advice_is_planned_for_the_right_day(world_of_a_wrong_clock: World) -> None:
    world = world_of_a_wrong_clock
    world.change("UPDATE team SET time_zone = 'UTC'")
    advise_products.plan_advice()
    planned = world.rows(
        "SELECT s.advised_on <> CAST(now() AT TIME ZONE 'UTC' AS date) AS is_wrong "
        "FROM suggestion_settings s WHERE advised_on IS NOT NULL"
    )
    assert not any(each["is_wrong"] for each in planned)
