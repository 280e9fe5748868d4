"""Comparing products side by side."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field as Described
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import minor_units
from core.database.session import read_scope
from core.errors import InvalidInputError
from core.history.current import missing_values, ranking
from core.history.current.missing_values import Group
from core.history.current.ranking import NotComparable, Place
from core.history.product_summary import ProductSummary
from core.history.timeline import series, statistics_text
from core.history.timeline.period import read_timeline
from core.history.timeline.statistics import FieldStatistics, MissingReason, missing_statistics
from core.text.numbers import format_percent_change, format_rank_change
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import Days, ProductName, Until, resolve_period
from mcp_server.results.base import (
    Moment,
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
from mcp_server.results.period import (
    FigureOrReason,
    FirstObserved,
    FormatChange,
    make_figure,
    product_fields,
)
from mcp_server.results.product_details import format_values
from mcp_server.results.product_lookup import find_product
from mcp_server.results.units import availability_name

TwoToTen = Annotated[
    list[ProductName],
    Described(
        min_length=2,
        max_length=10,
    ),
]


class Compared(ResultPart):
    """One value of a product, with its place among the others."""

    now: FigureOrReason
    unit: str
    seen_at: Annotated[Moment | None, Described(description="Null: never reported.")]
    place: Annotated[
        int | None,
        Described(
            description="1: lowest price, best rank, best rating or most ratings among comparable "
            "products; null: see `cannot_compare`."
        ),
    ]
    place_of: Annotated[int | None, Described(description="Number of comparable products.")]
    start: FirstObserved
    low: FigureOrReason
    high: FigureOrReason
    change: Annotated[
        str | None,
        Described(description="From `start` to the last value in the period; null: unknown."),
    ]


class ComparedProduct(ProductRef):
    """A product of the comparison."""

    title: Untrusted | None
    currency: str
    price: Compared
    rank: Annotated[Compared, Described(description="Best Sellers Rank: `low` is the best.")]
    rank_category: Untrusted | None
    rating: Compared
    ratings_count: Compared
    availability: Annotated[str | None, Described(description="Null: unknown.")]
    looked_at: Annotated[Moment | None, Described(description="Last check; null: never checked.")]
    is_demo: bool


class CannotCompare(ResultPart):
    """Why values of these products can't be compared; null: they can."""

    price: str | None
    rank: str | None
    rating: str | None
    ratings_count: str | None


