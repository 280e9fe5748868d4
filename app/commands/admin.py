"""Commands of administrators: each writes and returns a message for the user."""

import streamlit as st

from app.data import get_principal
from core.accounts.access import api_tokens
from core.accounts.access import team_settings as team
from core.accounts.access.permissions import Role
from core.accounts.access.team_settings import TeamSettings
from core.accounts.login import two_factor
from core.accounts.people import email_templates, membership
from core.backup.pause import confirm_restore
from core.connections.resolve import resolve_mail
from core.database.session import shared_time, write_scope
from core.errors import InvalidInputError
from core.settings.environment import get_settings
from core.text.escaping import escape_markdown
from core.tracking.sellers import service as sellers
from jobs.tasks import send_account_emails

LINK = "_invitation_link"  # (email address, link), shown when there is no mail server


def end_restore_pause() -> str:
    """Let checks, notifications and approved changes go on after a restore."""
    with write_scope() as session:
        confirm_restore(session, get_principal(), shared_time())
    return "Continued. Checks begin within a minute."


def change_role(person_id: int, role: Role) -> str:
    """Change a member's role."""
    with write_scope() as session:
        membership.change_role(session, get_principal(), person_id, role, shared_time())
    return f"Role changed to {role.value}."


def disable_member(person_id: int) -> str:
    """Disable a member's account."""
    with write_scope() as session:
        membership.disable_member(session, get_principal(), person_id, shared_time())
    return "Disabled. This user's sessions and tokens have ended."


def enable_member(person_id: int) -> str:
    """Enable a disabled account."""
    with write_scope() as session:
        membership.enable_member(session, get_principal(), person_id, shared_time())
    return "This user can sign in again."


def remove_two_factor(person_id: int) -> str:
    """Turn off two-factor authentication of a user who lost phone and recovery codes."""
    with write_scope() as session:
        two_factor.remove_member_two_factor(session, get_principal(), person_id, shared_time())
    return "Two-factor authentication turned off."


def erase_member(person_id: int, name: str, typed: str) -> str:
    """Delete a disabled user, confirmed by their name. Raises InvalidInputError."""
    if typed.strip() != name:
        raise InvalidInputError("Type the name as it is shown to confirm.")
    with write_scope() as session:
        membership.erase_member(session, get_principal(), person_id)
    return "Deleted. The audit keeps the user's actions without a name."


def invite_member(email: str, role: Role) -> str:
    """Invite an email address, or send a new link; without a mail server the link is shown."""
    with write_scope() as session:
        person_id, token = membership.invite_member(
            session, get_principal(), email, role, shared_time()
        )
    if has_mail_server():
        send_account_emails.send_invitation(person_id)
        return "An invitation is on its way."
    st.session_state[LINK] = (
        email,
        email_templates.build_link(get_settings().public_url, "invitation", token),
    )
    return f"Give {escape_markdown(email)} the link."


def has_mail_server() -> bool:
    """Return whether links are emailed instead of shown."""
    return resolve_mail(get_settings()).values is not None


def withdraw_invitation(person_id: int) -> str:
    """Withdraw an invitation."""
    with write_scope() as session:
        membership.withdraw_invitation(session, get_principal(), person_id, shared_time())
    st.session_state.pop(LINK, None)
    return "Invitation withdrawn. Its link no longer works."


def revoke_token(token_id: int) -> str:
    """Revoke a token of any member."""
    with write_scope() as session:
        api_tokens.revoke_team_token(session, get_principal(), token_id, shared_time())
    return "Token revoked."


def change_team_settings(wanted: TeamSettings) -> str:
    """Change the team's settings."""
    with write_scope() as session:
        changed = team.update_team_settings(
            session, get_principal(), wanted, get_settings().amazcope_registration, shared_time()
        )
    return "Settings saved." if changed else "Nothing changed."


def add_own_seller(marketplace: str, seller_id: str, name: str) -> str:
    """Add a seller of the team."""
    with write_scope() as session:
        added = sellers.add_own_seller(session, get_principal(), marketplace, seller_id, name)
    return "Seller added." if added else "This seller is already in the list."


def remove_own_seller(own_seller_id: int) -> str:
    """Remove one of the team's own sellers."""
    with write_scope() as session:
        sellers.remove_own_seller(session, get_principal(), own_seller_id)
    return "Seller removed."
