"""Cached reads of the lists: products, changes since yesterday, what can be chosen.

A list is kept for ten seconds per person and question, the overview for a minute
(it says how old its figures are). The session's `moment` is part of the question
and changes with each of its own actions: whoever acts sees the result at once.
"""

from uuid import uuid4

import streamlit as st

from app.data import display, principal
from core.accounts.access.permissions import Principal
from core.catalog.marketplaces import MARKETPLACES
from core.database.session import read_scope
from core.tracking.list_filter import ListFilter, ListScope, Sort, State
from core.tracking.lists import freshness as counts
from core.tracking.lists import queries
from core.tracking.lists.freshness import Freshness
from core.tracking.lists.queries import ListPage
from core.tracking.rules import Role

CHANGES_SHOWN = 6
_MOMENT = "_list_moment"


def moment() -> str:
    """Return a word that differs after each action of this session."""
    return str(st.session_state.get(_MOMENT, ""))


def forget() -> None:
    """Make this session read its lists anew."""
    st.session_state[_MOMENT] = uuid4().hex


def products(asked: ListFilter, sort: Sort, page: int) -> ListPage:
    """Return a page of products; the first where the page asked for doesn't exist."""
    found = _products(principal(), asked, sort, page, page_size(), moment())
    if found.total and found.rows.empty:
        return _products(principal(), asked, sort, 1, page_size(), moment())
    return found


def page_size() -> int:
    """Return how many products a page of the list shows to this person."""
    return display().page_size


@st.cache_data(ttl=10, max_entries=500, show_spinner=False)
def _products(
    who: Principal, asked: ListFilter, sort: Sort, page: int, size: int, moment: str
) -> ListPage:
    del moment
    with read_scope() as session:
        return queries.find_products(session, who, asked, sort, page, size)


def changes(state: State, roles: tuple[Role, ...], whose: ListScope) -> ListPage:
    """Return the worst changes since yesterday that are such news, and how many there are."""
    return _changes(principal(), ListFilter(states=(state,), roles=roles, whose=whose), moment())


@st.cache_data(ttl=60, max_entries=500, show_spinner=False)
def _changes(who: Principal, asked: ListFilter, moment: str) -> ListPage:
    del moment
    with read_scope() as session:
        return queries.find_products(session, who, asked, Sort(), 1, CHANGES_SHOWN)


def doubtful(whose: ListScope) -> int:
    """Return how many products show a value that the gate doubts."""
    return _count(principal(), ListFilter(states=(State.DOUBTFUL,), whose=whose), moment())


@st.cache_data(ttl=60, max_entries=100, show_spinner=False)
def _count(who: Principal, asked: ListFilter, moment: str) -> int:
    del moment
    with read_scope() as session:
        return queries.count_products(session, who, asked)


def freshness(whose: ListScope) -> Freshness:
    """Return how up to date the products are, as of a minute ago at most."""
    return _freshness(principal(), whose, moment())


@st.cache_data(ttl=60, max_entries=100, show_spinner=False)
def _freshness(who: Principal, whose: ListScope, moment: str) -> Freshness:
    del moment
    with read_scope() as session:
        return counts.freshness(session, who, whose)


def follows_anything() -> bool:
    """Return whether anybody of the team follows any product; never cached."""
    with read_scope() as session:
        return queries.tracks_anything(session, principal(), ListScope.TEAM)


def marketplaces(whose: ListScope) -> list[str]:
    """Return the marketplaces with followed products, in the usual order."""
    return _choices(principal(), whose, moment())[0]


def tags(whose: ListScope) -> list[str]:
    """Return the tags in use."""
    return _choices(principal(), whose, moment())[1]


@st.cache_data(ttl=60, max_entries=100, show_spinner=False)
def _choices(who: Principal, whose: ListScope, moment: str) -> tuple[list[str], list[str]]:
    del moment
    with read_scope() as session:
        codes = queries.list_marketplaces(session, who, list(MARKETPLACES), whose)
        return codes, queries.list_tags(session, who, whose)