class Comparison(Result):
    """Products side by side, in the order of the arguments."""

    since: Moment
    until: Moment
    total: int
    truncated: Annotated[bool, Described(description="Always false.")] = False
    cannot_compare: CannotCompare
    products: list[ComparedProduct]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of value: its field, format and comparability."""

    name: str
    field: series.Field
    group: Group
    change: FormatChange
    reason: NotComparable
    smallest_first: bool

    def value(self, head: ProductSummary) -> int | None:
        found: int | None = getattr(head, self.field.column)
        return found

    def unit(self, head: ProductSummary) -> tuple[str, float]:
        """Return the unit in results, and the stored units per result unit."""
        if self.name == "price":
            currency = get_marketplace(head.marketplace).currency
            return currency, float(minor_units(currency))
        return _UNITS[self.name]

    def groups(self, heads: Sequence[ProductSummary]) -> list[Hashable]:
        return [ranking.group_of(head, self.field.column) for head in heads]


_UNITS = {
    "rank": ("place in its category, 1 is the best", 1.0),
    "rating": ("stars, 1 to 5", 10.0),
    "ratings_count": ("ratings", 1.0),
}
_KINDS = (
    _Kind("price", series.PRICE, "price", format_percent_change, NotComparable.CURRENCIES, True),
    _Kind("rank", series.RANK, "bsr", format_rank_change, NotComparable.CATEGORIES, True),
    _Kind(
        "rating",
        series.RATING,
        "rating",
        statistics_text.rating_change,
        NotComparable.UNKNOWN,
        False,
    ),
    _Kind(
        "ratings_count",
        series.RATINGS_COUNT,
        "rating",
        statistics_text.count_change,
        NotComparable.UNKNOWN,
        False,
    ),
)

Spans = dict[str, FieldStatistics]


@tool(Permission.READ, "Compare products")
def compare_products(
    call: Call, products: TwoToTen, days: Days = 30, until: Until = None
) -> Comparison:
    """Compare products side by side: current price, rank, rating and ratings count, the place of
    each, and its change in the period. For a product's chosen competitors use
    `get_competitor_analysis`."""
    since, end = resolve_period(days, until, call.now)
    heads: list[ProductSummary] = []
    spans: list[Spans] = []
    with read_scope() as session:
        for name in products:
            head = find_product(session, call.principal, name)
            call.report(len(heads), len(products), f"Reading {head.marketplace}:{head.asin}.")
            heads.append(head)
            spans.append(_read_spans(session, head, since, end))
    _refuse_duplicates(heads)
    call.report(len(products), len(products), "All products read.")
    return _make_comparison(
        call, heads, spans, since=format_moment(since), until=format_moment(end)
    )


def _read_spans(session: Session, head: ProductSummary, since: datetime, until: datetime) -> Spans:
    if head.history_key is None:
        nothing = missing_statistics(MissingReason.NO_OBSERVATION)
        return {kind.name: nothing for kind in _KINDS}
    fields = [kind.field for kind in _KINDS]
    timeline = read_timeline(session, head.history_key, since, until, fields)
    return {kind.name: timeline.compute_field_statistics(kind.field) for kind in _KINDS}


def _refuse_duplicates(heads: Sequence[ProductSummary]) -> None:
    names = [format_product_name(head.marketplace, head.asin) for head in heads]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInputError(f"{', '.join(twice)} is given twice. Give each product once.")


def _make_comparison(
    call: Call, heads: Sequence[ProductSummary], spans: Sequence[Spans], since: str, until: str
) -> Comparison:
    found = {kind.name: _compare_kind(kind, heads, spans, call) for kind in _KINDS}
    reasons = {
        kind.name: ranking.why_not_comparable(
            [kind.value(head) for head in heads],
            kind.groups(heads),
            kind.reason,
        )
        for kind in _KINDS
    }
    cannot_compare = CannotCompare(**{name: why and str(why) for name, why in reasons.items()})
    return Comparison(
        since=since,
        until=until,
        total=len(heads),
        cannot_compare=cannot_compare,
        products=[
            _make_product(head, {name: values[number] for name, values in found.items()})
            for number, head in enumerate(heads)
        ],
        summary=_summarize(heads, cannot_compare),
    )


def _compare_kind(
    kind: _Kind, heads: Sequence[ProductSummary], spans: Sequence[Spans], call: Call
) -> list[Compared]:
    places = ranking.rank_values(
        [kind.value(head) for head in heads],
        kind.groups(heads),
        smallest_first=kind.smallest_first,
    )
    return [
        _make_value(kind, head, each[kind.name], place, call)
        for head, each, place in zip(heads, spans, places, strict=True)
    ]


def _make_value(
    kind: _Kind, head: ProductSummary, span: FieldStatistics, place: Place | None, call: Call
) -> Compared:
    unit, divisor = kind.unit(head)
    value = kind.value(head)
    why = missing_values.blank_reason(head, kind.group, call.now) if value is None else None
    return Compared(
        now=FigureOrReason(value=None if value is None else value / divisor, why_unknown=why),
        unit=unit,
        seen_at=format_moment_or_none(missing_values.observed_at(head, kind.group)),
        place=place and place.place,
        place_of=place and place.of,
        start=make_figure(span.start, divisor),
        low=make_figure(span.low, divisor),
        high=make_figure(span.high, divisor),
        change=statistics_text.change_text(span, kind.change),
    )


def _make_product(head: ProductSummary, values: dict[str, Compared]) -> ComparedProduct:
    return ComparedProduct(
        **product_fields(head),
        title=mark_untrusted(head.title),
        currency=get_marketplace(head.marketplace).currency,
        rank_category=mark_untrusted(head.bsr_category),
        availability=availability_name(head.availability),
        looked_at=format_moment_or_none(head.captured_at),
        is_demo=head.is_demo,
        price=values["price"],
        rank=values["rank"],
        rating=values["rating"],
        ratings_count=values["ratings_count"],
    )


def _summarize(heads: Sequence[ProductSummary], cannot_compare: CannotCompare) -> str:
    parts = [
        f"{format_product_name(head.marketplace, head.asin)} {quote_text(head.title, 40)}: "
        f"{', '.join(format_values(head))}"
        for head in heads
    ]
    reasons = {"Price": cannot_compare.price, "Rank": cannot_compare.rank}
    notes = [f"{name}: {reason}." for name, reason in reasons.items() if reason]
    return " ".join([f"{'; '.join(parts)}.", *notes])
