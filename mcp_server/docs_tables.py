"""Tables of tools, resources, prompts and terms, for docs/AGENTS.md and the command line."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.glossary import GLOSSARY, Term
from core.settings.environment import ROOT
from mcp_server.protocol.prompts import PROMPTS, Prompt
from mcp_server.protocol.resources import RESOURCES, Resource
from mcp_server.protocol.tools import TOOLS, Tool, list_sdk_tools

DOCUMENT = ROOT / "docs" / "AGENTS.md"
_MARK = re.compile(r"(<!-- begin (\w+)[^>]*-->\n).*?(<!-- end \2 -->)", re.DOTALL)
_SENTENCE = re.compile(r"(.+?[.?!])(?:\s|$)", re.DOTALL)


def make_tables() -> dict[str, str]:
    """Return the tables by name, as Markdown."""
    schemas = {each.name: each.parameters for each in list_sdk_tools()}
    return {
        "tools": _table(
            ("tool", "what it does", "scope", "role", "limits", "kind"),
            (_tool_row(each, schemas[each.name]) for each in TOOLS.values()),
        ),
        "resources": _table(("URI", "content"), map(_resource_row, RESOURCES.values())),
        "prompts": _table(("prompt", "purpose", "arguments"), map(_prompt_row, PROMPTS.values())),
        "glossary": _format_glossary(),
    }


def replace_tables(document: str) -> str:
    """Return a document with the tables between its marks replaced by current ones.

    A table is between the lines `<!-- begin NAME … -->` and `<!-- end NAME -->`.
    """
    tables = make_tables()
    return _MARK.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n\n{found[3]}", document)


def write_document(path: Path = DOCUMENT) -> bool:
    """Update the document's tables; return whether anything changed."""
    before = path.read_text(encoding="utf-8")
    after = replace_tables(before)
    path.write_text(after, encoding="utf-8")
    return after != before


def format_tables() -> str:
    """Return all tables, each under its heading."""
    return "\n\n".join(
        f"## {name.capitalize()}\n\n{table}" for name, table in make_tables().items()
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def first_sentence(text: str) -> str:
    """Return the first sentence of a description, on one line."""
    found = _SENTENCE.match(text)
    return " ".join((found[1] if found else text).split())


def _tool_row(tool: Tool, schema: Mapping[str, Any]) -> tuple[str, ...]:
    about = first_sentence(tool.description)
    scope, role = tool.scope.value, tool.minimum_role.value
    return f"`{tool.name}`", about, scope, role, _format_limits(schema), _format_kind(tool)


def _format_kind(tool: Tool) -> str:
    hints = tool.annotations
    if hints.read_only_hint:
        return "reads"
    words = ["writes"]
    if hints.destructive_hint:
        words.append("may overwrite")
    if hints.idempotent_hint:
        words.append("idempotent")
    if hints.open_world_hint:
        words.append("fetches from the marketplace")
    return ", ".join(words)


def _format_limits(schema: Mapping[str, Any]) -> str:
    """Return the limits of numbers and of lengths of lists."""
    limits = (_format_limit(name, each) for name, each in schema.get("properties", {}).items())
    return "; ".join(each for each in limits if each)


def _format_limit(name: str, about: Mapping[str, Any]) -> str | None:
    """Return an argument's limit, None where it has none; nullable ones have it one level down."""
    for each in (about, *about.get("anyOf", ())):
        least, most = each.get("minimum"), each.get("maximum")
        if least is not None and most is not None:
            return f"`{name}` {least}–{most}"
        if "maxItems" in each:
            return f"`{name}` up to {each['maxItems']}"
    return None


def _resource_row(resource: Resource) -> tuple[str, ...]:
    return f"`{resource.uri}`", first_sentence(resource.description)


def _prompt_row(prompt: Prompt) -> tuple[str, ...]:
    arguments = [
        f"`{name}`" if argument.is_required() else f"`{name}` (optional)"
        for name, argument in prompt.arguments.model_fields.items()
    ]
    return f"`{prompt.name}`", first_sentence(prompt.description), ", ".join(arguments)


def _format_glossary() -> str:
    parts = []
    for subject in GLOSSARY:
        rows = ((f"**{term.word}**", _meaning(term)) for term in subject.terms)
        parts.append(f"### {subject.title}\n\n{_table(('word', 'meaning'), rows)}")
    return "\n\n".join(parts)


def _meaning(term: Term) -> str:
    other = term.not_to_be_taken_for
    return term.meaning if other is None else f"{term.meaning} Not: {other}."
