"""The choice of which products a rule is for: in one place, for every rule."""

import streamlit as st

from app.alert_rules.choices import SCOPES
from app.data import alerts, products, views
from core.alerts.rules import service
from core.alerts.rules.rule import RuleScope, ScopeKind
from core.text.numbers import format_count, format_counted
from core.tracking.list_filter import ListScope


def choose_scope(usual: RuleScope, key: str) -> RuleScope | None:
    """Show the choice of products; return the scope, None while nothing is chosen.

    One product is chosen on its page; here it can only be kept.
    """
    offered = [
        kind for kind in SCOPES if kind is not ScopeKind.PRODUCT or usual.kind is ScopeKind.PRODUCT
    ]
    kind = st.selectbox(
        "Products",
        offered,
        index=offered.index(usual.kind),
        format_func=SCOPES.__getitem__,
        key=f"{key}_scope",
    )
    if kind is ScopeKind.PRODUCT:
        return usual
    if kind is ScopeKind.VIEW:
        return _choose_view(usual, key)
    if kind is not ScopeKind.TAG:
        return RuleScope(kind)
    tags = products.list_tags(ListScope.TEAM)
    if usual.tag is not None and usual.tag not in tags:
        tags = [usual.tag, *tags]
    if not tags:
        st.info("No product has a tag yet. Tag products on the page Products.")
        return None
    index = tags.index(usual.tag) if usual.tag in tags else 0
    return RuleScope(kind, tag=st.selectbox("Tag", tags, index=index, key=f"{key}_tag"))


def _choose_view(usual: RuleScope, key: str) -> RuleScope | None:
    """Ask for a view that the team shares. It counts as it is when a rule is evaluated."""
    shared = {view.id: view.name for view in views.list_views() if view.is_shared}
    if usual.view_id is not None:
        shared.setdefault(usual.view_id, "A view that is no longer shared")
    if not shared:
        st.info("No saved view is shared with the team. Save and share one on the page Products.")
        return None
    numbers = list(shared)
    view_id = st.selectbox(
        "View",
        numbers,
        index=numbers.index(usual.view_id) if usual.view_id is not None else 0,
        format_func=shared.__getitem__,
        key=f"{key}_view",
    )
    return RuleScope(ScopeKind.VIEW, view_id=view_id)


def confirm_many(scope: RuleScope, key: str) -> bool:
    """Show for how many products a rule is; of very many, return whether all of them are meant."""
    number = alerts.count_products(scope)
    products_now = format_counted(number, "product")
    if number <= service.LARGE_REACH:
        st.caption(f"For {products_now} now.")
        return False
    most = format_count(service.LARGE_REACH)
    st.warning(
        f"This rule is for {products_now}, more than {most}. A tag makes it smaller.",
        icon=":material/help:",
    )
    return st.checkbox("Yes, for all of them", key=f"{key}_confirm_many")
