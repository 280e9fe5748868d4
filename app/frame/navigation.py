"""The pages of the navigation: their sections, names, permissions and addresses."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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


def show_links(who: Principal, pages: Mapping[str, st.Page], work: OpenWork) -> None:
    """Show the pages that the user may see, by section, with the number of what is open there."""
    counts = {keys.SUGGESTIONS: work.suggestions, keys.ALERTS: work.issues}
    unread = {keys.ALERTS: work.unread}
    for part, screens in SCREENS.items():
        listed = [each for each in screens if each.is_listed and who.may(each.permission)]
        if not listed:
            continue
        with st.container(gap="xxsmall"):
            st.caption(part)
            for screen in listed:
                st.page_link(
                    pages[screen.name],
                    label=format_link(
                        screen.title, counts.get(screen.name, 0), unread.get(screen.name, 0)
                    ),
                    icon=f":material/{screen.icon}:",
                    width="stretch",
                )


def format_link(title: str, count: int, unread: int = 0) -> str:
    """Return a link's label, with the numbers behind it that are not 0."""
    parts = [title]
    if count:
        parts.append(f":small[:gray[{format_capped_count(count, MOST_COUNTED)}]]")
    if unread:
        parts.append(f":blue-badge[{format_capped_count(unread, MOST_COUNTED)} unread]")
    return " ".join(parts)
