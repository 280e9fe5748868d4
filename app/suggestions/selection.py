"""Which suggestion a page is about: read from the address."""

import streamlit as st

from app import keys
from app.components import cards
from app.web import url_parameters


def find_suggestion_id() -> int | None:
    """Return the number that the address names, None for none or for no number."""
    return url_parameters.read_number(keys.ID)


def show_not_found(asked: int | None) -> None:
    """Say that there is no such suggestion, with the way to those there are."""
    cards.show_page_header("Suggestion")
    if asked is None:
        st.info("Choose a suggestion from the list.", icon=":material/rule:")
    else:
        st.info(
            f"Suggestion {asked} is not there, or belongs to another team.",
            icon=":material/search_off:",
        )
    show_queue_link()


def show_queue_link() -> None:
    """Link to the review queue."""
    st.page_link(
        f"../pages/{keys.SUGGESTIONS}.py", label="All suggestions", icon=":material/arrow_back:"
    )
