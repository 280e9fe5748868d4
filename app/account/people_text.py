"""Sentences about people: browsers, roles, states, tokens. No reads."""

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
# The first that is found counts: the later ones name themselves in the earlier ones' text too.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


def browser_name(agent: str | None) -> str:
    """Name a browser by what it says of itself: "Chrome on Linux". It may lie."""
    if not agent:
        return "an unknown browser"
    found = [shown for sign, shown in _BROWSERS if re.search(rf"{sign}\w*/", agent)]
    name = found[0] if found else "Safari" if "Safari/" in agent else "another browser"
    system = next((system for system in _SYSTEMS if system in agent), None)
    return f"{name} on {system.replace('Mac OS X', 'a Mac')}" if system else name


def session_text(each: OpenSession, now: datetime, zone: str) -> str:
    """Say since when and from where somebody is signed in."""
    where = escape_markdown(each.address or "this machine")
    begun = format_moment(each.begun_at, zone)
    return f"from {where} · since {begun} · used {format_age(each.seen_at, now)}"


def token_text(each: ApiTokenInfo, now: datetime) -> str:
    """Say what a token may do, until when, and when it was used."""
    scopes = ", ".join(scope.value for scope in Scope if scope in each.scopes)
    used = "never used" if each.used_at is None else f"used {format_age(each.used_at, now)}"
    return f"`{each.hint}…` · may {scopes} · {_expiry_text(each, now)} · {used}"


def _expiry_text(each: ApiTokenInfo, now: datetime) -> str:
    if each.expires_at is None:
        return "does not expire"
    return f"{'expires' if each.is_valid else 'expired'} {format_age(each.expires_at, now)}"


def member_text(each: Member, now: datetime) -> str:
    """Say how somebody signs in."""
    seen = each.last_signed_in_at
    parts = [
        escape_markdown(each.mail or "no email address"),
        STATES.get(each.state, each.state),
        f"signed in {format_age(seen, now)}" if seen else "never signed in",
        "2FA on" if each.has_second_factor else "2FA off",
    ]
    return " · ".join(parts)


def language_label(locale: str) -> str:
    """Show a language of formats by what it does: "German (Germany) · 11.598,5 · 23.11.2026"."""
    name = Locale.parse(locale).get_display_name("en")
    kept = formats.current()
    formats.use(Formats(locale))
    sample = f"{name} · {formats.digits('11,598.5')} · {format_day(_SAMPLE)}"
    formats.use(kept)
    return sample
