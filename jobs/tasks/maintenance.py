"""Maintenance: new days, partitions, retention, lost jobs, the audit's seals. No rules of its own.

Huey's crontab is in UTC.
"""

from datetime import datetime, timedelta

from huey import crontab

from core.accounts.access import audit, sessions
from core.agents.access_log import delete_old_calls
from core.alerts.notifications.plan_notifications import delete_old_notifications
from core.database.session import database_time, read_scope, write_scope
from core.delivery import outbox
from core.history.periods.change_period import MarketDay
from core.history.periods.roll import CHUNK, list_due_days, roll_products
from core.history.periods.team_days import compute_day, find_due_days, finish_days
from core.runtime.log import Reporter
from core.settings.environment import get_settings
from core.tracking.schedule import correct_due_times
from core.upkeep.heartbeat import record_heartbeat, record_restart
from core.upkeep.job_runs import mark_lost_jobs
from core.upkeep.retention import drop_old_snapshots, drop_raw_items, make_partitions_ahead
from jobs.claims import skip_if_locked
from jobs.job import JobReport, job, periodic_job
from jobs.queue import huey

KEPT = timedelta(days=90)  # ended sessions, links and sign-in attempts


@huey.periodic_task(crontab(minute="*"), expires=60)
def send_heartbeat() -> None:
    """Record that the worker is alive: an idle one leaves no other trace."""
    with write_scope() as session:
        record_heartbeat(session, database_time())


def record_start(ended: str | None) -> None:
    """Record a restart of the worker. `ended`: how it ended before; None: a first start."""
    if ended is not None:
        with write_scope() as session:
            record_restart(session, database_time(), ended)


@periodic_job("make room", crontab(minute="7", hour="*/6"), expires=3600, lock="partitions")
def make_partitions(report: JobReport) -> None:
    """Make the partitions of the next months and days; also done when the worker starts."""
    with write_scope() as session:
        report.summary = f"{make_partitions_ahead(session, database_time())} partitions made."


@periodic_job("roll changes", crontab(minute="*/5"), expires=240, lock="roll changes")
def roll_changes(report: JobReport) -> None:
    """Move kept changes to a new day where a marketplace's midnight has passed.

    Then compute the days of teams that closed, or that late values changed.
    """
    now = database_time()
    with read_scope() as session:
        due = list_due_days(session, now)
    count = sum(_roll_marketplace(marketplace, day) for marketplace, day in due.items())
    days = _compute_team_days(now)
    if due or days:
        report.summary = f"{count} products moved to a new day, {days} days of teams computed."
    else:
        report.nothing_to_do("No marketplace has begun a new day.")


def _compute_team_days(now: datetime) -> int:
    """Compute the days of teams that are due, each in a transaction; return how many."""
    with read_scope() as session:
        due = find_due_days(session, now)
    for day in due.days:
        with write_scope() as session:
            compute_day(session, day, due.closed)
    if due.days or due.late:
        with write_scope() as session:
            finish_days(session, due)
    return len(due.days)


def _roll_marketplace(marketplace: str, day: MarketDay) -> int:
    """Move all products of a marketplace, a chunk in each transaction; return how many."""
    count = after = 0
    while True:
        with write_scope() as session:
            ids = roll_products(session, marketplace, day, after)
        count += len(ids)
        if len(ids) < CHUNK:
            return count
        after = ids[-1]


@periodic_job("retention", crontab(minute="17", hour="3"), expires=3600, lock="retention")
def apply_retention(report: JobReport) -> None:
    """Delete raw items, and snapshots where retention is set, that are too old."""
    settings, now = get_settings(), database_time()
    with write_scope() as session:
        days = drop_raw_items(session, now, settings.amazcope_raw_item_days)
    months = 0
    if settings.amazcope_retention_months is not None:
        with write_scope() as session:
            months = drop_old_snapshots(session, now, settings.amazcope_retention_months)
    report.summary = f"{days} days of raw items and {months} months of snapshots deleted."


@periodic_job("reap", crontab(minute="*/10"), expires=600, lock="reap")
def mark_lost(report: JobReport) -> None:
    """Mark jobs whose process died, and correct due times that lie too far ahead."""
    now = database_time()
    with write_scope() as session:
        lost = mark_lost_jobs(session, now)
        late = correct_due_times(session, now)
    if lost or late:
        report.summary = f"{lost} jobs were lost, {late} products were due too late."
    else:
        report.nothing_to_do("No job was lost.")


@huey.periodic_task(crontab(minute="*"), expires=60)
def seal_audit() -> None:
    """Chain the audit events of the last minute."""
    skip_if_locked("seal audit", seal_events)


def seal_events() -> None:
    """Seal every audit event that is not sealed yet; without any, no job is recorded."""
    with read_scope() as session:
        if not audit.has_unsealed_events(session):
            return
    with job("seal audit") as report:
        count = 0
        while True:
            with write_scope() as session:
                sealed = audit.seal_events(session, audit.SEALING_BATCH)
            count += sealed
            if sealed < audit.SEALING_BATCH:
                break
        report.summary = f"{count} {'event' if count == 1 else 'events'} sealed."


@periodic_job("forget", crontab(minute="27", hour="3"), expires=3600, lock="forget")
def purge_sign_ins(report: JobReport) -> None:
    """Delete sessions, links and sign-in attempts that ended long ago."""
    with write_scope() as session:
        count = sessions.delete_old_sign_ins(session, database_time(), KEPT)
    report.summary = f"{count} old sign-ins deleted."


@periodic_job("forget calls", crontab(minute="37", hour="3"), expires=3600, lock="forget calls")
def purge_agent_log(report: JobReport) -> None:
    """Delete old calls of agents, and the responses stored for their idempotency keys."""
    with write_scope() as session:
        count = delete_old_calls(session, database_time())
    report.summary = f"{count} old calls and responses deleted."


@periodic_job("forget messages", crontab(minute="47", hour="3"), expires=3600, lock="forget mail")
def purge_outbox(report: JobReport) -> None:
    """Delete messages and notifications that ended long ago."""
    with write_scope() as session:
        notifications = delete_old_notifications(session, database_time())
        messages = outbox.delete_old(session, database_time())
    if notifications or messages:
        report.summary = f"{messages} old messages and {notifications} notifications deleted."
    else:
        report.nothing_to_do("No old messages.")


def verify_audit(head: str | None, report: Reporter) -> bool:
    """Recompute the audit's chain, print the result, and return whether it is intact."""
    with read_scope() as session:
        found = audit.verify_chain(session, head.strip().lower() if head else None)
    report(
        f"{found.sealed} events are sealed and intact, {found.unsealed} wait for the next minute."
    )
    report(f"Head: {found.head}")
    if found.broken_at is not None:
        report(f"BROKEN at event {found.broken_at}: an event is missing there, or was altered.")
    if found.has_noted is False:
        report("BROKEN: the given head is not in the chain. Its end was cut off or altered.")
    return found.is_intact
