"""Who may do what, and which passwords and addresses are acceptable. Pure."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from zoneinfo import available_timezones

from core.errors import InvalidInputError, NotAllowedError


class Role(StrEnum):
    """What a person is in the team. Each may do all that the ones before it may."""

    VIEWER = "viewer"  # reads
    SELLER = "seller"  # tracks products, keeps notes and thresholds
    MANAGER = "manager"  # does that for the team, approves suggestions
    ADMIN = "admin"  # people, settings, everybody's tokens, the audit


class Permission(StrEnum):
    """What an operation needs."""

    READ = "read"  # what the team shares
    SELF = "self"  # one's own profile, password, sessions and tokens
    PROPOSE = "propose"  # what somebody else decides
    TRACK = "track"  # one's own products, notes, thresholds and imports
    TRACK_TEAM = "track_team"  # how teammates follow what they follow
    TEAM = "team"  # everything else that is a teammate's, and approving
    ADMIN = "admin"  # people, settings, audit


class Scope(StrEnum):
    """What an API token is good for; never more than its owner's role allows."""

    READ = "read"
    PROPOSE = "propose"
    ACT = "act"


class Via(StrEnum):
    """By which way a principal acts."""

    PAGE = "page"
    TOOL = "tool"
    JOB = "job"
    COMMAND = "command"


