"""The login page: password, two-factor code, forgotten password, registration."""

from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.auth import login, session_cookie, sso
from app.login import account_links, form
from app.login.form import LoginRefusedError
from app.web import error_boundary
from core.accounts.access.one_time_tokens import Purpose
from core.accounts.login.throttling import TooManyAttemptsError
from core.accounts.login.two_factor import MAX_CODE_LENGTH
from core.demo.people import PEOPLE, DemoPerson
from core.errors import NotAllowedError
from core.settings.environment import get_settings
from core.text.escaping import escape_markdown

WIDTH: Final = 440  # px
_TWO_FACTOR = "_two_factor"  # token and email address, between password and code
_TICKET = "_ticket"


def show_login() -> None:
    """Show the login page at the requested page's URL; after it the page is shown there."""
    with st.container(horizontal_alignment="center"), st.container(width=WIDTH, gap="small"):
        st.title("Amazcope", anchor=False, text_alignment="center")
        if _TICKET in st.session_state:
            session_cookie.start_session(st.session_state.pop(_TICKET))
        elif _TWO_FACTOR in st.session_state:
            _show_two_factor_form()
        elif account_links.find_requested() is not None:
            account_links.show_requested()
        else:
            _show_password_form()


def _show_password_form() -> None:
    messages = st.container()  # above the form: a phone's keyboard covers what is below it
    ticket = None if sso.is_linking() else sso.find_ticket()
    if sso.is_linking():
        ticket = sso.show_link_form()
        if ticket is None:
            return
    if ticket is not None:
        st.session_state[_TICKET] = ticket
        st.rerun()
    result = form.show_sign_in_form(_check_password)
    if _TICKET in st.session_state or _TWO_FACTOR in st.session_state:
        st.rerun()
    if result.refusal:
        messages.error(result.refusal, icon=":material/lock_clock:")
    elif result.is_correct is False:
        messages.error(login.WRONG_CREDENTIALS, icon=":material/error:")
    sso.show_button()
    with st.container(horizontal=True, horizontal_alignment="center"):
        account_links.show_forgotten_button()
        account_links.show_register_button()
    if get_settings().amazcope_demo:
        _show_demo_accounts()


def _check_password(email: str, password: str) -> bool:
    try:
        step = login.attempt_password(email, password)
    except TooManyAttemptsError as error:
        raise LoginRefusedError(str(error)) from error
    if step is None:
        return False
    purpose, token = step
    if purpose is Purpose.SECOND:
        st.session_state[_TWO_FACTOR] = (token, email)
    else:
        st.session_state[_TICKET] = token
    return True


def _show_two_factor_form() -> None:
    token, email = st.session_state[_TWO_FACTOR]
    messages = st.container()
    with st.form("second_factor"):
        st.header("Two-factor authentication", anchor=False)
        code = st.text_input(
            "Code of your app, or a recovery code",
            autocomplete="one-time-code",
            max_chars=MAX_CODE_LENGTH,
        )
        sent = st.form_submit_button("Continue", type="primary")
    if st.button("Back", type="tertiary"):
        del st.session_state[_TWO_FACTOR]
        st.rerun()
    if sent:
        _submit_code(messages, token, email, code)


def _submit_code(messages: DeltaGenerator, token: str, email: str, code: str) -> None:
    try:
        ticket = login.attempt_code(token, email, code)
    except NotAllowedError as error:
        messages.error(str(error), icon=":material/lock_clock:")
        return
    if ticket is None:
        messages.error("Incorrect code.", icon=":material/error:")
        return
    del st.session_state[_TWO_FACTOR]
    st.session_state[_TICKET] = ticket
    st.rerun()


def _show_demo_accounts() -> None:
    """Show the demo's users with their public passwords, a button each."""
    with st.container(border=True, gap="small"):
        st.markdown("**Demo accounts** (this computer only)")
        for person in PEOPLE:
            _show_demo_person(person)


def _show_demo_person(person: DemoPerson) -> None:
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        wrap=False,
        gap="small",
    ):
        st.markdown(
            f"**{person.name}**  \n:small[:gray[{escape_markdown(person.mail)}]]"
            f"  \n:small[`{person.password}`]"
        )
        st.button(
            f"Continue as {person.role.value}",
            key=f"demo_{person.role.value}",
            on_click=_sign_in_demo_person,
            args=(person,),
            help=f"{person.about[0].upper()}{person.about[1:]}.",
            wrap=False,
        )


def _sign_in_demo_person(person: DemoPerson) -> None:
    try:
        _check_password(person.mail, person.password)
    except LoginRefusedError as refusal:
        st.toast(escape_markdown(str(refusal)), icon=":material/lock_clock:")
    except error_boundary.EXPECTED_ERRORS as error:
        st.toast(error_boundary.get_message(error), icon=":material/error:")
