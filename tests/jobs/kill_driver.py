"""Runs rounds of fetching in processes that are killed or stopped, for `test_kills`. No tests.

Reads commands as JSON lines. Each is carried out in a forked child, in the environment that
it carries, as a worker would; what a child was killed or stopped with (or 0) is answered on a
line. A stopped one goes on with the command `wake`.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.orm import Session, configure_mappers

from core.alerts.delivery import send_messages
from core.alerts.engine import cursors, evaluate_products, fold_changes
from core.alerts.notifications import make_messages, plan_notifications
from core.database import connections, leases
from core.database import session as db
from core.delivery import outbox
from core.scraping.runs import dispatch, lifecycle, store_items
from core.scraping.runs.apify import Apify, load_client
from core.settings.environment import get_settings
from jobs import claims
from jobs.tasks import collect_runs, dispatch_runs, evaluate_alerts, send_notifications

PATIENCE = 120.0  # seconds after which a child gives up


def main() -> None:
    load_client()  # the children share it, and the mapped classes
    configure_mappers()
    collect_runs.CLAIM = timedelta(milliseconds=200)
    collect_runs.PAGE = 2
    claims.RENEWAL_SECONDS = 0.05
    # Who is stopped within a transaction gives its locks back, here sooner than usual.
    connections.SERVER_SETTINGS["idle_in_transaction_session_timeout"] = "700ms"
    dispatch.LEASE_TERM = collect_runs.CLAIM
    send_notifications.SENDERS = 1
    dispatch_runs.fetch_now.schedule = lambda *_args, **_options: None
    collect_runs.poll_run.schedule = lambda *_args, **_options: None  # the round is enough
    _answer("ready")
    for line in sys.stdin:
        _answer(_carry_out(json.loads(line)))


def _answer(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


_stopped: list[int] = []  # children that are stopped


def _carry_out(command: dict[str, Any]) -> int:
    if "wake" in command:
        os.kill(_stopped[-1], signal.SIGCONT)
        return _end_of(_stopped.pop())
    child = os.fork()
    if child == 0:
        _work(command)
        os._exit(0)
    if "kill_after" in command:
        time.sleep(command["kill_after"])
        os.kill(child, signal.SIGKILL)
    return _end_of(child)


def _end_of(child: int) -> int:
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        _stopped.append(child)
        return os.WSTOPSIG(status)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)


def _work(command: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(command["environment"])
    get_settings.cache_clear()
    # What is killed here was killed for good; a living process gets its minutes.
    dispatch_runs.UNCLEAR_AFTER = dispatch_runs.ANSWERED_AFTER = timedelta(
        seconds=command.get("unclear_after", 0)
    )
    if command.get("notifications") and ("step" in command or "kill_after" in command):
        # What was killed keeps its claims for a moment; who lives keeps them as long as usual.
        outbox.LEASE = leases.LEASE_TERM = timedelta(milliseconds=300)
    if "step" in command:
        global _signal
        _signal = command.get("signal", signal.SIGKILL)
        (STEPS | ALERT_STEPS | SENDING_STEPS)[command["step"]]()
    try:
        if command.get("alerts"):
            evaluate_alerts.evaluate_all()
        elif command.get("notifications"):
            send_notifications.send_notifications()
        else:
            _rounds()
    except BaseException as error:  # the child must not fall back into the parent's loop
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)


def _rounds() -> None:
    """Dispatch and collect until nothing is open and nothing is due."""
    until = time.monotonic() + PATIENCE
    while _has_work() and time.monotonic() < until:
        dispatch_runs.start_due_runs()
        collect_runs.advance_open_runs()
        time.sleep(0.02)


_WORK = """
SELECT EXISTS (SELECT 1 FROM fetch_run WHERE state IN ('intended', 'running', 'finished'))
    OR EXISTS (SELECT 1 FROM fetch_schedule WHERE due_at <= now())
