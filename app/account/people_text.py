"""Text about users: browsers, roles, states, sessions, tokens. No reads."""

import re
from datetime import date, datetime

from babel import Locale

from core.accounts.access.api_tokens import ApiTokenInfo
from core.accounts.access.permissions import Role, Scope
from core.accounts.access.sessions import OpenSession
from core.accounts.people.membership import Member
from core.text import locale as formats
from core.text.escaping import escape_markdown
from core.text.locale import Formats
from core.text.times import format_age, format_day, format_moment

ROLES = {
    Role.VIEWER: "Viewer: reads",
    Role.SELLER: "Seller: tracks products, keeps notes and thresholds",
    Role.MANAGER: "Manager: does that for the whole team",
    Role.ADMIN: "Administrator: people, settings, tokens, audit",
}
SCOPES = {
    Scope.READ: "Read",
    Scope.PROPOSE: "Propose changes",
    Scope.ACT: "Write",
}
STATES = {
    "active": "active",
    "disabled": "disabled",
    "invited": "invited",
    "registered": "has not confirmed the email address",
    "unclaimed": "pending set-up",
}
_SAMPLE = date(2026, 11, 23)
# The first match counts: browsers name later ones of this list in their user agent, too.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


def browser_name(agent: str | None) -> str:
    """Return a browser's name from its user agent: "Chrome on Linux"."""
    if not agent:
        return "an unknown browser"
    found = [name for token, name in _BROWSERS if re.search(rf"{token}\w*/", agent)]
    name = found[0] if found else "Safari" if "Safari/" in agent else "another browser"
    system = next((system for system in _SYSTEMS if system in agent), None)
    return f"{name} on {system.replace('Mac OS X', 'a Mac')}" if system else name


def session_text(each: OpenSession, now: datetime, zone: str) -> str:
    """Return from where and since when a session is signed in, and when it was used."""
    where = escape_markdown(each.address or "this machine")
    begun = format_moment(each.begun_at, zone)
    return f"from {where} · since {begun} · used {format_age(each.seen_at, now)}"


def token_text(each: ApiTokenInfo, now: datetime) -> str:
    """Return a token's permissions, its expiry and its last use."""
    scopes = ", ".join(scope.value for scope in Scope if scope in each.scopes)
    used = "never used" if each.used_at is None else f"used {format_age(each.used_at, now)}"
    return f"`{each.hint}…` · may {scopes} · {_expiry_text(each, now)} · {used}"


def _expiry_text(each: ApiTokenInfo, now: datetime) -> str:
    if each.expires_at is None:
        return "does not expire"
    return f"{'expires' if each.is_valid else 'expired'} {format_age(each.expires_at, now)}"


def member_text(each: Member, now: datetime) -> str:
    """Return a member's email address, state, last sign-in and two-factor state."""
    seen = each.last_signed_in_at
    parts = [
        escape_markdown(each.mail or "no email address"),
        STATES.get(each.state, each.state),
        f"signed in {format_age(seen, now)}" if seen else "never signed in",
        "2FA on" if each.has_second_factor else "2FA off",
    ]
    return " · ".join(parts)


def language_label(locale: str) -> str:
    """Return a locale with samples: "German (Germany) · 11.598,5 · 23.11.2026"."""
    name = Locale.parse(locale).get_display_name("en")
    current = formats.get_formats()
    formats.use_formats(Formats(locale))
    sample = f"{name} · {formats.localize_digits('11,598.5')} · {format_day(_SAMPLE)}"
    formats.use_formats(current)
    return sample
