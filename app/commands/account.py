"""Commands of users for their own account: each writes and returns a message for the user.

Passwords are checked and hashed outside a transaction, since both take a moment.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import streamlit as st

from app.auth import login, session
from app.commands import products
from app.data import get_principal
from app.web import error_boundary
from core.accounts.access import api_tokens, confirmation, refusals, sessions
from core.accounts.access.confirmation import ConfirmationNeededError
from core.accounts.access.credentials import hash_password, verify_password
from core.accounts.access.permissions import Principal, Scope
from core.accounts.login import throttling, two_factor
from core.accounts.password_rules import find_password_problem
from core.accounts.people import account_notices, profile
from core.accounts.people.profile import Profile, ProfileUpdate
from core.database.session import read_scope, shared_time, write_scope
from core.errors import InvalidInputError
from core.settings.environment import get_settings
from core.settings.secret_key import get_secret_key
from core.text.numbers import format_count

TO_CONFIRM = "_to_confirm"  # a command and its arguments, until the user has confirmed
SETTING_UP = "_two_factor_uri"  # the URI in the QR code, until a code has confirmed it
CODES = "_recovery_codes"  # shown once
TOKEN = "_new_token"  # noqa: S105 - a key of the session's state; the value is shown once


def run_with_toast(command: Callable[..., str], *arguments: object) -> None:
    """Run a command and show its message as a toast; for `on_click`.

    A command that needs a confirmation is kept until the page's dialog has asked for it.
    """
    try:
        products.run_with_toast(command, *arguments)
    except ConfirmationNeededError:
        st.session_state[TO_CONFIRM] = (command, arguments)
    session.clear_cached_session()


def run_from_form(command: Callable[..., str], *arguments: object) -> None:
    """Run a form's command: show its error in the form, or its message as a toast, and rerun."""
    try:
        message = command(*arguments)
    except ConfirmationNeededError:
        st.session_state[TO_CONFIRM] = (command, arguments)
        st.rerun()
    except error_boundary.EXPECTED_ERRORS as error:
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return
    session.clear_cached_session()
    st.toast(message, icon=":material/check:")
    st.rerun()


def change_profile(wanted: ProfileUpdate) -> str:
    """Save name and preferences."""
    with write_scope() as writing:
        profile.update_profile(writing, get_principal(), wanted)
    return "Profile saved."


def change_email(own: Profile, email: str, password: str) -> str:
    """Change the email address, confirmed by the current password."""
    confirm_password(own, password)
    with write_scope() as writing:
        profile.change_email(writing, get_principal(), email, shared_time())
    return "Email address changed. Sign in with it from now on."


def change_password(
    own: Profile, current: str, new: str, again: str, *, revokes_tokens: bool
) -> str:
    """Change the password, confirmed by the current one; all other sessions end."""
    if new != again:
        raise InvalidInputError("The new passwords don't match.")
    problem = find_password_problem(new, own.name, own.mail or "")
    if problem:
        raise InvalidInputError(problem)
    current_hash = confirm_password(own, current)
    password_hash = hash_password(new)
    with write_scope() as writing:
        profile.change_password(
            writing,
            get_principal(),
            password_hash,
            current_hash,
            shared_time(),
            revokes_tokens=revokes_tokens,
        )
    ended = "All other sessions and all API tokens" if revokes_tokens else "All other sessions"
    return f"Password changed. {ended} have ended."


def confirm_password(own: Profile, password: str) -> str | None:
    """Check the current password, mark the session as confirmed, and return the stored hash.

    Attempts are counted for this session alone, so that no other client can lock it.
    Raises InvalidInputError for a wrong password, and TooManyAttemptsError.
    """
    who, now = get_principal(), shared_time()
    attempt = _begin_attempt(who, own, now)
    with read_scope() as reading:
        stored = profile.get_own_password_hash(reading, who)
    if not verify_password(stored, password):
        refusals.record_refusal(who, "present password")
        raise InvalidInputError("Incorrect current password.")
    with write_scope() as writing:
        throttling.reset_failures(writing, attempt)
        confirmation.mark_confirmed(writing, who, now)
    return stored


def _begin_attempt(who: Principal, own: Profile, now: datetime) -> int:
    with write_scope() as writing:
        return throttling.begin_attempt(
            writing,
            own.mail or "",
            session.client_address(),
            login.get_attempt_limits(),
            now,
            bucket=f"session {who.session_id}",
        )


# Sessions


def end_session(session_id: int) -> str:
    """End one of the user's sessions."""
    with write_scope() as writing:
        sessions.end_own_session(writing, get_principal(), session_id, shared_time())
    return "That session has ended."


def end_other_sessions() -> str:
    """End all sessions of the user except this one."""
    with write_scope() as writing:
        ended = sessions.end_other_sessions(writing, get_principal(), shared_time())
    if not ended:
        return "You have no other active sessions."
    return f"{format_count(ended)} {'session has' if ended == 1 else 'sessions have'} ended."


# Two-factor authentication


def start_two_factor_setup() -> str:
    """Start the two-factor set-up; its QR code is shown next."""
    with write_scope() as writing:
        uri = two_factor.start_two_factor_setup(writing, get_principal(), _key(), shared_time())
    st.session_state[SETTING_UP] = uri
    return "Scan the code with your app."


def confirm_two_factor_setup(code: str) -> str:
    """Finish the two-factor set-up with a first code; the recovery codes are shown next."""
    with write_scope() as writing:
        codes = two_factor.confirm_two_factor_setup(
            writing, get_principal(), code, _key(), shared_time()
        )
    st.session_state.pop(SETTING_UP, None)
    st.session_state[CODES] = codes
    return "Two-factor authentication is on."


def remove_two_factor(code: str) -> str:
    """Turn two-factor authentication off, confirmed by a code."""
    who = get_principal()
    with read_scope() as reading:
        own = profile.get_profile(reading, who)
    attempt = _begin_attempt(who, own, shared_time())
    with write_scope() as writing:
        two_factor.remove_two_factor(writing, who, code, _key(), shared_time())
        throttling.reset_failures(writing, attempt)
    return "Two-factor authentication was turned off."


def renew_recovery_codes() -> str:
    """Replace the recovery codes; the new ones are shown next."""
    with write_scope() as writing:
        codes = two_factor.renew_recovery_codes(writing, get_principal(), shared_time())
    st.session_state[CODES] = codes
    return "New recovery codes created. The old ones no longer work."


def _key() -> str:
    return get_secret_key(get_settings())


def clear_shown(name: str) -> None:
    """Stop showing a value that is shown once."""
    st.session_state.pop(name, None)


# Tokens and notices


def create_token(name: str, scopes: list[Scope], days: int) -> str:
    """Create an API token, to be shown once."""
    now = shared_time()
    with write_scope() as writing:
        token = api_tokens.create_api_token(
            writing, get_principal(), name, scopes, now + timedelta(days=days), now
        )
    st.session_state[TOKEN] = token
    return "Token created. Copy it now."


def revoke_token(token_id: int) -> str:
    """Revoke one of the user's tokens."""
    with write_scope() as writing:
        api_tokens.revoke_own_token(writing, get_principal(), token_id, shared_time())
    return "Token revoked."


def mark_notices_read(up_to: int) -> None:
    """Mark notices as read, up to the one with this id."""
    with write_scope() as writing:
        account_notices.mark_notices_read(writing, get_principal(), up_to)
    session.clear_cached_session()
