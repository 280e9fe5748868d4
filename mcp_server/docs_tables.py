"""What the server has, as tables for people: printed, and kept in docs/AGENTS.md between marks."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.glossary import GLOSSARY, Term
from core.settings.environment import ROOT
from mcp_server.protocol.prompts import PROMPTS, Prompt
from mcp_server.protocol.resources import RESOURCES, Resource
from mcp_server.protocol.tools import TOOLS, Tool, tools_of_the_sdk

DOCUMENT = ROOT / "docs" / "AGENTS.md"
_MARK = re.compile(r"(<!-- begin (\w+)[^>]*-->\n).*?(<!-- end \2 -->)", re.DOTALL)
_SENTENCE = re.compile(r"(.+?[.?!])(?:\s|$)", re.DOTALL)


def make_tables() -> dict[str, str]:
    """Return every table by its name, as Markdown."""
    schemas = {each.name: each.parameters for each in tools_of_the_sdk()}
    return {
        "tools": _table(
            ("tool", "what it does", "scope", "role", "limits", "kind"),
            (_tool(each, schemas[each.name]) for each in TOOLS.values()),
        ),
        "resources": _table(("address", "what it holds"), map(_resource, RESOURCES.values())),
        "prompts": _table(("prompt", "what for", "arguments"), map(_prompt, PROMPTS.values())),
        "glossary": _glossary(),
    }


def with_tables(document: str) -> str:
    """Return a document with what stands between its marks written anew.

    A mark is `<!-- begin NAME … -->` on a line of its own, up to `<!-- end NAME -->`.
    """
    known = make_tables()
    return _MARK.sub(lambda found: f"{found[1]}\n{known[found[2]]}\n\n{found[3]}", document)


def write_document(path: Path = DOCUMENT) -> bool:
    """Bring the document up to date; return whether anything in it changed."""
    before = path.read_text(encoding="utf-8")
    after = with_tables(before)
    path.write_text(after, encoding="utf-8")
    return after != before


def format_tables() -> str:
    """Return all tables, one below the other."""
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


def _tool(tool: Tool, schema: Mapping[str, Any]) -> tuple[str, ...]:
    about = first_sentence(tool.description)
    scope, role = tool.scope.value, tool.least_role.value
    return f"`{tool.name}`", about, scope, role, _limits(schema), _kind(tool)


def _kind(tool: Tool) -> str:
    hints = tool.annotations
    if hints.read_only_hint:
        return "reads"
    words = ["writes"]
    if hints.destructive_hint:
        words.append("may overwrite")
    if hints.idempotent_hint:
        words.append("twice does it once")
    if hints.open_world_hint:
        words.append("asks the marketplace")
    return ", ".join(words)


def _limits(schema: Mapping[str, Any]) -> str:
    """Return the bounds of arguments that have some: numbers, and lengths of lists."""
    told = (_bound(name, each) for name, each in schema.get("properties", {}).items())
    return "; ".join(each for each in told if each)


def _bound(name: str, about: Mapping[str, Any]) -> str | None:
    """Return an argument's bounds; one that may be null has them one level down."""
    for each in (about, *about.get("anyOf", ())):
        least, most = each.get("minimum"), each.get("maximum")
        if least is not None and most is not None:
            return f"`{name}` {least}–{most}"
        if "maxItems" in each:
            return f"`{name}` up to {each['maxItems']}"
    return None


def _resource(resource: Resource) -> tuple[str, ...]:
    return f"`{resource.uri}`", first_sentence(resource.description)


def _prompt(prompt: Prompt) -> tuple[str, ...]:
    arguments = [
        f"`{name}`" if argument.is_required() else f"`{name}` (or left out)"
        for name, argument in prompt.arguments.model_fields.items()
    ]
    return f"`{prompt.name}`", first_sentence(prompt.description), ", ".join(arguments)


def _glossary() -> str:
    parts = []
    for subject in GLOSSARY:
        rows = ((f"**{term.word}**", _meaning(term)) for term in subject.terms)
        parts.append(f"### {subject.title}\n\n{_table(('word', 'meaning'), rows)}")
    return "\n\n".join(parts)


def _meaning(term: Term) -> str:
    other = term.not_to_be_taken_for
    return term.meaning if other is None else f"{term.meaning} Not: {other}."
