"""The health screen's parts: the answer, figures, providers, runs, failures, jobs, storage."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import pandas as pd
import streamlit as st

from app import data
from app.components import cards, data_table, downloads
from app.data import operations
from core.history.labels import outcome_sentence
from core.history.observation import Outcome
from core.history.provenance.text import source_name
from core.importing.row_outcomes import outcome_label
from core.scraping.runs.providers import DEMO
from core.text.escaping import escape_markdown, remove_direction_marks, shorten
from core.text.numbers import format_capped_count, format_count, format_dollars, format_file_size
from core.text.times import format_age, format_day, format_duration, format_moment
from core.upkeep.health import (
    Health,
    Problem,
    Provider,
    Severity,
    find_problems,
    is_worker_alive,
)
from core.upkeep.health_queries import FailedCheck, FetchRunRow, JobRow, OutcomeCount
from core.upkeep.unreadable import UnreadableField

FAILURE = "failure"  # as in /health?failure=blocked
LOOK = "failed_look"
_NAMES = {"apify": "Apify", "demo": "The demo's fake Apify server"}
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
_ROW_HEIGHT = 38
_MOST_ROWS = 12


# The answer


def answer(health: Health) -> None:
    """Say whether everything is fine, else what is not, the worst first."""
    found = find_problems(health)
    wrong = [concern for concern in found if concern.gravity > Severity.NOTE]
    if not wrong:
        st.success("**Everything is fine.** " + fine_sentence(health), icon=":material/check:")
    for concern in wrong:
        _tell(concern)
    for concern in found:
        if concern.gravity is Severity.NOTE:
            st.caption(f":material/info: {concern.sentence}")


def fine_sentence(health: Health) -> str:
    """Say by what one sees that all is well."""
    seen = format_age(health.worker_seen_at, health.as_of)
    looks = format_capped_count(health.looks.total)
    return f"The worker was seen {seen}; {looks} checks in the last 24 hours."


def _tell(concern: Problem) -> None:
    if concern.gravity is Severity.ALARM:
        st.error(concern.sentence, icon=":material/error:")
    else:
        st.warning(concern.sentence, icon=":material/warning:")


# Figures


def figures(health: Health) -> None:
    """Show the figures of the day, with units and age."""
    due = sum(each.schedule.due for each in health.providers)
    overdue = sum(each.schedule.overdue for each in health.providers)
    leased = sum(each.schedule.leased for each in health.providers)
    counted = format_moment(health.as_of, data.principal().time_zone)
    cards.metric_row(
        [
            _worker_card(health),
            cards.Card(
                "Due now",
                format_capped_count(due),
                note=f"{format_capped_count(overdue)} overdue",
                about="Products whose time has come; overdue for more than an hour. "
                f"Counted {counted}.",
            ),
            cards.Card(
                "Being fetched",
                format_capped_count(leased),
                note="in open runs",
                about=f"Counted {counted}.",
            ),
            _looks_card(health),
            _cost_card(health),
        ]
    )


def _worker_card(health: Health) -> cards.Card:
    is_alive = is_worker_alive(health.worker_seen_at, health.as_of)
    seen = health.worker_seen_at
    return cards.Card(
        "Worker",
        "Running" if is_alive else "Silent" if seen else "Never ran",
        note="no sign of life yet" if seen is None else f"seen {format_age(seen, health.as_of)}",
        about="It gives a sign of life every minute; after three it counts as silent.",
    )


def _looks_card(health: Health) -> cards.Card:
    looks = health.looks
    return cards.Card(
        "Checks (24 h)",
        format_count(looks.total),
        note=f"{format_count(looks.failed)} failed",
        about="Products asked for in the newest fetch runs that have ended.",
    )


def _cost_card(health: Health) -> cards.Card:
    paid = [each for each in health.providers if each.is_paid]
    if not paid:
        return cards.Card("Cost today", "none", note="no paid provider is used")
    first = paid[0]
    return cards.Card(
        "Cost today (UTC)",
        format_dollars(first.dollars_today),
        note=f"of {format_dollars(first.dollars_per_day)} a day",
        about="What runs cost as Apify reports it; expected costs where it has not reported yet. "
        f"This month: {format_dollars(first.dollars_this_month)}.".replace("$", "\\$"),
    )


# Providers


def providers(health: Health) -> None:
    """Show who is asked for products, and whether that works."""
    st.subheader("Providers", anchor=False)
    for provider in health.providers:
        _provider(provider, health.as_of)


def _provider(provider: Provider, now: datetime) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{_NAMES.get(provider.name, provider.name)}**", width="content")
            st.badge(state_of(provider, now), color=badge_color(provider, now))
        st.caption(provider_sentence(provider, now))
        if provider.detail and provider.state != "no_token":  # that is told above
            st.caption(escape_markdown(provider.detail))


def state_of(provider: Provider, now: datetime) -> str:
    """Say in a word or two how a provider fares."""
    if provider.silent_since(now) is not None:
        return "does not answer"
    return _STATES.get(provider.state, provider.state)


def badge_color(provider: Provider, now: datetime) -> BadgeColor:
    """Return red only for what keeps products from being fetched."""
    if provider.silent_since(now) is not None:
        return "orange"
    if provider.state == "no_token" and not provider.schedule.scheduled:
        return "gray"
    return _BADGES.get(provider.state, "red")


def provider_sentence(provider: Provider, now: datetime) -> str:
    """Say what a provider has to do and what it cost."""
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
    if provider.is_resting(now):
        parts.append(f"rests, tried again {format_age(provider.retry_at, now)}")
    return " · ".join(parts).replace("$", "\\$")


# Runs


def runs(found: Sequence[FetchRunRow], now: datetime) -> None:
    """Show the newest fetch runs of the day."""
    st.subheader("Fetch runs of the last 24 hours", anchor=False)
    if not found:
        st.caption("No run in the last 24 hours. Runs begin when products are due.")
        return
    data_table.show(
        pd.DataFrame([_run_cells(run, now) for run in found]),
        "fetch-runs",
        row_height=_ROW_HEIGHT,
        height=_height(len(found)),
        column_config=_counts("Products", "Stored", "Failed"),
        alt=f"The newest {len(found)} fetch runs",
    )


def _run_cells(run: FetchRunRow, now: datetime) -> dict[str, object]:
    return {
        "Started": format_age(run.intended_at, now),
        "State": run.state,
        "Products": run.products,
        "Stored": run.stored,
        "Failed": run.failed,
        "Cost": _cost(run),
        "Provider": _NAMES.get(run.provider, run.provider),
        "Marketplace": run.marketplace,
        "Actor": run.actor,
        "Run": str(run.id),
        "Error": run.error or "none",
    }


def _cost(run: FetchRunRow) -> str:
    if run.cost_usd is None:
        return "not reported yet"
    return format_dollars(run.cost_usd) + (" (invented)" if run.provider == DEMO else "")


# Failures


def failures(found: Sequence[OutcomeCount], now: datetime) -> None:
    """Show how looks ended, and for a chosen failure the products and their original items."""
    st.subheader("Failures by outcome", anchor=False)
    failed = [each for each in found if not Outcome(each.outcome).says_something]
    if not failed:
        st.caption(
            "No fetch failed in the last 24 hours."
            if found
            else "Nothing was fetched in the last 24 hours."
        )
        return
    labels = {
        each.outcome: f"{outcome_label(each.outcome)} · {format_count(each.looks)}"
        for each in failed
    }
    chosen = st.pills(
        "Outcome",
        list(labels),
        default=failed[0].outcome,
        format_func=labels.__getitem__,
        key=FAILURE,
        label_visibility="collapsed",
    )
    if chosen is not None:
        _failed(chosen, now)


def unreadable(health: Health) -> None:
    """Show which fields of which source could not be read, with what stood there last."""
    st.subheader("Unreadable fields of the last 7 days", anchor=False)
    if not health.unreadable:
        st.caption("Every field of every check was understood.")
        return
    data_table.show(
        pd.DataFrame([_unreadable_cells(each, health.as_of) for each in health.unreadable]),
        "unreadable-fields",
        row_height=_ROW_HEIGHT,
        height=_height(len(health.unreadable)),
        column_config=_counts("Last 24 hours", "Last 7 days"),
        alt="Fields that could not be read, by source",
    )


def _unreadable_cells(each: UnreadableField, now: datetime) -> dict[str, object]:
    return {
        "Field": each.field.replace("_", " "),
        "Source": source_name(each.source),
        "Last 24 hours": each.last_day,
        "Last 7 days": each.last_week,
        "Newest": format_age(each.newest_at, now),
        "Marketplace": each.marketplace,
        "What stood there": remove_direction_marks(each.newest_text),
    }


def _failed(outcome: str, now: datetime) -> None:
    st.caption(outcome_sentence(Outcome(outcome)))
    looks = operations.failed_looks(outcome)
    ticked = data_table.show(
        pd.DataFrame([_look_cells(look, now) for look in looks]),
        f"failures-{outcome}",
        key=f"{LOOK}_{outcome}",
        row_height=_ROW_HEIGHT,
        height=_height(len(looks)),
        on_select="rerun",
        selection_mode="single-row",
        alt=f"{len(looks)} products whose fetch ended so",
    )
    rows = ticked["selection"]["rows"]
    if rows and rows[0] < len(looks):
        original(looks[rows[0]])
    else:
        st.caption("Tick a row to see the original item.")


def _look_cells(look: FailedCheck, now: datetime) -> dict[str, object]:
    return {
        "Product": shorten(look.title or look.asin, 60),
        "Marketplace": look.marketplace,
        "ASIN": look.asin,
        "When": format_age(look.at, now),
        "Why": look.detail or "no detail was given",
        "Original": "kept" if look.has_original else "none came",
        "Run": str(look.run_id),
    }


def original(look: FailedCheck) -> None:
    """Show the original item of a look as data, and offer it as a file."""
    item = operations.original(look.run_id, look.product_id)
    if item is None:
        cards.unknown("no item came back for this product, or it is older than what is kept")
        return
    text = json.dumps(item, ensure_ascii=False, indent=2)
    with st.container(border=True):
        downloads.button(
            "Original item",
            f"item-{look.run_id}-{look.asin}.json",
            downloads.JSON,
            lambda _who: text.encode(),
            key="original",
        )
        # As code: nothing in it is a link, a picture or markup.
        st.code(shorten(text, _LONGEST_SHOWN), language="json", height=_code_height(text))


_MOST_LINES = 16


def _code_height(text: str) -> int | Literal["content"]:
    return "content" if text.count("\n") < _MOST_LINES else 360


_LONGEST_SHOWN = 60_000  # characters; more make a browser slow


# Jobs and storage


def jobs(found: Sequence[JobRow], now: datetime) -> None:
    """Show jobs, those that failed first."""
    st.subheader("Jobs of the last 24 hours", anchor=False)
    if not found:
        st.caption("No job has run in the last 24 hours.")
        return
    data_table.show(
        pd.DataFrame([_job_cells(job, now) for job in found]),
        "jobs",
        row_height=_ROW_HEIGHT,
        height=_height(len(found)),
        alt=f"{len(found)} jobs, those that failed first",
    )


def _job_cells(job: JobRow, now: datetime) -> dict[str, object]:
    took = None if job.ended_at is None else (job.ended_at - job.started_at).total_seconds()
    return {
        "Job": job.job,
        "State": job.state,
        "Started": format_age(job.started_at, now),
        "Took": "not ended" if took is None else format_duration(took),
        "What it did": job.error or job.note or ("nothing to do" if job.ended_at else "not ended"),
    }


def storage(health: Health) -> None:
    """Show the size of the database, the room ahead, what is kept, imports under way."""
    st.subheader("Storage and imports", anchor=False)
    st.caption("  \n".join(storage_sentences(health)))


def storage_sentences(health: Health) -> list[str]:
    """Say how storage and imports stand, a sentence each."""
    kept = health.storage
    months = kept.retention_months
    until = format_day(kept.room_until)
    keeps = (
        "Snapshots are kept for ever (retention is off)."
        if months is None
        else f"Scraped snapshots are kept for {months} months, days and imports for ever."
    )
    waiting = f"{format_count(health.imports.queued)} imports wait"
    if health.imports.oldest_queued_at is not None:
        age = format_age(health.imports.oldest_queued_at, health.as_of)
        waiting += f", the oldest confirmed {age}"
    return [
        f"The database takes {format_file_size(kept.database_bytes)}.",
        f"There is room for snapshots until {until}, "
        f"for original items {kept.raw_days_ahead} days ahead.",
        keeps,
        f"{waiting}, {format_count(health.imports.running)} run.",
    ]


def _counts(*names: str) -> dict[str, Any]:
    return {
        name: st.column_config.NumberColumn(format="localized", width="small") for name in names
    }


def _height(rows: int) -> int | Literal["content"]:
    return "content" if rows <= _MOST_ROWS else _ROW_HEIGHT * (_MOST_ROWS + 1)
