"""Operations: functions with a permission, which is checked at every call."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission, Principal, require_permission
from core.errors import NotAllowedError

P = ParamSpec("P")
R = TypeVar("R")
Operation = Callable[Concatenate[Session, Principal, P], R]

OPERATIONS: dict[str, Permission] = {}
"""All operations by full name, with the permission they need."""


def requires(permission: Permission) -> Callable[[Operation[P, R]], Operation[P, R]]:
    """Make a function an operation: it checks the principal's permission before it runs.

    Its first arguments are the session and the principal. Raises NotAllowedError, and
    records the refusal.
    """

    def decorate(function: Operation[P, R]) -> Operation[P, R]:
        name = f"{function.__module__}.{function.__qualname__}"
        OPERATIONS[name] = permission

        @wraps(function)
        def checked(
            session: Session, principal: Principal, /, *args: P.args, **kwargs: P.kwargs
        ) -> R:
            try:
                require_permission(principal, permission)
            except NotAllowedError:
                # Imported here: the audit, which it writes to, has operations itself.
                from core.accounts.access.refusals import record_refusal

                record_refusal(principal, name.removeprefix("core."))
                raise
            return function(session, principal, *args, **kwargs)

        return checked

    return decorate
