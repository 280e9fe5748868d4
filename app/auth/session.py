"""The session of a page: its cookie and its user, checked at every run.

The cookie is HttpOnly and contains a random token. The database is asked at every run
whether it is valid, so that a session ended elsewhere ends here with the next run.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.accounts.access import sessions
from core.accounts.access.permissions import Principal
from core.accounts.access.sessions import ActiveSession, DisplayPreferences, SessionLifetime
from core.database import outages
from core.database.session import read_scope, shared_time, write_scope
from core.errors import NotAllowedError
from core.settings.environment import Settings, get_settings
from core.text import locale
from core.text.locale import Formats

log = logging.getLogger(__name__)

COOKIE = "amazcope_session"
DEVICE_COOKIE = "amazcope_device"  # marks a browser that has signed in before
# Over https: browsers accept a cookie of this prefix from this host only, never from
# another one of the same domain, nor over plain http.
_BOUND = "__Host-"
BOUND_COOKIE = f"{_BOUND}{COOKIE}"
# One run of a page with its callbacks needs the user many times, but one query is enough.
_ONE_RUN = 0.5  # s
_CACHE = "_acting"


class SignedOutError(NotAllowedError):
    """No user is signed in where one is required."""

    def __init__(self) -> None:
        super().__init__("You are signed out. Reload the page to sign in again.")


@dataclass(frozen=True, slots=True)
class _CachedSession:
    loaded_at: float
    token: str
    found: ActiveSession | None

    def is_of_this_run(self) -> bool:
        return time.monotonic() - self.loaded_at <= _ONE_RUN


# Of this thread's run, with the id of its Streamlit session: a page asks a dozen times, and
# Streamlit's state is slow to read.
_of_this_run: ContextVar[tuple[str, _CachedSession] | None] = ContextVar(
    "_of_this_run", default=None
)


def get_lifetime(settings: Settings | None = None) -> SessionLifetime:
    """Return how long sessions last."""
    chosen = settings or get_settings()
    return SessionLifetime(
        idle=timedelta(hours=chosen.amazcope_session_idle_hours),
        whole=timedelta(days=chosen.amazcope_session_days),
    )


def cookie_name(settings: Settings, name: str = COOKIE) -> str:
    """Return the name under which a cookie is set."""
    return f"{_BOUND}{name}" if settings.is_https else name


def find_session_token(cookies: Mapping[str, str]) -> str | None:
    """Return the session token in a browser's cookies, None when there is none.

    Over https the name without prefix is valid only for sessions that started under it.
    They expire, and an upgrade signs no user out.
    """
    if not get_settings().is_https:
        return cookies.get(COOKIE)
    older = cookies.get(COOKIE, "")
    return cookies.get(BOUND_COOKIE) or (
        None if older.startswith(sessions.HOST_BOUND_PREFIX) else older
    )


def read_session_token() -> str | None:
    """Return the session token that the browser sent on opening this page, None without one."""
    return find_session_token(st.context.cookies)


def read_device_token() -> str | None:
    """Return the device token that the browser sent on opening this page, None without one."""
    return find_device_token(st.context.cookies)


def find_device_token(cookies: Mapping[str, str]) -> str | None:
    """Return the device token in a browser's cookies, None when there is none."""
    return cookies.get(cookie_name(get_settings(), DEVICE_COOKIE))


def client_address() -> str | None:
    """Return the browser's IP address, None for this machine."""
    return st.context.ip_address


def find_principal() -> Principal | None:
    """Return the signed-in user, None without one; sets the user's number formats."""
    found = _find_session()
    locale.use_formats(locale.USUAL if found is None else _to_formats(found.display))
    return None if found is None else found.principal


def get_display() -> DisplayPreferences:
    """Return the user's display preferences. Raises SignedOutError."""
    found = _find_session()
    if found is None:
        raise SignedOutError
    return found.display


def _to_formats(display: DisplayPreferences) -> Formats:
    return Formats(display.locale, display.has_currency_code)


def _find_session() -> ActiveSession | None:
    run, kept = get_script_run_ctx(suppress_warning=True), _of_this_run.get()
    if run is not None and kept is not None:
        session_id, known = kept
        if session_id == run.session_id and known.is_of_this_run():
            return known.found
    token = read_session_token()
    if not token:
        return None
    cached = st.session_state.get(_CACHE)
    if cached is None or cached.token != token or not cached.is_of_this_run():
        now = time.monotonic()
        cached = _CachedSession(now, token, _load_session(token, client_address()))
        st.session_state[_CACHE] = cached
    _of_this_run.set(None if run is None else (run.session_id, cached))
    return cached.found


def get_principal() -> Principal:
    """Return the signed-in user. Raises SignedOutError."""
    found = find_principal()
    if found is None:
        raise SignedOutError
    return found


def defer_principal() -> Callable[[], Principal]:
    """Return a function that returns the user later: a file is made after its page has run.

    It raises SignedOutError. The user's role is the one at the time of the call.
    """
    token, where = read_session_token(), client_address()

    def get_current() -> Principal:
        found = _load_session(token, where) if token else None
        if found is None:
            raise SignedOutError
        return found.principal

    return get_current


def clear_cached_session() -> None:
    """Read the session again at the next use, because the user's data changed."""
    _of_this_run.set(None)
    st.session_state.pop(_CACHE, None)


def _load_session(token: str, where: str | None) -> ActiveSession | None:
    now = shared_time()
    with read_scope() as session:
        found = sessions.find_session(session, token, get_lifetime(), now, where)
    if found is not None and found.is_stale:
        _mark_used(found.principal, now)
    return found


def _mark_used(who: Principal, now: datetime) -> None:
    """Mark a session as used; while the database is read-only, pages still work."""
    try:
        with write_scope() as session:
            sessions.mark_session_used(session, who, now)
    except outages.ERRORS as error:
        if outages.describe_outage(error) is None:
            raise
        log.warning("A session could not be marked as used: %s", error)
