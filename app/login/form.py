"""The form that people sign in with: streamlit-authenticator, with its check replaced.

Of the library the form and its flow are used. Its own ways are not: it would write a
cookie that scripts can read, load every person, lock for ever, answer at once for an
unknown name, and know only bcrypt.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit_authenticator import Authenticate
from streamlit_authenticator.controllers import AuthenticationController
from streamlit_authenticator.models import AuthenticationModel
from streamlit_authenticator.utilities import LoginError

from core.accounts.email_address import MAX_EMAIL_LENGTH
from core.accounts.password_rules import MAX_PASSWORD_INPUT

Check = Callable[[str, str], bool]
"""Given mail address and password: whether they are right. May raise RefusedError."""


class LoginRefusedError(LoginError):  # type: ignore[misc]  # the library carries no types
    """The attempt is not even looked at; the message says why."""


@dataclass(frozen=True, slots=True)
class LoginResult:
    """What came of the form: nothing sent, or whether it was right, or why it was refused."""

    is_right: bool | None
    refusal: str | None = None


class _CheckedModel(AuthenticationModel):  # type: ignore[misc]
    """The library's model, which asks us instead of a table of everybody."""

    def __init__(self, check: Check) -> None:
        super().__init__({"usernames": {}}, auto_hash=False, secret_key=secrets.token_hex(32))
        self._check = check

    def check_credentials(self, username: str, password: str) -> bool:
        """Return whether both are right; of the person the library learns nothing."""
        is_right = self._check(username, password)
        if is_right:
            self.credentials["usernames"][username] = {"email": username, "roles": None}
        return is_right

    def _record_failed_login_attempts(self, username: str, reset: bool = False) -> None:
        """Count nothing: failed attempts are counted where all processes see them."""


class _NoCookie:
    """Stands where the library keeps its cookie: there is none, read or written.

    Its own would also load a frame with fonts from elsewhere.
    """

    def get_cookie(self) -> None:
        return None

    def set_cookie(self) -> None:
        return None


class _LoginForm(Authenticate):  # type: ignore[misc]
    """The library's form over our check."""

    def __init__(self, check: Check) -> None:
        # The parent's __init__ is left out on purpose: it makes the cookie and the table.
        self.attrs: dict[str, Any] = {"login_sleep_time": 0}
        self.path = None
        self.cookie_controller = _NoCookie()
        key = secrets.token_hex(32)
        self.authentication_controller = AuthenticationController(
            {"usernames": {}}, auto_hash=False, secret_key=key
        )
        self.authentication_controller.authentication_model = _CheckedModel(check)

    def login(self) -> None:
        """Show the form as the library does, but for what its own can't be told.

        A main button, no heading of its own, and fields that password managers know.
        """
        with st.form("sign_in"):
            mail = st.text_input("Email", max_chars=MAX_EMAIL_LENGTH, autocomplete="username")
            password = st.text_input(
                "Password",
                type="password",
                max_chars=MAX_PASSWORD_INPUT,
                autocomplete="current-password",
            )
            if st.form_submit_button("Sign in", type="primary", width="stretch"):
                self.authentication_controller.login(mail, password)


def show_sign_in_form(check: Check) -> LoginResult:
    """Show the form; return what came of it in this run."""
    _clear_library_state()
    try:
        _LoginForm(check).login()
    except LoginError as refusal:
        return LoginResult(False, str(refusal))
    return LoginResult(st.session_state.get("authentication_status"))


def _clear_library_state() -> None:
    """Drop what the library remembers: who is signed in is asked elsewhere, every time."""
    for name in ("authentication_status", "name", "username", "email", "roles", "logout"):
        st.session_state.pop(name, None)
