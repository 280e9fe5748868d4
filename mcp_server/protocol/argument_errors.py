"""Messages for wrong arguments. Pure.

A model reads them and tries again: each names the argument and what it must be; for an unknown
name, they list the names that exist.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from core.text.escaping import shorten

_MAX_ERRORS = 5  # in one message
_MAX_NAME, _MAX_MESSAGE = 60, 300  # characters; names may come from outside
_UNSET = "enum[Unset]"  # pydantic's name for the value of an argument that is not given
_TIME = "a time in ISO 8601, such as 2026-03-02T12:00Z"
_REQUIREMENTS = {
    "missing": "is required",
    "tuple_type": "must be a list, in brackets even with one element",
    "list_type": "must be a list, in brackets even with one element",
    "string_type": "must be text",
    "datetime_parsing": f"must be {_TIME}",
    "datetime_from_date_parsing": f"must be {_TIME}",
    "datetime_type": f"must be {_TIME}",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number, without a unit",
}


def describe_errors(error: ValidationError, names: Sequence[str]) -> str:
    """Return what each wrong argument must be. `names`: the arguments that exist."""
    errors = error.errors(include_url=False, include_input=False)
    unknown = [str(each["loc"][0]) for each in errors if _is_unknown(each)]
    messages = list(dict.fromkeys([*_describe_values(errors), *_describe_unknown(unknown, names)]))
    return f"Wrong arguments. {'; '.join(messages[:_MAX_ERRORS])}."


def _is_unknown(error: Mapping[str, Any]) -> bool:
    return error["type"] == "extra_forbidden" and len(error["loc"]) == 1


def _describe_unknown(unknown: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Yield one message for all unknown names."""
    shown = ", ".join(shorten(name, _MAX_NAME) for name in unknown[:_MAX_ERRORS])
    if len(unknown) == 1:
        yield f"{shown}: there is no such argument; {list_names(unknown[0], names)}"
    elif unknown:
        yield f"{shown}: there are no such arguments; {list_names(unknown[0], names)}"


def _describe_values(errors: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    locations = {each["loc"] for each in errors}
    for each in errors:
        is_skipped = _UNSET in each["loc"] or _is_unknown(each) or _is_implied(each, locations)
        if not is_skipped:
            yield f"{_format_location(each['loc'])}: {_requirement(each)}"


def _is_implied(error: Mapping[str, Any], locations: Collection[tuple[int | str, ...]]) -> bool:
    """True for a list that is too short only because its elements are wrong."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(
        len(each) > len(loc) and each[: len(loc)] == loc for each in locations
    )


def _format_location(loc: Iterable[int | str]) -> str:
    """Return the argument's path without pydantic's names of union members."""
    top, *rest = loc or ("arguments",)
    inner = [str(part) for part in rest if not (isinstance(part, str) and _is_type_name(part))]
    name = ".".join([str(top), *inner])
    return shorten(name, _MAX_NAME)


def _is_type_name(part: str) -> bool:
    """True for pydantic's name of a union member, such as `str-enum[Cadence]`."""
    return not part.isidentifier() or part in ("str", "int", "float", "bool")


def _requirement(error: Mapping[str, Any]) -> str:
    default = shorten(error["msg"], _MAX_MESSAGE).replace("Input should be", "must be")
    return _REQUIREMENTS.get(error["type"], default)


def list_names(name: str, names: Sequence[str]) -> str:
    """Return the names that exist, those similar to a wrong one first."""
    close = get_close_matches(name[:_MAX_NAME], names, n=3, cutoff=0.5)
    ordered = [*close, *(each for each in names if each not in close)]
    return f"there are: {', '.join(ordered)}" if ordered else "there are none"
