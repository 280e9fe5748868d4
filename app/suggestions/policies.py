"""Checks of a proposal: listing rules and the product's price caps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from app.data.suggestions import SuggestionDetails
from core.catalog.marketplaces import get_marketplace
from core.suggestions.advisors import listing_policies
from core.suggestions.changes.registry import get_spec
from core.suggestions.review import labels
from core.suggestions.review.views import ActionView
from core.suggestions.rules import Change, Kind
from core.text.escaping import escape_markdown


def show_policy_check(
    details: SuggestionDetails, action: ActionView, new_values: Mapping[str, Any]
) -> None:
    """Show which rules a value breaks, or that it keeps them; nothing for tracking."""
    match action.change.kind:
        case Kind.CONTENT:
            _show_listing_rules(details, action.change, new_values)
        case Kind.PRICING:
            _show_price_caps(details, action, new_values)


def _show_listing_rules(
    details: SuggestionDetails, change: Change, new_values: Mapping[str, Any]
) -> None:
    """Show each broken listing rule with its source."""
    marketplace = details.view.row.marketplace
    today = datetime.now(ZoneInfo(get_marketplace(marketplace).time_zone)).date()
    found = listing_policies.lint_change(
        details.before.listing, marketplace, today, change, new_values
    )
    if not found:
        st.caption(":material/rule: Keeps the listing rules that are known for this marketplace.")
    for finding in found:
        st.warning(
            f"{escape_markdown(finding.detail)}  \n:gray[{escape_markdown(finding.policy.source)}]",
            icon=":material/gavel:",
        )


def _show_price_caps(
    details: SuggestionDetails, action: ActionView, new_values: Mapping[str, Any]
) -> None:
    """Show whether a price, or the price after a coupon, is within the caps."""
    caps = details.caps
    spec = get_spec(action.change)
    problem = spec.find_cap_problem(caps, action.current, details.before.price, new_values)
    if problem is None:
        limits = labels.price_caps_text(caps, details.view.row.marketplace)
        st.caption(f":material/straighten: Within the price caps: {escape_markdown(limits)}.")
    else:
        st.warning(escape_markdown(problem), icon=":material/straighten:")
