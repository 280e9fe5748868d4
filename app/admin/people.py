"""The Team screen: people, invitations, the team's tokens and settings."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app.account import people_text
from app.account import tokens as token_parts
from app.commands import account, admin
from app.components import fragments
from app.data import accounts, get_principal
from core.accounts.access.permissions import Role
from core.accounts.access.team_settings import REGISTRATION_MODES, TeamSettings
from core.accounts.email_address import MAX_EMAIL_LENGTH
from core.accounts.people.membership import Member
from core.accounts.profile_fields import MAX_NAME_LENGTH, list_time_zones
from core.text.escaping import escape_markdown
from core.text.numbers import format_count

WIDTH = 900  # px
PART = "part"
PARTS = ("People", "Invitations", "API tokens", "Team")
_REGISTRATIONS = {
    "invitation": "Invited users only",
    "open": "Anyone with an email address, as viewer",
    "closed": "No new users",
}


def choose_part() -> str:
    """Show the parts of the screen; return the chosen one, kept in the URL."""
    chosen = st.segmented_control(
        "Part",
        PARTS,
        default=PARTS[0],
        required=True,
        key=PART,
        label_visibility="collapsed",
        bind="query-params",
    )
    return chosen or PARTS[0]


def _row() -> st.delta_generator.DeltaGenerator:
    return st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        wrap=False,
    )


# People


def show_people(members: Sequence[Member]) -> None:
    """Show the team's members, each with a "Manage" button."""
    with st.container(border=True):
        for each in members:
            if each.state != "invited":
                _show_person(each)


def _show_person(each: Member) -> None:
    with _row():
        disabled = " :orange-badge[disabled]" if each.state == "disabled" else ""
        demo = " :gray-badge[demo]" if each.is_demo else ""
        st.markdown(
            f"**{escape_markdown(each.name)}** :blue-badge[{each.role.value}]{disabled}{demo}"
            f"  \n:small[{people_text.member_text(each, datetime.now(UTC))}]"
        )
        if each.state != "unclaimed" and st.button("Manage", key=f"manage_{each.id}"):
            show_manage_dialog(each)


@fragments.dialog("Manage user", icon=":material/manage_accounts:")
def show_manage_dialog(member: Member) -> None:
    """Show a member's actions: role, two-factor authentication, disable, enable, delete."""
    st.markdown(f"**{escape_markdown(member.name)}**")
    st.caption(people_text.member_text(member, datetime.now(UTC)))
    with st.form("role", border=False):
        roles = list(Role)
        role = st.selectbox(
            "Role",
            roles,
            index=roles.index(member.role),
            format_func=people_text.ROLES.__getitem__,
        )
        if st.form_submit_button("Change role", type="primary"):
            account.run_from_form(admin.change_role, member.id, role)
    if member.has_second_factor and st.button(
        "Turn off two-factor authentication", help="For a user who lost phone and recovery codes."
    ):
        account.run_from_form(admin.remove_two_factor, member.id)
    if member.state == "active":
        st.caption("Disabling ends sign-ins and tokens at once; nothing is deleted.")
        if st.button("Disable", icon=":material/block:"):
            account.run_from_form(admin.disable_member, member.id)
    elif member.state == "disabled":
        _show_disabled_actions(member)


def _show_disabled_actions(member: Member) -> None:
    if st.button("Enable again", icon=":material/how_to_reg:"):
        account.run_from_form(admin.enable_member, member.id)
    with st.form("erase"):
        st.caption(
            "Deletes name, email address, tokens and sessions permanently. The audit keeps the "
            "user's actions without a name."
        )
        typed = st.text_input("Type the name to confirm", max_chars=MAX_NAME_LENGTH)
        if st.form_submit_button("Delete permanently", icon=":material/delete_forever:"):
            account.run_from_form(admin.erase_member, member.id, member.name, typed)


# Invitations


def show_invitations(members: Sequence[Member]) -> None:
    """Show the invitation form and the pending invitations."""
    if admin.LINK in st.session_state:
        _show_link(*st.session_state[admin.LINK])
    _show_invite_form()
    with st.container(border=True):
        st.header("Invited", anchor=False)
        invited = [each for each in members if each.state == "invited"]
        if not invited:
            st.caption("No pending invitations.")
        for each in invited:
            _show_invitation(each)


def _show_link(email: str, link: str) -> None:
    with st.container(border=True):
        st.markdown(
            f":material/link: **No mail server is set.** Give this link to "
            f"{escape_markdown(email)}. "
            "It works once, for seven days, and is shown only now."
        )
        st.code(link, language=None, wrap_lines=True)
        st.button(
            "Done",
            type="primary",
            on_click=account.clear_shown,
            args=(admin.LINK,),
        )


def _show_invite_form() -> None:
    with st.form("invite"):
        st.header("Invite", anchor=False)
        left, right = st.columns(2)
        email = left.text_input("Email", max_chars=MAX_EMAIL_LENGTH)
        role = right.selectbox(
            "Role", list(Role), index=1, format_func=people_text.ROLES.__getitem__
        )
        if st.form_submit_button("Invite", type="primary", icon=":material/person_add:"):
            account.run_from_form(admin.invite_member, email, role)


def _show_invitation(each: Member) -> None:
    with _row():
        st.markdown(f"**{escape_markdown(each.mail or '')}** as {each.role.value}")
        with st.container(horizontal=True, width="content"):
            st.button(
                "Send again" if admin.has_mail_server() else "New link",
                key=f"again_{each.id}",
                help="The earlier link stops working.",
                on_click=account.run_with_toast,
                args=(admin.invite_member, each.mail or "", each.role),
            )
            st.button(
                "Withdraw",
                key=f"withdraw_{each.id}",
                on_click=account.run_with_toast,
                args=(admin.withdraw_invitation, each.id),
            )


# Tokens and settings


def show_team_tokens() -> None:
    """Show the team's tokens."""
    with st.container(border=True):
        token_parts.show_tokens(accounts.list_team_tokens(), admin.revoke_token, with_owner=True)


def show_team_settings(settings: TeamSettings) -> None:
    """Show the form of the team's settings."""
    with st.form("team"):
        left, right = st.columns(2)
        name = left.text_input("Name of the team", settings.name, max_chars=MAX_NAME_LENGTH)
        zones = list_time_zones()
        zone = right.selectbox(
            "Time zone",
            zones,
            index=zones.index(settings.time_zone),
            help="For users without a time zone of their own.",
        )
        registration = st.selectbox(
            "Who may join",
            REGISTRATION_MODES,
            index=REGISTRATION_MODES.index(settings.registration),
            format_func=_REGISTRATIONS.__getitem__,
        )
        requires = st.toggle(
            "Require two-factor authentication",
            settings.requires_second_factor,
            help="Users without it must set it up at the next page; their API tokens don't work "
            "until then.",
        )
        st.caption(
            "Required of users who sign in with a password. Users who only use single sign-on are "
            "exempt, since their provider is responsible, and so are demo users."
        )
        st.caption(
            "The operator configures sign-in limits, session lifetimes and budgets in the "
            "settings of the processes."
        )
        if st.form_submit_button("Save", type="primary", icon=":material/check:"):
            wanted = TeamSettings(name, zone, registration, requires)
            account.run_from_form(admin.change_team_settings, wanted)


def build_subtitle(members: Sequence[Member]) -> str:
    """Return how many members are active, and the time zone of the screen."""
    active = sum(each.state == "active" for each in members)
    noun = "person" if active == 1 else "people"
    return f"{format_count(active)} active {noun} · times in {get_principal().time_zone}"
