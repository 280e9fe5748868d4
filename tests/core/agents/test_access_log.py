"""The access log, and writing once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.people.membership import disable_member, erase_member
from core.agents.access_log import (
    CALLS_KEPT,
    WRITES_KEPT,
    CallRequest,
    begin_call,
    delete_old_calls,
    end_call,
    hash_arguments,
)
from core.agents.idempotency import find_response, save_response
from core.agents.models import AgentCall, AgentWrite
from core.agents.rules import CallLimit, CallOutcome
from core.errors import InvalidInputError
from tests.factories.people import add_colleague
from tests.mcp_server.conftest import agent_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASKED = CallRequest("tools/call", "search_products", b"hash")
LIMIT = CallLimit(per_minute=60, at_once=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_a_call_is_in_the_log_from_its_beginning(session: Session, principal: Principal) -> None:
    who = agent_of(session, principal).principal
    begun = begin_call(session, who, ASKED, LIMIT, NOW)
    kept = session.get_one(AgentCall, begun.id)
    assert (kept.name, kept.outcome, kept.token_id) == ("search_products", None, who.token_id)
    end_call(session, begun.id, CallOutcome.ANSWERED, timedelta(milliseconds=7.9))
    session.refresh(kept)
    assert (kept.outcome, kept.took_ms) == ("answered", 7)


def test_a_call_too_many_waits_and_is_in_the_log(session: Session, principal: Principal) -> None:
    who = agent_of(session, principal).principal
    waits = [begin_call(session, who, ASKED, LIMIT, NOW).wait for _ in range(3)]
    assert waits == [timedelta(0), timedelta(0), timedelta(seconds=1)]
    outcomes = session.scalars(select(AgentCall.outcome).order_by(AgentCall.id)).all()
    assert outcomes == [None, None, "limited"]
    # It used up nothing: after the second that it has to wait, the next goes through.
    assert not begin_call(session, who, ASKED, LIMIT, NOW + timedelta(seconds=1)).wait


def test_each_token_has_a_pace_of_its_own(session: Session, principal: Principal) -> None:
    first, second = agent_of(session, principal).principal, agent_of(session, principal).principal
    for _ in range(3):
        begin_call(session, first, ASKED, LIMIT, NOW)
    assert not begin_call(session, second, ASKED, LIMIT, NOW).wait


def test_a_name_that_the_database_refuses_is_logged_all_the_same(
    session: Session, principal: Principal
) -> None:
    asked = CallRequest("tools/call", "a\x00b\ud800" + "x" * 500, b"hash")
    begun = begin_call(session, principal, asked, LIMIT, NOW)
    kept = session.get_one(AgentCall, begun.id).name
    assert kept.startswith("a?b?x")
    assert len(kept) == 200


@given(JSON)
def test_whatever_json_holds_can_be_hashed(arguments: Any) -> None:
    assert len(hash_arguments(arguments)) == 32


def test_the_order_of_names_makes_no_other_hash() -> None:
    assert hash_arguments({"a": 1, "b": [2]}) == hash_arguments({"b": [2], "a": 1})
    assert hash_arguments({"a": 1}) != hash_arguments({"a": 2})


def test_what_is_nested_without_end_has_a_hash() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert len(hash_arguments(deep)) == 32


def test_the_same_key_gets_the_first_answer(session: Session, principal: Principal) -> None:
    assert find_response(session, principal, "k", "tool", b"a", NOW) is None
    save_response(session, principal, "k", {"changed": 1})
    assert find_response(session, principal, "k", "tool", b"a", NOW) == {"changed": 1}


@pytest.mark.parametrize(("tool", "arguments"), [("other", b"a"), ("tool", b"b")])
def test_a_key_serves_one_write_only(
    session: Session, principal: Principal, tool: str, arguments: bytes
) -> None:
    find_response(session, principal, "k", "tool", b"a", NOW)
    with pytest.raises(InvalidInputError, match="another call"):
        find_response(session, principal, "k", tool, arguments, NOW)


def test_another_persons_key_is_another_key(session: Session, principal: Principal) -> None:
    find_response(session, principal, "k", "tool", b"a", NOW)
    save_response(session, principal, "k", 1)
    assert find_response(session, add_colleague(session, principal), "k", "tool", b"a", NOW) is None


def test_old_calls_and_answers_are_let_go(session: Session, principal: Principal) -> None:
    begin_call(session, principal, ASKED, LIMIT, NOW)
    find_response(session, principal, "k", "tool", b"a", NOW)
    assert delete_old_calls(session, NOW + WRITES_KEPT) == 0
    assert delete_old_calls(session, NOW + WRITES_KEPT + timedelta(1)) == 1
    assert session.scalars(select(AgentWrite)).all() == []
    assert delete_old_calls(session, NOW + CALLS_KEPT + timedelta(1)) == 1


def test_the_next_tidying_leaves_no_address_and_no_answers_of_an_erased_person(
    session: Session, principal: Principal
) -> None:
    sam = replace(add_colleague(session, principal), address="203.0.113.7")
    begun = begin_call(session, sam, ASKED, LIMIT, NOW)
    find_response(session, sam, "key", "track_products", b"hash", NOW)
    save_response(session, sam, "key", {"note": "of Sam"})
    disable_member(session, principal, sam.person_id, NOW)
    erase_member(session, principal, sam.person_id)
    assert delete_old_calls(session, NOW) == 1
    session.expire_all()
    assert session.get_one(AgentCall, begun.id).address == "erased"
    assert session.scalars(select(AgentWrite)).all() == []
