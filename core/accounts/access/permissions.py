"""Roles, permissions and scopes, and which role has which permission. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import NotAllowedError


class Role(StrEnum):
    """A user's role in the team. Each has all permissions of the ones before it."""

    VIEWER = "viewer"  # reads
    SELLER = "seller"  # tracks products, keeps notes and thresholds
    MANAGER = "manager"  # does that for the team, approves suggestions
    ADMIN = "admin"  # users, settings, all tokens, the audit


class Permission(StrEnum):
    """A permission that an operation requires."""

    READ = "read"  # the team's data
    SELF = "self"  # own profile, password, sessions and tokens
    PROPOSE = "propose"  # suggestions for a manager's approval
    TRACK = "track"  # own products, notes, thresholds and imports
    TRACK_TEAM = "track_team"  # teammates' tracking
    TEAM = "team"  # everything else of teammates, and approving
    ADMIN = "admin"  # users, settings, audit


class Scope(StrEnum):
    """What an API token allows, within the role of its owner."""

    READ = "read"
    PROPOSE = "propose"
    ACT = "act"


class Via(StrEnum):
    """The way by which a principal acts."""

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
# Other permissions are for users on pages only, never for tokens.
SCOPE_FOR = {
    Permission.READ: Scope.READ,
    Permission.PROPOSE: Scope.PROPOSE,
    Permission.TRACK: Scope.ACT,
    Permission.TRACK_TEAM: Scope.ACT,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The acting user with team, role and way of acting."""

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
        """Return whether the role and, with a token, the scopes have a permission."""
        if self.needs_second_factor and permission is not Permission.SELF:
            return False
        if _RANK[self.role] < _RANK[MINIMUM_ROLE[permission]]:
            return False
        return self.scopes is None or SCOPE_FOR.get(permission) in self.scopes


TWO_FACTOR_REQUIRED = (
    "Your team requires two-factor authentication. Sign in to the pages and set it up first."
)


def find_minimum_role(permission: Permission) -> Role:
    """Return the lowest role that has a permission."""
    return MINIMUM_ROLE[permission]


def require_permission(principal: Principal, permission: Permission) -> None:
    """Raise NotAllowedError unless the principal has a permission."""
    if principal.may(permission):
        return
    if principal.needs_second_factor:
        raise NotAllowedError(TWO_FACTOR_REQUIRED)
    least = MINIMUM_ROLE[permission]
    if _RANK[principal.role] < _RANK[least]:
        raise NotAllowedError(
            f"This requires the role {least.value}; yours is {principal.role.value}. "
            "Ask an administrator of your team."
        )
    needed = SCOPE_FOR.get(permission)
    raise NotAllowedError(
        f"This token lacks the scope {needed.value}. Create one with it at Profile → API tokens."
        if needed
        else "Tokens can't do this. Sign in to the pages instead."
    )
