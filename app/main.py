"""Entry point of the pages: navigation, footer, one error boundary. No screen of its own."""

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
from app.login import account_links, confirmation  # noqa: E402
from app.login import page as welcome  # noqa: E402
from app.web import error_boundary  # noqa: E402
from core.accounts.access import refusals  # noqa: E402
from core.accounts.access.permissions import Permission, Principal  # noqa: E402

SIDEBAR_WIDTH = 210  # px: the tables need the rest
# As data: for a Material icon the browser would ask a server outside of this machine.
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
    """A page of the navigation: its name is its address and its file."""

    name: str
    title: str
    icon: str
    about: str
    right: Permission = Permission.READ  # what it takes to see it
    is_listed: bool = True  # False: reached from another screen only


SCREENS = {
    "Analytics": [
        Screen(keys.OVERVIEW, "Overview", "dashboard", "What changed since yesterday."),
        Screen(keys.PRODUCTS, "Products", "inventory_2", "All products, to search and sort."),
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
RIGHTS = {screen.name: screen.right for part in SCREENS.values() for screen in part}


def page(screen: Screen, who: Principal | None) -> st.Page:
    """Return a page as somebody finds it: at its address for everybody, listed for who may see it.

    So an address that a colleague sent is still there after signing in.
    """
    is_listed = who is not None and who.may(screen.right) and screen.is_listed
    return st.Page(
        ROOT / "pages" / f"{screen.name}.py",
        title=screen.title,
        icon=f":material/{screen.icon}:",
        help=screen.about,
        url_path=screen.name,
        default=screen.name == keys.OVERVIEW,
        visibility="visible" if is_listed else "hidden",
    )


def run_page(who: Principal) -> None:
    """Run the page that was asked for, or say that it is not for this person."""
    sidebar.show_sidebar(who, list(RIGHTS))
    sidebar.show_read_only_notice()
    if security.is_set_up_required(who):
        security.show_required_set_up()
    elif who.may(
        RIGHTS.get(current.url_path, Permission.READ)
    ):  # the first page's address is empty
        current.run()
    else:
        refusals.record_refusal(who, f"page {current.url_path}")
        cards.show_no_permission()
    confirmation.ask_if_needed()


trouble: Exception | None = None
who: Principal | None = None
try:
    session.clear_cached_session()  # each run asks anew, however soon after the one before
    who = session.find_principal()
except Exception as error:  # told below: a dead database must not hide the navigation
    trouble = error
found = {part: [page(screen, who) for screen in screens] for part, screens in SCREENS.items()}
current = st.navigation(found, expanded=True, position="sidebar" if who else "hidden")
try:
    if trouble is not None:
        raise trouble
    if who is None or account_links.is_link():
        welcome.show_login()
    else:
        run_page(who)
except Exception as error:
    error_boundary.show_error(error)
