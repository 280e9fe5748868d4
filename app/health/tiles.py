"""State tiles of Data health: one for each part of the installation. The texts are pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import streamlit as st

from core.connections.service import ListedConnection
from core.connections.values import ConnectionName
from core.scraping.runs.providers import DEMO
from core.suggestions.llm import labels
from core.suggestions.llm.config import ModelAddress
from core.suggestions.llm.daily_stats import ModelDay
from core.text.escaping import escape_markdown
from core.text.numbers import format_capped_count, format_count, format_file_size
from core.text.times import format_age, format_duration
from core.upkeep.health import LITTLE_DISK, Health, Provider, is_worker_alive, name_provider

TILE_WIDTH: Final = 130  # px; an administrator's seven fit into a row, two on a phone


class Level(StrEnum):
    """How well a part works."""

    GOOD = "good"
    WARNING = "warning"
    ALARM = "alarm"
    OFF = "off"  # not in use


@dataclass(frozen=True, slots=True)
class Tile:
    """One part: its name, its state in a word or two, and a note."""

    label: str
    level: Level
    state: str
    note: str


_LOOKS: Final = {
    Level.GOOD: (":material/check_circle:", "green"),
    Level.WARNING: (":material/error:", "orange"),
    Level.ALARM: (":material/cancel:", "red"),
    Level.OFF: (":material/do_not_disturb_on:", "gray"),
}
_STATES: Final = {
    "ok": (Level.GOOD, "Responding"),
    "unused": (Level.OFF, "Not called yet"),
    "no_token": (Level.OFF, "Not connected"),
    "bad_token": (Level.ALARM, "Token refused"),
    "no_credit": (Level.ALARM, "Out of credit"),
    "unreachable": (Level.WARNING, "Not responding"),
    "refused": (Level.ALARM, "Run refused"),
    "misconfigured": (Level.ALARM, "Actor not known"),
}


def show_tiles(tiles: Sequence[Tile]) -> None:
    """Show the tiles side by side, two in a row on a phone."""
    with st.grid(len(tiles), min_column_width=TILE_WIDTH, gap="small"):
        for tile in tiles:
            _show_tile(tile)


def _show_tile(tile: Tile) -> None:
    icon, color = _LOOKS[tile.level]
    with st.container(border=True, height="stretch", gap=None):
        st.markdown(f":small[{tile.label}]")
        st.markdown(f":{color}[{icon} **{escape_markdown(tile.state)}**]")
        st.caption(escape_markdown(tile.note))


def make_worker_tile(health: Health) -> Tile:
    """Return the worker's tile, with its restarts."""
    seen, now, restarts = health.worker_seen_at, health.as_of, health.restarts
    if seen is None:
        return Tile("Worker", Level.ALARM, "Not started", "start it with `make run`")
    if not is_worker_alive(seen, now):
        return Tile("Worker", Level.ALARM, "Offline", f"seen {format_age(seen, now)}")
    note = f"seen {format_age(seen, now)}"
    if restarts.count:
        times = "once" if restarts.count == 1 else f"{format_count(restarts.count)} times"
        note = f"restarted {format_age(restarts.last_at, now)}, {times} in 24 h"
    return Tile("Worker", Level.GOOD, "Running", note)


def make_provider_tile(provider: Provider, now: datetime) -> Tile:
    """Return a data source's tile."""
    label = name_provider(provider.name)
    since = provider.silent_since(now)
    if since is not None:
        lasting = format_duration((now - since).total_seconds())
        return Tile(label, Level.WARNING, f"No answer for {lasting}", "the run is searched for")
    level, state = _STATES.get(provider.state, (Level.ALARM, provider.state))
    if provider.state == "no_token" and provider.schedule.scheduled:
        level = Level.ALARM
    return Tile(label, level, state, _provider_note(provider, now))


def _provider_note(provider: Provider, now: datetime) -> str:
    if provider.is_backing_off(now):
        return f"backing off, retry {format_age(provider.retry_at, now)}"
    waiting = provider.schedule.scheduled
    if provider.state in ("no_token", "misconfigured"):
        return f"{format_capped_count(waiting)} products wait" if waiting else "no product needs it"
    if provider.checked_at is not None:
        answered = "answered" if provider.state == "ok" else "called"
        return f"{answered} {format_age(provider.checked_at, now)}"
    return "invented products" if provider.name == DEMO else "no product was due yet"


def make_queue_tile(health: Health) -> Tile:
    """Return the tile of due products."""
    plans = [each.schedule for each in health.providers]
    due, leased = sum(each.due for each in plans), sum(each.leased for each in plans)
    overdue = sum(each.overdue for each in plans)
    note = f"{format_capped_count(leased)} in progress"
    if overdue:
        note += f", {format_capped_count(overdue)} overdue"
    level = Level.WARNING if overdue else Level.GOOD
    return Tile("Queue", level, f"{format_capped_count(due)} queued", note)


def make_database_tile(health: Health) -> Tile:
    """Return the tile of the database's size and its disk."""
    size, free = format_file_size(health.storage.database_bytes), health.storage.free_bytes
    if free is None:
        return Tile("Database", Level.GOOD, size, "on its own server")
    level = Level.WARNING if free < LITTLE_DISK else Level.GOOD
    return Tile("Database", level, size, f"{format_file_size(free)} free")


def make_model_tile(
    address: ModelAddress, day: ModelDay, listed: ListedConnection | None = None
) -> Tile:
    """Return the model's tile. `listed`: its connection, for administrators."""
    if address.missing is not None:
        return Tile("Model", Level.OFF, "Not connected", "suggestions come from rules")
    if day.is_backing_off:
        return Tile("Model", Level.WARNING, "Not responding", "asked again in some minutes")
    if listed is not None and listed.test is not None and not listed.test.is_working:
        return Tile("Model", Level.WARNING, "Test failed", "see Connections")
    if labels.explain_pause(address, day):
        spent = labels.format_cost(day.dollars, address)
        return Tile("Model", Level.WARNING, "Budget used up", spent)
    return Tile("Model", Level.GOOD, "Connected", f"{labels.count_questions(day)} today")


def make_mail_tile(listed: ListedConnection) -> Tile:
    """Return the mail server's tile."""
    if listed.values is None:
        is_off = listed.problem is None
        state = "Not connected" if is_off else "Can't be used"
        return Tile("Mail", Level.OFF if is_off else Level.ALARM, state, "links are shown instead")
    if listed.test is None:
        return Tile("Mail", Level.GOOD, "Connected", "not tested yet")
    level, state = (
        (Level.GOOD, "Connected") if listed.test.is_working else (Level.WARNING, "Test failed")
    )
    return Tile("Mail", level, state, "see Connections" if level is Level.WARNING else "tested")


def find_connection(
    connections: Sequence[ListedConnection], name: ConnectionName
) -> ListedConnection | None:
    """Return one of the connections by its name."""
    return next((each for each in connections if each.name is name), None)
