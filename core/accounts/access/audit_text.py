"""Audit events as text, for the page and the file. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import orjson

from core.accounts.access.audit import AuditEntry, Values
from core.accounts.access.permissions import Via
from core.accounts.labels import via_label
from core.text.machines import machine_name

MAX_VALUE_LENGTH = 120  # characters of one value on a screen
NOT_SIGNED_IN = "not signed in"
WORKER = "worker"
_NOTHING = "–"


def actor_text(event: AuditEntry) -> str:
    """Return the user's name; without a user, "worker" or "not signed in"."""
    return event.person or (WORKER if event.via == Via.JOB.value else NOT_SIGNED_IN)


def source_text(event: AuditEntry) -> str:
    """Return the way and the network address: "page, from 10.0.0.7"."""
    way = via_label(event.via)
    if event.person is None and event.via == Via.JOB.value:
        return way
    return f"{way}, from {machine_name(event.address)}"


def find_product_ids(event: AuditEntry) -> set[int]:
    """Return the ids of the products in an event."""
    values = [*(event.old or {}).items(), *(event.new or {}).items()]
    ids = {number for name, given in values for number in _product_ids_in_value(event, name, given)}
    return ids | _product_ids_in_object(event.object)


def name_products(event: AuditEntry, names: Mapping[int, str]) -> AuditEntry:
    """Return an event with product names instead of ids. Ids without a name stay."""
    named = next(
        (names[number] for number in _product_ids_in_object(event.object) if number in names),
        event.object,
    )
    return replace(
        event,
        object=named,
        old=_name_values(event, event.old, names),
        new=_name_values(event, event.new, names),
    )


def _name_values(
    event: AuditEntry, values: Values | None, names: Mapping[int, str]
) -> Values | None:
    if values is None:
        return None
    return {
        name: ", ".join(names.get(number, str(number)) for number in numbers)
        if (numbers := _product_ids_in_value(event, name, given))
        else given
        for name, given in values.items()
    }


def _product_ids_in_value(event: AuditEntry, name: str, given: object) -> list[int]:
    """Return the product ids in one value of an event."""
    is_bulk = name == "ids" and (event.object or "").startswith("product")
    if name != "competitor" and not is_bulk:
        return []
    listed = given if isinstance(given, list) else [given]
    return [number for number in listed if isinstance(number, int)]


def _product_ids_in_object(name: str | None) -> set[int]:
    kind, _, number = (name or "").partition(":")
    return {int(number)} if kind == "product" and number.isdecimal() else set()


def changes_text(event: AuditEntry) -> str:
    """Return what was set and what changed: "role: viewer → seller"."""
    return "; ".join(_iterate_changes(event.old or {}, event.new or {}))


def _iterate_changes(old: Values, new: Values) -> Iterator[str]:
    for name in dict.fromkeys([*old, *new]):
        if name not in old:
            yield f"{name}: {value_text(new[name])}"
        elif name not in new:
            yield f"{name}: {value_text(old[name])} → {_NOTHING}"
        elif old[name] != new[name]:
            yield f"{name}: {value_text(old[name])} → {value_text(new[name])}"


def value_text(given: object) -> str:
    """Return one value as text, shortened."""
    if given is None or given == "":
        return _NOTHING
    if isinstance(given, list):
        text = ", ".join(str(each) for each in given)
    else:
        text = given if isinstance(given, str) else orjson.dumps(given).decode()
    return text if len(text) <= MAX_VALUE_LENGTH else text[: MAX_VALUE_LENGTH - 1] + "…"


def to_csv_row(event: AuditEntry) -> list[str]:
    """Return an event as cells of a file: complete, with the stored codes that are sealed."""
    return [
        str(event.id),
        event.at.isoformat(),
        event.person or "",
        event.via,
        event.address or "",
        event.verb,
        event.object or "",
        "" if event.old is None else orjson.dumps(event.old).decode(),
        "" if event.new is None else orjson.dumps(event.new).decode(),
    ]
