"""Parts of a page that run on their own: dialogs, and what looks again each second.

Such a run skips the frame, in a thread of its own. So each asks first who is signed
in: nobody goes on reading after the sign-in ended, and numbers are written their way.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, ParamSpec

import streamlit as st

from app.auth import session
from core.accounts.access.permissions import TWO_FACTOR_REQUIRED

P = ParamSpec("P")
Shows = Callable[P, None]


def dialog(
    title: str,
    *,
    width: Literal["small", "medium", "large"] = "small",
    icon: str | None = None,
    on_dismiss: Literal["ignore", "rerun"] | Callable[[], None] = "ignore",
    for_set_up: bool = False,
) -> Callable[[Shows[P]], Shows[P]]:
    """Make a function show a dialog, for whoever is signed in.

    `for_set_up`: also for users who have yet to set up the second factor that is required.
    """

    def made(shows: Shows[P]) -> Shows[P]:
        return st.dialog(title, width=width, icon=icon, on_dismiss=on_dismiss)(
            _signed_in(shows, for_set_up=for_set_up)
        )

    return made


def fragment(run_every: float | None = None) -> Callable[[Shows[P]], Shows[P]]:
    """Make a function run on its own, again after `run_every` seconds."""

    def made(shows: Shows[P]) -> Shows[P]:
        again: Any = st.fragment(_signed_in(shows), run_every=run_every)
        return again  # type: ignore[no-any-return]

    return made


def _signed_in(shows: Shows[P], *, for_set_up: bool = False) -> Shows[P]:
    @wraps(shows)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        who = session.find_principal()
        if who is None:
            st.warning(str(session.SignedOutError()), icon=":material/lock:")
            return
        if who.needs_second_factor and not for_set_up:
            st.warning(TWO_FACTOR_REQUIRED, icon=":material/lock:")
            return
        shows(*args, **kwargs)

    return checked
