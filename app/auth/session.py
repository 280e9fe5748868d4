"""Who sits at this page: the cookie, the sign-in it stands for, checked at every run.

The cookie is HttpOnly and holds a random token; what it is worth is asked of the
database, so that a sign-in that was ended elsewhere ends here with the next run.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

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
DEVICE_COOKIE = "amazcope_device"  # that this browser has signed in before, and as whom
# Over https: browsers take a cookie of this prefix from this very host alone, never from
# another one below the same domain, nor over plain http.
_BOUND = "__Host-"
BOUND_COOKIE = f"{_BOUND}{COOKIE}"
# One run of a page, with its callbacks, asks many times who acts: once is enough.
_ONE_RUN = 0.5  # s
_CACHE = "_acting"


class SignedOutError(NotAllowedError):
    """Nobody is signed in (any more) where somebody has to be."""

    def __init__(self) -> None:
        super().__init__("You are signed out. Reload the page to sign in again.")


@dataclass(frozen=True, slots=True)
class _CachedSession:
    asked_at: float
    token: str
    found: ActiveSession | None


def get_lifetime(settings: Settings | None = None) -> SessionLifetime:
    """Return how long sign-ins last."""
    chosen = settings or get_settings()
    return SessionLifetime(
        idle=timedelta(hours=chosen.amazcope_session_idle_hours),
        whole=timedelta(days=chosen.amazcope_session_days),
    )


def cookie_name(settings: Settings, name: str = COOKIE) -> str:
    """Return the name under which a cookie is set: that of the sign-in, or another."""
    return f"{_BOUND}{name}" if settings.is_https else name


def find_session_token(cookies: Mapping[str, str]) -> str | None:
    """Return the token of a sign-in among a browser's cookies, None for none.

    Over https the old name counts only for sign-ins that began under it: they end by
    themselves, and nobody is signed out by an upgrade.
    """
    if not get_settings().is_https:
        return cookies.get(COOKIE)
    older = cookies.get(COOKIE, "")
    return cookies.get(BOUND_COOKIE) or (
        None if older.startswith(sessions.HOST_BOUND_PREFIX) else older
    )


def read_session_token() -> str | None:
    """Return the token that the browser sent when it opened this page, None for none."""
    return find_session_token(st.context.cookies)


def read_device_token() -> str | None:
    """Return the token of the device cookie, None where nobody has signed in with this browser."""
    return find_device_token(st.context.cookies)


def find_device_token(cookies: Mapping[str, str]) -> str | None:
    """Return the token of the device among a browser's cookies, None for none."""
    return cookies.get(cookie_name(get_settings(), DEVICE_COOKIE))


def client_address() -> str | None:
    """Return where this browser is, None for this machine."""
    return st.context.ip_address


def find_principal() -> Principal | None:
    """Return who is signed in, None for nobody; from here on numbers are written their way."""
    found = _find_session()
    locale.use(locale.USUAL if found is None else _to_formats(found.display))
    return None if found is None else found.principal


def get_display() -> DisplayPreferences:
    """Return how whoever is signed in wants to see pages. Raises SignedOutError for nobody."""
    found = _find_session()
    if found is None:
        raise SignedOutError
    return found.display


def _to_formats(display: DisplayPreferences) -> Formats:
    return Formats(display.locale, display.has_currency_code)


def _find_session() -> ActiveSession | None:
    token = read_session_token()
    if not token:
        return None
    kept: _CachedSession | None = st.session_state.get(_CACHE)
    now = time.monotonic()
    if kept is None or kept.token != token or now - kept.asked_at > _ONE_RUN:
        kept = _CachedSession(now, token, _load_session(token, client_address()))
        st.session_state[_CACHE] = kept
    return kept.found


def get_principal() -> Principal:
    """Return who is signed in. Raises SignedOutError for nobody."""
    found = find_principal()
    if found is None:
        raise SignedOutError
    return found


def defer_principal() -> Callable[[], Principal]:
    """Return what asks who acts by then: a file is made after its page has run.

    It raises SignedOutError for nobody. The role is that of the moment when it is asked.
    """
    token, where = read_session_token(), client_address()

    def ask() -> Principal:
        found = _load_session(token, where) if token else None
        if found is None:
            raise SignedOutError
        return found.principal

    return ask


def clear_cached_session() -> None:
    """Ask anew who acts: something about the person was just changed."""
    st.session_state.pop(_CACHE, None)


def _load_session(token: str, where: str | None) -> ActiveSession | None:
    now = shared_time()
    with read_scope() as session:
        found = sessions.find_session(session, token, get_lifetime(), now, where)
    if found is not None and found.is_stale:
        _mark_used(found.principal, now)
    return found


def _mark_used(who: Principal, now: datetime) -> None:
    """Write down that a sign-in is in use; where nothing can be written, pages are still read."""
    try:
        with write_scope() as session:
            sessions.mark_session_used(session, who, now)
    except outages.ERRORS as error:
        if outages.describe_outage(error) is None:
            raise
        log.warning("A sign-in could not be marked as used: %s", error)
