"""Browser scripts that have the session cookie set and deleted.

Both end with a reload: a page only ever sees the cookies that the browser sent on opening it.
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

# The provider of single sign-on sends the browser back to the first page.
_REMEMBERING = """
export default function () {
  const wanted = window.location.pathname + window.location.search
  sessionStorage.setItem("amazcope-wanted", wanted)
}
"""

_remember = st.components.v2.component("amazcope_wanted", html="<span></span>\n", js=_REMEMBERING)
_post = st.components.v2.component("amazcope_session", html="<span></span>\n", js=_SCRIPT)


def start_session(ticket: str) -> None:
    """Make the browser exchange a ticket for the session cookie, and reload this page."""
    st.caption("Signing in …")
    _post(data={"path": BEGIN, "ticket": ticket, "once": ticket[:12], "leave": False}, key="begin")


def start_session_at_home(ticket: str) -> None:
    """Do the same, then open the first page: this URL has a link that is used up."""
    st.caption("Signing in …")
    _post(data={"path": BEGIN, "ticket": ticket, "once": ticket[:12], "leave": True}, key="begin")


def end_session() -> None:
    """Make the browser delete its cookie, and open the first page."""
    st.caption("Signing out …")
    _post(data={"path": END, "ticket": "", "once": "end", "leave": True}, key="end")


def clear_cookies() -> None:
    """Make the browser delete its cookies, and stay on the page."""
    _post(
        data={"path": END, "ticket": "", "once": "given back", "leave": False, "stay": True},
        key="give_back",
    )


def remember_requested_page() -> None:
    """Make this tab remember the requested page until the user is signed in."""
    _remember(key="wanted")
