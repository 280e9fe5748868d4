"""The Connections screen: state of each connection, its test and its form."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from app.commands import account
from app.commands import connections as commands
from app.data import get_principal
from core.connections.resolve import Origin
from core.connections.service import ListedConnection
from core.connections.values import (
    LONGEST_VALUE,
    ConnectionName,
    MailServer,
    ModelServer,
    Values,
    clean_apify_token,
    clean_mail_server,
    clean_model_server,
)
from core.text.escaping import escape_markdown
from core.text.times import format_age, format_moment

SUBTITLE = (
    "Services that Amazcope calls. Secrets are stored encrypted and never shown again; a test "
    "costs nothing."
)
_KEPT = "Leave empty to keep the present one"
_ROUND = "_connection_round"  # a new number gives new, empty fields of secrets
_KEPT_SECRET = "kept"  # noqa: S105 - replaced by the stored one
BadgeColor = Literal["green", "gray", "orange", "red"]
_TITLES = {
    ConnectionName.APIFY: ("Apify", ":material/travel_explore:"),
    ConnectionName.MODEL: ("Model", ":material/neurology:"),
    ConnectionName.MAIL: ("Mail server", ":material/mail:"),
}
_PURPOSES = {
    ConnectionName.APIFY: "Checks products on Amazon. The token is in Apify's console, under "
    "Settings → API & Integrations.",
    ConnectionName.MODEL: "Adds suggestions to those of the rules. Any server with OpenAI's chat "
    "completions API.",
    ConnectionName.MAIL: "Sends invitations, links for new passwords and account notices.",
}


def show_connection(connection: ListedConnection) -> None:
    """Show one connection: state, last test, buttons and form."""
    title, icon = _TITLES[connection.name]
    with st.container(border=True, gap="small", key=f"connection_{connection.name.value}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.header(f"{icon} {title}", anchor=False, width="content")
            st.badge(state_label(connection), color=badge_color(connection))
            st.space("stretch")
            _show_buttons(connection, title)
        st.caption(_PURPOSES[connection.name])
        for line in list_lines(connection, datetime.now(UTC), get_principal().time_zone):
            st.markdown(line)
        if connection.origin is not Origin.ENVIRONMENT:
            is_new = connection.origin is not Origin.STORED
            with st.expander("Connect" if is_new else "Change", expanded=is_new):
                _FORMS[connection.name](connection)


def state_label(connection: ListedConnection) -> str:
    """Return a connection's state in a word or two."""
    if connection.origin is Origin.NONE:
        return "Not connected"
    if connection.origin is Origin.UNREADABLE:
        return "Can't be decrypted"
    if connection.values is None:
        return "Invalid setting"
    if connection.test is None:
        return "Not tested"
    return "Connected" if connection.test.is_working else "Not working"


def badge_color(connection: ListedConnection) -> BadgeColor:
    """Return the color of a connection's state."""
    if connection.origin is Origin.NONE:
        return "gray"
    if connection.values is None:
        return "red"
    if connection.test is None:
        return "orange"
    return "green" if connection.test.is_working else "red"


def list_lines(connection: ListedConnection, now: datetime, zone: str) -> list[str]:
    """Return what is known of a connection as lines of Markdown."""
    lines = []
    if connection.problem:
        lines.append(f":red[:material/error:] {escape_markdown(connection.problem)}")
    facts = dict(connection.values.facts) if connection.values else {}
    if connection.hint:
        facts[_SECRETS[connection.name]] = f"ends in {connection.hint}"
    lines += [f"{label}: {escape_markdown(value)}" for label, value in facts.items()]
    if connection.test is not None:
        tested = format_age(connection.test.at, now)
        lines.append(f"Tested {tested}: {escape_markdown(connection.test.answer)}")
    lines += _list_origin_lines(connection, zone)
    return lines


_SECRETS = {
    ConnectionName.APIFY: "Token",
    ConnectionName.MODEL: "Key",
    ConnectionName.MAIL: "Password",
}


def _list_origin_lines(connection: ListedConnection, zone: str) -> list[str]:
    """Return where the values are from, and which others don't count."""
    named = ", ".join(f"`{each}`" for each in connection.set_settings)
    if connection.origin is Origin.ENVIRONMENT:
        line = f"Set in the environment by {named}, which counts before what is entered here."
        stored = " What was entered here is stored and not used." if connection.is_stored else ""
        return [f":gray[:material/lock:] {line}{stored}"]
    lines = []
    if connection.is_stored and connection.changed_at is not None:
        by = f" by {escape_markdown(connection.changed_by)}" if connection.changed_by else ""
        lines.append(f":gray[Entered {format_moment(connection.changed_at, zone)}{by}.]")
    if connection.set_settings:
        lines.append(
            f":material/info: {named} is set in the environment without the other settings of "
            "this connection, and is not used."
        )
    return lines


