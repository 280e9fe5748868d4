"""Profile's API tokens: create, show once, list, revoke; how to connect an agent.

The list is used for the user's own tokens and for the team's.
"""

import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import streamlit as st

from app.account import people_text
from app.commands import account
from app.data import accounts
from core.accounts.access.api_tokens import MAX_NAME_LENGTH, ApiTokenInfo
from core.accounts.access.permissions import Scope
from core.agents.client_config import (
    TOKEN_PLACEHOLDER,
    StdioServer,
    build_http_config,
    build_stdio_config,
)
from core.settings.environment import ROOT, Settings, get_settings
from core.text.escaping import escape_markdown

_ADDRESS = {"AMAZCOPE_URL", "AMAZCOPE_HOST", "AMAZCOPE_PORT"}
_DAYS = {30: "30 days", 90: "90 days", 180: "180 days", 365: "A year"}


def show_own_tokens() -> None:
    """Show the user's tokens and the form that creates one."""
    if account.TOKEN in st.session_state:
        _show_new_token(st.session_state[account.TOKEN])
    _show_token_form()
    if account.TOKEN not in st.session_state:
        _show_connection_help()
    with st.container(border=True):
        st.header("Your tokens", anchor=False)
        show_tokens(accounts.list_own_tokens(), account.revoke_token)


def _show_new_token(token: str) -> None:
    with st.container(border=True):
        st.markdown(":material/key: **Your new token.** Copy it now: it is never shown again.")
        st.code(token, language=None, wrap_lines=True)
        show_client_config()
        st.button(
            "Done",
            type="primary",
            on_click=account.clear_shown,
            args=(account.TOKEN,),
        )


def _show_connection_help() -> None:
    with st.expander("Connect an agent", icon=":material/smart_toy:"):
        show_client_config()


def show_client_config() -> None:
    """Show the configuration of an agent's client; it never contains a token."""
    settings = get_settings()
    st.markdown(
        f"Agents reach Amazcope at `{settings.mcp_url}`. Put this into your client's "
        f"configuration, with your token for `{TOKEN_PLACEHOLDER}`:"
    )
    if not settings.is_for_this_machine:
        _show_config(build_http_config(settings.mcp_url))
        return
    over_http, stdio = st.tabs(["Over HTTP", "Started by the client (stdio)"])
    with over_http:
        _show_config(build_http_config(settings.mcp_url))
    with stdio:
        _show_config(build_stdio_config(_stdio_server(settings)))


def _stdio_server(settings: Settings) -> StdioServer:
    own = settings.amazcope_data_dir
    data_dir = None if own == ROOT / "var" else own
    # The client's process doesn't have the environment of this one.
    pages = settings.public_url if _ADDRESS & os.environ.keys() else None
    return StdioServer(sys.executable, ROOT, data_dir, pages)


def _show_config(configuration: str) -> None:
    st.code(configuration, language="json", wrap_lines=True)
    st.caption("Clients differ slightly: docs/AGENTS.md describes each one.")


def _show_token_form() -> None:
    with st.form("new_token"):
        st.header("New token", anchor=False)
        st.caption("Lets a program act as you, with the permissions chosen here at most.")
        left, right = st.columns(2)
        name = left.text_input("Name", max_chars=MAX_NAME_LENGTH, placeholder="Weekly report")
        days = right.selectbox("Expires after", list(_DAYS), 1, format_func=_DAYS.__getitem__)
        scopes = st.pills(
            "Permissions",
            list(Scope),
            selection_mode="multi",
            default=[Scope.READ],
            format_func=people_text.SCOPES.__getitem__,
        )
        if st.form_submit_button("Create token", type="primary", icon=":material/add:"):
            account.run_from_form(account.create_token, name, list(scopes), days)


def show_tokens(
    tokens: Sequence[ApiTokenInfo], revoke: Callable[[int], str], *, with_owner: bool = False
) -> None:
    """Show tokens, each with its permissions and a button that revokes it."""
    if not tokens:
        st.caption("No tokens yet.")
    now = datetime.now(UTC)
    for each in tokens:
        with st.container(
            horizontal=True,
            horizontal_alignment="distribute",
            vertical_alignment="center",
            wrap=False,
        ):
            owner = f"{escape_markdown(each.owner)}: " if with_owner else ""
            st.markdown(
                f"{owner}**{escape_markdown(each.name)}**"
                f"  \n:small[{people_text.token_text(each, now)}]"
            )
            st.button(
                "Revoke",
                key=f"revoke_{each.id}",
                on_click=account.run_with_toast,
                args=(revoke, each.id),
            )
