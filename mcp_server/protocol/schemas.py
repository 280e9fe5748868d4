"""JSON schemas in a short form that accepts the same values. Pure.

A model reads all of them before its first call. Removed is what pydantic writes for programs:
titles that repeat the name of a field, defaults of results, separate definitions that are used
once, and the long form of nullable types.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

_BY_NAME = ("properties", "$defs")  # keywords that hold schemas by name
_ONE = ("items", "additionalProperties")
_MANY = ("anyOf", "prefixItems")
_DEFINITION = "#/$defs/"
_NULL: Schema = {"type": "null"}
# Keywords that apply to all types: a schema with one can't be merged with another's type.
_FOR_ALL_TYPES = frozenset({"enum", "const", "$ref", "anyOf"})


def shorten_arguments(schema: Schema) -> Schema:
    """Return the schema of a tool's arguments in its short form.

    Left out is what a client need not know for a correct call: null for an optional argument
    (read as "not given" before arguments are validated), defaults that are empty, false or null,
    a minimum length of 1, and that unknown arguments are refused (the message lists the names).
    """
    return _rewrite(_inline(_drop_class_descriptions(schema)), _shorten_argument)


def shorten_result(schema: Schema) -> Schema:
    """Return the schema of a tool's result in its short form.

    Results always have all keys; clients may accept extra keys, so additionalProperties is
    left out. The description of the whole is left out: the tool has its own.
    """
    short = _rewrite(_inline(schema), _shorten_field)
    short.pop("description", None)
    return short


def _rewrite(schema: Schema, rewrite: Callable[[Schema], Schema]) -> Schema:
    """Return a schema with each schema inside it rewritten, innermost first."""
    made = dict(schema)
    for key in _BY_NAME:
        if key in made:
            made[key] = {name: _rewrite(each, rewrite) for name, each in made[key].items()}
    for key in _ONE:
        if isinstance(made.get(key), dict):
            made[key] = _rewrite(made[key], rewrite)
    for key in _MANY:
        if key in made:
            made[key] = [_rewrite(each, rewrite) for each in made[key]]
    return rewrite(made)


def _drop_title(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "title"}


def _drop_class_descriptions(schema: Schema) -> Schema:
    """Return a schema whose definitions have no descriptions: each argument has its own."""
    definitions = {
        name: {key: value for key, value in each.items() if key != "description"}
        for name, each in schema.get("$defs", {}).items()
    }
    return {**schema, "$defs": definitions} if definitions else schema


def _shorten_argument(schema: Schema) -> Schema:
    short = _drop_title(schema)
    if _is_empty(short.get("default")):
        short.pop("default", None)
    if short.get("minLength") == 1:
        del short["minLength"]
    short.pop("additionalProperties", None)
    if "properties" in short:
        required = short.get("required", ())
        short["properties"] = {
            name: each if name in required else _drop_null(each)
            for name, each in short["properties"].items()
        }
    return short


def _is_empty(default: Any) -> bool:
    return default is None or default is False or default in ("", [])


def _drop_null(schema: Schema) -> Schema:
    """Return a schema without the alternative null."""
    choices = [each for each in schema.get("anyOf", ()) if each != _NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(choices) == 1:
        return {**choices[0], **rest}
    return {**rest, "anyOf": choices} if choices else schema


def _shorten_field(schema: Schema) -> Schema:
    short = {key: value for key, value in _drop_title(schema).items() if key != "default"}
    if short.get("additionalProperties") is False:
        del short["additionalProperties"]
    return _merge_types(short)


def _merge_types(schema: Schema) -> Schema:
    """Return `anyOf` of plain types as one schema with several types.

    Merges only if at most one alternative has keywords besides `type`, which apply to that
    type only.
    """
    choices = schema.get("anyOf", [])
    more = [each for each in choices if len(each) > 1]
    if not choices or len(more) > 1 or any(_applies_to_all_types(each) for each in choices):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    types = list(dict.fromkeys(each["type"] for each in choices))
    if "number" in types and "integer" in types:
        types.remove("integer")  # included in number
    return {**(more[0] if more else {}), **rest, "type": types}


def _applies_to_all_types(schema: Mapping[str, Any]) -> bool:
    return not isinstance(schema.get("type"), str) or not _FOR_ALL_TYPES.isdisjoint(schema)


def _inline(schema: Schema) -> Schema:
    """Return a schema with the definitions that are used once moved to their use."""
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    uses = Counter(_references(schema))
    once = {name: each for name, each in definitions.items() if uses[name] == 1}

    def place(part: Schema) -> Schema:
        name = part.get("$ref", "").removeprefix(_DEFINITION)
        if name not in once:
            return part
        rest = {key: value for key, value in part.items() if key != "$ref"}
        return {**_rewrite(once[name], place), **rest}

    made = _rewrite({key: each for key, each in schema.items() if key != "$defs"}, place)
    kept = {name: _rewrite(each, place) for name, each in definitions.items() if uses[name] > 1}
    return {**made, "$defs": kept} if kept else made


def _references(schema: Any) -> Iterator[str]:
    """Yield the name of a definition for each reference to it."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix(_DEFINITION)
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)
