"""Reads of users, their sessions, tokens and notices, and of the audit.

Nothing is cached: a user who lost a permission must not read on.
"""

from datetime import UTC, datetime

from app.auth import session as signed
from app.data import get_principal
from core.accounts.access import api_tokens, audit, sessions
from core.accounts.access import team_settings as team
from core.accounts.access.api_tokens import ApiTokenInfo
from core.accounts.access.audit import AuditEntry
from core.accounts.access.audit_text import find_product_ids, name_products, to_csv_row
from core.accounts.access.permissions import Principal
from core.accounts.access.sessions import OpenSession
from core.accounts.access.team_settings import TeamSettings
from core.accounts.login import two_factor
from core.accounts.login.two_factor import RecoveryCodesLeft
from core.accounts.people import account_notices, membership, profile
from core.accounts.people.account_notices import AccountNotice
from core.accounts.people.membership import Member
from core.accounts.people.profile import Profile
from core.catalog.service import product_names
from core.database.session import read_scope
from core.settings.environment import get_settings
from core.text import spreadsheets
from core.tracking.sellers import queries as sellers
from core.tracking.sellers.queries import ListedSeller, SeenSeller

MOST_IN_FILE = 20_000
_FILE_HEADER = ("number", "time", "person", "means", "address", "what", "thing", "old", "new")


def get_own_profile() -> Profile:
    """Return the user's profile."""
    with read_scope() as session:
        return profile.get_profile(session, get_principal())


def list_own_sessions() -> list[OpenSession]:
    """Return the user's active sessions."""
    with read_scope() as session:
        return sessions.list_open_sessions(
            session, get_principal(), signed.get_lifetime(), datetime.now(UTC)
        )


def count_recovery_codes() -> RecoveryCodesLeft:
    """Return how many unused recovery codes the user has."""
    with read_scope() as session:
        return two_factor.count_recovery_codes(session, get_principal())


def list_own_tokens() -> list[ApiTokenInfo]:
    """Return the user's API tokens."""
    with read_scope() as session:
        return api_tokens.list_own_tokens(session, get_principal(), datetime.now(UTC))


def list_own_notices() -> list[AccountNotice]:
    """Return the user's newest account notices."""
    with read_scope() as session:
        return account_notices.list_notices(session, get_principal())


def list_members() -> list[Member]:
    """Return the team's members; for administrators."""
    with read_scope() as session:
        return membership.list_members(session, get_principal())


def list_team_tokens() -> list[ApiTokenInfo]:
    """Return all members' API tokens; for administrators."""
    with read_scope() as session:
        return api_tokens.list_team_tokens(session, get_principal(), datetime.now(UTC))


def get_team_settings() -> TeamSettings:
    """Return the team's settings; for administrators."""
    with read_scope() as session:
        return team.get_team_settings(
            session, get_principal(), get_settings().amazcope_registration
        )


def list_own_sellers() -> list[ListedSeller]:
    """Return the team's own sellers."""
    with read_scope() as session:
        return sellers.list_own_sellers(session, get_principal())


def list_seen_sellers() -> list[SeenSeller]:
    """Return sellers in the Buy Box of the team's own products that are not in its list."""
    with read_scope() as session:
        return sellers.list_seen_sellers(session, get_principal())


def list_audit_events(
    what: str | None, person_id: int | None, before: int | None
) -> list[AuditEntry]:
    """Return a page of the audit, newest first, plus one event if there are older ones.

    For administrators.
    """
    more = audit.PAGE + 1
    with read_scope() as session:
        found = audit.list_events(
            session, get_principal(), verb=what, person_id=person_id, before=before, limit=more
        )
        names = product_names(session, set().union(*map(find_product_ids, found)))
    return [name_products(event, names) for event in found]


def list_event_kinds() -> list[str]:
    """Return the kinds of events in the audit; for administrators."""
    with read_scope() as session:
        return audit.list_event_verbs(session, get_principal())


def export_audit(who: Principal, what: str | None, person_id: int | None) -> bytes:
    """Return the newest events as a CSV file whose cells spreadsheets read as text."""
    with read_scope() as session:
        found = audit.list_events(session, who, verb=what, person_id=person_id, limit=MOST_IN_FILE)
    return spreadsheets.csv_file(_FILE_HEADER, map(to_csv_row, found))
