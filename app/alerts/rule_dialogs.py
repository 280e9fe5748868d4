"""Dialogs of alert rules: another threshold, a new rule, deletion."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from app.commands import alerts as commands
from app.commands.products import run_with_toast
from app.components import fragments
from app.data import alerts, get_principal, products, views
from app.web import error_boundary
from core.alerts.incidents.incident_text import describe_incident
from core.alerts.incidents.rule_overview import RuleRow
from core.alerts.incidents.rule_preview import RulePreview
from core.alerts.rules import service
from core.alerts.rules.rule import AMOUNTS, AlertRule, RuleScope, ScopeKind, Subject
from core.alerts.rules.sentences import describe_rule
from core.alerts.rules.templates import TEMPLATES, RuleTemplate
from core.alerts.rules.threshold_text import (
    format_threshold,
    label_threshold,
    read_threshold,
    write_threshold,
)
from core.alerts.rules.thresholds import Threshold, ThresholdKind, find_threshold, with_threshold
from core.alerts.rules.validation import LONGEST_RULE_NAME, check_rule
from core.errors import InvalidInputError
from core.text.escaping import escape_markdown
from core.text.numbers import format_count, format_counted
from core.tracking.list_filter import ListScope

PERIODS: Final = (30, 90, 365)  # days of a preview
SHOWN: Final = 5  # alerts of a preview
_TEMPLATES: Final = {each.code: each for each in TEMPLATES}
_SCOPES: Final = {
    ScopeKind.OWN: "Own products",
    ScopeKind.COMPETITORS: "Competitors",
    ScopeKind.TRACKED: "Every tracked product",
    ScopeKind.TAG: "Products with a tag",
    ScopeKind.VIEW: "Products in a saved view",
}


@fragments.dialog("Threshold", icon=":material/tune:")
def show_threshold(row: RuleRow) -> None:
    """Show a rule's threshold, what another would have done, and save it."""
    threshold = row.threshold
    if threshold is None:
        return
    st.markdown(f"**{escape_markdown(row.format_name())}**")
    key = f"typed_threshold_{row.stored.rule_id}"
    rule = _read_input(row.stored.rule, threshold, row.marketplace, key)
    if rule is None:
        return
    st.caption(escape_markdown(describe_rule(rule, row.marketplace, view=row.view)))
    with st.container(horizontal=True):
        if st.button("Save", type="primary", icon=":material/check:", key="save_threshold"):
            _run(lambda: commands.change_rule(row.stored.rule_id, rule, confirmed=True))
        if row.stored.code is not None and st.button(
            "Use the usual values", icon=":material/restart_alt:", key="reset_rule"
        ):
            _run(lambda: commands.reset_rule(row.stored.rule_id))
    _show_preview(row, rule, threshold, key)


def _read_input(
    rule: AlertRule, threshold: Threshold, marketplace: str, key: str, *, is_example: bool = False
) -> AlertRule | None:
    """Show the input of a threshold; return the rule with what was typed, None if it is none.

    `key`: of the input, another for each rule. `is_example`: the rule's own value is none to keep.
    """
    usual = write_threshold(threshold, marketplace)
    typed = st.text_input(
        label_threshold(threshold, marketplace),
        "" if is_example else usual,
        key=key,
        placeholder=f"For example {usual}",
        max_chars=30,
    )
    if is_example and not typed.strip():
        return None
    try:
        value = read_threshold(threshold, typed, marketplace)
        changed = with_threshold(rule, replace(threshold, value=value))
        check_rule(changed)
    except InvalidInputError as error:
        _show_error(error)
        return None
    return changed


