"""Plans notifications of incidents, makes messages of those due, and sends the outbox.

No rules of its own. Evaluation wakes it; the round of every minute catches what a crash left.
One worker at a time plans; any number sends.
"""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from huey import crontab

from core.alerts.delivery import send_messages
from core.alerts.delivery.unsubscribe import make_unsubscribe_link
from core.alerts.notifications import make_messages
from core.alerts.notifications import plan_notifications as plan
from core.database.session import database_time, read_scope, write_scope
from core.delivery import outbox
from core.delivery.channels.registry import send_message
from core.delivery.channels.send_context import SendContext
from core.delivery.outcome import Attempt, Outcome
from core.errors import AmazcopeError
from core.settings.environment import get_settings
from jobs.claims import skip_if_locked
from jobs.job import JobReport, periodic_job
from jobs.queue import huey

log = logging.getLogger(__name__)

SENDERS = 4  # threads of a worker that send
SENDING_SECONDS: Final = 50.0  # after which a worker claims no more
CLAIM_SECONDS: Final = 60.0  # after which it gives back what it did not begin to send


@dataclass(slots=True)
class Work:
    """What a round did."""

    incidents: int = 0
    notifications: int = 0
    messages: int = 0
    sent: int = 0
    others: int = 0  # attempts with another outcome
    faults: int = 0  # channels whose message could not be made

    def __bool__(self) -> bool:
        return any((self.incidents, self.notifications, self.messages, self.sent, self.others))


@periodic_job("notifications", crontab(minute="*"), expires=60, is_outward=True)
def send_notifications(report: JobReport) -> None:
    """Plan what incidents notify of, make messages of what is due, and send them."""
    work = Work()
    try:
        skip_if_locked("notifications", lambda: plan_round(work))
    finally:  # what is stored is sent, whatever happens to what is new
        send_outbox(work)
    if work.faults:
        raise AmazcopeError(
            f"No message could be made for {work.faults} channels. The log has the reasons."
        )
    if work:
        report.summary = (
            f"{work.incidents} incidents planned, {work.notifications} notifications, "
            f"{work.messages} messages made, {work.sent} sent, {work.others} not."
        )
    else:
        report.nothing_to_do("Nothing to send.")


@huey.task(expires=60)
def send_now() -> None:
    """Send what is due without waiting for the next minute."""
    send_notifications()


def plan_round(work: Work) -> None:
    """Plan incidents and reminders, and make the messages that are due."""
    planned = plan.CHUNK
    while planned == plan.CHUNK:
        now = database_time()
        with write_scope() as session:
            count = plan.plan_notifications(session, now)
        planned = count.incidents
        work.incidents += count.incidents
        work.notifications += count.notifications
    now, settings = database_time(), get_settings()
    with write_scope() as session:
        work.notifications += plan.plan_reminders(session, now)
        send_messages.expire_old(session, now)
        channels = make_messages.sort_due(session, now)
    for channel_id in channels:
        try:
            with write_scope() as session:
                link = make_unsubscribe_link(session, channel_id, settings)
                base = settings.public_url
                made = make_messages.make_message(session, channel_id, now, base, link)
        except Exception:  # of this channel's data: other channels get theirs
            log.exception("No message could be made for channel %s", channel_id)
            work.faults += 1
            continue
        work.messages += made is not None


def send_outbox(work: Work) -> None:
    """Send all that is due, or as much of it as fits into the time of a round."""
    with read_scope() as session:
        waiting = outbox.count_due(session, database_time())
    if not waiting:
        return
    until = time.monotonic() + SENDING_SECONDS
    context = send_messages.make_send_context(get_settings())
    if SENDERS == 1 or waiting == 1:
        outcomes = list(_send_until(until, context))
    else:
        with ThreadPoolExecutor(min(SENDERS, waiting)) as pool:
            senders = [
                pool.submit(lambda: list(_send_until(until, context)))
                for _ in range(min(SENDERS, waiting))
            ]
            outcomes = [each for sender in senders for each in sender.result()]
    work.sent += sum(outcomes)
    work.others += len(outcomes) - sum(outcomes)


def _send(ready: send_messages.ReadyMessage, context: SendContext) -> Attempt:
    """Send a message. A fault of Amazcope's own ends this message, not those behind it."""
    try:
        return send_message(ready.address, ready.claimed.message, context)
    except Exception:
        log.exception("Message %s could not be sent", ready.claimed.message_id)
        return Attempt(Outcome.UNKNOWN, "A fault of Amazcope, which is in its log.")


def _send_until(until: float, context: SendContext) -> Iterator[bool]:
    """Claim and send until nothing is due or the time is over; yield for each if it was sent."""
    settings = get_settings()
    while time.monotonic() < until:
        began = time.monotonic()
        now = database_time()
        with write_scope() as session:
            ready, claimed = send_messages.claim_ready(session, now, settings)
        if not claimed:
            return
        for place, each in enumerate(ready):
            if time.monotonic() - began > CLAIM_SECONDS:
                with write_scope() as session:
                    left = [one.claimed for one in ready[place:]]
                    outbox.release_messages(session, left, database_time())
                return
            attempt = _send(each, context)
            # The database's clock, continued by this process's: a query less for each message.
            ended_at = now + timedelta(seconds=time.monotonic() - began)
            with write_scope() as session:
                state = send_messages.record_sending(session, each, attempt, ended_at)
            yield state is outbox.MessageState.SENT
