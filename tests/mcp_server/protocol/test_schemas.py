"""Schemas as they are sent: short, and fitting the same values as before."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp_types import Tool as SentTool

import mcp_server.tools  # noqa: F401 - declares the tools
from mcp_server.protocol import schemas
from mcp_server.protocol.call_log import RETRY_LATER
from mcp_server.protocol.tools import TOOLS, list_sdk_tools
from tests.mcp_server.conftest import Agent

NULLABLE = {"anyOf": [{"type": "string", "description": "Inner."}, {"type": "null"}]}


def bytes_of(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def listed(agent: Agent) -> list[SentTool]:
    async def ask(client: Any) -> Any:
        return (await client.list_tools()).tools

    found: list[SentTool] = agent.with_client(ask)
    return found


def parts(schema: Any, is_named: bool = False) -> Iterator[dict[str, Any]]:
    """Yield each schema in a schema, itself too. `is_named`: these stand under names."""
    if isinstance(schema, list):
        for each in schema:
            yield from parts(each)
    elif isinstance(schema, dict):
        if not is_named:
            yield schema
        for key, value in schema.items():
            if is_named or key not in ("examples", "default", "enum"):
                yield from parts(value, not is_named and key in ("properties", "$defs"))


def test_all_that_a_model_reads_of_the_tools_is_short(agent: Agent) -> None:
    tools = listed(agent)
    assert sum(bytes_of(tool.output_schema) for tool in tools) < 2880 * len(tools)
    read = [len((tool.description or "").encode()) + bytes_of(tool.input_schema) for tool in tools]
    assert sum(read) <= 1024 * len(tools)


def test_null_and_empty_defaults_of_optional_arguments_are_left_out() -> None:
    made = schemas.shorten_arguments(
        {
            "type": "object",
            "properties": {
                "a": {**NULLABLE, "default": None},
                "b": {"type": "boolean", "default": False},
                "c": {"type": "integer", "default": 0},
                "d": NULLABLE,
            },
            "required": ["d"],
        }
    )
    assert made["properties"] == {
        "a": {"type": "string", "description": "Inner."},
        "b": {"type": "boolean"},
        "c": {"type": "integer", "default": 0},
        "d": NULLABLE,
    }


def test_lists_may_be_kept_for_an_hour_by_all_callers(agent: Agent) -> None:
    async def ask(client: Any) -> Any:
        return [
            await client.list_tools(),
            await client.list_prompts(),
            await client.list_resources(),
            await client.list_resource_templates(),
        ]

    for each in agent.with_client(ask):
        assert (each.ttl_ms, each.cache_scope) == (3_600_000, "public")


def test_the_retry_error_is_not_in_the_range_that_the_protocol_reserves() -> None:
    assert not -32768 <= RETRY_LATER <= -32000


def test_no_schema_has_a_title_that_repeats_a_name(agent: Agent) -> None:
    for tool in listed(agent):
        for each in (*parts(tool.input_schema), *parts(tool.output_schema)):
            assert not isinstance(each.get("title"), str), (tool.name, each["title"])


def test_a_field_that_is_called_title_stays(agent: Agent) -> None:
    [details] = [tool for tool in listed(agent) if tool.name == "get_product_details"]
    assert "title" in details.output_schema["properties"]  # type: ignore[index]


def test_every_reference_leads_somewhere(agent: Agent) -> None:
    for tool in listed(agent):
        schema = tool.output_schema or {}
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        for each in parts(schema):
            if "$ref" in each:
                assert each["$ref"].removeprefix("#/$defs/") in schema["$defs"], tool.name


@pytest.mark.parametrize("name", list(TOOLS))
def test_an_answer_keeps_each_field_and_what_has_to_be_there(name: str) -> None:
    """Compare what is sent with what pydantic makes of the same answer."""
    whole = TOOLS[name].result.model_json_schema()
    sent = {each.name: each.output_schema for each in list_sdk_tools()}[name] or {}
    assert sent["properties"].keys() == whole["properties"].keys()
    assert sent.get("required") == whole.get("required")
    assert {word for each in parts(sent) for word in each.get("enum", ())} == {
        word for each in parts(whole) for word in each.get("enum", ())
    }


def test_what_may_be_null_has_null_in_its_types() -> None:
    made = schemas.shorten_result({"type": "object", "properties": {"a": NULLABLE}})
    assert made["properties"]["a"] == {"type": ["string", "null"], "description": "Inner."}


def test_a_fields_description_goes_before_its_types() -> None:
    field = {**NULLABLE, "description": "Outer."}
    made = schemas.shorten_result({"type": "object", "properties": {"a": field}})
    assert made["properties"]["a"]["description"] == "Outer."


@pytest.mark.parametrize("choice", [{"type": "string", "enum": ["a"]}, {"const": "a"}])
def test_a_choice_of_words_is_not_mixed_with_another_type(choice: dict[str, Any]) -> None:
    field = {"anyOf": [choice, {"type": "null"}]}
    made = schemas.shorten_result({"type": "object", "properties": {"a": field}})
    assert made["properties"]["a"] == field
    Draft202012Validator(made).validate({"a": None})


def test_two_choices_with_further_keywords_stay_apart() -> None:
    field = {"anyOf": [{"type": "string", "minLength": 2}, {"type": "number", "minimum": 1}]}
    made = schemas.shorten_result({"type": "object", "properties": {"a": field}})
    assert made["properties"]["a"] == field


def test_a_definition_that_is_used_once_stands_where_it_is_used() -> None:
    part = {"type": "object", "properties": {"b": {"$ref": "#/$defs/Deep"}}, "description": "P."}
    deep = {"type": "integer"}
    once = {"$ref": "#/$defs/Part", "description": "Here."}
    made = schemas.shorten_result(
        {"type": "object", "properties": {"a": once}, "$defs": {"Part": part, "Deep": deep}}
    )
    assert made == {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"b": deep}, "description": "Here."},
        },
    }


def test_a_definition_that_is_used_twice_or_uses_itself_stays() -> None:
    loop = {"type": "array", "items": {"$ref": "#/$defs/Loop"}}
    twice = {"$ref": "#/$defs/Loop"}
    made = schemas.shorten_result(
        {"type": "object", "properties": {"a": twice}, "$defs": {"Loop": loop}}
    )
    assert made["$defs"] == {"Loop": loop}
    Draft202012Validator(made).validate({"a": [[], [[]]]})


def test_every_text_that_a_tool_takes_has_a_longest_length(agent: Agent) -> None:
    """What has none could be as long as the server takes requests."""
    unbounded = [
        (tool.name, each.get("description"))
        for tool in listed(agent)
        for each in parts(tool.input_schema)
        if (
            each.get("type") == "string"
            and not {"maxLength", "enum", "const", "format"} & set(each)
        )
        or (each.get("type") == "array" and "maxItems" not in each)
    ]
    assert unbounded == []
