"""The forms behind emailed or printed links (set-up, invitation, reset, registration)."""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st
from sqlalchemy.orm import Session

from app.auth import login, session_cookie
from app.web import error_boundary, url_parameters
from core.accounts.access.credentials import hash_password
from core.accounts.access.one_time_tokens import LINK_EXPIRED, Purpose
from core.accounts.access.sessions import create_ticket
from core.accounts.access.team_settings import get_registration_mode
from core.accounts.email_address import MAX_EMAIL_LENGTH, normalize_typed_email
from core.accounts.login import two_factor
from core.accounts.login.throttling import ThrottledForm
from core.accounts.password_rules import MAX_PASSWORD_INPUT, find_password_problem
from core.accounts.people import membership, self_service
from core.accounts.people.membership import LinkRecipient
from core.accounts.profile_fields import MAX_NAME_LENGTH, clean_name
from core.database.session import read_scope, shared_time, write_scope
from core.errors import InvalidInputError
from core.settings.environment import get_settings
from core.text.escaping import escape_markdown
from jobs.tasks import send_account_emails

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
_NOT_OPEN = "Registration is not open. Ask for an invitation."
_EXPIRED_SETUP = (
    "This link was already used or has expired. Each start of Amazcope prints a new one until "
    "it is set up; after that, sign in."
)


@dataclass(frozen=True, slots=True)
class Link:
    """An account link: its purpose and its token."""

    purpose: Purpose
    token: str


def find_requested() -> Link | str | None:
    """Return the link in the URL, else the name of the open form, else None."""
    for purpose, name in PARAMETERS.items():
        if name in st.query_params:
            return Link(purpose, url_parameters.read_text(name) or "")
    form: str | None = st.session_state.get(_FORM)
    return form


def is_link() -> bool:
    """Return whether the URL has an account link; it is shown to signed-in users, too."""
    return isinstance(find_requested(), Link)


def show_requested() -> None:
    """Show the form of the link or the button."""
    what = find_requested()
    if isinstance(what, Link):
        _show_link_form(what)
    elif what == "register":
        _show_register_form()
    else:
        _show_forgotten_form()


def show_forgotten_button() -> None:
    """Show "Forgot your password?"."""
    st.button("Forgot your password?", type="tertiary", on_click=_open_form, args=("forgotten",))


def show_register_button() -> None:
    """Show "Register" while registration is open."""
    if is_registration_open():
        st.button("Register", type="tertiary", on_click=_open_form, args=("register",))


def is_registration_open() -> bool:
    """Return whether every visitor may register."""
    with read_scope() as session:
        return get_registration_mode(session, get_settings().amazcope_registration) == "open"


def _open_form(form: str | None) -> None:
    st.session_state[_FORM] = form


def _show_back_button() -> None:
    if st.button("Back to signing in", type="tertiary", icon=":material/arrow_back:"):
        st.session_state.pop(_FORM, None)
        st.query_params.clear()
        st.rerun()


def _show_link_form(link: Link) -> None:
    """Show the form of a link: the password and, except for a reset, the name."""
    with read_scope() as session:
        invited = membership.find_link_recipient(session, link.token, link.purpose, shared_time())
    if invited is None:
        message = _EXPIRED_SETUP if link.purpose is Purpose.SETUP else LINK_EXPIRED
        st.error(message, icon=":material/link_off:")
        _show_back_button()
        return
    with st.form("linked"):
        st.header(_TITLES[link.purpose], anchor=False)
        name, email = _ask_identity(link.purpose, invited)
        password = _ask_password()
        revokes = link.purpose is Purpose.RESET and st.checkbox(
            "Also revoke my API tokens",
            value=True,
            help="Another person who knew your password may have created tokens. "
            "Programs that use your tokens need new ones.",
        )
        sent = st.form_submit_button("Save and sign in", type="primary")
    if sent:
        typed = _LinkFormInput(name, email, password, revokes_tokens=revokes)
        if ticket := _complete_link(link, typed):
            session_cookie.start_session_at_home(ticket)


@dataclass(frozen=True, slots=True)
class _LinkFormInput:
    """What was typed into the form behind a link."""

    name: str
    email: str
    password: str
    revokes_tokens: bool  # only for a reset


