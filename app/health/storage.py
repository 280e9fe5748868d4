"""Health's storage: database size, partitions ahead, retention, imports in progress."""

from datetime import datetime

import streamlit as st

from core.text.numbers import format_count, format_file_size
from core.text.times import format_age, format_day
from core.upkeep.health import Health, Imports, Storage


def show_storage(health: Health) -> None:
    """Show the storage and the imports in progress, a line each."""
    st.caption("  \n".join(storage_sentences(health)))


def storage_sentences(health: Health) -> list[str]:
    """Return the state of the storage and of the imports, a sentence each."""
    storage = health.storage
    months = storage.retention_months
    keeps = (
        "Snapshots are kept for ever (retention is off)."
        if months is None
        else f"Scraped snapshots are kept for {months} months, days and imports for ever."
    )
    return [
        f"The database takes {format_file_size(storage.database_bytes)}.",
        f"Partitions prepared until {format_day(storage.partitions_until)} "
        f"(raw data: {storage.raw_days_ahead} days).",
        keeps,
        _backup_sentence(storage, health.as_of),
        _imports_sentence(health.imports, health.as_of),
    ]


def _backup_sentence(storage: Storage, now: datetime) -> str:
    daily = "daily" if storage.is_backed_up_daily else "not made daily (AMAZCOPE_BACKUP_TO)"
    if storage.backed_up_at is None:
        return f"Backups: {daily}, none yet."
    return f"Backups: {daily}, the newest {format_age(storage.backed_up_at, now)}."


def _imports_sentence(imports: Imports, now: datetime) -> str:
    queued = f"Imports: {format_count(imports.queued)} queued"
    if imports.oldest_queued_at is not None:
        queued += f", the oldest confirmed {format_age(imports.oldest_queued_at, now)}"
    return f"{queued}, {format_count(imports.running)} running."
