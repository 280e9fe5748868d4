"""Plans notifications of incidents. No rules of its own.

Evaluation wakes it; the round of every minute catches what a crash left.
"""

from huey import crontab

from core.alerts.notifications import plan_notifications as plan
from core.database.session import database_time, write_scope
from jobs.claims import skip_if_locked
from jobs.job import JobReport, periodic_job
from jobs.queue import huey


@periodic_job("notifications", crontab(minute="*"), expires=60, lock="notifications")
def send_notifications(report: JobReport) -> None:
    """Plan what incidents notify of, and the reminders that are due."""
    incidents = notifications = 0
    while True:
        now = database_time()
        with write_scope() as session:
            planned = plan.plan_notifications(session, now)
        incidents += planned.incidents
        notifications += planned.notifications
        if planned.incidents < plan.CHUNK:
            break
    with write_scope() as session:
        reminders = plan.plan_reminders(session, database_time())
    if incidents or reminders:
        report.summary = (
            f"{incidents} incidents planned, {notifications} notifications, {reminders} reminders."
        )
    else:
        report.nothing_to_do("Nothing to notify of.")


@huey.task(expires=60)
def send_now() -> None:
    """Send what is due without waiting for the next minute."""
    skip_if_locked("notifications", send_notifications)
