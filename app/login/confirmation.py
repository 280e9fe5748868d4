"""The dialog that asks for the password again, and then runs the waiting command."""

from collections.abc import Callable

import streamlit as st

from app.auth import session_cookie
from app.commands import account
from app.components import fragments
from app.data import accounts
from app.web import error_boundary
from core.accounts.password_rules import MAX_PASSWORD_INPUT

_AGAIN = "_sign_in_again"


def ask_if_needed() -> None:
    """Open the dialog when a command waits for a confirmation."""
    if st.session_state.get(_AGAIN):
        session_cookie.end_session()
    elif account.TO_CONFIRM in st.session_state:
        command, arguments = st.session_state[account.TO_CONFIRM]
        show_confirmation(command, arguments)


def _discard_pending() -> None:
    st.session_state.pop(account.TO_CONFIRM, None)


@fragments.dialog(
    "Confirm that it is you", icon=":material/lock:", on_dismiss=_discard_pending, for_set_up=True
)
def show_confirmation(command: Callable[..., str], arguments: tuple[object, ...]) -> None:
    """Ask for the password, or for a new single sign-on, then run the command."""
    own = accounts.get_own_profile()
    if not own.has_password:
        _sign_in_again()
        return
    with st.form("confirm", border=False):
        st.caption(
            "This changes the access to accounts, so enter your password again. "
            "The confirmation is valid for ten minutes in this browser."
        )
        password = st.text_input(
            "Password",
            type="password",
            key="password_to_confirm",
            max_chars=MAX_PASSWORD_INPUT,
            autocomplete="current-password",
        )
        if not st.form_submit_button("Confirm and continue", type="primary"):
            return
    try:
        account.confirm_password(own, password)
    except error_boundary.EXPECTED_ERRORS as error:
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return
    _discard_pending()
    account.run_from_form(command, *arguments)


def _sign_in_again() -> None:
    st.caption(
        "This changes the access to accounts. You have no password here: sign in again by "
        "single sign-on, then repeat the action within ten minutes."
    )
    if st.button("Sign in again", type="primary", icon=":material/login:"):
        _discard_pending()
        st.session_state[_AGAIN] = True
        st.rerun()
