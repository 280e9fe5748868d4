"""The theme that a person wants, handed to the browser, where Streamlit keeps it.

A server can't choose a theme for one person: Streamlit reads it at start from the
browser's local storage, under a name that holds the address the page was loaded at.
So the choice is written there for the address of every page; where it differs from
what was there, the page is loaded once more.
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
    """Have the browser use a theme of `profile.THEMES` on every page; None leaves it alone."""
    if theme is not None:
        addresses = ["./" if page == keys.OVERVIEW else page for page in pages]
        _keep(data={"theme": _NAMES[theme], "pages": addresses}, key="theme", height=1)
