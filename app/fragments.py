"""Parts of a page that run on their own: dialogs, and what looks again each second.

Such a run skips the frame, in a thread of its own. So each asks first who is signed
in: nobody goes on reading after the sign-in ended, and numbers are written their way.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, ParamSpec

import streamlit as st

from app import session

P = ParamSpec("P")
Shows = Callable[P, None]


def dialog(
    title: str,
    *,
    width: Literal["small", "medium", "large"] = "small",
    icon: str | None = None,
    on_dismiss: Literal["ignore", "rerun"] = "ignore",
) -> Callable[[Shows[P]], Shows[P]]:
    """Make a function show a dialog, for whoever is signed in."""

    def made(shows: Shows[P]) -> Shows[P]:
        return st.dialog(title, width=width, icon=icon, on_dismiss=on_dismiss)(_signed_in(shows))

    return made


def fragment(run_every: float | None = None) -> Callable[[Shows[P]], Shows[P]]:
    """Make a function run on its own, again after `run_every` seconds."""

    def made(shows: Shows[P]) -> Shows[P]:
        again: Any = st.fragment(_signed_in(shows), run_every=run_every)
        return again  # type: ignore[no-any-return]

    return made


def _signed_in(shows: Shows[P]) -> Shows[P]:
    @wraps(shows)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        if session.find_acting() is None:
            st.warning(str(session.SignedOutError()), icon=":material/lock:")
            return
        shows(*args, **kwargs)

    return checked
