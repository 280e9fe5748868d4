"""Single sign-on: Streamlit's own way to the provider and back, and a ticket at its end.

What Streamlit keeps of it, a cookie that lasts a month and can't be revoked, is looked
at once and given back: the sign-in that follows is one like any other.
"""

import logging
from typing import Any

import streamlit as st

from app import leaving
from app import session as signed
from core.accounts import outside
from core.accounts.outside import Admission
from core.accounts.sessions import make_ticket
from core.config import Settings, get_settings
from core.db import shared_time, write_scope
from core.errors import NotAllowedError

log = logging.getLogger(__name__)

_REFUSED = "_sign_on_refused"


def find_ticket() -> str | None:
    """Return a ticket for somebody who just came back from the provider, None for nobody."""
    settings = get_settings()
    if settings.amazcope_oidc_issuer is None or _REFUSED in st.session_state:
        return None
    if not st.user.is_logged_in:
        return None
    try:
        return _let_in(settings, st.user.to_dict())
    except NotAllowedError as error:
        log.warning("A sign-on was refused: %s", error)
        st.session_state[_REFUSED] = str(error)
        return None


def _let_in(settings: Settings, given: dict[str, Any]) -> str:
    claims = outside.read_claims(given, settings.amazcope_oidc_issuer or "")
    admission = Admission(
        is_open=settings.amazcope_registration == "open",
        roles=outside.read_roles(settings.amazcope_oidc_groups),
    )
    now = shared_time()
    with write_scope() as session:
        number = outside.let_in(session, claims, admission, now, signed.address())
        return make_ticket(session, number, now)


def offer() -> None:
    """Offer the way to the provider, and say why somebody who came back is not let in."""
    if get_settings().amazcope_oidc_issuer is None:
        return
    refused = st.session_state.get(_REFUSED)
    if refused:
        st.error(refused, icon=":material/lock:")
        leaving.give_back()
    else:
        leaving.remember_wanted()
    if st.button("Single sign-on", icon=":material/login:", key="sign_on", width="stretch"):
        st.login()
