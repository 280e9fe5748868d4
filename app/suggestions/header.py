"""The head of a suggestion's page: which suggestion, its state, decisions, the next one."""

import streamlit as st

from app import keys
from app.components import cards
from app.data import get_principal
from app.data.suggestions import SuggestionDetails
from app.suggestions import dialogs
from app.suggestions.actions import show_decision_buttons
from app.web import url_parameters
from core.accounts.access.permissions import Permission
from core.suggestions.review import labels
from core.suggestions.rules import ActionState, SuggestionState
from core.text.escaping import escape_markdown, shorten

LONGEST_TITLE = 70


def find_suggestion_id() -> int | None:
    """Return the id in the URL, None without a valid one."""
    return url_parameters.read_number(keys.ID)


def show_not_found(suggestion_id: int | None) -> None:
    """Show that the suggestion doesn't exist, with the link to the queue."""
    cards.show_page_header("Suggestion")
    if suggestion_id is None:
        st.info("Choose a suggestion from the list.", icon=":material/rule:")
    else:
        st.info(
            f"Suggestion {suggestion_id} doesn't exist, or belongs to another team.",
            icon=":material/search_off:",
        )
    show_queue_link()


def show_queue_link() -> None:
    """Show the link to the queue."""
    st.page_link(
        f"../pages/{keys.SUGGESTIONS}.py", label="All suggestions", icon=":material/arrow_back:"
    )


def show_header(details: SuggestionDetails) -> None:
    """Show the suggestion's place, product and title, with the decision buttons."""
    row = details.view.row
    _show_place(details)
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    ):
        title = escape_markdown(shorten(row.title, 120))
        st.title(title, anchor=False, width="stretch")
        with st.container(horizontal=True, width="content", gap="small"):
            _show_buttons(details)
    if row.state is SuggestionState.PENDING and not get_principal().may(Permission.TEAM):
        st.caption(
            ":material/lock: A manager decides about suggestions. "
            "You see where this one stands, and why."
        )
    elif row.state is SuggestionState.EXPIRED:
        st.warning("Not decided in time. Ask for new suggestions.", icon=":material/timer_off:")


def _show_place(details: SuggestionDetails) -> None:
    row, place = details.view.row, details.place
    position = labels.state_label(row)
    if place is not None:
        position = f"Suggestion {place.number} of {place.total}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_queue_link()
        st.caption(f"{position} · {row.marketplace} · {row.asin}", width="content")
        title = shorten(row.product_title or "no title seen yet", LONGEST_TITLE)
        st.page_link(
            f"../pages/{keys.PRODUCT}.py",
            label=escape_markdown(title),
            icon=":material/monitoring:",
            query_params={keys.MARKETPLACE: row.marketplace, keys.ASIN: row.asin},
        )


def _show_buttons(details: SuggestionDetails) -> None:
    view = details.view
    pending = [each for each in view.actions if each.state is ActionState.PENDING]
    if view.row.state is SuggestionState.PENDING and get_principal().may(Permission.TEAM):
        if len(pending) == 1:
            show_decision_buttons(details, pending[0], is_head=True)
        elif pending:
            if st.button("Decline all", icon=":material/close:", key="decline_all"):
                dialogs.show_decline_all(view)
            if st.button("Approve all", type="primary", icon=":material/check:", key="approve_all"):
                dialogs.show_approve_all(view)
    _show_next_button(details)


def _show_next_button(details: SuggestionDetails) -> None:
    """Show the button to the next pending suggestion."""
    place = details.place
    next_id = details.next_pending if place is None else place.after
    if next_id is not None and next_id != details.view.row.id:
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            key="next_suggestion",
            on_click=_open,
            args=(next_id,),
            help="The next pending suggestion",
        )


def _open(suggestion_id: int) -> None:
    st.query_params[keys.ID] = str(suggestion_id)
