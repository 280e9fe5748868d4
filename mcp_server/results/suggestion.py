"""Values and figures of suggestions, in the units of results."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field as Described

from core.catalog.marketplaces import get_marketplace
from core.suggestions.changes.registry import get_spec
from core.suggestions.review import labels
from core.suggestions.rules import Change, Evidence
from mcp_server.results.base import (
    Moment,
    Number,
    ResultPart,
    Untrusted,
    format_moment_or_none,
    format_product_name,
)
from mcp_server.results.units import to_major_units, to_stars


class ChangeValue(ResultPart):
    """A value of a change: `number` with `unit`, text, or `word`."""

    number: Number | None = None
    unit: Annotated[str | None, Described(description="Of `number`: currency, %, …")] = None
    text: Untrusted | None = None
    texts: Annotated[
        list[Untrusted] | None, Described(description="Bullets, or levels of a category.")
    ] = None
    word: Annotated[
        str | None, Described(description="A cadence, `paused`, `tracked`, or a product.")
    ] = None
    why_unknown: str | None = None


_TEXTS = ("title", "description", "search_terms", "brand")
_LISTS = ("bullets", "category_path")


def make_change_value(change: Change, values: Mapping[str, Any], marketplace: str) -> ChangeValue:
    """Return a value of a change in the units of results."""
    known = {key: value for key, value in values.items() if value not in (None, "", [])}
    currency = get_marketplace(marketplace).currency
    off = get_spec(change).value_suffix
    if change is Change.PAUSE_TRACKING:
        return ChangeValue(word="tracked" if values.get("paused") is False else "paused")
    if "asin" in known:
        return ChangeValue(word=format_product_name(known["marketplace"], known["asin"]))
    if "cadence" in known:
        return ChangeValue(word=known["cadence"])
    for key in ("price", "amount"):
        if key in known:
            return ChangeValue(number=to_major_units(known[key], currency), unit=currency + off)
    if "percent" in known:
        return ChangeValue(number=float(known["percent"]), unit="%" + off)
    if "count" in known:
        return ChangeValue(number=known["count"], unit="images")
    return _make_text_value(change, known)


def _make_text_value(change: Change, known: Mapping[str, Any]) -> ChangeValue:
    for key in _TEXTS:
        if key in known:
            return ChangeValue(text=Untrusted(untrusted=known[key]))
    for key in _LISTS:
        if key in known:
            return ChangeValue(texts=[Untrusted(untrusted=each) for each in known[key]])
    return ChangeValue(why_unknown=get_spec(change).no_value)


class EvidenceFigure(ResultPart):
    """A figure, frozen when it was cited."""

    key: Annotated[str, Described(description="For citing it.")]
    figure: str
    value: Number | str
    unit: Annotated[str, Described(description="Currency, rank (1 is the best), stars, …")]
    period: Annotated[str | None, Described(description="Null: one moment.")]
    seen_at: Annotated[
        Moment | None,
        Described(
            description="Newest check behind it; for listings, the first with this listing. "
            "Null: a rule or setting."
        ),
    ]


def make_evidence_figure(evidence: Evidence) -> EvidenceFigure:
    """Return a figure in the units of results."""
    checks = [each.captured_at for each in evidence.snapshots]
    return EvidenceFigure(
        key=evidence.key,
        figure=evidence.figure,
        value=_value(evidence),
        unit=labels.unit_label(evidence),
        period=evidence.period,
        seen_at=format_moment_or_none(max(checks, default=None)),
    )


def _value(evidence: Evidence) -> int | float | str:
    if isinstance(evidence.value, str):
        return evidence.value
    converted: int | float | None = evidence.value
    if evidence.unit.endswith(" minor"):
        converted = to_major_units(int(evidence.value), evidence.unit.removesuffix(" minor"))
    if evidence.unit == "stars/10":
        converted = to_stars(int(evidence.value))
    return evidence.value if converted is None else converted
