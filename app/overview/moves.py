"""What competitors did in the period, and which of the team's own changes were verified."""

from typing import Final

import streamlit as st

from app import keys
from app.components.change_period import PERIOD_NAMES
from app.data import images
from app.data.overview import MOST_COMPARED, Overview, OverviewChoice
from app.overview import panels
from app.products import filters
from core.history.changes import text
from core.history.changes.comparison import ChangedProduct
from core.suggestions.review.labels import CHANGES
from core.suggestions.review.views import VerifiedAction
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_count
from core.text.times import format_age
from core.tracking.rules import Role

THUMBNAIL: Final = 36  # px


def show_moves(found: Overview, choice: OverviewChoice) -> None:
    """Show the competitors' worst changes with links to them."""
    moves, period = found.moves, PERIOD_NAMES[choice.period]
    with st.container(border=True, height="stretch", gap="small"):
        beside = panels.show_heading("moves", "Competitor moves")
        if not moves.competitors:
            st.caption(
                "No competitor is tracked. Set the role of a product to Competitor in its settings."
            )
        else:
            role = {filters.ROLE: filters.ROLES[Role.COMPETITOR]}
            panels.show_more_link(beside, keys.PRODUCTS, "All competitors", **role)
            if not moves.rows:
                st.caption(f"No competitor changed beyond your thresholds {period}.")
        addresses = images.find_thumbnails([row.product_id for row in moves.rows])
        for row in moves.rows:
            _show_move(row, addresses.get(row.product_id))
        if not moves.is_complete:
            st.caption(
                f"Of those that changed since yesterday: more than {format_count(MOST_COMPARED)} "
                "competitors are tracked."
            )
        if found.verified:
            _show_verified(found)


def _show_move(row: ChangedProduct, address: str | None) -> None:
    kind = "" if row.kind is None else text.change_label(row.kind)
    product = {"marketplace": row.marketplace, "asin": row.asin, "title": row.title}
    what = f"{kind}: {escape_markdown(row.format_change())}"
    panels.show_product_row(f"move_{row.product_id}", product, what, address, THUMBNAIL)


def _show_verified(found: Overview) -> None:
    st.markdown("**Your changes** :gray[· seen on Amazon, no alarms]")
    for action in found.verified:
        st.page_link(
            f"../pages/{keys.SUGGESTION}.py",
            label=_describe_verified(action, found),
            icon=":material/verified:",
            query_params={keys.ID: str(action.suggestion_id)},
        )


def _describe_verified(action: VerifiedAction, found: Overview) -> str:
    title = escape_markdown(shorten(action.title or action.asin, panels.LONGEST_TITLE))
    age = format_age(action.verified_at, found.as_of)
    return f"{CHANGES[action.change]} · {title} :gray[· verified {age}]"
