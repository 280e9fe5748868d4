"""Entry point of the pages: navigation, sidebar, error boundary. No screen of its own."""

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Streamlit puts this folder on the path, not the project's.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app import keys, sidebar  # noqa: E402
from app.account import security  # noqa: E402
from app.auth import session  # noqa: E402
from app.components import cards  # noqa: E402
from app.data import alerts  # noqa: E402
from app.login import account_links, confirmation  # noqa: E402
from app.login import page as welcome  # noqa: E402
from app.web import error_boundary  # noqa: E402
from core.accounts.access import refusals  # noqa: E402
from core.accounts.access.permissions import Permission, Principal  # noqa: E402
from core.text.numbers import format_capped_count  # noqa: E402

MOST_COUNTED = 99  # open issues in the navigation
SIDEBAR_WIDTH = 210  # px: the tables need the rest
# As a data URL: for a Material icon the browser would ask a server on the internet.
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E"
    "%3Crect width='24' height='24' rx='5' fill='%230f766e'/%3E"
    "%3Cpath d='M4 16h5V9h5v4h6' fill='none' stroke='white' stroke-width='2.5'/%3E%3C/svg%3E"
)

st.set_page_config(
    page_title="Amazcope",
    page_icon=ICON,
    layout="wide",
    initial_sidebar_state=SIDEBAR_WIDTH,
)


@dataclass(frozen=True, slots=True)
class Screen:
    """A page of the navigation: its name is its URL and its file."""

    name: str
    title: str
    icon: str
    about: str
    permission: Permission = Permission.READ  # needed to see it
    is_listed: bool = True  # False: opened from another screen only


SCREENS = {
    "Analytics": [
        Screen(keys.OVERVIEW, "Overview", "dashboard", "What changed since yesterday."),
        Screen(keys.PRODUCTS, "Products", "inventory_2", "All products, to search and sort."),
        Screen(keys.ALERTS, "Alerts", "notifications", "Open issues, past alerts and their rules."),
        Screen(keys.PRODUCT, "Product", "monitoring", "One product's price and rank over time."),
    ],
    "Optimize": [
        Screen(keys.SUGGESTIONS, "Suggestions", "rule", "Suggestions to decide."),
        Screen(
            keys.SUGGESTION,
            "Suggestion",
            "rule",
            "One proposal, its evidence and what became of it.",
            is_listed=False,
        ),
    ],
    "System": [
        Screen(
            keys.ADD,
            "Add products",
            "add_circle",
            "Paste, upload or fetch products.",
            Permission.TRACK,
        ),
        Screen(keys.HEALTH, "Health", "ecg_heart", "Fetches, failures, due products and cost."),
    ],
    "People": [
        Screen(
            keys.PROFILE,
            "Profile",
            "person",
            "Your account, preferences and security.",
            Permission.SELF,
        ),
        Screen(
            keys.ADMIN, "Administration", "group", "People, invitations, tokens.", Permission.ADMIN
        ),
        Screen(keys.AUDIT, "Audit", "history", "Append-only log of all changes.", Permission.ADMIN),
        Screen(keys.AGENTS, "Agents", "smart_toy", "Agent and API activity.", Permission.ADMIN),
    ],
}
PERMISSIONS = {screen.name: screen.permission for part in SCREENS.values() for screen in part}


def build_page(screen: Screen, who: Principal | None, issues: int) -> st.Page:
    """Return a page: served at its URL for everyone, listed for users with the permission.

    So a shared URL still works after signing in.
    """
    is_listed = who is not None and who.may(screen.permission) and screen.is_listed
    return st.Page(
        ROOT / "pages" / f"{screen.name}.py",
        title=format_alerts_title(issues) if screen.name == keys.ALERTS else screen.title,
        icon=f":material/{screen.icon}:",
        help=screen.about,
        url_path=screen.name,
        default=screen.name == keys.OVERVIEW,
        visibility="visible" if is_listed else "hidden",
    )


def format_alerts_title(issues: int) -> str:
    """Return the title of Alerts in the navigation, with the number of open issues."""
    return f"Alerts ({format_capped_count(issues, MOST_COUNTED)})" if issues else "Alerts"


def run_page(who: Principal) -> None:
    """Run the requested page, or show that the user has no permission for it."""
    sidebar.show_sidebar(who, list(PERMISSIONS))
    sidebar.show_read_only_notice()
    if security.is_set_up_required(who):
        security.show_required_set_up()
    elif who.may(
        PERMISSIONS.get(current.url_path, Permission.READ)
    ):  # the first page's address is empty
        current.run()
    else:
        refusals.record_refusal(who, f"page {current.url_path}")
        cards.show_no_permission()
    confirmation.ask_if_needed()


failure: Exception | None = None
who: Principal | None = None
issues = 0
try:
    session.clear_cached_session()  # each run checks the session, however soon after the last
    who = session.find_principal()
    if who is not None and who.may(Permission.READ):
        issues = alerts.count_open_issues(who)
except Exception as error:  # shown below: a database outage must not hide the navigation
    failure = error
found = {
    part: [build_page(screen, who, issues) for screen in screens]
    for part, screens in SCREENS.items()
}
current = st.navigation(found, expanded=True, position="sidebar" if who else "hidden")
try:
    if failure is not None:
        raise failure
    if who is None or account_links.is_link():
        welcome.show_login()
    else:
        run_page(who)
except Exception as error:
    error_boundary.show_error(error)
