"""Events of the audit in words, for a screen and for a file. Pure."""

from collections.abc import Iterator

import orjson

from core.accounts.audit import Event, Values
from core.accounts.rules import Means
from core.wording import machine

LONGEST = 120  # characters of one value on a screen
NOBODY = "nobody signed in"
BY_ITSELF = "the worker, by itself"
_NOTHING = "–"


def who(event: Event) -> str:
    """Name who did it, or say that nobody did."""
    return event.person or (BY_ITSELF if event.means == Means.JOB.value else NOBODY)


def where(event: Event) -> str:
    """Say from where and by which means: "page, from 10.0.0.7"."""
    if event.person is None and event.means == Means.JOB.value:
        return event.means
    return f"{event.means}, from {machine(event.address)}"


def changes(event: Event) -> str:
    """Write what was set, and what differs from before: "role: viewer → seller"."""
    return "; ".join(_changes(event.old or {}, event.new or {}))


def _changes(old: Values, new: Values) -> Iterator[str]:
    for name in dict.fromkeys([*old, *new]):
        if name not in old:
            yield f"{name}: {value(new[name])}"
        elif name not in new:
            yield f"{name}: {value(old[name])} → {_NOTHING}"
        elif old[name] != new[name]:
            yield f"{name}: {value(old[name])} → {value(new[name])}"


def value(given: object) -> str:
    """Write one value, shortened."""
    if given is None or given == "":
        return _NOTHING
    if isinstance(given, list):
        text = ", ".join(str(each) for each in given)
    else:
        text = given if isinstance(given, str) else orjson.dumps(given).decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def file_row(event: Event) -> list[str]:
    """Return an event as the cells of a file, nothing left out or shortened."""
    return [
        str(event.id),
        event.at.isoformat(),
        event.person or "",
        event.means,
        event.address or "",
        event.verb,
        event.thing or "",
        "" if event.old is None else orjson.dumps(event.old).decode(),
        "" if event.new is None else orjson.dumps(event.new).decode(),
    ]
