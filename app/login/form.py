"""The sign-in form: streamlit-authenticator with its check replaced.

Only the library's form and flow are used. By itself it would write a cookie that scripts
can read, load all users, lock accounts permanently, respond at once to an unknown name, and
support only bcrypt.
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
"""From email address and password: whether they are correct. May raise LoginRefusedError."""


class LoginRefusedError(LoginError):  # type: ignore[misc]  # the library carries no types
    """The attempt is refused before the password is checked; the message has the reason."""


@dataclass(frozen=True, slots=True)
class LoginResult:
    """The form's result: nothing sent (None), correct or not, or the reason of a refusal."""

    is_correct: bool | None
    refusal: str | None = None


class _CheckedModel(AuthenticationModel):  # type: ignore[misc]
    """The library's model, with the app's check instead of a table of all users."""

    def __init__(self, check: Check) -> None:
        super().__init__({"usernames": {}}, auto_hash=False, secret_key=secrets.token_hex(32))
        self._check = check

    def check_credentials(self, username: str, password: str) -> bool:
        """Return whether both are correct; the library gets nothing else about the user."""
        is_correct = self._check(username, password)
        if is_correct:
            self.credentials["usernames"][username] = {"email": username, "roles": None}
        return is_correct

    def _record_failed_login_attempts(self, username: str, reset: bool = False) -> None:
        """Count nothing: the database counts failed attempts, for all processes."""


class _NoCookie:
    """Replaces the library's cookie controller: no cookie is read or written.

    The library's would also load an iframe with fonts from the internet.
    """

    def get_cookie(self) -> None:
        return None

    def set_cookie(self) -> None:
        return None


class _LoginForm(Authenticate):  # type: ignore[misc]
    """The library's form with the app's check."""

    def __init__(self, check: Check) -> None:
        # The parent's __init__ isn't called on purpose: it makes the cookie and the user table.
        self.attrs: dict[str, Any] = {"login_sleep_time": 0}
        self.path = None
        self.cookie_controller = _NoCookie()
        key = secrets.token_hex(32)
        self.authentication_controller = AuthenticationController(
            {"usernames": {}}, auto_hash=False, secret_key=key
        )
        self.authentication_controller.authentication_model = _CheckedModel(check)

    def login(self) -> None:
        """Show the form as the library does, with what it can't be configured for.

        A primary button, no heading, and fields that password managers recognize.
        """
        with st.form("sign_in"):
            email = st.text_input("Email", max_chars=MAX_EMAIL_LENGTH, autocomplete="username")
            password = st.text_input(
                "Password",
                type="password",
                max_chars=MAX_PASSWORD_INPUT,
                autocomplete="current-password",
            )
            if st.form_submit_button("Sign in", type="primary", width="stretch"):
                self.authentication_controller.login(email, password)


def show_sign_in_form(check: Check) -> LoginResult:
    """Show the form; return its result in this run."""
    _clear_library_state()
    try:
        _LoginForm(check).login()
    except LoginError as refusal:
        return LoginResult(False, str(refusal))
    return LoginResult(st.session_state.get("authentication_status"))


def _clear_library_state() -> None:
    """Drop the library's state: `app.auth.session` finds the user at every run."""
    for name in ("authentication_status", "name", "username", "email", "roles", "logout"):
        st.session_state.pop(name, None)
