"""The editor of a rule: what it watches and how long, its sentence, and its trial on past data."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import streamlit as st

from app import keys
from app.alert_rules import condition_inputs, scope_choice, trial
from app.alert_rules.choices import COMBINATIONS, make_condition
from app.commands import alerts as commands
from app.commands.products import run_in_dialog
from app.components import cards
from app.data import alerts, get_principal, products
from app.web import url_parameters
from core.accounts.access.permissions import Permission
from core.alerts.incidents.labels import SEVERITIES
from core.alerts.incidents.rule_overview import RuleRow
from core.alerts.rules.rule import (
    LARGEST_RULE,
    AlertRule,
    Combination,
    Comparison,
    Condition,
    RuleScope,
    Severity,
    Subject,
    Timing,
)
from core.alerts.rules.sentences import describe_rule
from core.alerts.rules.templates import TEMPLATES
from core.alerts.rules.validation import (
    LONGEST_REARM,
    LONGEST_RULE_NAME,
    MOST_PENDING_OBSERVATIONS,
    check_rule,
)
from core.errors import InvalidInputError
from core.text.escaping import escape_markdown
from core.tracking.list_filter import ListScope

NEW: Final = "new"  # in the address, of a rule that is not saved yet
_TEMPLATES: Final = {each.code: each for each in TEMPLATES}
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule that is edited. `row` None: it is not saved yet."""

    row: RuleRow | None
    key: str  # of its inputs
    usual: AlertRule  # what the inputs begin with
    needs_category: bool = False  # of the BSR, by its name

    @property
    def is_built_in(self) -> bool:
        """Return whether only its numbers, times and severity can be changed."""
        return self.row is not None and self.row.stored.code is not None


def find_asked(rows: list[RuleRow]) -> RuleRow | str | None:
    """Return the rule in the address, NEW for one to create, None for the list."""
    asked = url_parameters.read_text(keys.RULE)
    if asked == NEW:
        return NEW
    return next((row for row in rows if str(row.stored.rule_id) == asked), None)


def open_editor(rule: int | str | None) -> None:
    """Put a rule into the address, None: take it out; for `on_click`."""
    if rule is None:
        st.query_params.pop(keys.RULE, None)
    else:
        st.query_params[keys.RULE] = str(rule)


def show_editor(row: RuleRow | None) -> None:
    """Show the editor of a stored rule, None: of a new one."""
    title = "New rule" if row is None else row.format_name()
    with cards.show_page_header(escape_markdown(title)):
        st.button("All rules", icon=":material/arrow_back:", on_click=open_editor, args=(None,))
    left, right = st.columns([2, 3], gap="medium")
    with left:
        draft = _begin(row)
        rule, name, confirmed = _choose_rule(draft)
    with right:
        if rule is None:
            st.caption("The rule's sentence and its trial on past data appear here.")
            return
        marketplace = _find_marketplace(rule.scope)
        sentence = describe_rule(
            rule,
            marketplace,
            has_own_sellers=row is None or row.has_own_sellers,
            product=None if row is None or row.product is None else row.product.title,
            view=alerts.find_view(rule.scope),
        )
        st.markdown(f"**{escape_markdown(sentence)}**")
        _show_save(draft, rule, name, confirmed)
        trial.show_trial(
            rule, None if row is None else row.stored, marketplace, _list_keys(draft, rule)
        )


def _begin(row: RuleRow | None) -> Draft:
    """Return what the inputs begin with: the stored rule, or a template that is chosen first."""
    if row is not None:
        return Draft(row, f"rule_{row.stored.rule_id}_{row.stored.version}", row.stored.rule)
    code = st.selectbox(
        "Begin from",
        list(_TEMPLATES),
        format_func=lambda code: _TEMPLATES[code].title,
        key="template",
    )
    template = _TEMPLATES[code]
    return Draft(None, f"new_{code}", template.rule, template.needs_category)


def _choose_rule(draft: Draft) -> tuple[AlertRule | None, str, bool]:
    """Show the inputs; return the rule, its name, and whether very many products are meant."""
    usual, key = draft.usual, draft.key
    name, scope = "", usual.scope
    if not draft.is_built_in:
        stored_name = draft.row.stored.name if draft.row is not None else None
        name = st.text_input(
            "Name (optional)", stored_name or "", max_chars=LONGEST_RULE_NAME, key=f"{key}_name"
        )
        chosen = scope_choice.choose_scope(usual.scope, key)
        if chosen is None:
            return None, name, False
        scope = chosen
    try:
        rule = AlertRule(
            _choose_conditions(draft, _find_marketplace(scope)),
            _choose_combination(draft),
            scope,
            _choose_timing(usual.timing, key),
            _choose_severity(usual.severity, key),
        )
        check_rule(rule)
    except (InvalidInputError, ValueError) as error:
        _show_error(error)
        return None, name, False
    if draft.needs_category and all(each.category is None for each in rule.conditions):
        st.info("Name the category whose BSR is watched.", icon=":material/category:")
        return None, name, False
    return rule, name, scope_choice.confirm_many(scope, key)


def _show_error(error: Exception) -> None:
    text = str(error)
    st.error(escape_markdown(f"{text[:1].upper()}{text[1:]}"), icon=":material/error:")


def _find_marketplace(scope: RuleScope) -> str:
    first = next(iter(products.list_marketplaces(ListScope.TEAM)), "US")
    return alerts.find_marketplace(scope) or first