def _ask_identity(purpose: Purpose, invited: LinkRecipient) -> tuple[str, str]:
    if purpose is Purpose.RESET:
        st.caption(f"For {escape_markdown(invited.mail or '')}")
        return invited.name, invited.mail or ""
    name = st.text_input("Your name", value=invited.name, max_chars=MAX_NAME_LENGTH)
    if purpose in (Purpose.INVITATION, Purpose.CONFIRMATION):
        st.caption(
            f"You join as {invited.role.value} and sign in as {escape_markdown(invited.mail or '')}"
        )
        return name, invited.mail or ""
    email = st.text_input("Email to sign in with", max_chars=MAX_EMAIL_LENGTH)
    return name, email


def _ask_password() -> str:
    return st.text_input(
        "New password",
        type="password",
        max_chars=MAX_PASSWORD_INPUT,
        autocomplete="new-password",
        help="12 to 128 characters, in any language: a few words of your own are best.",
    )


def _complete_link(link: Link, typed: _LinkFormInput) -> str | None:
    """Use the link and return a ticket; None after showing an error or "saved"."""
    try:
        login.count_request(ThrottledForm.LINK, link.token)
        if link.purpose is Purpose.CONFIRMATION and not is_registration_open():  # closed since
            raise InvalidInputError(_NOT_OPEN)
        name, email = clean_name(typed.name), normalize_typed_email(typed.email)
        problem = find_password_problem(typed.password, name, email)
        if problem:
            raise InvalidInputError(problem)
        password_hash, now = hash_password(typed.password), shared_time()
        with write_scope() as session:
            number = _consume_link(session, link, typed, password_hash, now)
            if two_factor.is_two_factor_enabled(session, number):
                _show_saved()  # a mailbox alone must not bypass two-factor authentication
                return None
            return create_ticket(session, number, now)
    except error_boundary.EXPECTED_ERRORS as error:
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return None


def _consume_link(
    session: Session, link: Link, typed: _LinkFormInput, password_hash: str, now: datetime
) -> int:
    """Use a link up; return the id of its user."""
    if link.purpose is Purpose.RESET:
        return self_service.reset_password(
            session, link.token, password_hash, now, revokes_tokens=typed.revokes_tokens
        )
    if link.purpose is Purpose.CONFIRMATION:
        return self_service.confirm_registration(
            session, link.token, typed.name, password_hash, now
        )
    return membership.accept_link(
        session, link.token, link.purpose, typed.name, typed.email, password_hash, now
    )


def _show_saved() -> None:
    st.success("Your new password is set. Sign in with it and your two-factor code.")
    _show_back_button()


def _show_forgotten_form() -> None:
    with st.form("forgotten"):
        st.header("Forgot your password?", anchor=False)
        email = st.text_input("Email", max_chars=MAX_EMAIL_LENGTH, autocomplete="email")
        sent = st.form_submit_button("Send me a link", type="primary")
    if sent and (address := _validate_request(ThrottledForm.RESET, email)):
        send_account_emails.send_reset(address)
        st.success(
            "If this address belongs to an account, a link is on its way there. "
            "It works once, for an hour.",
            icon=":material/mail:",
        )
    _show_back_button()


def _validate_request(form: ThrottledForm, email: str) -> str | None:
    """Return the email address to send to; None after showing an error.

    The error depends on the input and the number of requests, never on whether the address
    has an account.
    """
    try:
        address = normalize_typed_email(email)
        login.count_request(form, address)
    except error_boundary.EXPECTED_ERRORS as error:
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return None
    return address


def _show_register_form() -> None:
    with st.form("register"):
        st.header("Register", anchor=False)
        email = st.text_input("Email", max_chars=MAX_EMAIL_LENGTH, autocomplete="email")
        sent = st.form_submit_button("Register", type="primary")
    if sent:
        _submit_registration(email)
    _show_back_button()


def _submit_registration(email: str) -> None:
    if not is_registration_open():
        st.error(_NOT_OPEN, icon=":material/lock:")
        return
    address = _validate_request(ThrottledForm.REGISTRATION, email)
    if address is None:
        return
    send_account_emails.send_registration(address)
    st.success(
        "A link is on its way to this address. Behind it you choose your password, within a day.",
        icon=":material/mail:",
    )
