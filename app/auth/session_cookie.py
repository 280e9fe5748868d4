"""Handing a ticket to the route that sets the cookie, and asking it to take the cookie away.

Both end with the page being loaded anew: what a browser sent when it opened the
page is all that a page ever sees of its cookies.
"""

import streamlit as st

from app.auth.session_routes import BEGIN, END

# Relative to where the pages are served, so that a proxy may put them below a path.
_SCRIPT = """
export default function (component) {
  const { data } = component
  const done = "amazcope-" + data.once
  if (window[done]) return
  window[done] = true
  const base = window.__streamlit?.BACKEND_BASE_URL ?? window.location.origin + "/"
  fetch(new URL(data.path.slice(1), base), {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(data.ticket ? { ticket: data.ticket } : {}),
  }).finally(() => {
    if (data.stay) return
    const wanted = data.ticket && !data.leave ? sessionStorage.getItem("amazcope-wanted") : null
    sessionStorage.removeItem("amazcope-wanted")
    const here = window.location.pathname + window.location.search
    if (wanted && wanted !== here) window.location.assign(window.location.origin + wanted)
    else if (data.leave) window.location.assign(new URL(".", base))
    else window.location.reload()
  })
}
"""

# The way back from a provider of single sign-on leads to the first page.
_REMEMBERING = """
export default function () {
  const wanted = window.location.pathname + window.location.search
  sessionStorage.setItem("amazcope-wanted", wanted)
}
"""

_remember = st.components.v2.component("amazcope_wanted", html="<span></span>\n", js=_REMEMBERING)
_post = st.components.v2.component("amazcope_session", html="<span></span>\n", js=_SCRIPT)


def start_session(ticket: str) -> None:
    """Have the browser turn a ticket into its cookie, and load this same page again."""
    st.caption("Signing in …")
    _post(data={"path": BEGIN, "ticket": ticket, "once": ticket[:12], "leave": False}, key="begin")


def start_session_at_home(ticket: str) -> None:
    """Do the same, and go to the first page: the address holds a link that is used up."""
    st.caption("Signing in …")
    _post(data={"path": BEGIN, "ticket": ticket, "once": ticket[:12], "leave": True}, key="begin")


def end_session() -> None:
    """Have the browser give its cookie back, and load the first page."""
    st.caption("Signing out …")
    _post(data={"path": END, "ticket": "", "once": "end", "leave": True}, key="end")


def clear_cookies() -> None:
    """Have the browser give its cookies back, and stay where it is."""
    _post(
        data={"path": END, "ticket": "", "once": "given back", "leave": False, "stay": True},
        key="give_back",
    )


def remember_requested_page() -> None:
    """Have this tab remember the page that was asked for, until somebody is signed in."""
    _remember(key="wanted")
