"""Marks verbs with the right they ask for, and checks it at every call. No database."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from core.accounts.rules import Acting, Right, require

P = ParamSpec("P")
R = TypeVar("R")
Verb = Callable[Concatenate[Session, Acting, P], R]

VERBS: dict[str, Right] = {}
"""Every verb by its full name, with the right it asks for."""


def verb(right: Right) -> Callable[[Verb[P, R]], Verb[P, R]]:
    """Make a function check the acting person's right before it does anything.

    It takes the session and who acts first. Raises NotAllowedError.
    """

    def marked(function: Verb[P, R]) -> Verb[P, R]:
        VERBS[f"{function.__module__}.{function.__qualname__}"] = right

        @wraps(function)
        def checked(session: Session, acting: Acting, /, *args: P.args, **kwargs: P.kwargs) -> R:
            require(acting, right)
            return function(session, acting, *args, **kwargs)

        return checked

    return marked
