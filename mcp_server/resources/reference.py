"""What fields and words mean: the same for everybody."""

from typing import Annotated

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.field_reference import PRODUCT, SNAPSHOT, FieldMeaning
from core.glossary import GLOSSARY, Subject
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.resources import resource
from mcp_server.results.base import ResultPart


class FieldRow(ResultPart):
    """A field and what it says."""

    name: str
    unit: Annotated[str | None, Described(description="Null: it has none.")]
    meaning: str
    when_null: Annotated[str | None, Described(description="Null: the field never is.")]


class ProductSchema(ResultPart):
    """Every field that is known of a product."""

    product: list[FieldRow]
    snapshot: list[FieldRow]


class WordRow(ResultPart):
    """A word and what it means here."""

    word: str
    meaning: str
    not_to_be_taken_for: str | None


class SubjectRows(ResultPart):
    """Words about one subject."""

    subject: str
    terms: list[WordRow]


class Glossary(ResultPart):
    """The words of this project."""

    subjects: list[SubjectRows]


@resource("schema://product", Permission.READ, "Fields of a product")
def product_schema(call: Call) -> ProductSchema:  # noqa: ARG001
    """Every field of a product as tools tell it, and of a snapshot as it is stored: unit,
    meaning, and what it means when it is null."""
    return ProductSchema(product=_fields(PRODUCT), snapshot=_fields(SNAPSHOT))


@resource("glossary://terms", Permission.READ, "Glossary")
def glossary(call: Call) -> Glossary:  # noqa: ARG001
    """The words that pages, tools and answers use, each with what it means here."""
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
