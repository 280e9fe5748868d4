"""What administrators can change of others and of the team. Each verb answers in words."""

import streamlit as st

from app.data import get_principal
from core.accounts.access import api_tokens
from core.accounts.access import team_settings as team
from core.accounts.access.permissions import Role
from core.accounts.access.team_settings import TeamSettings
from core.accounts.login import two_factor
from core.accounts.people import email_templates, membership
from core.database.session import shared_time, write_scope
from core.errors import InvalidInputError
from core.settings.environment import get_settings
from core.text.escaping import escape_markdown
from jobs.tasks import send_emails

LINK = "_invitation_link"  # (mail address, link), shown where nothing is mailed


def change_role(person_id: int, role: Role) -> str:
    """Give a person another role."""
    with write_scope() as session:
        membership.change_role(session, get_principal(), person_id, role, shared_time())
    return f"The role is {role.value} from now on."


def disable_member(person_id: int) -> str:
    """Shut a person out."""
    with write_scope() as session:
        membership.disable_member(session, get_principal(), person_id, shared_time())
    return "Disabled. Sign-ins and tokens of this person have ended."


def enable_member(person_id: int) -> str:
    """Let a disabled person in again."""
    with write_scope() as session:
        membership.enable_member(session, get_principal(), person_id, shared_time())
    return "This person can sign in again."


def remove_two_factor(person_id: int) -> str:
    """Remove the second factor of somebody who lost it."""
    with write_scope() as session:
        two_factor.remove_member_two_factor(session, get_principal(), person_id, shared_time())
    return "Two-factor authentication turned off."


def erase_member(person_id: int, name: str, typed: str) -> str:
    """Erase a disabled person, confirmed by their name. Raises InvalidInputError for another."""
    if typed.strip() != name:
        raise InvalidInputError("Type the name as it is shown to confirm.")
    with write_scope() as session:
        membership.erase_member(session, get_principal(), person_id)
    return "Erased. What was done stays in the audit, without a name."


def invite_member(mail: str, role: Role) -> str:
    """Invite an address, again too: mail the link, or show it where there is no mail server."""
    with write_scope() as session:
        person_id, token = membership.invite_member(
            session, get_principal(), mail, role, shared_time()
        )
    if has_mail_server():
        send_emails.send_invitation(person_id)
        return "An invitation is on its way."
    st.session_state[LINK] = (
        mail,
        email_templates.build_link(get_settings().public_url, "invitation", token),
    )
    return f"Give {escape_markdown(mail)} the link."


def has_mail_server() -> bool:
    """Return whether links are mailed; where they are not, they are shown."""
    return get_settings().amazcope_smtp_url is not None


def withdraw_invitation(person_id: int) -> str:
    """Take an invitation back."""
    with write_scope() as session:
        membership.withdraw_invitation(session, get_principal(), person_id, shared_time())
    st.session_state.pop(LINK, None)
    return "Invitation withdrawn. Its link opens nothing any more."


def revoke_token(token_id: int) -> str:
    """Revoke anybody's token."""
    with write_scope() as session:
        api_tokens.revoke_team_token(session, get_principal(), token_id, shared_time())
    return "Token revoked."


def change_team_settings(wanted: TeamSettings) -> str:
    """Change what holds for the team."""
    with write_scope() as session:
        changed = team.update_team_settings(
            session, get_principal(), wanted, get_settings().amazcope_registration, shared_time()
        )
    return "Settings saved." if changed else "Nothing was different."
