"""The user's theme, written to the browser's local storage, where Streamlit keeps it.

A server can't set a theme for one user: Streamlit reads it at start from the local storage,
under a name that contains the URL the page was loaded at. So the theme is written there for
every page's URL; where it differs from the stored one, the page is reloaded.
"""

from collections.abc import Sequence

import streamlit as st

from app import keys

_NAMES = {"system": "System", "light": "Light", "dark": "Dark"}  # as Streamlit stores them

# As in lib/streamlit/static/static/js/utils…js: "stActiveTheme-" + pathname + "-v2".
_SCRIPT = """
export default function (component) {
  const { theme, pages } = component.data
  const base = document.querySelector("base")?.href ?? window.location.origin + "/"
  const name = (address) => "stActiveTheme-" + new URL(address, base).pathname + "-v2"
  const [loaded] = performance.getEntriesByType("navigation")
  const wanted = JSON.stringify(theme)
  try {
    const here = name(loaded?.name ?? window.location.href)
    const before = window.localStorage.getItem(here) ?? JSON.stringify("System")
    for (const page of pages) window.localStorage.setItem(name(page), wanted)
    window.localStorage.setItem(here, wanted)
    if (before !== wanted && window.localStorage.getItem(here) === wanted)
      window.location.reload()
  } catch (error) {
    console.warn("The theme could not be kept in this browser.", error)
  }
}
"""

_keep = st.components.v2.component("amazcope_theme", html="<span></span>\n", js=_SCRIPT)


def apply_theme(theme: str | None, pages: Sequence[str]) -> None:
    """Make the browser use a theme of `profile.THEMES` on every page; None changes nothing."""
    if theme is not None:
        addresses = ["./" if page == keys.OVERVIEW else page for page in pages]
        _keep(data={"theme": _NAMES[theme], "pages": addresses}, key="theme", height=1)