def _show_buttons(connection: ListedConnection, title: str) -> None:
    name = connection.name.value
    if connection.values is not None:
        st.button(
            "Test",
            icon=":material/network_check:",
            key=f"test_{name}",
            help=f"Calls {title} without costs.",
            on_click=account.run_with_toast,
            args=(commands.test_connection, connection.name),
        )
    if connection.is_stored:
        st.button(
            "Remove",
            icon=":material/delete:",
            key=f"remove_{name}",
            help="Deletes what was entered here.",
            on_click=account.run_with_toast,
            args=(commands.remove_connection, connection.name),
        )


def _show_apify_form(_connection: ListedConnection) -> None:
    with st.form("apify", border=False):
        token = _ask_secret("Token")
        if _show_submit():
            account.run_from_form(lambda: _save(clean_apify_token(token)))


def _show_model_form(connection: ListedConnection) -> None:
    known = connection.values if isinstance(connection.values, ModelServer) else None
    with st.form("model", border=False):
        left, right = st.columns(2)
        address = left.text_input(
            "Base URL",
            known.base_url if known else "",
            placeholder="https://api.openai.com/v1",
            max_chars=LONGEST_VALUE,
        )
        model = right.text_input("Model", known.model if known else "", max_chars=LONGEST_VALUE)
        key = _ask_secret("Key", is_kept=known is not None)
        left, right = st.columns(2)
        prompt = left.text_input(
            "Price of a prompt",
            known.prompt_price if known else "0",
            help="Dollars per million tokens. The budget of a day is counted with it; 0 for a "
            "server of your own.",
        )
        reply = right.text_input("Price of a reply", known.reply_price if known else "0")
        if _show_submit():
            is_kept = known is not None and not key
            typed = key or (_KEPT_SECRET if is_kept else "")
            account.run_from_form(
                lambda: _save(
                    clean_model_server(address, model, typed, prompt, reply),
                    keeps_secret=is_kept,
                )
            )


def _show_mail_form(connection: ListedConnection) -> None:
    known = connection.values if isinstance(connection.values, MailServer) else None
    with st.form("mail", border=False):
        host_column, port_column, mode_column = st.columns([4, 1.5, 2.5])
        host = host_column.text_input(
            "Host",
            known.host if known else "",
            placeholder="mail.example.com",
            max_chars=LONGEST_VALUE,
        )
        port = port_column.number_input("Port", 1, 65_535, known.port if known else 587)
        mode = mode_column.selectbox("Encryption", _MODES, index=int(known.is_tls) if known else 0)
        sender = st.text_input(
            "Sender",
            known.sender if known else "",
            placeholder="Amazcope <amazcope@example.com>",
            max_chars=LONGEST_VALUE,
        )
        left, right = st.columns(2)
        user = left.text_input("User", (known.user or "") if known else "", max_chars=LONGEST_VALUE)
        with right:
            password = _ask_secret("Password", is_kept=bool(known and known.user))
        if _show_submit():
            is_kept = bool(known and known.user and user.strip()) and not password
            account.run_from_form(
                lambda: _save(
                    clean_mail_server(
                        host, int(port), sender, user, password, is_tls=mode == _MODES[1]
                    ),
                    keeps_secret=is_kept,
                )
            )


_MODES = ("STARTTLS", "TLS")


def _save(values: Values, *, keeps_secret: bool = False) -> str:
    """Save a connection, and empty the fields of secrets."""
    message = commands.save_connection(values, keeps_secret=keeps_secret)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    return message


def _ask_secret(label: str, *, is_kept: bool = False) -> str:
    return st.text_input(
        label,
        type="password",
        autocomplete="off",
        max_chars=LONGEST_VALUE,
        placeholder=_KEPT if is_kept else None,
        key=f"{label}_{st.session_state.get(_ROUND, 0)}",
    )


def _show_submit() -> bool:
    return st.form_submit_button("Save and test", type="primary", icon=":material/save:")


_FORMS: dict[ConnectionName, Callable[[ListedConnection], None]] = {
    ConnectionName.APIFY: _show_apify_form,
    ConnectionName.MODEL: _show_model_form,
    ConnectionName.MAIL: _show_mail_form,
}
