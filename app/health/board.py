"""Data health as one part of the page that reloads itself."""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from app.components import fragments
from app.data import get_principal, suggestions
from app.data import health as data
from app.health import (
    after_restore,
    charts,
    failed_checks,
    fetch_runs,
    jobs,
    problems,
    storage,
    tiles,
)
from app.health import unreadable_fields as fields
from app.health.tiles import Tile
from app.suggestions import model_status
from app.web import error_boundary
from core.accounts.access.permissions import Permission
from core.connections.values import ConnectionName
from core.text.numbers import format_count
from core.text.times import format_day, format_moment
from core.upkeep.health import Action, Health, find_problems

RELOAD_SECONDS = 30.0
_PARTS = {
    Action.RUNS: "part_runs",
    Action.JOBS: "part_jobs",
    Action.FIELDS: "part_fields",
    Action.STORAGE: "part_storage",
    Action.MODEL: "part_model",
}


@fragments.fragment(run_every=RELOAD_SECONDS)
def show_board() -> None:
    """Show all of Data health, every 30 seconds. The reads are shared by all sessions."""
    try:
        _show_board()
    except Exception as error:  # this run is outside of `app.main`, which shows others
        error_boundary.show_error(error)


def _show_board() -> None:
    health, is_admin = data.read_health(), get_principal().may(Permission.ADMIN)
    found = problems.choose_shown(find_problems(health), is_admin=is_admin)
    _show_header(problems.summarize(found), health.as_of)
    # In one container, so that a problem that comes or goes does not draw the charts again.
    with st.container(key="state"):
        tiles.show_tiles(_list_tiles(health, is_admin=is_admin))
        if is_admin and health.restored_from is not None:
            after_restore.show_restored()
        problems.show_problems(found, is_admin=is_admin, open_part=_open_part)
    charts.show_charts(health)
    failed_checks.show_failed_checks(data.list_failure_reasons(), health.as_of, is_admin=is_admin)
    if is_admin:
        _show_technical(health)
    _show_part(
        Action.MODEL, "Model: today's questions", lambda: model_status.show_advisors(health.as_of)
    )


def _show_header(state: str, as_of: datetime) -> None:
    moment = format_moment(as_of, get_principal().time_zone)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.title("Data health", anchor=False, width="content")
        st.markdown(f"{state} :small[:gray[as of {moment}, every 30 s]]", width="content")
        st.space("stretch")
        st.button("Reload", icon=":material/refresh:", on_click=data.clear_health)


def _list_tiles(health: Health, *, is_admin: bool) -> list[Tile]:
    shown = [tiles.make_worker_tile(health)]
    shown += [tiles.make_provider_tile(each, health.as_of) for each in health.providers]
    connections = data.list_connections() if is_admin else []
    model = tiles.find_connection(connections, ConnectionName.MODEL)
    shown.append(
        tiles.make_model_tile(suggestions.get_model_address(), suggestions.read_model_day(), model)
    )
    mail = tiles.find_connection(connections, ConnectionName.MAIL)
    if mail is not None:
        shown += [tiles.make_mail_tile(mail), tiles.make_database_tile(health)]
    return [*shown, tiles.make_queue_tile(health)]


def _open_part(part: Action) -> None:
    st.session_state[_PARTS[part]] = True


def _show_technical(health: Health) -> None:
    """Show the technical details, each read only while it is open."""
    now, jobs_of_day = health.as_of, health.jobs
    failed = f"{format_count(jobs_of_day.failed)} failed" if jobs_of_day.failed else "all fine"
    until = format_day(health.storage.partitions_until)
    st.header("Technical details", anchor=False)
    _show_part(
        Action.JOBS,
        f"Background jobs: {format_count(jobs_of_day.total)} in 24 h, {failed}",
        lambda: jobs.show_jobs(data.list_job_runs(), now),
    )
    _show_part(
        Action.RUNS,
        "Runs in 24 h",
        lambda: fetch_runs.show_fetch_runs(data.list_fetch_runs(), now),
    )
    _show_part(
        Action.FIELDS,
        f"Unreadable fields: {format_count(len(health.unreadable))} in 7 days",
        lambda: fields.show_unreadable_fields(health.unreadable, now),
    )
    _show_part(
        Action.STORAGE,
        f"Storage: partitions prepared until {until}",
        lambda: storage.show_storage(health),
    )


def _show_part(action: Action, label: str, show: Callable[[], None]) -> None:
    with st.expander(label, key=_PARTS[action], on_change="rerun") as part:
        if part.open:
            show()
