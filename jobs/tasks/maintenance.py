"""When the house is put in order. No rules of its own. Huey's crontab is UTC."""

from collections.abc import Callable
from datetime import timedelta

from huey import crontab

from core.accounts.access import audit, sessions
from core.agents.service import forget_old_calls
from core.database.session import database_time, read_scope, write_scope
from core.settings.environment import get_settings
from core.tracking.schedule import bring_back_due_times
from core.upkeep.heartbeat import beat
from core.upkeep.job_runs import reap_jobs
from core.upkeep.retention import drop_old_snapshots, drop_raw_items, make_room_ahead
from jobs.claims import alone
from jobs.job import job
from jobs.queue import huey

KEPT = timedelta(days=90)  # sign-ins, links and attempts that are over


@huey.periodic_task(crontab(minute="*"), expires=60)
def show_life() -> None:
    """Note that the worker is alive: an idle one leaves no other trace."""
    note_life()


@huey.periodic_task(crontab(minute="7", hour="*/6"), expires=3600)
def make_partitions() -> None:
    """Make room for the months and days to come."""
    alone("partitions", make_room)


@huey.periodic_task(crontab(minute="17", hour="3"), expires=3600)
def let_go() -> None:
    """Drop original items, and snapshots where retention is set, that are too old."""
    alone("retention", drop_old)


@huey.periodic_task(crontab(minute="*/10"), expires=600)
def reap() -> None:
    """Mark what a crash left."""
    alone("reap", reap_lost)


@huey.periodic_task(crontab(minute="*"), expires=60)
def seal_audit() -> None:
    """Chain what was done since the last minute."""
    alone("seal audit", seal_events)


@huey.periodic_task(crontab(minute="27", hour="3"), expires=3600)
def forget() -> None:
    """Forget sign-ins, links and attempts that are long over."""
    alone("forget", forget_sign_ins)


@huey.periodic_task(crontab(minute="37", hour="3"), expires=3600)
def forget_calls() -> None:
    """Forget what agents called and wrote long ago."""
    alone("forget calls", forget_agents)


def note_life() -> None:
    """Note that the worker is alive; also done when it starts."""
    with write_scope() as session:
        beat(session, database_time())


def make_room() -> None:
    """Make missing partitions; also done when the worker starts."""
    with job("make room") as notes, write_scope() as session:
        notes.say(f"{make_room_ahead(session, database_time())} partitions made.")


def drop_old() -> None:
    """Let go of what is too old by the settings."""
    settings, now = get_settings(), database_time()
    with job("retention") as notes:
        with write_scope() as session:
            days = drop_raw_items(session, now, settings.amazcope_raw_item_days)
        months = 0
        if settings.amazcope_retention_months is not None:
            with write_scope() as session:
                months = drop_old_snapshots(session, now, settings.amazcope_retention_months)
        notes.say(f"{days} days of original items and {months} months of snapshots dropped.")


def reap_lost() -> None:
    """Mark jobs whose process died, and bring back what waits for a time that is wrong."""
    with job("reap") as notes:
        now = database_time()
        with write_scope() as session:
            lost = reap_jobs(session, now)
            late = bring_back_due_times(session, now)
        if lost or late:
            notes.say(f"{lost} jobs were lost, {late} products were due too late.")
        else:
            notes.idle("No job was lost.")


def seal_events() -> None:
    """Seal every event of the audit that is not sealed yet; a quiet minute leaves no trace."""
    with read_scope() as session:
        if not audit.is_waiting(session):
            return
    with job("seal audit") as notes:
        count = 0
        while True:
            with write_scope() as session:
                sealed = audit.seal(session, audit.SEALED_AT_ONCE)
            count += sealed
            if sealed < audit.SEALED_AT_ONCE:
                break
        notes.say(f"{count} {'event' if count == 1 else 'events'} sealed.")


def forget_sign_ins() -> None:
    """Delete what ended long ago."""
    with job("forget") as notes, write_scope() as session:
        count = sessions.forget_old(session, database_time(), KEPT)
        notes.say(f"{count} old sign-ins forgotten.")


def forget_agents() -> None:
    """Delete old calls of agents, and the answers that their keys repeated."""
    with job("forget calls") as notes, write_scope() as session:
        count = forget_old_calls(session, database_time())
        notes.say(f"{count} old calls and answers forgotten.")


def verify_audit(noted: str | None, say: Callable[[str], None]) -> bool:
    """Recompute the audit's chain and say what was found; return whether it is whole."""
    with read_scope() as session:
        found = audit.verify(session, noted.strip().lower() if noted else None)
    say(f"{found.sealed} events are sealed and whole, {found.waiting} wait for the next minute.")
    say(f"Head: {found.head}")
    if found.broken_at is not None:
        say(f"BROKEN at place {found.broken_at}: an event is missing there, or was altered.")
    if found.has_noted is False:
        say("BROKEN: the head that was noted is not in the chain. Its end was cut off or altered.")
    return found.is_whole
