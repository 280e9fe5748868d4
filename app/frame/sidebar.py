"""The sidebar of every page: search, navigation, user, notices, theme, "Sign out"."""

from collections.abc import Mapping
from datetime import UTC, datetime

import streamlit as st

from app import data, keys
from app.auth import session_cookie
from app.commands import account
from app.components import fragments
from app.data import accounts
from app.data.navigation import OpenWork, count_open_work
from app.frame import navigation, product_search, theme
from app.web import error_boundary
from core.accounts.access.permissions import Permission, Principal
from core.accounts.people.account_notices import AccountNotice
from core.database import outages
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_capped_count
from core.text.times import format_age

_SIGNING_OUT = "_signing_out"
BELL = "bell"
_LINKED = (keys.PROFILE, keys.ADMIN)  # pages that notices link to


def show_sidebar(who: Principal, pages: Mapping[str, st.Page], url_path: str) -> None:
    """Show search, navigation, user and bell, and apply the user's theme.

    `url_path`: of the open page, "" for the first one.
    """
    with st.sidebar:
        if st.session_state.get(_SIGNING_OUT):
            session_cookie.end_session()
            return
        if who.may(Permission.READ) and not who.needs_second_factor:
            product_search.clear_after_opening(url_path)
            product_search.show_search()
        try:
            work = count_open_work(who)
        except outages.ERRORS:  # shown below: an outage must not hide the navigation
            navigation.show_links(who, OpenWork())
            navigation.open_links(OpenWork(), url_path)
            raise
        navigation.show_links(who, work)
        with st.container(horizontal=True, wrap=False, gap="xsmall"):
            _show_person(who)
            _show_bell(data.get_display().unread)
        if data.has_demo():
            st.caption("Demo data")
        theme.apply_theme(data.get_display().theme, list(pages))
        navigation.open_links(work, url_path)


def _show_person(who: Principal) -> None:
    name = escape_markdown(shorten(who.name, 24))
    with st.popover(name, width="stretch", wrap=False, help=f"{name}, {who.role.value}"):
        st.caption(f"{name}, signed in as {who.role.value}")
        st.page_link(
            f"../pages/{keys.PROFILE}.py", label="Account", icon=":material/manage_accounts:"
        )
        st.button("Sign out", icon=":material/logout:", on_click=_sign_out)


def _sign_out() -> None:
    st.session_state[_SIGNING_OUT] = True


def _show_bell(unread: int) -> None:
    """Show the bell with the number of unread notices; a click shows all notices."""
    label = format_capped_count(unread, 99) if unread else ""
    icon = ":material/notifications_active:" if unread else ":material/notifications:"
    tooltip = f"{label or 'No'} new {'notice' if unread == 1 else 'notices'}"
    if st.button(label, icon=icon, help=tooltip, key=BELL, wrap=False):
        show_notices()


@fragments.dialog("Notices", icon=":material/notifications:", on_dismiss="rerun", for_set_up=True)
def show_notices() -> None:
    """Show the newest notices, unread ones bold, and mark them as read."""
    found = accounts.list_own_notices()
    # Marked before they are drawn: a dialog that is closed at once has shown them.
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
    """Show above a page that the database is read-only, while it is."""
    if data.is_read_only():
        st.warning(escape_markdown(outages.READ_ONLY_NOTICE), icon=":material/edit_off:")


def _show_notice(notice: AccountNotice) -> None:
    text = escape_markdown(notice.text)
    age = format_age(notice.at, datetime.now(UTC))
    st.markdown(f"{text if notice.is_read else f'**{text}**'}  \n:small[:gray[{age}]]")
    if notice.page in _LINKED:
        st.page_link(
            f"../pages/{notice.page}.py",
            label=navigation.BY_NAME[notice.page].title,
            icon=":material/arrow_forward:",
        )
