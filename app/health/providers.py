"""Health's providers: where product data is fetched from, and whether that works."""

from datetime import datetime
from typing import Literal

import streamlit as st

from core.text.escaping import escape_markdown
from core.text.numbers import format_capped_count, format_dollars
from core.text.times import format_age
from core.upkeep.health import Health, Provider

PROVIDER_NAMES = {"apify": "Apify", "demo": "The demo's fake Apify server"}
_STATES = {
    "ok": "works",
    "unused": "not asked yet",
    "no_token": "no token",
    "bad_token": "token refused",
    "no_credit": "out of credit",
    "unreachable": "unreachable",
    "refused": "run refused",
    "misconfigured": "actor not known",
}
BadgeColor = Literal["green", "gray", "orange", "red"]
_BADGES: dict[str, BadgeColor] = {
    "ok": "green",
    "unused": "gray",
    "unreachable": "orange",
}


def show_providers(health: Health) -> None:
    """Show each provider with its state, schedule and cost."""
    st.subheader("Providers", anchor=False)
    for provider in health.providers:
        _show_provider(provider, health.as_of)


def _show_provider(provider: Provider, now: datetime) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            name = PROVIDER_NAMES.get(provider.name, provider.name)
            st.markdown(f"**{name}**", width="content")
            st.badge(state_label(provider, now), color=badge_color(provider, now))
        st.caption(provider_sentence(provider, now))
        if provider.detail and provider.state != "no_token":  # the status block reports that one
            st.caption(escape_markdown(provider.detail))


def state_label(provider: Provider, now: datetime) -> str:
    """Return a provider's state in a word or two."""
    if provider.silent_since(now) is not None:
        return "does not answer"
    return _STATES.get(provider.state, provider.state)


def badge_color(provider: Provider, now: datetime) -> BadgeColor:
    """Return the color of a provider's state: red only for what keeps products unfetched."""
    if provider.silent_since(now) is not None:
        return "orange"
    if provider.state == "no_token" and not provider.schedule.scheduled:
        return "gray"
    return _BADGES.get(provider.state, "red")


def provider_sentence(provider: Provider, now: datetime) -> str:
    """Return how many products a provider has to fetch, and its cost."""
    schedule = provider.schedule
    products = "product" if schedule.scheduled == 1 else "products"
    parts = [f"{format_capped_count(schedule.scheduled)} {products} scheduled"]
    if schedule.next_due_at is not None:
        parts.append(f"{format_capped_count(schedule.due)} due")
        if schedule.next_due_at > now:
            parts.append(f"next {format_age(schedule.next_due_at, now)}")
    if provider.is_paid:
        parts.append(
            f"{format_dollars(provider.dollars_today)} today of "
            f"{format_dollars(provider.dollars_per_day)}"
        )
        parts.append(f"{format_dollars(provider.dollars_this_month)} this month")
    else:
        parts.append("costs nothing")
    if provider.checked_at is not None and provider.state != "no_token":
        parts.append(f"asked {format_age(provider.checked_at, now)}")
    if provider.is_backing_off(now):
        parts.append(f"rests, tried again {format_age(provider.retry_at, now)}")
    return " · ".join(parts).replace("$", "\\$")