# Conditions


def _list_slots(draft: Draft) -> list[int]:
    """Return the numbers of the conditions that are shown: the rule's, then further ones."""
    found: list[int] = st.session_state.setdefault(
        f"{draft.key}_slots", list(range(len(draft.usual.conditions)))
    )
    return found


def _add_slot(key: str, slots: list[int]) -> None:
    st.session_state[key] = [*slots, max(slots) + 1]


def _remove_slot(key: str, slots: list[int], slot: int) -> None:
    st.session_state[key] = [each for each in slots if each != slot]


def _get_usual(draft: Draft, slot: int, marketplace: str) -> Condition:
    if slot < len(draft.usual.conditions):
        return draft.usual.conditions[slot]
    return make_condition(Subject.PRICE, Comparison.CHANGED, marketplace)


def _choose_conditions(draft: Draft, marketplace: str) -> tuple[Condition, ...]:
    slots, chosen = _list_slots(draft), []
    of_slots = f"{draft.key}_slots"
    for place, slot in enumerate(slots, 1):
        usual = _get_usual(draft, slot, marketplace)
        if draft.is_built_in and not condition_inputs.has_numbers(usual):
            chosen.append(usual)
            continue
        with st.container(border=True, gap="small", key=f"{draft.key}_condition_{slot}"):
            if len(slots) > 1:
                with st.container(horizontal=True, horizontal_alignment="distribute"):
                    st.markdown(f"**Condition {place}**", width="content")
                    if not draft.is_built_in:
                        st.button(
                            "Remove",
                            icon=":material/close:",
                            type="tertiary",
                            key=f"{draft.key}_remove_{slot}",
                            on_click=_remove_slot,
                            args=(of_slots, slots, slot),
                        )
            chosen.append(
                condition_inputs.choose_condition(
                    usual, f"{draft.key}_{slot}", marketplace, is_fixed=draft.is_built_in
                )
            )
    if not draft.is_built_in and len(slots) < LARGEST_RULE:
        st.button(
            "Add a condition",
            icon=":material/add:",
            key=f"{draft.key}_add",
            on_click=_add_slot,
            args=(of_slots, slots),
        )
    return tuple(chosen)


def _choose_combination(draft: Draft) -> Combination:
    if draft.is_built_in or len(_list_slots(draft)) < 2:
        return draft.usual.combination
    return st.segmented_control(
        "Conditions",
        list(COMBINATIONS),
        default=draft.usual.combination,
        required=True,
        format_func=COMBINATIONS.__getitem__,
        key=f"{draft.key}_combination",
    )


def _list_keys(draft: Draft, rule: AlertRule) -> list[tuple[Condition, str]]:
    """Return each condition with the key of its inputs."""
    slots = _list_slots(draft)
    keyed = zip(rule.conditions, slots, strict=True)
    return [(condition, f"{draft.key}_{slot}") for condition, slot in keyed]


# How long, how urgent


def _choose_timing(usual: Timing, key: str) -> Timing:
    with st.expander("Times", icon=":material/timer:"):
        observations = st.number_input(
            "Must hold in so many observations in a row",
            1,
            MOST_PENDING_OBSERVATIONS,
            usual.pending_observations,
            key=f"{key}_pending",
        )
        pending_for = _choose_hours("… and for so many hours", usual.pending_for, f"{key}_hours")
        rearm = _choose_hours(
            "Alerts again for a product after so many hours", usual.rearm_after, f"{key}_rearm"
        )
    return replace(
        usual, pending_observations=int(observations), pending_for=pending_for, rearm_after=rearm
    )


def _choose_hours(label: str, usual: timedelta, key: str) -> timedelta:
    most = LONGEST_REARM / _HOUR
    hours = st.number_input(label, 0.0, most, usual / _HOUR, step=1.0, format="%g", key=key)
    return timedelta(minutes=round(hours * 60))


def _choose_severity(usual: Severity, key: str) -> Severity:
    return st.segmented_control(
        "Severity",
        list(SEVERITIES),
        default=usual,
        required=True,
        format_func=SEVERITIES.__getitem__,
        key=f"{key}_severity",
    )


# Saving


def _show_save(draft: Draft, rule: AlertRule, name: str, confirmed: bool) -> None:
    if not get_principal().may(Permission.TEAM):
        st.caption("Managers save rules. You can try other values here.")
        return
    with st.container(horizontal=True, gap="small"):
        label = "Create rule" if draft.row is None else "Save rule"
        if st.button(label, type="primary", icon=":material/check:", key="save_rule"):
            _save(draft, rule, name, confirmed)
        if draft.row is not None and draft.is_built_in:
            number = draft.row.stored.rule_id
            if st.button("Use the usual values", icon=":material/restart_alt:", key="reset_rule"):
                _run(lambda: commands.reset_rule(number))


def _save(draft: Draft, rule: AlertRule, name: str, confirmed: bool) -> None:
    if draft.row is None:
        _run(lambda: commands.create_rule(rule, name, confirmed=confirmed))
        return
    stored = draft.row.stored
    new_name = stored.name if draft.is_built_in else name
    _run(lambda: commands.save_rule(stored, rule, new_name, confirmed=confirmed))


def _run(command: Callable[[], str]) -> None:
    """Run a command and go back to the list; an error stands beside the rule."""
    run_in_dialog(command, on_success=lambda: open_editor(None))
