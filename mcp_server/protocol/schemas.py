"""JSON schemas as they are sent: short, and as strict about what fits as they were made. Pure.

A model reads them all before it does anything. What pydantic writes for programs goes: titles
that repeat the name of a field, defaults of what is always sent, definitions apart from their
one use, and the long way to say that something may be null.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

_BY_NAME = ("properties", "$defs")  # keywords whose schemas stand under names
_ONE = ("items", "additionalProperties")
_MANY = ("anyOf", "prefixItems")
_DEFINITION = "#/$defs/"
_NULL: Schema = {"type": "null"}
# They speak of all types, so a schema that has one can't be made one with another's type.
_OF_ALL_TYPES = frozenset({"enum", "const", "$ref", "anyOf"})


def shorten_arguments(schema: Schema) -> Schema:
    """Return the schema of a tool's arguments in its short form.

    Left out is what a client need not know to call it right: null for an optional argument (read
    as "not given" before arguments are validated), a default that is empty, false or null, that
    a text is not empty, and that unknown arguments are refused (with the names there are).
    """
    return _rewritten(_inlined(_without_class_descriptions(schema)), _short_arguments)


def shorten_result(schema: Schema) -> Schema:
    """Return the schema of a tool's result in its short form.

    Results always have all keys; clients may accept extra keys, so additionalProperties is
    left out. The tool's own description says what the whole is for.
    """
    small = _rewritten(_inlined(schema), _short)
    small.pop("description", None)
    return small


def _rewritten(schema: Schema, rewrite: Callable[[Schema], Schema]) -> Schema:
    """Return a schema with every schema in it rewritten, the innermost first."""
    made = dict(schema)
    for key in _BY_NAME:
        if key in made:
            made[key] = {name: _rewritten(each, rewrite) for name, each in made[key].items()}
    for key in _ONE:
        if isinstance(made.get(key), dict):
            made[key] = _rewritten(made[key], rewrite)
    for key in _MANY:
        if key in made:
            made[key] = [_rewritten(each, rewrite) for each in made[key]]
    return rewrite(made)


def _untitled(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "title"}


def _without_class_descriptions(schema: Schema) -> Schema:
    """Return a schema whose definitions say nothing of themselves: each argument does."""
    definitions = {
        name: {key: value for key, value in each.items() if key != "description"}
        for name, each in schema.get("$defs", {}).items()
    }
    return {**schema, "$defs": definitions} if definitions else schema


def _short_arguments(schema: Schema) -> Schema:
    small = _untitled(schema)
    if _is_empty(small.get("default")):
        small.pop("default", None)
    if small.get("minLength") == 1:
        del small["minLength"]
    small.pop("additionalProperties", None)
    if "properties" in small:
        required = small.get("required", ())
        small["properties"] = {
            name: each if name in required else _without_null(each)
            for name, each in small["properties"].items()
        }
    return small


def _is_empty(default: Any) -> bool:
    return default is None or default is False or default in ("", [])


def _without_null(schema: Schema) -> Schema:
    """Return a schema without the choice of null."""
    choices = [each for each in schema.get("anyOf", ()) if each != _NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(choices) == 1:
        return {**choices[0], **rest}
    return {**rest, "anyOf": choices} if choices else schema


def _short(schema: Schema) -> Schema:
    small = {key: value for key, value in _untitled(schema).items() if key != "default"}
    if small.get("additionalProperties") is False:
        del small["additionalProperties"]
    return _of_one_type(small)


def _of_one_type(schema: Schema) -> Schema:
    """Return a choice between plain types as one schema of several types.

    At most one of them says more than its type, and that of its own type alone.
    """
    choices = schema.get("anyOf", [])
    more = [each for each in choices if len(each) > 1]
    if not choices or len(more) > 1 or any(_speaks_of_all(each) for each in choices):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    types = list(dict.fromkeys(each["type"] for each in choices))
    if "number" in types and "integer" in types:
        types.remove("integer")  # each is a number
    return {**(more[0] if more else {}), **rest, "type": types}


def _speaks_of_all(schema: Mapping[str, Any]) -> bool:
    return not isinstance(schema.get("type"), str) or not _OF_ALL_TYPES.isdisjoint(schema)


def _inlined(schema: Schema) -> Schema:
    """Return a schema with each definition that is used once where it is used."""
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    uses = Counter(_references(schema))
    once = {name: each for name, each in definitions.items() if uses[name] == 1}

    def placed(part: Schema) -> Schema:
        name = part.get("$ref", "").removeprefix(_DEFINITION)
        if name not in once:
            return part
        besides = {key: value for key, value in part.items() if key != "$ref"}
        return {**_rewritten(once[name], placed), **besides}

    made = _rewritten({key: each for key, each in schema.items() if key != "$defs"}, placed)
    kept = {name: _rewritten(each, placed) for name, each in definitions.items() if uses[name] > 1}
    return {**made, "$defs": kept} if kept else made


def _references(schema: Any) -> Iterator[str]:
    """Yield the name of a definition each time that a schema refers to it."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix(_DEFINITION)
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)
