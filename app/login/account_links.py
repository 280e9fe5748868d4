"""Links that were mailed or printed, and the forms behind them: set up, join, reset, register."""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st
from sqlalchemy.orm import Session

from app.auth import login, session_cookie
from app.web import error_boundary, url_parameters
from core.accounts.access.credentials import hash_password, password_problem
from core.accounts.access.one_time_tokens import Purpose
from core.accounts.access.permissions import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    LONGEST_TYPED,
    clean_name,
    typed_mail,
)
from core.accounts.access.sessions import make_ticket
from core.accounts.access.team_settings import registration_mode
from core.accounts.login import two_factor
from core.accounts.login.throttling import Form
from core.accounts.people import membership, self_service
from core.accounts.people.membership import Invited
from core.database.session import read_scope, shared_time, write_scope
from core.errors import InvalidInputError
from core.settings.environment import get_settings
from core.text.escaping import escape_markdown
from jobs.tasks import send_emails

PARAMETERS = {
    Purpose.SETUP: "setup",
    Purpose.INVITATION: "invitation",
    Purpose.RESET: "reset",
    Purpose.CONFIRMATION: "confirm",
}
_FORM = "_form"  # "forgotten" or "register"
_TITLES = {
    Purpose.SETUP: "Set up Amazcope",
    Purpose.INVITATION: "Join the team",
    Purpose.RESET: "A new password",
    Purpose.CONFIRMATION: "Finish your registration",
}
_DEAD = "This link is used up or too old. Ask for a new one."
_NOT_OPEN = "Registration is not open. Ask for an invitation."
_DEAD_SETUP = (
    "This link is used up or too old. Each start of Amazcope prints a new one until somebody "
    "has set it up; after that, sign in."
)


@dataclass(frozen=True, slots=True)
class Link:
    """A link that somebody followed."""

    purpose: Purpose
    token: str


def asked() -> Link | str | None:
    """Return the link of the address, or which form was asked for; None for neither."""
    for purpose, name in PARAMETERS.items():
        if name in st.query_params:
            return Link(purpose, url_parameters.text(name) or "")
    form: str | None = st.session_state.get(_FORM)
    return form


def is_link() -> bool:
    """Return whether the address carries a link, which counts also for who is signed in."""
    return isinstance(asked(), Link)


def show() -> None:
    """Show what is behind the link or the button."""
    what = asked()
    if isinstance(what, Link):
        _accept(what)
    elif what == "register":
        _register()
    else:
        _forgotten()


def forgotten_button() -> None:
    """Offer a new password."""
    st.button("Forgot your password?", type="tertiary", on_click=_open, args=("forgotten",))


def register_button() -> None:
    """Offer to register, where that is open to everybody."""
    if is_open():
        st.button("Register", type="tertiary", on_click=_open, args=("register",))


def is_open() -> bool:
    with read_scope() as session:
        return registration_mode(session, get_settings().amazcope_registration) == "open"


def _open(form: str | None) -> None:
    st.session_state[_FORM] = form


def _back() -> None:
    if st.button("Back to signing in", type="tertiary", icon=":material/arrow_back:"):
        st.session_state.pop(_FORM, None)
        st.query_params.clear()
        st.rerun()


def _accept(link: Link) -> None:
    """Let somebody set a password, and with the set-up or an invitation a name."""
    with read_scope() as session:
        invited = membership.find_invited(session, link.token, link.purpose, shared_time())
    if invited is None:
        dead = _DEAD_SETUP if link.purpose is Purpose.SETUP else _DEAD
        st.error(dead, icon=":material/link_off:")
        _back()
        return
    with st.form("linked"):
        st.subheader(_TITLES[link.purpose], anchor=False)
        name, mail = _who(link.purpose, invited)
        password = _password()
        revokes = link.purpose is Purpose.RESET and st.checkbox(
            "Also revoke my API tokens",
            value=True,
            help="Whoever knew your password may have made tokens of their own. "
            "Programs that use yours need new ones.",
        )
        sent = st.form_submit_button("Save and sign in", type="primary")
    if sent:
        typed = _Typed(name, mail, password, revokes_tokens=revokes)
        if ticket := _finish(link, typed):
            session_cookie.begin_at_start(ticket)