MINIMUM_ROLE = {
    Permission.READ: Role.VIEWER,
    Permission.SELF: Role.VIEWER,
    Permission.PROPOSE: Role.SELLER,
    Permission.TRACK: Role.SELLER,
    Permission.TRACK_TEAM: Role.MANAGER,
    Permission.TEAM: Role.MANAGER,
    Permission.ADMIN: Role.ADMIN,
}
_RANK = {role: number for number, role in enumerate(Role)}
# What is missing here no token may do: it belongs to a person at a page.
SCOPE_FOR = {
    Permission.READ: Scope.READ,
    Permission.PROPOSE: Scope.PROPOSE,
    Permission.TRACK: Scope.ACT,
    Permission.TRACK_TEAM: Scope.ACT,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The user who acts: their team and role, and via what they act."""

    person_id: int
    team_id: int
    name: str
    time_zone: str
    role: Role
    via: Via = Via.PAGE
    address: str | None = None  # where the request came from; None: this machine
    scopes: frozenset[Scope] | None = None  # of the token; None: no token, all of the role
    session_id: int | None = None  # the sign-in; None: a token, a job or a command
    token_id: int | None = None  # the API token; None: no program acts
    token_name: str | None = None  # as its owner named it; None: no token
    needs_second_factor: bool = False  # the team requires one, and the user has yet to set it up

    def may(self, permission: Permission) -> bool:
        """Return whether role and, with a token, scope allow something."""
        if self.needs_second_factor and permission is not Permission.SELF:
            return False
        if _RANK[self.role] < _RANK[MINIMUM_ROLE[permission]]:
            return False
        return self.scopes is None or SCOPE_FOR.get(permission) in self.scopes


TWO_FACTOR_REQUIRED = (
    "Your team requires two-factor authentication. Sign in to the pages and set it up first."
)


def minimum_role(permission: Permission) -> Role:
    """Return the least role that has a right."""
    return MINIMUM_ROLE[permission]


def require_permission(principal: Principal, permission: Permission) -> None:
    """Raise NotAllowedError, saying who could do it, unless the person may."""
    if principal.may(permission):
        return
    if principal.needs_second_factor:
        raise NotAllowedError(TWO_FACTOR_REQUIRED)
    least = MINIMUM_ROLE[permission]
    if _RANK[principal.role] < _RANK[least]:
        raise NotAllowedError(
            f"This takes the role {least.value}; yours is {principal.role.value}. "
            "Ask an administrator of your team."
        )
    needed = SCOPE_FOR.get(permission)
    raise NotAllowedError(
        f"This token lacks the scope {needed.value}. Make one that has it: Profile → API tokens."
        if needed
        else "No token may do this. Sign in to the pages instead."
    )


def roles_up_to(role: Role) -> list[Role]:
    """Return the roles that somebody of a role may give to others, the least first."""
    return [each for each in Role if _RANK[each] <= _RANK[role]]


@lru_cache(maxsize=1)
def list_time_zones() -> tuple[str, ...]:
    """Return the time zones there are, sorted. Read once: they are looked for on disk."""
    return tuple(sorted(available_timezones()))


# Mail addresses

MAX_EMAIL_LENGTH = 254  # RFC 5321
MAX_NAME_LENGTH = 80
INVALID_EMAIL = "This is no mail address. Write it as name@example.com."


def normalize_email(address: str) -> str:
    """Return a mail address in the one form in which it is compared and kept.

    Raises InvalidInputError for what can't be one.
    """
    typed = address.strip()
    if len(typed) > MAX_EMAIL_LENGTH:  # before anything that takes longer for longer texts
        raise InvalidInputError(INVALID_EMAIL)
    cleaned = unicodedata.normalize("NFKC", typed).strip().casefold()
    local, _, domain = cleaned.rpartition("@")
    is_plain = not any(sign.isspace() or sign in '<>,;:"\\()' for sign in cleaned)
    is_printable = cleaned.isprintable() and len(cleaned) <= MAX_EMAIL_LENGTH
    if not (local and "." in domain.strip(".") and is_plain and is_printable):
        raise InvalidInputError(INVALID_EMAIL)
    return cleaned


def normalize_typed_email(address: str) -> str:
    """Return an address that a person typed, or copied from a page, as `normalize_email` writes it.

    Pages keep browsers from making links of addresses by a sign that nobody sees and that is
    copied along (`escaping.escape_markdown`). Raises InvalidInputError for what can't be one.
    """
    return normalize_email(address.replace("\u2060", ""))


def clean_name(name: str) -> str:
    """Return a person's name without odd spaces. Raises InvalidInputError for none."""
    cleaned = clean_line(name, MAX_NAME_LENGTH)
    if cleaned is None:
        raise InvalidInputError(f"A name has 1 to {MAX_NAME_LENGTH} characters.")
    return cleaned


def clean_line(typed: str, longest: int) -> str | None:
    """Return a short text without odd spaces; None for an empty one and one that is too long.

    Spaces around and between its words may make it longer, but not endlessly so: what is
    longer than four times the limit is not looked at.
    """
    if len(typed) > 4 * longest:
        return None
    cleaned = " ".join("".join(sign if sign.isprintable() else " " for sign in typed).split())
    return cleaned if 0 < len(cleaned) <= longest else None


# Passwords

MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 12, 128
MAX_PASSWORD_INPUT = 4 * MAX_PASSWORD_LENGTH  # a keyboard may compose one sign of several


def exceeds_password_input(password: str) -> bool:
    """Return whether a text is too long to be looked at as a password at all."""
    return len(password) > MAX_PASSWORD_INPUT


def normalize_password(password: str) -> str:
    """Return a password as it is hashed: the same however a keyboard composes its signs.

    Spaces around it are left out: the sign-in form never sees them.
    """
    return unicodedata.normalize("NFKC", password).strip()


def find_length_problem(password: str) -> str | None:
    """Return what is wrong with a password's length, None when it is right."""
    if exceeds_password_input(password):
        return f"A password has at most {MAX_PASSWORD_LENGTH} characters."
    hashed = normalize_password(password)
    # One sign may stand for a whole phrase, and is one stroke to guess all the same.
    if min(len(hashed), len(unicodedata.normalize("NFC", password).strip())) < MIN_PASSWORD_LENGTH:
        return f"A password has at least {MIN_PASSWORD_LENGTH} characters."
    if len(hashed) > MAX_PASSWORD_LENGTH:
        return f"A password has at most {MAX_PASSWORD_LENGTH} characters."
    return None
