"""Single sign-on by Streamlit's `st.login`, exchanged for a session of the app.

Streamlit's own cookie lasts a month and can't be revoked. It is read once and deleted;
the session that follows is like any other.
"""

import logging

import streamlit as st

from app.auth import login, session_cookie
from app.auth import session as signed
from core.accounts.access.sessions import create_ticket
from core.accounts.access.team_settings import get_registration_mode
from core.accounts.login import single_sign_on
from core.accounts.login.single_sign_on import AdmissionPolicy, Claims, LinkNeedsPasswordError
from core.accounts.login.throttling import TooManyAttemptsError
from core.accounts.login.two_factor import MAX_CODE_LENGTH
from core.accounts.password_rules import MAX_PASSWORD_INPUT
from core.database.session import shared_time, write_scope
from core.errors import NotAllowedError
from core.settings.environment import Settings, get_settings

log = logging.getLogger(__name__)

_REFUSED = "_sign_on_refused"
_LINKING = "_sign_on_linking"  # until the password has confirmed the account's owner


def find_ticket() -> str | None:
    """Return a ticket for a visitor who just came back from the provider, else None."""
    settings = get_settings()
    if settings.amazcope_oidc_issuer is None or _REFUSED in st.session_state:
        return None
    if not st.user.is_logged_in:
        return None
    try:
        return _complete(settings)
    except LinkNeedsPasswordError:
        st.session_state[_LINKING] = True
        return None
    except NotAllowedError as error:
        log.warning("A sign-on was refused: %s", error)
        st.session_state[_REFUSED] = str(error)
        return None


def _read_claims(settings: Settings) -> Claims:
    return single_sign_on.parse_claims(st.user.to_dict(), settings.amazcope_oidc_issuer or "")


def _complete(settings: Settings, *, is_proven: bool = False) -> str:
    claims = _read_claims(settings)
    roles = single_sign_on.parse_group_roles(settings.amazcope_oidc_groups)
    now = shared_time()
    with write_scope() as session:
        is_open = get_registration_mode(session, settings.amazcope_registration) == "open"
        admission = AdmissionPolicy(is_open, roles)
        number = single_sign_on.complete_single_sign_on(
            session, claims, admission, now, signed.client_address(), is_proven=is_proven
        )
        return create_ticket(session, number, now)


def is_linking() -> bool:
    """Return whether the visitor came back for an account that has a password."""
    return _LINKING in st.session_state


def show_link_form() -> str | None:
    """Show the form that links single sign-on to a password account; return its ticket."""
    with st.form("link_sign_on"):
        st.header("Link your single sign-on", anchor=False)
        st.caption(
            "An account with your email address has a password. Type it once; from then on "
            "single sign-on opens the account as well."
        )
        password = st.text_input(
            "Password",
            type="password",
            max_chars=MAX_PASSWORD_INPUT,
            autocomplete="current-password",
        )
        code = st.text_input(
            "Code of your app, if you have set up two-factor authentication",
            max_chars=MAX_CODE_LENGTH,
            autocomplete="one-time-code",
        )
        sent = st.form_submit_button("Link and sign in", type="primary")
    if st.button("Back to signing in", type="tertiary", icon=":material/arrow_back:"):
        _refuse("Your single sign-on was not linked.")
        st.rerun()
    return _link_account(password, code) if sent else None


def _link_account(password: str, code: str) -> str | None:
    settings = get_settings()
    try:
        if not login.verify_owner(_read_claims(settings).mail, password, code):
            st.error("Incorrect password or code.", icon=":material/error:")
            return None
        ticket = _complete(settings, is_proven=True)
    except TooManyAttemptsError as error:
        st.error(str(error), icon=":material/lock_clock:")
        return None
    except NotAllowedError as error:
        _refuse(str(error))
        st.rerun()
    del st.session_state[_LINKING]
    return ticket


def _refuse(reason: str) -> None:
    st.session_state.pop(_LINKING, None)
    st.session_state[_REFUSED] = reason


def show_button() -> None:
    """Show the button to the provider, and why the last sign-on was refused."""
    if get_settings().amazcope_oidc_issuer is None:
        return
    refused = st.session_state.get(_REFUSED)
    if refused:
        st.error(refused, icon=":material/lock:")
        session_cookie.clear_cookies()
    else:
        session_cookie.remember_requested_page()
    if st.button("Single sign-on", icon=":material/login:", key="sign_on", width="stretch"):
        st.login()
