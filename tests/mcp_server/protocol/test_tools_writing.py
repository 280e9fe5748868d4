"""Writing once: dry runs, idempotency keys, two at the same moment, what an error leaves."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access.api_tokens import create_api_token, find_bearer
from core.accounts.access.permissions import Principal, Via
from core.accounts.models import AuditEvent
from core.accounts.people.membership import get_owner_principal, get_principal
from core.agents.access_log import CALLS_KEPT, WRITES_KEPT, CallRequest, hash_arguments
from core.agents.models import AgentCall, AgentWrite
from core.database.session import read_scope, write_scope
from core.errors import InvalidInputError
from core.tracking.models import Tracking
from core.tracking.service import NewTracking, track
from core.tracking.settings import SettingsChange, TrackingPatch, patch_settings
from jobs.tasks import dispatch_runs, maintenance
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import WriteOptions, run_write
from mcp_server.results.base import WriteResult
from tests.factories.people import add_colleague
from tests.factories.products import KETTLE, LAMP, track_products
from tests.mcp_server.conftest import ALL, Agent, active, agent_of

ADD = {"products": [f"US:{LAMP}"]}


@pytest.fixture(autouse=True)
def bell(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    rung: list[bool] = []
    monkeypatch.setattr(dispatch_runs, "fetch_now", lambda: rung.append(True))
    return rung


def count(session: Session, table: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_dry_run_reports_its_result_and_changes_nothing(session: Session, agent: Agent) -> None:
    before = count(session, AuditEvent)
    answer = agent.call("track_products", **ADD, dry_run=True, idempotency_key="one")
    assert (answer["dry_run"], answer["products"][0]["verdict"]) == (True, "added")
    assert agent.words("track_products", **ADD, dry_run=True).startswith("Dry run, nothing was")
    left = {table: count(session, table) for table in (Tracking, AgentWrite, AuditEvent)}
    assert left == {Tracking: 0, AgentWrite: 0, AuditEvent: before}


def test_the_same_key_and_arguments_give_the_first_answer_again(
    session: Session, agent: Agent
) -> None:
    first = agent.call("track_products", **ADD, idempotency_key="one")
    again = agent.call("track_products", idempotency_key="one", **ADD)
    assert again == first | {"is_repeat": True}
    assert again["products"][0]["verdict"] == "added"
    answer = agent.words("track_products", **ADD, idempotency_key="one")
    assert answer.startswith("Already done earlier, nothing was repeated. The result was: 1 added.")
    assert count(session, Tracking) == 1


def test_the_same_key_with_other_arguments_or_another_tool_is_refused(
    session: Session, agent: Agent
) -> None:
    agent.call("track_products", **ADD, idempotency_key="one")
    refusal = agent.refusal("track_products", products=[f"US:{KETTLE}"], idempotency_key="one")
    assert "used for another call" in refusal
    refusal = agent.refusal("trigger_product_refresh", **ADD, idempotency_key="one")
    assert "used for another call" in refusal
    assert count(session, Tracking) == 1


def test_another_persons_same_key_is_another_key(
    session: Session, principal: Principal, agent: Agent
) -> None:
    mate = agent_of(session, active(session, add_colleague(session, principal)))
    agent.call("track_products", **ADD, idempotency_key="one")
    answer = mate.call("track_products", **ADD, idempotency_key="one")
    assert (answer["is_repeat"], count(session, Tracking)) == (False, 2)


def test_after_an_error_the_key_is_free(session: Session, agent: Agent) -> None:
    change = {"product": f"US:{LAMP}", "role": "own", "idempotency_key": "one"}
    assert "do not track" in agent.refusal("update_tracking_settings", **change)
    assert count(session, AgentWrite) == 0
    track_products(session, agent.principal, [LAMP])
    session.commit()
    answer = agent.call("update_tracking_settings", **change)
    assert (answer["is_repeat"], answer["changed"]) == (False, ["role"])


def test_a_repeated_refresh_calls_the_worker_again_but_asks_once(
    session: Session, agent: Agent, bell: list[bool]
) -> None:
    """The first call may have died between its commit and the bell."""
    track_products(session, agent.principal, [LAMP])
    first = agent.call("trigger_product_refresh", **ADD, idempotency_key="one")
    again = agent.call("trigger_product_refresh", **ADD, idempotency_key="one")
    assert (again, len(bell)) == (first | {"is_repeat": True}, 2)
    verbs = list(session.scalars(select(AuditEvent.verb)))
    assert verbs.count("asked for a fetch") == 1


def test_an_answer_of_another_version_is_refused_without_a_crash(
    session: Session, agent: Agent
) -> None:
    agent.call("track_products", **ADD, idempotency_key="one")
    session.scalars(select(AgentWrite)).one().answer = {"unheard": "of"}
    session.commit()
    refusal = agent.refusal("track_products", **ADD, idempotency_key="one")
    assert "Check what it changed" in refusal


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 101, "line\n"])
def test_what_is_no_key_is_refused(agent: Agent, key: str) -> None:
    assert "idempotency_key" in agent.refusal("track_products", **ADD, idempotency_key=key)


def test_old_calls_and_answers_are_forgotten_and_younger_ones_kept(
    session: Session, agent: Agent
) -> None:
    for key in ("old", "young"):
        agent.call("track_products", **ADD, idempotency_key=key)
    now = datetime.now(UTC)
    session.scalars(select(AgentWrite).where(AgentWrite.key == "old")).one().at = (
        now - WRITES_KEPT - timedelta(minutes=1)
    )
    session.scalars(select(AgentCall).order_by(AgentCall.id)).first().at = (  # type: ignore[union-attr]
        now - CALLS_KEPT - timedelta(minutes=1)
    )
    session.commit()
    maintenance.purge_agent_log()
    maintenance.purge_agent_log()
    session.expire_all()
    assert list(session.scalars(select(AgentWrite.key))) == ["young"]
    assert count(session, AgentCall) == 1
    # A key that is forgotten may be used again.
    assert agent.call("track_products", **ADD, idempotency_key="old")["is_repeat"] is False


# In two processes' transactions


class Did(WriteResult):
    """What a write of these tests did."""

    by: str


@pytest.fixture
def owner(committed_database: str) -> Principal:
    """The first administrator with a token, on a database that threads share."""
    now = datetime.now(UTC)
    with write_scope() as session:
        person = get_owner_principal(session).person_id
        page = active(session, get_principal(session, person, Via.PAGE))
        token = create_api_token(session, page, "An agent", ALL, None, now)
        bearer = find_bearer(session, token, now, None)
    assert bearer is not None
    return bearer.principal


def call_of(owner: Principal) -> Call:
    return Call(
        owner, CallRequest("tools/call", "a_tool", hash_arguments({"x": 1})), datetime.now(UTC)
    )


def test_two_at_once_write_once(owner: Principal) -> None:
    inside, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def slow(session: Session) -> Did:
        track(session, owner, [NewTracking("US", LAMP)])
        done.append("first")
        inside.set()
        go_on.wait(120)
        return Did(by="first")

    def second(session: Session) -> Did:
        done.append("second")
        return Did(by="second")

    def run(work: Any) -> Did:
        return run_write(call_of(owner), WriteOptions(False, "one"), Did, work)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, slow)
        assert inside.wait(120)
        other = pool.submit(run, second)
        assert not other.done()
        go_on.set()
        assert (first.result(120).is_repeat, other.result(120).is_repeat) == (False, True)
    assert (other.result().by, done) == ("first", ["first"])


def test_who_waits_for_one_that_fails_writes_itself(owner: Principal) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def failing(session: Session) -> Did:
        track(session, owner, [NewTracking("US", LAMP)])
        inside.set()
        go_on.wait(120)
        raise InvalidInputError("No.")

    def run(work: Any) -> Did:
        return run_write(call_of(owner), WriteOptions(False, "one"), Did, work)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, failing)
        assert inside.wait(120)
        other = pool.submit(run, lambda _session: Did(by="second"))
        go_on.set()
        with pytest.raises(InvalidInputError):
            first.result(120)
        assert other.result(120) == Did(by="second")
    with read_scope() as session:
        assert (count(session, Tracking), count(session, AgentWrite)) == (0, 1)


def test_who_changes_a_setting_sees_what_was_changed_a_moment_before(owner: Principal) -> None:
    with write_scope() as session:
        [followed] = track(session, owner, [NewTracking("US", LAMP)])
    inside, go_on = threading.Event(), threading.Event()

    def change(changes: TrackingPatch, waits: bool) -> SettingsChange:
        with write_scope() as session:
            changed = patch_settings(session, owner, followed.product_id, changes)
            if waits:
                inside.set()
                go_on.wait(120)
            return changed

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(change, TrackingPatch(note="a note"), True)
        assert inside.wait(120)
        second = pool.submit(change, TrackingPatch(is_primary=True), False)
        threading.Timer(0.3, go_on.set).start()
        assert second.result(120).before == first.result(120).after
    with read_scope() as session:
        kept = session.scalars(select(Tracking)).one()
        assert (kept.note, kept.is_primary) == ("a note", True)


def test_a_token_that_was_swapped_keeps_its_owners_keys(owner: Principal) -> None:
    first = run_write(
        call_of(owner), WriteOptions(False, "one"), Did, lambda _session: Did(by="first")
    )
    other_token = replace(owner, token_id=None)
    again = run_write(
        call_of(other_token), WriteOptions(False, "one"), Did, lambda _: Did(by="again")
    )
    assert again == first.model_copy(update={"is_repeat": True})
