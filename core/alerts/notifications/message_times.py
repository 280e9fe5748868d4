"""When alerts that opened at some times would have come by a channel. Pure.

By the functions that plan and hold the real ones. Left out: snoozes, silences, groups of other
rules, reminders, and the messages of other rules, which count towards the user's limit.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from core.alerts.notifications.policy import (
    DeliverySettings,
    Mode,
    find_cap_end,
    find_due_time,
    find_quiet_end,
    is_severe_enough,
    passes_quiet,
)
from core.alerts.rules.rule import Severity

_ROUND = timedelta(minutes=1)  # a message is made of all that is due in a round of the worker
_START = datetime(2000, 1, 1, tzinfo=UTC)


def list_message_times(
    opened: Iterable[datetime],
    severity: Severity,
    mode: Mode,
    settings: DeliverySettings,
    zone: ZoneInfo,
) -> list[datetime]:
    """Return when messages would have come, the first one first, in UTC."""
    if not is_severe_enough(severity, settings):
        return []
    passes = passes_quiet(severity, settings)
    waiting: list[datetime] = []
    for planned_at in {_find_round(at) for at in opened}:
        due = find_due_time(mode, severity, settings, zone, planned_at)
        if due is not None:
            heappush(waiting, _find_round(due.at))
    messages: list[datetime] = []
    while waiting:
        now = heappop(waiting)
        while waiting and waiting[0] == now:
            heappop(waiting)
        # Room under the limit may come in quiet hours.
        held_until = None if passes else find_quiet_end(now, settings, zone)
        if held_until is None:
            held_until = find_cap_end(messages[-settings.most_per_hour :], settings, now)
        if held_until is None:
            messages.append(now)
        else:
            heappush(waiting, _find_round(held_until))
    return messages


def _find_round(at: datetime) -> datetime:
    """Return when the next round of the worker begins, or now if it does now."""
    return at.astimezone(UTC) + (_START - at) % _ROUND
