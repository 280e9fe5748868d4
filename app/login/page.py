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
_SECOND = "_second_factor"  # token and mail address, between password and code
_TICKET = "_ticket"


def show_login() -> None:
    """Show the way in; the page that was asked for comes after it, at the same address."""
    with st.container(horizontal_alignment="center"), st.container(width=WIDTH, gap="small"):
        st.title("Amazcope", anchor=False, text_alignment="center")
        if _TICKET in st.session_state:
            session_cookie.start_session(st.session_state.pop(_TICKET))
        elif _SECOND in st.session_state:
            _show_two_factor_form()
        elif account_links.find_requested() is not None:
            account_links.show_requested()
        else:
            _show_password_form()


def _show_password_form() -> None:
    told = st.container()  # above the form: a phone's keyboard hides what is below it
    came = None if sso.is_linking() else sso.find_ticket()
    if sso.is_linking():
        came = sso.show_link_form()
        if came is None:
            return
    if came is not None:
        st.session_state[_TICKET] = came
        st.rerun()
    answer = form.show_sign_in_form(_check_password)
    if _TICKET in st.session_state or _SECOND in st.session_state:
        st.rerun()
    if answer.refusal:
        told.error(answer.refusal, icon=":material/lock_clock:")
    elif answer.is_right is False:
        told.error(login.WRONG_CREDENTIALS, icon=":material/error:")
    sso.show_button()
    with st.container(horizontal=True, horizontal_alignment="center"):
        account_links.show_forgotten_button()
        account_links.show_register_button()
    if get_settings().amazcope_demo:
        _show_demo_accounts()


def _check_password(mail: str, password: str) -> bool:
    try:
        opened = login.attempt_password(mail, password)
    except TooManyAttemptsError as error:
        raise LoginRefusedError(str(error)) from error
    if opened is None:
        return False
    purpose, token = opened
    if purpose is Purpose.SECOND:
        st.session_state[_SECOND] = (token, mail)
    else:
        st.session_state[_TICKET] = token
    return True


def _show_two_factor_form() -> None:
    token, mail = st.session_state[_SECOND]
    told = st.container()
    with st.form("second_factor"):
        st.subheader("Two-factor authentication", anchor=False)
        code = st.text_input(
            "Code of your app, or a recovery code",
            autocomplete="one-time-code",
            max_chars=MAX_CODE_LENGTH,
        )
        sent = st.form_submit_button("Continue", type="primary")
    if st.button("Back", type="tertiary"):
        del st.session_state[_SECOND]
        st.rerun()
    if sent:
        _submit_code(told, token, mail, code)


def _submit_code(told: DeltaGenerator, token: str, mail: str, code: str) -> None:
    try:
        ticket = login.attempt_code(token, mail, code)
    except NotAllowedError as error:
        told.error(str(error), icon=":material/lock_clock:")
        return
    if ticket is None:
        told.error("Incorrect code.", icon=":material/error:")
        return
    del st.session_state[_SECOND]
    st.session_state[_TICKET] = ticket
    st.rerun()


def _show_demo_accounts() -> None:
    """Offer the people of the demo, with what everybody may know of them."""
    with st.container(border=True, gap="small"):
        st.markdown("**The demo** listens on this machine only:")
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
            f"Enter as {person.role.value}",
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
