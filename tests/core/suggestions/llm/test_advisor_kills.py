"""Many products, eight questions at a time, and a worker that is killed in the middle."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.people.membership import get_owner_principal
from core.database.session import read_scope, write_scope
from core.suggestions.advice_queue.service import request_advice
from core.suggestions.llm import call_log
from core.suggestions.llm.advisor import get_longest_duration
from core.tracking.rules import Role
from jobs import queue
from tests.core.suggestions.advice_driver import start_round
from tests.factories.observations import make_observation, store_observations
from tests.factories.products import make_listing, track_products
from tests.factories.tables import fetch_rows
from tests.jobs.fetch_world import forget_queue, set_environment
from tests.model_stand_in import KEY, MODEL, ModelStandIn, running_model

pytestmark = pytest.mark.slow

PATIENCE = 400  # seconds for a round, on a busy machine
LEASE = 2.0  # seconds that a round holds its products
TIMEOUT = 600  # seconds of a question: however busy the machine, none is lost by itself here


@pytest.fixture
def committed_database(cloned_for_processes: str) -> str:
    return cloned_for_processes


@pytest.fixture
def server(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelStandIn]:
    with running_model() as running:
        set_environment(
            monkeypatch,
            OPENAI_API_KEY=KEY,
            OPENAI_BASE_URL=running.url,
            AMAZCOPE_MODEL=MODEL,
            AMAZCOPE_MODEL_PRICES=f"{MODEL}=0.1/0.4",
            AMAZCOPE_MODEL_DOLLARS_PER_DAY="100",
            AMAZCOPE_MODEL_TIMEOUT=str(TIMEOUT),
        )
        queue.make_tables()
        forget_queue()
        yield running
        forget_queue()


def queue_products(number: int) -> None:
    """Request advice on so many own products, each with an observation of this hour."""
    asins, now = [f"B0KILL{n:04d}" for n in range(number)], datetime.now(UTC)
    at = now.replace(minute=0, second=0, microsecond=0)
    with write_scope() as session:
        principal = get_owner_principal(session)
        ids = track_products(session, principal, asins, role=Role.OWN)
        listing = make_listing()
        observations = [
            make_observation(asin, at, price=2000 + n, listing=listing)
            for n, asin in enumerate(asins)
        ]
        store_observations(session, *observations, now=now)
        assert request_advice(session, principal, ids, now) == number


def a_round() -> None:
    assert wait_for_end(start_round(LEASE)) == 0


def wait_for_end(process: BaseProcess) -> int | None:
    """Return what a process ended with; None where it has not."""
    process.join(PATIENCE)
    return process.exitcode


def kill_after(server: ModelStandIn, questions: int) -> None:
    """Begin a round and kill it, without any warning, after so many questions."""
    process = start_round(LEASE)
    until = time.monotonic() + PATIENCE
    while len(server.asked) < questions:
        assert time.monotonic() < until
        assert process.exitcode is None
        time.sleep(0.002)
    process.kill()
    assert wait_for_end(process) == -signal.SIGKILL
    while found("SELECT 1 FROM advice_due WHERE leased_until > now()"):
        time.sleep(0.1)  # until its products are free again


def found(statement: str, **values: Any) -> list[dict[str, Any]]:
    with read_scope() as session:
        return fetch_rows(session, statement, **values)


def by_state() -> dict[str, int]:
    counted = found(
        "SELECT state, count(*) AS n FROM advice_call WHERE advisor = 'model' GROUP BY state"
    )
    return {each["state"]: each["n"] for each in counted}


def let_time_pass(minutes: int) -> None:
    """Move all questions and queued products into the past."""
    past = {"by": timedelta(minutes=minutes)}
    with write_scope() as session:
        session.execute(text("UPDATE advice_call SET at = at - CAST(:by AS interval)"), past)
        session.execute(text("UPDATE advice_due SET due_at = due_at - CAST(:by AS interval)"), past)


def requeue() -> int:
    with write_scope() as session:
        return call_log.requeue_lost_questions(
            session, datetime.now(UTC), get_longest_duration(TIMEOUT)
        )


@pytest.mark.parametrize("products", [48, pytest.param(1_000, marks=pytest.mark.long)])
def test_a_worker_killed_in_the_middle_loses_nothing_and_asks_nothing_twice(
    server: ModelStandIn, products: int
) -> None:
    server.seconds = 0.02
    queue_products(products)
    kill_after(server, products // 4)
    kill_after(server, products * 3 // 5)
    a_round()
    assert set(server.counts.values()) == {1}
    assert 1 < server.most_at_once <= 8
    left = by_state()
    open_questions = left.get("asking", 0)
    assert open_questions <= 16  # those that were in flight at the two kills
    # Some of those requests may never have reached the server.
    arrived = len(server.counts)
    assert products - open_questions <= arrived <= products
    assert left["ok"] == products - open_questions
    # They are not asked again before their time is over ...
    assert requeue() == 0
    let_time_pass(minutes=int(get_longest_duration(TIMEOUT) / timedelta(minutes=1)) + 1)
    assert requeue() == open_questions
    a_round()
    assert set(server.counts.values()) <= {1}
    # ... and then once.
    let_time_pass(minutes=30)
    a_round()
    assert by_state() == {"ok": products}
    assert len(server.counts) == products
    assert sum(server.counts.values()) == arrived + open_questions
    assert found("SELECT * FROM advice_due") == []
    stored = found("SELECT product_id FROM suggestion WHERE advisor = 'model'")
    assert len(stored) == len({each["product_id"] for each in stored}) == products


def test_many_at_once_keep_to_the_budget_together(
    server: ModelStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A question may cost 0.0037 at most and costs 0.00024: together there is room for one, and
    # one after the other, however slowly, for two.
    set_environment(monkeypatch, AMAZCOPE_MODEL_DOLLARS_PER_DAY="0.0041")
    server.seconds = 0.1
    queue_products(8)
    a_round()
    spent = found(
        "SELECT sum(cost_usd) AS spent, count(*) AS n FROM advice_call WHERE advisor = 'model'"
    )
    assert len(server.asked) == spent[0]["n"]
    assert 1 <= spent[0]["n"] <= 2
    assert spent[0]["spent"] <= Decimal("0.0041")


def test_a_claim_waits_for_the_one_before_it_to_count_its_cost(server: ModelStandIn) -> None:
    queue_products(2)
    first, second = (row["product_id"] for row in found("SELECT product_id FROM advice_due"))
    with ThreadPoolExecutor() as pool, write_scope() as session:
        assert isinstance(claim(session, first), call_log.Claim)
        other = pool.submit(claim_and_keep, second)
        with pytest.raises(TimeoutError):
            other.result(timeout=0.5)
        session.commit()
        assert "AMAZCOPE_MODEL_DOLLARS_PER_DAY" in str(other.result(timeout=PATIENCE))


def claim(session: Session, product_id: int) -> call_log.Claim | str | None:
    """Claim a question about a product, on a day that can pay for one."""
    team, most = get_owner_principal(session).team_id, Decimal("0.6")
    question = call_log.Question(team, product_id, MODEL, b"x" * 16, datetime.now(UTC), most)
    limits = {"lost_after": timedelta(minutes=5), "dollars_per_day": Decimal(1)}
    return call_log.claim_question(session, question, **limits)  # type: ignore[arg-type]


def claim_and_keep(product_id: int) -> call_log.Claim | str | None:
    with write_scope() as session:
        return claim(session, product_id)


def test_two_workers_at_once_ask_about_each_product_once(server: ModelStandIn) -> None:
    server.seconds = 0.05
    queue_products(100)
    others = [start_round(LEASE) for _ in range(2)]
    assert [wait_for_end(process) for process in others] == [0, 0]
    assert set(server.counts.values()) == {1}
    assert by_state() == {"ok": 100}
