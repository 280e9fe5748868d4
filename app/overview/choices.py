"""What the Overview shows: period, marketplace, role and list. All choices are in the URL."""

from contextlib import nullcontext
from typing import Final

import streamlit as st

from app import device, keys
from app.components import change_period, list_scope
from app.data import products
from app.data.overview import OverviewChoice
from core.history.periods.change_period import ChangePeriod
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role

SHORT_NAMES: Final = {  # beside a figure
    ChangePeriod.DAY: "vs yesterday",
    ChangePeriod.WEEK: "in 7 days",
    ChangePeriod.MONTH: "in 30 days",
}
ROLES: Final = {
    "Own products": (Role.OWN,),
    "Competitors": (Role.COMPETITOR,),
    "All roles": (),
}
EVERYWHERE: Final = "All marketplaces"


def choose() -> OverviewChoice:
    """Show the controls in one row; return what is chosen. On a phone, one button has most."""
    period = change_period.choose_change_period()
    with st.popover("Filter", icon=":material/tune:") if device.is_phone() else nullcontext():
        scope = list_scope.choose_list_scope()
        place = st.selectbox(
            "Marketplace",
            [EVERYWHERE, *products.list_marketplaces(scope)],
            key=keys.OVERVIEW_MARKET,
            label_visibility="collapsed",
            width=160,
            bind="query-params",
        )
        roles = _choose_roles(scope)
    places = () if place in (None, EVERYWHERE) else (place,)
    return OverviewChoice(period, scope, roles, places)


def _choose_roles(scope: ListScope) -> tuple[Role, ...]:
    """Show whose products figures are of: own ones, unless the list has none."""
    labels = list(ROLES)
    chosen = st.selectbox(
        "Products",
        labels,
        index=0 if products.count_own_products(scope) else labels.index("All roles"),
        key=keys.OVERVIEW_ROLE,
        label_visibility="collapsed",
        width=150,
        bind="query-params",
    )
    return ROLES[chosen or labels[0]]
