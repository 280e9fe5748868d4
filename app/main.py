"""Entry point of the pages: navigation, sidebar, error boundary. No screen of its own."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Streamlit puts this folder on the path, not the project's.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app import page_frame  # noqa: E402
from app.account import security  # noqa: E402
from app.auth import session  # noqa: E402
from app.components import cards  # noqa: E402
from app.frame import navigation, sidebar  # noqa: E402
from app.login import account_links, confirmation  # noqa: E402
from app.login import page as welcome  # noqa: E402
from app.web import error_boundary  # noqa: E402
from core.accounts.access import refusals  # noqa: E402
from core.accounts.access.permissions import Principal  # noqa: E402

st.set_page_config(
    page_icon=page_frame.ICON,
    layout="wide",
    initial_sidebar_state=page_frame.SIDEBAR_WIDTH,
)


def run_page(who: Principal) -> None:
    """Run the requested page, or show that the user has no permission for it."""
    sidebar.show_sidebar(who, pages, current.url_path)
    with page_frame.page_body():
        sidebar.show_read_only_notice()
        if security.is_set_up_required(who):
            security.show_required_set_up()
        elif who.may(navigation.get_permission(current.url_path)):
            page_frame.set_page_title(current.title)
            current.run()
        else:
            refusals.record_refusal(who, f"page {current.url_path}")
            cards.show_no_permission()
    confirmation.ask_if_needed()


pages = navigation.build_pages()
current = st.navigation(list(pages.values()), position="hidden")
page_frame.show_logo()
try:
    session.clear_cached_session()  # each run checks the session, however soon after the last
    who = session.find_principal()
    if who is None or account_links.is_link():
        page_frame.set_page_title("Sign in")
        welcome.show_login()
    else:
        run_page(who)
except Exception as error:
    error_boundary.show_error(error)
