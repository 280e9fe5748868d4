"""A rule tried on past data: alerts by week, one product with marks, the threshold for a rate."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from app.alert_rules import condition_inputs
from app.components import fixed_chart
from app.data import alerts, get_principal
from app.data.alerts import TrialProduct
from core.alerts.charts import value_chart, weeks_chart
from core.alerts.incidents.incident_text import describe_incident
from core.alerts.incidents.rule_preview import RulePreview
from core.alerts.rules.queries import TeamRule
from core.alerts.rules.rule import AlertRule, Comparison, Condition
from core.alerts.rules.threshold_text import format_threshold, write_threshold
from core.alerts.rules.thresholds import Threshold, ThresholdKind, find_threshold
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_count, format_counted

PERIODS: Final = {30: "30D", 90: "90D", 365: "1Y"}
RATES: Final = (1, 2, 5, 10)  # alerts a week
SHOWN: Final = 5  # alerts below the charts
_LONGEST_NAME: Final = 50

Keyed = Sequence[tuple[Condition, str]]


def show_trial(
    rule: AlertRule, stored: TeamRule | None, marketplace: str, conditions: Keyed
) -> None:
    """Show what a rule would have done. `conditions`: each with the key of its inputs."""
    with st.container(border=True, gap="small", key="rule_trial"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.header("On your history", anchor=False, width="content")
            days = st.segmented_control(
                "Period",
                list(PERIODS),
                default=90,
                required=True,
                format_func=PERIODS.__getitem__,
                key="trial_days",
                label_visibility="collapsed",
            )
        threshold = find_threshold(rule)
        rate = _choose_rate() if threshold is not None else None
        found = alerts.preview_rule(rule, stored, days, rate)
        st.markdown(f"**{format_trial(found, days)}**")
        if messages := alerts.preview_messages(stored, found):
            st.markdown(escape_markdown(messages))
        if threshold is not None and rate is not None:
            _show_rate(found, threshold, marketplace, rate, conditions)
        _show_weeks(rule, stored, days, rate)
        _show_product(rule, stored, days, found)
        _show_newest(rule, found)


def format_trial(found: RulePreview, days: int) -> str:
    """Return how often a rule would have alerted, and on how many products it was tried."""
    number = format_counted(found.total, "alert")
    tried = format_counted(found.products, "product")
    if found.is_sample:
        tried += f", a sample of {format_count(found.products_in_scope)}"
    on = f"{format_count(found.alerted)} of {tried}" if found.alerted else tried
    return f"{number} in {format_count(days)} days on {on}"


def _choose_rate() -> float | None:
    rate = st.segmented_control(
        "At most, alerts a week",
        RATES,
        format_func=format_count,
        key="trial_rate",
        help="The threshold that alerts so often at most.",
    )
    return None if rate is None else float(rate)


def _show_rate(
    found: RulePreview, threshold: Threshold, marketplace: str, rate: float, conditions: Keyed
) -> None:
    if found.threshold is None:
        st.caption("With every threshold tried it alerts more often.")
        return
    value = format_threshold(found.threshold, marketplace)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            escape_markdown(f"At most {format_count(rate)} a week: {value}"), width="content"
        )
        st.button(
            f"Use {value}",
            icon=":material/tune:",
            key="use_threshold",
            on_click=_type_threshold,
            args=(conditions, found.threshold, write_threshold(found.threshold, marketplace)),
            disabled=found.threshold == threshold,
        )


def _type_threshold(conditions: Keyed, threshold: Threshold, text: str) -> None:
    """Write a threshold into the inputs that hold it."""
    for condition, key in conditions:
        is_change = condition.comparison is Comparison.CHANGED
        is_target = condition.comparison in (Comparison.BELOW, Comparison.ABOVE)
        if is_target if threshold.kind is ThresholdKind.TARGET else is_change:
            name = condition_inputs.find_input_key(condition, threshold.kind, key)
            st.session_state[name] = text


def _show_weeks(rule: AlertRule, stored: TeamRule | None, days: int, rate: float | None) -> None:
    weeks = alerts.draw_rule_weeks(rule, stored, days, rate)
    fixed_chart.show_fixed_chart(weeks, weeks_chart.HEIGHT, key="rule_weeks", box="weeks_box")


def _show_product(rule: AlertRule, stored: TeamRule | None, days: int, found: RulePreview) -> None:
    products = alerts.list_trial_products(rule, found)
    if not products:
        st.caption("No product is in the rule's scope now.")
        return
    chosen = st.selectbox(
        "Product",
        products,
        format_func=_name_product,
        key="trial_product",
        label_visibility="collapsed",
    )
    view = alerts.read_trial(rule, stored, days, chosen)
    if view is None:
        st.caption("No history of this product is stored.")
        return
    fixed_chart.show_fixed_chart(view, value_chart.HEIGHT, key="rule_trial_chart", box="trial_box")


def _name_product(product: TrialProduct) -> str:
    return f"{shorten(product.title or product.asin, _LONGEST_NAME)} · {product.marketplace}"


def _show_newest(rule: AlertRule, found: RulePreview) -> None:
    now, zone = datetime.now(UTC), get_principal().time_zone
    for each in found.newest[:SHOWN]:
        what = describe_incident(rule, each.incident, each.marketplace, zone, now)
        title = shorten(each.title or each.asin, _LONGEST_NAME)
        st.caption(escape_markdown(f"{title}: {what}"))
