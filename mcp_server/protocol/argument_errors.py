"""What is wrong with arguments, in sentences that say what to give instead. Pure.

A model reads them and tries again: each names the argument, what it has to be, and, where a
name is wrong, the names there are.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from core.text.escaping import shorten

_MOST_TOLD = 5  # wrong arguments in one answer
_NAME_SHOWN, _MESSAGE_SHOWN = 60, 300  # characters: names may come from outside
_KEPT = "enum[Unset]"  # what pydantic calls the value of an argument that is not given
_TIME = "a time in ISO 8601, such as 2026-03-02T12:00Z"
_WANTED = {
    "missing": "has to be given",
    "tuple_type": "has to be a list, in brackets also where it holds one thing",
    "list_type": "has to be a list, in brackets also where it holds one thing",
    "string_type": "has to be text",
    "datetime_parsing": f"has to be {_TIME}",
    "datetime_from_date_parsing": f"has to be {_TIME}",
    "datetime_type": f"has to be {_TIME}",
    "int_parsing": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "float_parsing": "has to be a number, without a unit",
}


def describe(error: ValidationError, names: Sequence[str]) -> str:
    """Say what is wrong with arguments, and what each would have to be.

    `names`: the arguments there are.
    """
    faults = error.errors(include_url=False, include_input=False)
    unknown = [str(each["loc"][0]) for each in faults if _is_unknown(each)]
    sentences = list(dict.fromkeys([*_sentences(faults), *_of_unknown(unknown, names)]))
    return f"These arguments can't be used. {'; '.join(sentences[:_MOST_TOLD])}."


def _is_unknown(error: Mapping[str, Any]) -> bool:
    return error["type"] == "extra_forbidden" and len(error["loc"]) == 1


def _of_unknown(unknown: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Say of all names that are none which there are: once, since they are the same."""
    shown = ", ".join(shorten(name, _NAME_SHOWN) for name in unknown[:_MOST_TOLD])
    if len(unknown) == 1:
        yield f"{shown}: there is no such argument; {near(unknown[0], names)}"
    elif unknown:
        yield f"{shown}: there are no such arguments; {near(unknown[0], names)}"


def _sentences(errors: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    places = {each["loc"] for each in errors}
    for each in errors:
        is_told = _KEPT in each["loc"] or _is_unknown(each) or _follows(each, places)
        if not is_told:
            yield f"{_name_of(each['loc'])}: {_wanted(each)}"


def _follows(error: Mapping[str, Any], places: Collection[tuple[int | str, ...]]) -> bool:
    """True for a list that is too short only because what it holds is wrong."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(
        len(each) > len(loc) and each[: len(loc)] == loc for each in places
    )


def _name_of(loc: Iterable[int | str]) -> str:
    """Return where the fault is; of the parts of a union only what the caller wrote."""
    top, *rest = loc or ("arguments",)
    inner = [str(part) for part in rest if not (isinstance(part, str) and _is_a_type(part))]
    name = ".".join([str(top), *inner])
    return shorten(name, _NAME_SHOWN)


def _is_a_type(part: str) -> bool:
    """True for what pydantic calls a member of a union, such as `str-enum[Cadence]`."""
    return not part.isidentifier() or part in ("str", "int", "float", "bool")


def _wanted(error: Mapping[str, Any]) -> str:
    usual = shorten(error["msg"], _MESSAGE_SHOWN).replace("Input should be", "has to be")
    return _WANTED.get(error["type"], usual)


def near(name: str, names: Sequence[str]) -> str:
    """Return the names there are, those that resemble a wrong one first."""
    close = get_close_matches(name[:_NAME_SHOWN], names, n=3, cutoff=0.5)
    ordered = [*close, *(each for each in names if each not in close)]
    return f"there are: {', '.join(ordered)}" if ordered else "there are none"
