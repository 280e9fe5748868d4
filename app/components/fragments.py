"""Parts of a page that run on their own: dialogs and periodic fragments.

Such a run skips `app.main`, in a thread of its own. So each first checks the session:
it shows nothing after the session ended, and formats numbers as the user prefers.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, ParamSpec

import streamlit as st

from app.auth import session
from core.accounts.access.permissions import TWO_FACTOR_REQUIRED

P = ParamSpec("P")
Draw = Callable[P, None]


def dialog(
    title: str,
    *,
    width: Literal["small", "medium", "large"] = "small",
    icon: str | None = None,
    on_dismiss: Literal["ignore", "rerun"] | Callable[[], None] = "ignore",
    for_set_up: bool = False,
) -> Callable[[Draw[P]], Draw[P]]:
    """Decorate a function that draws a dialog; it opens for signed-in users only.

    `for_set_up`: also for users who must set up two-factor authentication first.
    """

    def decorate(draw: Draw[P]) -> Draw[P]:
        return st.dialog(title, width=width, icon=icon, on_dismiss=on_dismiss)(
            _signed_in(draw, for_set_up=for_set_up)
        )

    return decorate


def fragment(run_every: float | None = None) -> Callable[[Draw[P]], Draw[P]]:
    """Decorate a function that runs on its own, again every `run_every` seconds."""

    def decorate(draw: Draw[P]) -> Draw[P]:
        again: Any = st.fragment(_signed_in(draw), run_every=run_every)
        return again  # type: ignore[no-any-return]

    return decorate


def _signed_in(draw: Draw[P], *, for_set_up: bool = False) -> Draw[P]:
    @wraps(draw)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        who = session.find_principal()
        if who is None:
            st.warning(str(session.SignedOutError()), icon=":material/lock:")
            return
        if who.needs_second_factor and not for_set_up:
            st.warning(TWO_FACTOR_REQUIRED, icon=":material/lock:")
            return
        draw(*args, **kwargs)

    return checked
