"""What people can change of themselves. Each verb writes, and returns what came of it in words.

Passwords are checked and hashed with no transaction open: both take a moment.
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

TO_CONFIRM = "_to_confirm"  # a verb and its arguments, until the user has confirmed
SETTING_UP = "_second_factor_address"  # the address in the QR code, until a code confirmed it
CODES = "_recovery_codes"  # shown once
TOKEN = "_new_token"  # noqa: S105 - the name of a place; what is in it is shown once


def run_with_toast(verb: Callable[..., str], *given: object) -> None:
    """Do something and show its answer as a toast; for `on_click`.

    What takes a confirmation waits for it: the page asks, and does it then.
    """
    try:
        products.run_with_toast(verb, *given)
    except ConfirmationNeededError:
        st.session_state[TO_CONFIRM] = (verb, given)
    session.clear_cached_session()


def run_from_form(verb: Callable[..., str], *given: object) -> None:
    """Do something below a form: its error stays there, its answer is a toast on the new page."""
    try:
        answer = verb(*given)
    except ConfirmationNeededError:
        st.session_state[TO_CONFIRM] = (verb, given)
        st.rerun()
    except error_boundary.EXPECTED_ERRORS as error:
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return
    session.clear_cached_session()
    st.toast(answer, icon=":material/check:")
    st.rerun()


def change_profile(wanted: ProfileUpdate) -> str:
    """Keep how the person is called and sees things."""
    with write_scope() as writing:
        profile.update_profile(writing, get_principal(), wanted)
    return "Profile saved."


def change_email(own: Profile, mail: str, password: str) -> str:
    """Change the address to sign in with, proven by the present password."""
    confirm_password(own, password)
    with write_scope() as writing:
        profile.change_email(writing, get_principal(), mail, shared_time())
    return "Email address changed. Sign in with it from now on."


def change_password(
    own: Profile, present: str, new: str, again: str, *, revokes_tokens: bool
) -> str:
    """Change the password, proven by the present one; all other sign-ins end."""
    if new != again:
        raise InvalidInputError("The new password was typed differently the second time.")
    problem = find_password_problem(new, own.name, own.mail or "")
    if problem:
        raise InvalidInputError(problem)
    proven = confirm_password(own, present)
    password_hash = hash_password(new)
    with write_scope() as writing:
        profile.change_password(
            writing,
            get_principal(),
            password_hash,
            proven,
            shared_time(),
            revokes_tokens=revokes_tokens,
        )
    ended = "All other sign-ins and all API tokens" if revokes_tokens else "All other sign-ins"
    return f"Password changed. {ended} have ended."


def confirm_password(own: Profile, password: str) -> str | None:
    """Confirm who sits at this session; return the hash that the present password fits.

    Counted for this session alone, so that it is not guessed and nobody elsewhere locks it.
    Raises InvalidInputError for a wrong one, and TooManyAttemptsError.
    """
    who, now = get_principal(), shared_time()
    attempt = _begin_attempt(who, own, now)
    with read_scope() as reading:
        kept = profile.get_own_password_hash(reading, who)
    if not verify_password(kept, password):
        refusals.record_refusal(who, "present password")
        raise InvalidInputError("The present password is not right.")
    with write_scope() as writing:
        throttling.reset_failures(writing, attempt)
        confirmation.mark_confirmed(writing, who, now)
    return kept


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


# Sign-ins


def end_session(sign_in_id: int) -> str:
    """End one of the person's sign-ins."""
    with write_scope() as writing:
        sessions.end_own_session(writing, get_principal(), sign_in_id, shared_time())
    return "That sign-in has ended."


def end_other_sessions() -> str:
    """End all of the person's sign-ins but this one."""
    with write_scope() as writing:
        ended = sessions.end_other_sessions(writing, get_principal(), shared_time())
    if not ended:
        return "You were signed in nowhere else."
    return f"{format_count(ended)} {'sign-in has' if ended == 1 else 'sign-ins have'} ended."


# The second factor


def start_two_factor_setup() -> str:
    """Start setting up the second factor; its QR code is shown next."""
    with write_scope() as writing:
        address = two_factor.start_two_factor_setup(writing, get_principal(), _key(), shared_time())
    st.session_state[SETTING_UP] = address
    return "Scan the code with your app."


def confirm_two_factor_setup(code: str) -> str:
    """Finish setting up with a first code; the recovery codes are shown next."""
    with write_scope() as writing:
        codes = two_factor.confirm_two_factor_setup(
            writing, get_principal(), code, _key(), shared_time()
        )
    st.session_state.pop(SETTING_UP, None)
    st.session_state[CODES] = codes
    return "Your second factor is set up."


def remove_two_factor(code: str) -> str:
    """Do without the second factor again, proven by a code."""
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
    return "New recovery codes are made. The old ones no longer work."


def _key() -> str:
    return get_secret_key(get_settings())


def clear_shown(name: str) -> None:
    """Stop showing what is shown once."""
    st.session_state.pop(name, None)


# Tokens and notices


def create_token(name: str, scopes: list[Scope], days: int) -> str:
    """Make an API token, to be shown once."""
    now = shared_time()
    with write_scope() as writing:
        token = api_tokens.create_api_token(
            writing, get_principal(), name, scopes, now + timedelta(days=days), now
        )
    st.session_state[TOKEN] = token
    return "Token made. Copy it now."


def revoke_token(token_id: int) -> str:
    """Revoke one of the person's tokens."""
    with write_scope() as writing:
        api_tokens.revoke_own_token(writing, get_principal(), token_id, shared_time())
    return "Token revoked."


def mark_notices_read(up_to: int) -> None:
    """Mark notices as read, up to one."""
    with write_scope() as writing:
        account_notices.mark_notices_read(writing, get_principal(), up_to)
    session.clear_cached_session()
