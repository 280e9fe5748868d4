"""Events of the audit in words, for a screen and for a file. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import orjson

from core.accounts.access.audit import Event, Values
from core.accounts.access.permissions import Via
from core.text.machines import machine_name

LONGEST = 120  # characters of one value on a screen
NOBODY = "nobody signed in"
BY_ITSELF = "the worker, by itself"
_NOTHING = "–"


def who(event: Event) -> str:
    """Name who did it, or say that nobody did."""
    return event.person or (BY_ITSELF if event.means == Via.JOB.value else NOBODY)


def where(event: Event) -> str:
    """Say from where and by which means: "page, from 10.0.0.7"."""
    if event.person is None and event.means == Via.JOB.value:
        return event.means
    return f"{event.means}, from {machine_name(event.address)}"


def products_of(event: Event) -> set[int]:
    """Return the numbers of the products that an event names."""
    values = [*(event.old or {}).items(), *(event.new or {}).items()]
    told = {number for name, given in values for number in _products(event, name, given)}
    return told | _product_of(event.thing)


def with_names(event: Event, names: Mapping[int, str]) -> Event:
    """Return an event that names products as people do; a number stays where none is known."""
    thing = next(
        (names[number] for number in _product_of(event.thing) if number in names), event.thing
    )
    return replace(
        event,
        thing=thing,
        old=_named(event, event.old, names),
        new=_named(event, event.new, names),
    )


def _named(event: Event, values: Values | None, names: Mapping[int, str]) -> Values | None:
    if values is None:
        return None
    return {
        name: ", ".join(names.get(number, str(number)) for number in numbers)
        if (numbers := _products(event, name, given))
        else given
        for name, given in values.items()
    }


def _products(event: Event, name: str, given: object) -> list[int]:
    """Return the products that one value of an event tells by number."""
    is_bulk = name == "ids" and (event.thing or "").startswith("product")
    if name != "competitor" and not is_bulk:
        return []
    listed = given if isinstance(given, list) else [given]
    return [number for number in listed if isinstance(number, int)]


def _product_of(thing: str | None) -> set[int]:
    kind, _, number = (thing or "").partition(":")
    return {int(number)} if kind == "product" and number.isdecimal() else set()


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
