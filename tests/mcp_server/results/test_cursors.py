"""What a list reports: how much there is, whether more follows, and from where on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.tracking.list_filter import COUNT_CAP
from core.tracking.lists import queries
from mcp_server.results import cursors
from mcp_server.results.cursors import Cursor, hash_request, page_fields, read_cursor
from tests.factories.products import track_products
from tests.mcp_server.conftest import Agent

MARK = hash_request("a list")


@given(total=st.integers(0, 60), limit=st.integers(1, 25))
def test_following_the_cursor_shows_all_and_then_the_end(total: int, limit: int) -> None:
    here, seen = Cursor(anchor=7), 0
    while True:
        shown = min(limit, total - here.offset)
        seen += shown
        fields = page_fields(total, here, shown, MARK)
        assert (fields["total"], fields["is_total_exact"]) == (total, True)
        assert fields["truncated"] == (seen < total)
        if fields["next_cursor"] is None:
            break
        here = read_cursor(fields["next_cursor"], MARK)
        assert (here.offset, here.anchor) == (seen, 7)
    assert seen == total


def test_beyond_what_is_counted_a_list_stays_truncated() -> None:
    fields = page_fields(COUNT_CAP + 1, Cursor(COUNT_CAP - 20), 20, MARK)
    assert (fields["total"], fields["is_total_exact"]) == (COUNT_CAP, False)
    assert (fields["truncated"], fields["next_cursor"]) == (True, None)


def test_the_last_page_that_is_counted_is_not_marked_as_the_end(
    session: Session, principal: Principal, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    track_products(session, principal, [f"B0PAGE{number:04d}" for number in range(9)])
    for module in (queries, cursors):
        monkeypatch.setattr(module, "COUNT_CAP", 4)
    first = agent.call("search_products", limit=2)
    last = agent.call("search_products", limit=2, cursor=first["next_cursor"])
    assert (last["total"], last["is_total_exact"], len(last["products"])) == (4, False, 2)
    assert (last["truncated"], last["next_cursor"]) == (True, None)
