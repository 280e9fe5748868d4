"""Pages of a list: how many there are, which one is shown, the control to turn them.

The page number is in the URL. Each list has its own parameter.
"""

import streamlit as st

from app.web import url_parameters

_MOST_PAGES = 100_000  # no list has more; a larger number in a URL is ignored


def count_pages(total: int, size: int) -> int:
    """Return how many pages a list has, at least 1."""
    return max(1, -(-total // size))


def get_page(parameter: str) -> int:
    """Return the requested page; it may not exist, rows are counted later."""
    chosen: int | None = st.session_state.get(parameter) or url_parameters.read_number(parameter)
    return chosen if chosen and chosen < _MOST_PAGES else 1


def reset_page(parameter: str) -> None:
    """Go back to the first page; for `on_change` of filters."""
    if parameter in st.session_state:
        st.session_state[parameter] = 1


def show_pages(count: int, parameter: str) -> None:
    """Show the page control of a list that has more than one page."""
    if count > 1:
        # In a row of its own: in a horizontal container it shows the current page only.
        st.pagination(count, key=parameter, bind="query-params")
