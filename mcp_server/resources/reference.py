"""The meaning of fields and terms."""

from typing import Annotated

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.field_reference import PRODUCT, SNAPSHOT, FieldMeaning
from core.glossary import GLOSSARY, Subject
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.resources import resource
from mcp_server.results.base import ResultPart


class FieldRow(ResultPart):
    """A field and its meaning."""

    name: str
    unit: Annotated[str | None, Described(description="Null: none.")]
    meaning: str
    when_null: Annotated[str | None, Described(description="Null: the field is never null.")]


class ProductSchema(ResultPart):
    """All fields of a product and a snapshot."""

    product: list[FieldRow]
    snapshot: list[FieldRow]


class WordRow(ResultPart):
    """A term and its meaning."""

    word: str
    meaning: str
    not_to_be_taken_for: str | None


class SubjectRows(ResultPart):
    """The terms of one subject."""

    subject: str
    terms: list[WordRow]


class Glossary(ResultPart):
    """The terms of Amazcope."""

    subjects: list[SubjectRows]


@resource("schema://product", Permission.READ, "Fields of a product")
def product_schema(call: Call) -> ProductSchema:  # noqa: ARG001
    """Return all fields of a product in results and of a stored snapshot: unit, meaning, and
    the meaning of null."""
    return ProductSchema(product=_fields(PRODUCT), snapshot=_fields(SNAPSHOT))


@resource("glossary://terms", Permission.READ, "Glossary")
def glossary(call: Call) -> Glossary:  # noqa: ARG001
    """Return the terms of pages, tools and results, with their meanings."""
    return Glossary(subjects=[_subject(each) for each in GLOSSARY])


def _fields(fields: tuple[FieldMeaning, ...]) -> list[FieldRow]:
    return [
        FieldRow(name=each.name, unit=each.unit, meaning=each.meaning, when_null=each.when_null)
        for each in fields
    ]


def _subject(subject: Subject) -> SubjectRows:
    terms = [
        WordRow(word=term.word, meaning=term.meaning, not_to_be_taken_for=term.not_to_be_taken_for)
        for term in subject.terms
    ]
    return SubjectRows(subject=subject.title, terms=terms)
