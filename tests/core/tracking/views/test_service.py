"""A user saves views of the list for themselves or for the team."""

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy, State
from core.tracking.rules import Role as ProductRole
from core.tracking.views import service
from core.tracking.views.queries import list_views
from core.tracking.views.rules import ViewDefinition, read_definition, write_definition
from core.tracking.views.service import delete_view, save_view
from tests.factories.people import add_member, add_stranger
from tests.factories.tables import fetch_rows

LOST = ViewDefinition(
    ListFilter(
        search="lamp",
        marketplaces=("DE", "FR"),
        roles=(ProductRole.OWN,),
        states=(State.BUY_BOX_LOST,),
        tags=("summer",),
        scope=ListScope.TEAM,
        rank_worse_days=30,
    ),
    Sort(SortBy.RANK_CHANGE, True, 7),
    ("price", "bsr"),
)


def names(session: Session, who: Principal) -> list[str]:
    return [view.name for view in list_views(session, who)]


def test_a_view_is_read_as_it_was_saved(session: Session, principal: Principal) -> None:
    assert save_view(session, principal, "  Lost \n lamps ", LOST)
    [view] = list_views(session, principal)
    assert (view.name, view.is_own, view.is_shared, view.definition) == (
        "Lost lamps",
        True,
        False,
        LOST,
    )


def test_a_view_of_the_same_name_is_replaced(session: Session, principal: Principal) -> None:
    save_view(session, principal, "Lamps", LOST)
    changed = replace(LOST, columns=())
    assert not save_view(session, principal, "Lamps", changed, is_shared=True)
    [view] = list_views(session, principal)
    assert (view.definition, view.is_shared) == (changed, True)
    events = fetch_rows(session, "SELECT verb FROM audit_event WHERE object LIKE 'product_view:%'")
    assert [row["verb"] for row in events] == ["saved view", "changed view"]


def test_only_a_shared_view_is_seen_by_the_team_and_none_by_others(
    session: Session, principal: Principal
) -> None:
    mate, stranger = add_member(session, principal, Role.SELLER), add_stranger(session)
    save_view(session, principal, "Mine", LOST)
    save_view(session, principal, "Ours", LOST, is_shared=True)
    save_view(session, mate, "Zebra", LOST)
    assert names(session, mate) == ["Zebra", "Ours"]
    assert names(session, stranger) == []
    assert [view.is_own for view in list_views(session, mate)] == [True, False]


def test_a_seller_deletes_own_views_and_a_manager_shared_ones(
    session: Session, principal: Principal
) -> None:
    mate, manager = (
        add_member(session, principal, Role.SELLER),
        add_member(session, principal, Role.MANAGER),
    )
    for name, is_shared in (("Private", False), ("Shared", True)):
        save_view(session, principal, name, LOST, is_shared=is_shared)
    private, shared = (view.id for view in list_views(session, principal))
    for who, view_id in ((mate, shared), (manager, private), (add_stranger(session), shared)):
        with pytest.raises(NotFoundError):
            delete_view(session, who, view_id)
    delete_view(session, manager, shared)
    delete_view(session, principal, private)
    assert names(session, principal) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\u202eb"])
def test_a_view_needs_a_name_that_fits(session: Session, principal: Principal, name: str) -> None:
    with pytest.raises(InvalidInputError):
        save_view(session, principal, name, LOST)


def test_a_user_has_a_limited_number_of_views(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_VIEWS", 1)
    save_view(session, principal, "One", LOST)
    save_view(session, principal, "One", LOST)
    with pytest.raises(InvalidInputError):
        save_view(session, principal, "Two", LOST)


def test_who_only_reads_saves_none(session: Session, principal: Principal) -> None:
    with pytest.raises(NotAllowedError):
        save_view(session, add_member(session, principal, Role.VIEWER), "One", LOST)


def test_what_another_version_stored_is_left_out() -> None:
    stored = write_definition(LOST)
    stored["list_filter"] |= {"states": ["sunny", "gone"], "rank_worse_days": 5, "roles": ["x"]}
    stored["sort"] = {"by": "beauty"}
    read = read_definition(stored)
    assert read.list_filter == replace(
        LOST.list_filter, states=(State.GONE,), rank_worse_days=None, roles=()
    )
    assert read.sort == Sort()
    assert read_definition({}) == ViewDefinition(ListFilter(), Sort())
