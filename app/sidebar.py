"""What stands beside every page: who is signed in, their bell and theme, the way out."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app import data, keys, theme
from app.auth import session_cookie
from app.commands import account
from app.components import fragments
from app.data import accounts
from app.web import error_boundary
from core.accounts.access.permissions import Principal
from core.accounts.people.account_notices import AccountNotice
from core.database import outages
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_capped_count
from core.text.times import format_age

_LEAVING = "_leaving"
BELL = "bell"
_PAGES = {keys.PROFILE: "Profile", keys.ADMIN: "Administration"}  # where a notice may lead


def show_sidebar(who: Principal, pages: Sequence[str]) -> None:
    """Show who is signed in, what is new for them and how to sign out, below the navigation."""
    with st.sidebar:
        if st.session_state.get(_LEAVING):
            session_cookie.end_session()
            return
        with st.container(horizontal=True, wrap=False, gap="xsmall"):
            _show_person(who)
            _show_bell(data.get_display().unread)
        if data.has_demo():
            st.caption("Demo data")
        theme.apply_theme(data.get_display().theme, pages)


def _show_person(who: Principal) -> None:
    name = escape_markdown(shorten(who.name, 24))
    with st.popover(name, width="stretch", wrap=False, help=f"{name}, {who.role.value}"):
        st.caption(f"{name}, signed in as {who.role.value}")
        st.page_link(
            f"../pages/{keys.PROFILE}.py", label="Profile", icon=":material/manage_accounts:"
        )
        st.button("Sign out", icon=":material/logout:", on_click=_sign_out)


def _sign_out() -> None:
    st.session_state[_LEAVING] = True


def _show_bell(unread: int) -> None:
    """Show how many notices are unread; a click shows them all."""
    label = format_capped_count(unread, 99) if unread else ""
    icon = ":material/notifications_active:" if unread else ":material/notifications:"
    told = f"{label or 'No'} new {'notice' if unread == 1 else 'notices'}"
    if st.button(label, icon=icon, help=told, key=BELL, wrap=False):
        show_notices()


@fragments.dialog("Notices", icon=":material/notifications:", on_dismiss="rerun", for_set_up=True)
def show_notices() -> None:
    """Show the newest notices, the unread ones bold; from here on they count as read."""
    found = accounts.list_own_notices()
    # Before they are shown: whoever closes this at first sight has seen them.
    if any(not each.is_read for each in found):
        _mark_read(found[0].id)
    if not found:
        st.caption("Nothing yet. Changes to your account, role and sign-in appear here.")
    for each in found:
        _show_notice(each)


def _mark_read(up_to: int) -> None:
    try:
        account.mark_notices_read(up_to)
    except error_boundary.EXPECTED_ERRORS as error:
        st.warning(error_boundary.get_message(error), icon=":material/error:")


def show_read_only_notice() -> None:
    """Say above a page that nothing can be changed, while that is so."""
    if data.is_read_only():
        st.warning(escape_markdown(outages.READ_ONLY_NOTICE), icon=":material/edit_off:")


def _show_notice(told: AccountNotice) -> None:
    words = escape_markdown(told.text)
    age = format_age(told.at, datetime.now(UTC))
    st.markdown(f"{words if told.is_read else f'**{words}**'}  \n:small[:gray[{age}]]")
    if told.page in _PAGES:
        st.page_link(
            f"../pages/{told.page}.py",
            label=_PAGES[told.page],
            icon=":material/arrow_forward:",
        )