@dataclass(frozen=True, slots=True)
class _Typed:
    """What was typed into the form behind a link."""

    name: str
    mail: str
    password: str
    revokes_tokens: bool  # counts for a reset alone


def _who(purpose: Purpose, invited: Invited) -> tuple[str, str]:
    if purpose is Purpose.RESET:
        st.caption(f"For {escape_markdown(invited.mail or '')}")
        return invited.name, invited.mail or ""
    name = st.text_input("Your name", value=invited.name, max_chars=LONGEST_NAME)
    if purpose in (Purpose.INVITATION, Purpose.CONFIRMATION):
        st.caption(
            f"You join as {invited.role.value} and sign in as {escape_markdown(invited.mail or '')}"
        )
        return name, invited.mail or ""
    mail = st.text_input("Mail address to sign in with", max_chars=LONGEST_ADDRESS)
    return name, mail


def _password() -> str:
    return st.text_input(
        "New password",
        type="password",
        max_chars=LONGEST_TYPED,
        autocomplete="new-password",
        help="12 to 128 characters, in any language: a few words of your own are best.",
    )


def _finish(link: Link, typed: _Typed) -> str | None:
    """Return a ticket when the link did its work; else say what is in the way."""
    try:
        login.count_request(Form.LINK, link.token)
        if link.purpose is Purpose.CONFIRMATION and not is_open():  # any more
            raise InvalidInputError(_NOT_OPEN)
        name, mail = clean_name(typed.name), typed_mail(typed.mail)
        problem = password_problem(typed.password, name, mail)
        if problem:
            raise InvalidInputError(problem)
        password_hash, now = hash_password(typed.password), shared_time()
        with write_scope() as session:
            number = _use(session, link, typed, password_hash, now)
            if two_factor.is_asked_of(session, number):
                _saved()  # a mailbox alone lets nobody past the second factor
                return None
            return make_ticket(session, number, now)
    except error_boundary.EXPECTED as error:
        st.error(error_boundary.sentence_of(error), icon=":material/error:")
        return None


def _use(session: Session, link: Link, typed: _Typed, password_hash: str, now: datetime) -> int:
    """Use a link up; return whose it was."""
    if link.purpose is Purpose.RESET:
        return self_service.reset_password(
            session, link.token, password_hash, now, revokes_tokens=typed.revokes_tokens
        )
    if link.purpose is Purpose.CONFIRMATION:
        return self_service.confirm_registration(
            session, link.token, typed.name, password_hash, now
        )
    return membership.accept(
        session, link.token, link.purpose, typed.name, typed.mail, password_hash, now
    )


def _saved() -> None:
    st.success("Your new password is set. Sign in with it and your second factor.")
    _back()


def _forgotten() -> None:
    with st.form("forgotten"):
        st.subheader("Forgot your password?", anchor=False)
        mail = st.text_input("Mail address", max_chars=LONGEST_ADDRESS, autocomplete="email")
        sent = st.form_submit_button("Send me a link", type="primary")
    if sent and (address := _counted(Form.RESET, mail)):
        send_emails.send_reset(address)
        st.success(
            "If somebody signs in with this address, a link is on its way there. "
            "It works once, for an hour.",
            icon=":material/mail:",
        )
    _back()


def _counted(form: Form, mail: str) -> str | None:
    """Return an address that something may be mailed to; None, having said why, for others.

    What is said depends on what was typed and how often, never on whether it is known.
    """
    try:
        address = typed_mail(mail)
        login.count_request(form, address)
    except error_boundary.EXPECTED as error:
        st.error(error_boundary.sentence_of(error), icon=":material/error:")
        return None
    return address


def _register() -> None:
    with st.form("register"):
        st.subheader("Register", anchor=False)
        mail = st.text_input("Mail address", max_chars=LONGEST_ADDRESS, autocomplete="email")
        sent = st.form_submit_button("Register", type="primary")
    if sent:
        _take_registration(mail)
    _back()


def _take_registration(mail: str) -> None:
    if not is_open():
        st.error(_NOT_OPEN, icon=":material/lock:")
        return
    address = _counted(Form.REGISTRATION, mail)
    if address is None:
        return
    send_emails.send_registration(address)
    st.success(
        "A link is on its way to this address. Behind it you choose your password, within a day.",
        icon=":material/mail:",
    )
