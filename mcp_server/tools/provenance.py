"""The source of a value."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import get_marketplace
from core.database.session import read_scope
from core.history.current import missing_values
from core.history.labels import flag_reasons
from core.history.product_summary import ProductSummary
from core.history.provenance import text
from core.history.provenance.provenance import Column, Fetch, Import
from core.history.provenance.queries import Origin, find_origin
from core.text.numbers import UNKNOWN
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import ProductName, ensure_time_zone
from mcp_server.results.base import (
    Moment,
    Number,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    format_moment,
    format_moment_or_none,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.period import convert_stored, product_fields
from mcp_server.results.product_lookup import find_product
from mcp_server.results.units import availability_name


class OfFetch(ResultPart):
    """The run that fetched it."""

    run: int
    provider: str
    actor: str
    run_at_provider: Annotated[str | None, Described(description="The provider's id.")]
    parser_version: Annotated[
        int | None, Described(description="Null: parsed before versions were stored.")
    ]
    is_original_kept: Annotated[
        bool,
        Described(description="False: the original item was deleted by retention."),
    ]


class OfImport(ResultPart):
    """The imported file or pasted text."""

    import_id: int
    name: Untrusted
    kind: str
    file_sha256: Annotated[
        str | None, Described(description="Null: another team's file, or unknown.")
    ]
    person: Untrusted
    imported_at: Moment


class ValueOrigin(ProductRef, Result):
    """A value and its source."""

    value_of: Annotated[str, Described(description="The requested value.")]
    value: Annotated[Number | str | None, Described(description="Null: see `value_in_words`.")]
    unit: str
    value_in_words: str
    unreadable: Annotated[
        Untrusted | None,
        Described(description="The text that could not be parsed; null: none."),
    ]
    why_unknown: Annotated[
        str | None, Described(description="Why there is no value; null: there is one.")
    ] = None
    is_newest: Annotated[bool, Described(description="True: the current value.")]
    said_by: str | None
    seen_at: Annotated[Moment | None, Described(description="Observation time, by the source.")]
    stored_at: Annotated[
        Moment | None, Described(description="Null: not given by the run or file.")
    ]
    outcome: str | None
    doubts: Annotated[list[str], Described(description="Why it is flagged; empty: it is not.")]
    field_in_original: Annotated[
        str | None, Described(description="Null: a table column, or unknown.")
    ]
    fetch: OfFetch | None
    imported: OfImport | None
    is_demo: Annotated[bool, Described(description="True: an invented product.")]


_UNITS = {
    "bsr": "place in its category, 1 is the best",
    "rating": "stars, 1 to 5",
    "ratings_count": "ratings",
    "availability": "state",
    "stock_left": "items, as stated on the page",
}
_GROUPS: dict[str, missing_values.Group] = {
    "price": "price",
    "list_price": "price",
    "bsr": "bsr",
    "rating": "rating",
    "ratings_count": "rating",
    "availability": "availability",
    "stock_left": "availability",
}


@tool(Permission.READ, "Explain a value")
def explain_value(
    call: Call,
    product: ProductName,
    value: Annotated[
        Literal[Column, "rank"],
        Described(description="rank and bsr are the same."),
    ],
    at: Annotated[
        datetime | None,
        Described(
            description="The value as of this time. Default: the newest.",
        ),
    ] = None,
) -> ValueOrigin:
    """Return the source of a product's value: provider, time, run or import, original field,
    parser version, and whether it is flagged.

    Use it before relying on a surprising figure. The original item is not returned.
    """
    with read_scope() as session:
        head = find_product(session, call.principal, product)
        column: Column = "bsr" if value == "rank" else value
        found = find_origin(session, call.principal, head, column, at and ensure_time_zone(at))
    if found is None:
        return _make_unknown(head, column, at, call.now)
    return _make_origin(head, column, found)


def _make_unknown(
    head: ProductSummary, column: Column, at: datetime | None, now: datetime
) -> ValueOrigin:
    why = missing_values.blank_reason(head, _GROUPS[column], now, column=column)
    if at is not None and head.captured_at is not None:
        why = "no check at or before this time reports it"
    name = f"{format_product_name(head.marketplace, head.asin)} {quote_text(head.title)}"
    return ValueOrigin(
        **product_fields(head),
        value_of=column,
        value=None,
        unit=_unit(head, column),
        value_in_words=UNKNOWN,
        unreadable=mark_untrusted(missing_values.unreadable_text(head, _GROUPS[column], column)),
        why_unknown=why,
        is_newest=at is None,
        said_by=None,
        seen_at=None,
        stored_at=None,
        outcome=None,
        doubts=[],
        field_in_original=None,
        fetch=None,
        imported=None,
        is_demo=head.is_demo,
        summary=f"{column} of {name}: {why}. `get_fetch_status` explains more.",
    )


def _make_origin(head: ProductSummary, column: Column, found: Origin) -> ValueOrigin:
    origin = found.provenance
    name = f"{format_product_name(head.marketplace, head.asin)} {quote_text(head.title)}"
    shown = text.format_value(origin, head.marketplace)
    source, seen_at = text.source_text(origin), format_moment(origin.captured_at)
    flags = flag_reasons(origin.flags)
    return ValueOrigin(
        **product_fields(head),
        value_of=column,
        value=_convert(head, column, origin.value),
        unit=_unit(head, column),
        value_in_words=shown,
        unreadable=mark_untrusted(origin.unreadable),
        is_newest=found.is_newest,
        said_by=source,
        seen_at=seen_at,
        stored_at=format_moment_or_none(origin.stored_at),
        outcome=origin.outcome.value,
        doubts=flags,
        field_in_original=origin.original_field,
        fetch=_fetch(origin.fetch),
        imported=_import(origin.imported),
        is_demo=origin.is_demo,
        summary=f"{column} of {name}: {shown}, from {source}, observed at {seen_at}."
        + (f" Flagged: {' '.join(flags)}" if flags else ""),
    )


def _convert(head: ProductSummary, column: Column, stored: int | None) -> int | float | str | None:
    if stored is None:
        return None
    if column == "availability":
        return availability_name(stored)
    return convert_stored(column, stored, head.marketplace)


def _unit(head: ProductSummary, column: Column) -> str:
    return _UNITS.get(column) or get_marketplace(head.marketplace).currency


def _fetch(fetch: Fetch | None) -> OfFetch | None:
    if fetch is None:
        return None
    return OfFetch(
        run=fetch.run_id,
        provider=fetch.provider,
        actor=fetch.actor,
        run_at_provider=fetch.outside_run_id,
        parser_version=fetch.parser_version,
        is_original_kept=fetch.is_original_kept,
    )


def _import(imported: Import | None) -> OfImport | None:
    if imported is None:
        return None
    return OfImport(
        import_id=imported.import_id,
        name=Untrusted(untrusted=imported.name),
        kind=imported.kind,
        file_sha256=imported.file_hash,
        person=Untrusted(untrusted=imported.person),
        imported_at=format_moment(imported.imported_at),
    )
