"""Which rules of listings a proposed text would break."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core import wording
from core.catalog.marketplaces import get_marketplace
from core.suggestions import policies
from core.suggestions.rules import KIND_OF, Change, Kind, ListingFacts


def lint(
    listing: ListingFacts, marketplace: str, change: Change, wanted: Mapping[str, Any]
) -> None:
    """Show each broken rule with its source; nothing for what no rule is about."""
    if KIND_OF[change] is not Kind.CONTENT:
        return
    today = datetime.now(ZoneInfo(get_marketplace(marketplace).time_zone)).date()
    found = policies.lint_change(listing, marketplace, today, change, wanted)
    if not found:
        st.caption(":material/rule: Keeps the listing rules that are known for this marketplace.")
    for finding in found:
        st.warning(
            f"{wording.escape_markdown(finding.detail)}  \n"
            f":gray[{wording.escape_markdown(finding.policy.source)}]",
            icon=":material/gavel:",
        )
