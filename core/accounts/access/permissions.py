"""Roles, permissions and scopes, and who has which. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import NotAllowedError


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
