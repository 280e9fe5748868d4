"""Profile's second part: password, two-factor authentication, active sessions."""

from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import segno
import streamlit as st

from app.account import people_text
from app.commands import account
from app.components import cards, downloads
from app.data import accounts, get_principal
from core.accounts.access.permissions import Principal
from core.accounts.login.two_factor import MAX_CODE_LENGTH
from core.accounts.password_rules import MAX_PASSWORD_INPUT
from core.accounts.people.profile import Profile
from core.text.numbers import format_count

_QR_WIDTH = 220  # px
_SET_UP_WIDTH = 760  # px
_REQUIRED = "_set_up_required"


def show_security(own: Profile) -> None:
    """Show password, two-factor authentication and sessions."""
    _show_password_form(own)
    _show_two_factor(own)
    _show_sessions()


def _show_password_form(own: Profile) -> None:
    with st.form("password", clear_on_submit=True):
        st.header("Password", anchor=False)
        if own.is_demo or not own.has_password:
            st.caption(
                "Demo users can't change their passwords, which are public."
                if own.is_demo
                else "You have no password: you sign in by single sign-on."
            )
            st.form_submit_button("Change password", disabled=True)
            return
        current = _ask_password("Current password", "current", "current-password")
        left, right = st.columns(2)
        with left:
            new = _ask_password("New password", "new", "new-password")
        with right:
            again = _ask_password("New password again", "again", "new-password")
        st.caption(
            "12 to 128 characters, in any language: a few words of your own are best. "
            "All your other sessions end."
        )
        revokes = st.checkbox("Also revoke my API tokens", key="revoke_with_password")
        if st.form_submit_button("Change password"):
            change = partial(account.change_password, revokes_tokens=revokes)
            account.run_from_form(change, own, current, new, again)


def _ask_password(label: str, key: str, autocomplete: str) -> str:
    return st.text_input(
        label,
        type="password",
        key=f"password_{key}",
        max_chars=MAX_PASSWORD_INPUT,
        autocomplete=autocomplete,
    )


# Two-factor authentication


def is_set_up_required(who: Principal) -> bool:
    """Return whether the set-up is shown instead of a page.

    Also after its last step, until the user has confirmed the recovery codes, which are
    shown once.
    """
    st.session_state[_REQUIRED] = who.needs_second_factor or (
        bool(st.session_state.get(_REQUIRED)) and account.CODES in st.session_state
    )
    return bool(st.session_state[_REQUIRED])


def show_required_set_up() -> None:
    """Show the two-factor set-up that the team requires, instead of a page."""
    with st.container(width=_SET_UP_WIDTH):
        cards.show_page_header(
            "Two-factor authentication",
            "Your team requires it of all users who sign in with a password. "
            "Set it up to continue; your API tokens work again afterwards.",
        )
        _show_two_factor(accounts.get_own_profile())


def _show_two_factor(own: Profile) -> None:
    with st.container(border=True):
        st.header("Two-factor authentication", anchor=False)
        if account.CODES in st.session_state:
            _show_recovery_codes(st.session_state[account.CODES])
        elif own.has_second_factor:
            _show_two_factor_settings()
        elif account.SETTING_UP in st.session_state:
            _show_first_code_form(st.session_state[account.SETTING_UP])
        else:
            _show_set_up_button(own)


def _show_set_up_button(own: Profile) -> None:
    st.caption(
        "Demo users can't set it up."
        if own.is_demo
        else "Signing in then also asks for a code of an app on your phone, such as Aegis, "
        "2FAS or Google Authenticator."
    )
    st.button(
        "Set up",
        icon=":material/phonelink_lock:",
        disabled=own.is_demo,
        on_click=account.run_with_toast,
        args=(account.start_two_factor_setup,),
    )


def _show_first_code_form(address: str) -> None:
    left, right = st.columns([1, 2])
    left.image(render_qr_code(address), width=_QR_WIDTH, alt="QR code for your authenticator app")
    with right:
        st.markdown("**1.** Scan this with your app, or type the secret into it:")
        st.code(format_secret(address), language=None, wrap_lines=True)
        with st.form("first_code", border=False):
            code = st.text_input(
                "**2.** The code that the app shows now",
                max_chars=10,
                autocomplete="one-time-code",
                placeholder="123456",
            )
            if st.form_submit_button("Confirm", type="primary"):
                account.run_from_form(account.confirm_two_factor_setup, code)
        st.button(
            "Not now",
            type="tertiary",
            on_click=account.clear_shown,
            args=(account.SETTING_UP,),
        )


def render_qr_code(address: str) -> str:
    """Return a QR code as SVG, black on white in both modes: cameras need the contrast."""
    out = BytesIO()
    segno.make(address, error="m").save(out, kind="svg", light="white", xmldecl=False, scale=4)
    return out.getvalue().decode()


def format_secret(address: str) -> str:
    """Return the secret in an app's address, in groups of four to type."""
    [secret] = parse_qs(urlsplit(address).query)["secret"]
    return " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))


def _show_recovery_codes(codes: list[str]) -> None:
    st.warning(
        "Keep these recovery codes where you can find them without your phone. Each works "
        "once. They are shown only now.",
        icon=":material/key:",
    )
    written = "\n".join(codes)
    st.code(written, language=None)
    with st.container(horizontal=True):
        downloads.show_download_button(
            "Download",
            "amazcope-recovery-codes.txt",
            "text/plain",
            lambda _who: f"Amazcope recovery codes\n\n{written}\n".encode(),
        )
        st.button(
            "Done",
            type="primary",
            on_click=account.clear_shown,
            args=(account.CODES,),
        )


def _show_two_factor_settings() -> None:
    left = accounts.count_recovery_codes()
    st.caption(f"It is set up. Unused recovery codes: {format_count(left.count)}.")
    if left.has_short:
        st.warning(
            "Your recovery codes are of an older, shorter kind. They still work; create new ones.",
            icon=":material/key:",
        )
    st.button(
        "Create new recovery codes",
        icon=":material/refresh:",
        help="The current ones stop working.",
        on_click=account.run_with_toast,
        args=(account.renew_recovery_codes,),
    )
    with st.form("remove_two_factor", border=False):
        code = st.text_input(
            "Code of your app, or a recovery code",
            max_chars=MAX_CODE_LENGTH,
            autocomplete="one-time-code",
        )
        if st.form_submit_button("Turn off two-factor authentication"):
            account.run_from_form(account.remove_two_factor, code)


# Sessions


def _show_sessions() -> None:
    now, zone = datetime.now(UTC), get_principal().time_zone
    found = accounts.list_own_sessions()
    with st.container(border=True):
        st.header("Active sessions", anchor=False)
        for each in found:
            with st.container(
                horizontal=True,
                horizontal_alignment="distribute",
                vertical_alignment="center",
                wrap=False,
            ):
                mark = " :green-badge[this session]" if each.is_this else ""
                name = people_text.browser_name(each.browser)
                st.markdown(
                    f"**{name}**{mark}  \n:small[{people_text.session_text(each, now, zone)}]"
                )
                if not each.is_this:
                    st.button(
                        "Sign out",
                        key=f"end_{each.id}",
                        on_click=account.run_with_toast,
                        args=(account.end_session, each.id),
                    )
        st.button(
            "Sign out everywhere else",
            icon=":material/logout:",
            disabled=len(found) < 2,
            on_click=account.run_with_toast,
            args=(account.end_other_sessions,),
        )