def _show_preview(row: RuleRow, rule: AlertRule, threshold: Threshold, key: str) -> None:
    """Show how often the rule would have alerted, and the threshold for a wanted rate.

    `key`: of the input that takes this threshold.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = st.segmented_control(
            "Try it on the last",
            PERIODS,
            format_func=lambda days: f"{days} days",
            key="preview_days",
        )
        wanted = st.number_input(
            "Alerts a week, at most", 0, 1000, None, key="preview_rate", width=180
        )
    if days is None:
        return
    found = alerts.preview_rule(row, rule, days, None if wanted is None else float(wanted))
    st.markdown(f"**{format_preview(found, days)}**")
    for each in found.newest[:SHOWN]:
        what = describe_incident(
            rule, each.incident, each.marketplace, get_principal().time_zone, datetime.now(UTC)
        )
        st.caption(escape_markdown(f"{each.title or each.asin}: {what}"))
    if wanted is not None:
        _show_rate(found, threshold, row.marketplace, wanted, key)


def format_preview(found: RulePreview, days: int) -> str:
    """Return how often a rule would have alerted, and on how many products it was tried."""
    number = format_counted(found.total, "alert")
    tried = format_counted(found.products, "product")
    if found.is_sample:
        tried += f", a sample of {format_count(found.products_in_scope)}"
    return f"{number} in {format_count(days)} days on {tried}"


def _show_rate(
    found: RulePreview, threshold: Threshold, marketplace: str, wanted: int, key: str
) -> None:
    if found.threshold is None:
        st.caption("With every threshold tried it alerts more often.")
        return
    value = format_threshold(found.threshold, marketplace)
    st.caption(escape_markdown(f"At most {format_count(wanted)} a week: {value}"))
    text = write_threshold(found.threshold, marketplace)
    st.button(
        f"Use {value}",
        key="use_threshold",
        on_click=_type_threshold,
        args=(key, text),
        disabled=found.threshold == threshold,
    )


def _type_threshold(key: str, text: str) -> None:
    st.session_state[key] = text


@fragments.dialog("New rule", icon=":material/add_alert:")
def show_new_rule() -> None:
    """Ask for a template, the products and the threshold of a new rule, and create it."""
    code = st.selectbox(
        "Alert me about",
        list(_TEMPLATES),
        format_func=lambda code: _TEMPLATES[code].title,
        key="template",
    )
    scope = _choose_scope()
    if scope is None:
        return
    marketplace = alerts.find_marketplace(scope) or _first_marketplace()
    rule = _make_rule(_TEMPLATES[code], scope, marketplace)
    if rule is None:
        return
    name = st.text_input("Name (optional)", max_chars=LONGEST_RULE_NAME, key="rule_name")
    view = alerts.find_view(scope)
    st.caption(escape_markdown(describe_rule(rule, marketplace, view=view)))
    confirmed = _ask_for_many(scope)
    if st.button("Create", type="primary", icon=":material/check:", key="create_rule"):
        _run(lambda: commands.create_rule(rule, name, confirmed=confirmed))


def _choose_scope() -> RuleScope | None:
    kind = st.selectbox("Of", list(_SCOPES), format_func=_SCOPES.__getitem__, key="rule_scope")
    if kind is ScopeKind.VIEW:
        return _choose_view()
    if kind is not ScopeKind.TAG:
        return RuleScope(kind)
    tags = products.list_tags(ListScope.TEAM)
    if not tags:
        st.info("No product has a tag yet. Tag products on the page Products.")
        return None
    return RuleScope(kind, tag=st.selectbox("Tag", tags, key="rule_tag"))


def _choose_view() -> RuleScope | None:
    """Ask for a view that the team shares. It counts as it is when a rule is evaluated."""
    shared = {view.id: view.name for view in views.list_views() if view.is_shared}
    if not shared:
        st.info("No saved view is shared with the team. Save and share one on the page Products.")
        return None
    view_id = st.selectbox("View", list(shared), format_func=shared.__getitem__, key="rule_view")
    return RuleScope(ScopeKind.VIEW, view_id=view_id)


def _first_marketplace() -> str:
    return next(iter(products.list_marketplaces(ListScope.TEAM)), "US")


def _make_rule(template: RuleTemplate, scope: RuleScope, marketplace: str) -> AlertRule | None:
    rule = replace(template.rule, scope=scope)
    if template.needs_category:
        category = st.text_input("Category, as Amazon names it", key="rule_category").strip()
        if not category:
            return None
        conditions = tuple(
            replace(each, category=category) if each.subject is Subject.RANK else each
            for each in rule.conditions
        )
        rule = replace(rule, conditions=conditions)
    threshold = find_threshold(rule)
    if threshold is None:
        return rule
    key = f"typed_threshold_{template.code}"
    is_price = threshold.kind is ThresholdKind.TARGET and threshold.subject in AMOUNTS
    return _read_input(rule, threshold, marketplace, key, is_example=is_price)


def _ask_for_many(scope: RuleScope) -> bool:
    """Show for how many products a rule is; of very many, return whether all of them are meant."""
    number = alerts.count_products(scope)
    products_now = format_counted(number, "product")
    if number <= service.LARGE_REACH:
        st.caption(f"For {products_now} now.")
        return False
    st.warning(f"This rule is for {products_now}.", icon=":material/help:")
    return st.checkbox("Yes, for all of them", key="confirm_many")


def _run(command: Callable[[], str]) -> None:
    """Run a command and close the dialog; show its error in the dialog."""
    try:
        message = command()
    except error_boundary.EXPECTED_ERRORS as error:
        _show_error(error)
        return
    products.clear_lists()
    st.toast(message, icon=":material/check:")
    st.rerun()


def _show_error(error: Exception) -> None:
    message = error_boundary.get_message(error)
    st.error(message, icon=":material/error:")


@fragments.dialog("Rename", icon=":material/edit:")
def show_rename(row: RuleRow) -> None:
    """Ask for another name of a rule of the team's."""
    name = st.text_input(
        "Name (optional)",
        row.stored.name or "",
        max_chars=LONGEST_RULE_NAME,
        key="new_rule_name",
    )
    if st.button("Save", type="primary", icon=":material/check:", key="save_rule_name"):
        _run(lambda: commands.rename_rule(row.stored.rule_id, name))


@fragments.dialog("Delete the rule?", icon=":material/delete:")
def show_deletion(row: RuleRow) -> None:
    """Ask before deleting a rule of the team's with its alerts."""
    st.markdown(f"**{escape_markdown(row.format_name())}**")
    st.write("Its alerts are deleted with it. To keep them, switch it off instead.")
    if st.button("Delete", type="primary", key="confirm_delete_rule"):
        run_with_toast(commands.delete_rule, row.stored.rule_id)
        st.rerun()
