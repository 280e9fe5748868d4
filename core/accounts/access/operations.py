"""Marks verbs with the right they ask for, and checks it at every call."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Acting, Right, require
from core.errors import NotAllowedError

P = ParamSpec("P")
R = TypeVar("R")
Verb = Callable[Concatenate[Session, Acting, P], R]

VERBS: dict[str, Right] = {}
"""Every verb by its full name, with the right it asks for."""


def verb(right: Right) -> Callable[[Verb[P, R]], Verb[P, R]]:
    """Make a function check the acting person's right before it does anything.

    It takes the session and who acts first. Raises NotAllowedError, and notes that it did.
    """

    def marked(function: Verb[P, R]) -> Verb[P, R]:
        name = f"{function.__module__}.{function.__qualname__}"
        VERBS[name] = right

        @wraps(function)
        def checked(session: Session, acting: Acting, /, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                require(acting, right)
            except NotAllowedError:
                # Not above: it writes to the audit, whose own reads are verbs.
                from core.accounts.access.refusals import note_refused

                note_refused(acting, name.removeprefix("core."))
                raise
            return function(session, acting, *args, **kwargs)

        return checked

    return marked