"""


def _has_work() -> bool:
    with db.read_scope() as session:
        return bool(session.execute(text(_WORK)).scalar())


_signal: int = signal.SIGKILL


def _die(*_anything: Any, **_more: Any) -> None:
    """Be killed, or stopped once: who is woken up goes on."""
    global _signal
    sent, _signal = _signal, 0
    os.kill(os.getpid(), sent)


def _before(place: Any, name: str, count: int = 1) -> Callable[[], None]:
    """Die before the `count`-th call of a function."""

    def arrange() -> None:
        real, left = getattr(place, name), [count]

        def dying(*args: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                _die()
            return real(*args, **options)

        setattr(place, name, dying)

    return arrange


def _after(place: Any, name: str, count: int = 1) -> Callable[[], None]:
    """Die when the `count`-th call of a function has returned."""

    def arrange() -> None:
        real, left = getattr(place, name), [count]

        def dying(*args: Any, **options: Any) -> Any:
            answer = real(*args, **options)
            left[0] -= 1
            if left[0] == 0:
                _die()
            return answer

        setattr(place, name, dying)

    return arrange


def _before_commit(place: Any, name: str) -> Callable[[], None]:
    """Die when the transaction in which a function was called is about to be committed."""

    def arrange() -> None:
        real = getattr(place, name)

        def doomed(*args: Any, **options: Any) -> Any:
            event.listen(Session, "before_commit", _die)
            return real(*args, **options)

        setattr(place, name, doomed)

    return arrange


STEPS: dict[str, Callable[[], None]] = {
    "before the intent is committed": _before_commit(dispatch, "read_spending"),
    "after the intent is committed": _before(lifecycle, "begin_start"),
    "before the start is asked": _before_commit(lifecycle, "begin_start"),
    "after the start is noted": _before(Apify, "start_run"),
    "after the start was answered": _after(Apify, "start_run"),
    "before the run's id is committed": _before_commit(lifecycle, "mark_started"),
    "after the run's id is stored": _before(Apify, "get_run"),
    "after the end was asked": _before(lifecycle, "mark_finished"),
    "before the end is committed": _before_commit(lifecycle, "mark_finished"),
    "after the end is stored": _before(collect_runs, "_collect"),
    "after the first page was read": _after(Apify, "list_items"),
    "before the first page is committed": _before_commit(store_items, "store_observations"),
    "within a page, after its snapshots": _after(store_items, "store_observations"),
    "between two pages": _before(Apify, "list_items", 2),
    "before the last page": _before(Apify, "list_items", 3),
    "before the run is closed": _before(lifecycle, "close_run"),
    "before the close is committed": _before_commit(lifecycle, "close_run"),
    "before the claim is released": _before(lifecycle, "release_claim"),
}

ALERT_STEPS: dict[str, Callable[[], None]] = {
    "after the cursors are locked": _after(evaluate_products, "lock_cursors"),
    "before the incidents are written": _before(fold_changes, "insert_incidents"),
    "after the incidents are written": _after(fold_changes, "insert_incidents"),
    "before the cursors are written": _before(fold_changes, "write_cursors"),
    "before the evaluation is committed": _before_commit(fold_changes, "write_cursors"),
    "after the evaluation is committed": _before(cursors, "list_changed_products", 2),
}

SENDING_STEPS: dict[str, Callable[[], None]] = {
    "before the plan is committed": _before_commit(plan_notifications, "plan_notifications"),
    "after the plan is committed": _before(make_messages, "sort_due"),
    "before a message is committed": _before_commit(make_messages, "add_message"),
    "after a message is committed": _before(send_messages, "claim_ready"),
    "before the claim is committed": _before_commit(outbox, "claim_messages"),
    "after the claim is committed": _before(send_notifications, "send_message"),
    "after it was sent": _after(send_notifications, "send_message"),
    "before its outcome is committed": _before_commit(outbox, "record_attempt"),
    "after its outcome is committed": _before(send_notifications, "send_message", 2),
}


if __name__ == "__main__":
    main()
