"""The pages of the navigation: their sections, names, permissions and addresses.

The links are one block of HTML: as elements of their own they took a tenth of each page's run.
A script opens them as Streamlit opens its own.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import astuple, dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

import streamlit as st

from app import keys
from app.data.navigation import OpenWork
from core.accounts.access.permissions import Permission, Principal
from core.text.numbers import format_capped_count

MOST_COUNTED = 99  # in the navigation
_PAGES = Path(__file__).resolve().parents[2] / "pages"


@dataclass(frozen=True, slots=True)
class Screen:
    """A page of the navigation: its name is its URL and its file."""

    name: str
    title: str
    icon: str
    permission: Permission = Permission.READ  # needed to see it
    is_listed: bool = True  # False: opened from another screen only

    @property
    def file(self) -> Path:
        return _PAGES / f"{self.name}.py"


SCREENS = {
    "Analytics": (
        Screen(keys.OVERVIEW, "Overview", "dashboard"),
        Screen(keys.PRODUCTS, "Products", "inventory_2"),
        Screen(keys.REPORTS, "Reports", "summarize"),
        Screen(keys.PRODUCT, "Product", "monitoring", is_listed=False),
        Screen(keys.ADD, "Add products", "add_circle", Permission.TRACK, is_listed=False),
    ),
    "Optimize": (
        Screen(keys.SUGGESTIONS, "Suggestions", "rule"),
        Screen(keys.SUGGESTION, "Suggestion", "rule", is_listed=False),
        Screen(keys.ALERTS, "Alerts", "notifications"),
        Screen(keys.ALERT_RULES, "Alert rules", "tune"),
    ),
    "Settings": (
        Screen(keys.HEALTH, "Data health", "ecg_heart"),
        Screen(keys.PROFILE, "Account", "person", Permission.SELF),
        Screen(keys.NOTIFICATIONS, "Notifications", "send", Permission.SELF),
        Screen(keys.ADMIN, "Team", "group", Permission.ADMIN),
        Screen(keys.AUDIT, "Audit log", "history", Permission.ADMIN),
        Screen(keys.CONNECTIONS, "Connections", "cable", Permission.ADMIN),
        Screen(keys.AGENTS, "API & agents", "key", Permission.ADMIN),
    ),
}
BY_NAME = {screen.name: screen for part in SCREENS.values() for screen in part}


def build_pages() -> dict[str, st.Page]:
    """Return the pages by name: each is served at its URL for everyone.

    So a shared URL still works after signing in.
    """
    # Copies: `st.navigation` marks the page that a run may open.
    return {screen.name: copy(_build_page(screen)) for screen in BY_NAME.values()}


@cache
def _build_page(screen: Screen) -> st.Page:
    return st.Page(
        screen.file,
        title=screen.title,
        icon=f":material/{screen.icon}:",
        url_path=screen.name,
        default=screen.name == keys.OVERVIEW,
    )


def get_permission(page: str) -> Permission:
    """Return the permission that a page needs; the first page's address is empty."""
    return BY_NAME[page or keys.OVERVIEW].permission


# As Streamlit draws links to pages.
_STYLE: Final = """<style>
.pages { display: grid; gap: 10.5px; margin-bottom: 3.5px; }
.pages p { margin: 0; font-size: .875rem; line-height: 1.6;
  color: light-dark(#5b626b, #a3abb4); }
.pages a { display: flex; align-items: center; gap: .5rem; padding: 0 .5rem; border-radius: .5rem;
  color: inherit; text-decoration: none; font-size: .875rem; line-height: 2; overflow: hidden; }
.pages a + a { margin-top: -3.5px; }
@media (pointer: coarse) { .pages a { line-height: 2.6; } .pages a + a { margin-top: 0; } }
.pages a:hover, .pages a[aria-current] {
  background: light-dark(rgba(171, 171, 150, .15), rgba(150, 160, 171, .15)); }
.pages a[aria-current] { font-weight: 600; }
.pages a:focus-visible { outline: 2px solid currentColor; outline-offset: -2px; }
.pages .icon { font: 400 1rem/1 "Material Symbols Rounded"; user-select: none; }
.pages .name { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.pages .unread { padding: .1em .3em; border-radius: .25rem; font-size: .875em;
  color: light-dark(#2a66a8, #77b3ee);
  background: color-mix(in srgb, currentColor 10%, transparent); }
</style>"""

# Streamlit opens the page of an address when the browser goes back; the links do the same.
_OPEN_PAGES: Final = """
export default function (component) {
  const { page } = component.data
  for (const link of document.querySelectorAll(".pages a")) {
    const name = new URL(link.href, document.baseURI).pathname.split("/").pop()
    if (name === page) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
  }
  const open = (event) => {
    const link = event.target.closest?.(".pages a")
    const isForBrowser = event.button || event.ctrlKey || event.metaKey || event.shiftKey
    // Streamlit may call this function again without ending its last call first.
    if (!link || isForBrowser || event.altKey || event.defaultPrevented) return
    event.preventDefault()
    window.history.pushState({}, "", link.href)
    window.dispatchEvent(new PopStateEvent("popstate"))
    // On a phone the sidebar covers the page.
    if (window.matchMedia("(max-width: 768px)").matches) {
      document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click()
    }
  }
  document.addEventListener("click", open)
  return () => document.removeEventListener("click", open)
}
"""
_open_pages = st.components.v2.component("amazcope_pages", html="<span></span>\n", js=_OPEN_PAGES)


def show_links(who: Principal, work: OpenWork) -> None:
    """Show the pages that the user may see, by section, with the number of what is open there."""
    sections = "".join(_write_sections(who, work))
    st.html(f'{_STYLE}<nav class="pages" aria-label="Pages">{sections}</nav>')


def open_links(work: OpenWork, url_path: str) -> None:
    """Make the links open their pages, and mark that of the open page, whose address this is."""
    # With the numbers: when one changes, the links are new, and none is marked.
    _open_pages(data={"page": url_path, "work": astuple(work)}, key="open_page", height=1)


def _write_sections(who: Principal, work: OpenWork) -> Iterator[str]:
    counts = {keys.SUGGESTIONS: work.suggestions, keys.ALERTS: work.issues}
    unread = {keys.ALERTS: work.unread}
    for part, screens in SCREENS.items():
        links = [
            write_link(screen, counts.get(screen.name, 0), unread.get(screen.name, 0))
            for screen in screens
            if screen.is_listed and who.may(screen.permission)
        ]
        if links:
            yield f"<div><p>{part}</p>{''.join(links)}</div>"


def write_link(screen: Screen, count: int, unread: int = 0) -> str:
    """Return the link to a page as HTML, with the numbers behind its name that are not 0."""
    address = "./" if screen.name == keys.OVERVIEW else f"./{screen.name}"
    parts = [escape(screen.title)]
    if count:
        parts.append(format_capped_count(count, MOST_COUNTED))
    if unread:
        shown = format_capped_count(unread, MOST_COUNTED)
        parts.append(f'<span class="unread">{shown} unread</span>')
    return (
        f'<a href="{address}"><span class="icon" aria-hidden="true" translate="no">'
        f'{screen.icon}</span><span class="name">{" ".join(parts)}</span></a>'
    )
