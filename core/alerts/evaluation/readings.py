"""Builds what rules read: accepted values of each second, by condition. Never commits."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.alerts.evaluation.competitor_prices import compare_with_cheapest
from core.alerts.evaluation.day_figures import DayQuestion, read_day_figures
from core.alerts.evaluation.fold import Measured, Reading
from core.alerts.evaluation.memory_json import dump_measured, load_measured
from core.alerts.evaluation.series import ReadingPlan, Series, list_series
from core.alerts.evaluation.snapshot_values import (
    Observed,
    Span,
    add_values,
    before,
    find_first_sellers,
    floor_second,
    read_known,
    read_observed,
    read_series,
)
from core.alerts.evaluation.team_values import TeamFacts, read_listing_edits
from core.alerts.rules.rule import AlertRule, Subject
from core.catalog.marketplaces import get_marketplace
from core.catalog.models import Product
from core.runtime import gc_pause

# The newest values before, by the keys of their series, as `memory_json` writes them.
Known = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class ProductReadings:
    """What was observed of a product in a time, and its values before that."""

    observed: Sequence[Observed]
    known: Known


def read_products(
    session: Session, spans: Sequence[Span], plan: ReadingPlan, known: Mapping[int, Known]
) -> dict[int, ProductReadings]:
    """Return what was observed in each product's span. `known`: the values before them."""
    if not spans:
        return {}
    observed = read_observed(session, spans, plan)
    if plan.of_teams or plan.of_days:
        marketplaces = _find_marketplaces(session, [each.product_id for each in spans])
        _add_team_values(session, spans, observed, plan, marketplaces, known)
        _add_day_figures(session, observed, plan, marketplaces)
    return {
        span.product_id: ProductReadings(
            observed.get(span.product_id, ()), known.get(span.product_id, {})
        )
        for span in spans
    }


def read_products_anew(
    session: Session, spans: Sequence[Span], plan: ReadingPlan
) -> dict[int, ProductReadings]:
    """Return what was observed in each product's span; the values before are read as well."""
    starts = [Span(each.product_id, floor_second(each.since), each.until) for each in spans]
    found = read_known(session, [(each.product_id, each.since) for each in starts], plan)
    if plan.of_teams:
        marketplaces = _find_marketplaces(session, found)
        facts = TeamFacts(session, plan.of_teams, marketplaces)
        begins = {each.product_id: each.since for each in starts}
        for number, values in found.items():
            values.update(facts.make_values(number, values, before(begins[number])))
        priced = list(found.items())
        shares = compare_with_cheapest(session, plan.of_teams, priced)
        for (_, values), share in zip(priced, shares, strict=True):
            values.update(share)
        edits = read_listing_edits(
            session, plan, {each.product_id: before(each.since) for each in starts}
        )
        for number, of_product in edits.items():
            found[number].update(of_product)
    known = {
        number: {key: dump_measured(measured) for key, measured in values.items()}
        for number, values in found.items()
    }
    return read_products(session, starts, plan, known)


def _add_team_values(
    session: Session,
    spans: Sequence[Span],
    observed: dict[int, list[Observed]],
    plan: ReadingPlan,
    marketplaces: Mapping[int, str],
    known: Mapping[int, Known],
) -> None:
    """Add the values that each team has of its own. `known`: the values before the spans."""
    if not plan.of_teams:
        return
    facts = TeamFacts(session, plan.of_teams, marketplaces)
    for number, rows in observed.items():
        for each in rows:
            each.values.update(facts.make_values(number, each.values, each.at))
    for span in spans:
        _add_changed_limits(span, observed, facts, known.get(span.product_id, {}))
    priced = [(number, each.values) for number, rows in observed.items() for each in rows]
    shares = compare_with_cheapest(session, plan.of_teams, priced)
    for (_, values), share in zip(priced, shares, strict=True):
        values.update(share)
    edited = {each.product_id: each for each in spans}
    edits = read_listing_edits(
        session, plan, {number: each.until for number, each in edited.items()}
    )
    for number, of_product in edits.items():
        for key, measured in of_product:
            if measured.at >= edited[number].since:
                add_values(observed.setdefault(number, []), measured.at, {key: measured})


def _add_changed_limits(
    span: Span, observed: dict[int, list[Observed]], facts: TeamFacts, known: Known
) -> None:
    """Add where the last price stands against limits that a team changed in a product's span."""
    if span.until is None:
        return
    for at in facts.list_changes(span.product_id, span.since, span.until):
        rows = observed.get(span.product_id, [])
        before_it = [each.values.get(_PRICE) for each in rows if each.at <= at]
        prices = [each for each in before_it if each is not None]
        kept = known.get(_PRICE)
        last = prices[-1] if prices else None if kept is None else load_measured(kept)
        if changed := facts.make_changed_limits(span.product_id, last, at):
            add_values(observed.setdefault(span.product_id, []), at, changed)


_PRICE: Final = Subject.PRICE.value


def load_known(known: Known, series: Sequence[Series]) -> list[Measured | None]:
    """Return the values before of a rule's conditions, which watch these series."""
    found = (known.get(each.key) for each in series)
    return [None if each is None else load_measured(each) for each in found]


def find_newest(readings: ProductReadings, keys: Collection[str]) -> Known:
    """Return the newest value of each series with these keys, after the readings."""
    newest = {key: each for key, each in readings.known.items() if key in keys}
    for each in readings.observed:
        for key, measured in each.values.items():
            if key in keys:
                newest[key] = dump_measured(measured)
    return newest


def list_readings(observed: Iterable[Observed], series: Sequence[Series]) -> Iterator[Reading]:
    """Yield the readings of a rule, whose conditions watch these series."""
    keys = [(each.key, each.days) for each in series]
    if len(keys) == 1 and not keys[0][1]:  # most rules: no reading where nothing is reported
        [(key, _)] = keys
        for each in observed:
            measured = each.values.get(key)
            if measured is not None:
                yield Reading(each.at, (measured,))
        return
    for each in observed:
        yield Reading(
            each.at,
            tuple(
                each.figures.get((key, days)) if days else each.values.get(key)
                for key, days in keys
            ),
        )


def read_rule_readings(
    session: Session,
    rule: AlertRule,
    team_id: int,
    product_ids: Collection[int],
    since: datetime,
    until: datetime,
) -> dict[int, list[Reading]]:
    """Return the readings of a team's rule for products from `since` to before `until`.

    The first reading of a product, if it was observed before, is of its values before `since`.
    """
    series = list_series(rule, team_id)
    spans = [Span(each, since, until - timedelta(microseconds=1)) for each in sorted(product_ids)]
    plan = ReadingPlan(series)
    with gc_pause.paused_gc():  # many small objects, of which none is garbage
        if spans and len(series) == 1 and plan.is_one_series:
            return _read_one_series(session, spans, plan)
        found = read_products_anew(session, spans, plan)
        return {
            number: [*_reading_before(each.known, series), *list_readings(each.observed, series)]
            for number, each in found.items()
        }


def _read_one_series(
    session: Session, spans: Sequence[Span], plan: ReadingPlan
) -> dict[int, list[Reading]]:
    """Return the readings of a rule with one condition on values of snapshots alone."""
    [series] = plan.of_snapshots
    starts = [Span(each.product_id, floor_second(each.since), each.until) for each in spans]
    known = read_known(session, [(each.product_id, each.since) for each in starts], plan)
    found = read_series(session, starts, series)
    return {
        number: [
            *(Reading(each.at, (each,)) for each in values.values()),
            *found.get(number, ()),
        ]
        for number, values in known.items()
    }


def _reading_before(known: Known, series: Sequence[Series]) -> list[Reading]:
    measured = tuple(load_known(known, series))
    times = [each.at for each in measured if each is not None]
    return [Reading(max(times), measured)] if times else []


# Days before


def _add_day_figures(
    session: Session,
    observed: Mapping[int, Sequence[Observed]],
    plan: ReadingPlan,
    marketplaces: Mapping[int, str],
) -> None:
    """Add to values the figures of the days before them, for the series that need them."""
    for series in plan.of_days:
        places = [
            (number, each, each.values[series.key])
            for number, rows in observed.items()
            for each in rows
            if series.key in each.values
        ]
        if series.subject is Subject.SELLER:
            asked = [(number, measured) for number, _, measured in places]
            for (_, each, measured), is_first in zip(
                places, find_first_sellers(session, asked, series.days), strict=True
            ):
                each.figures[series.key, series.days] = measured._replace(is_first=is_first)
            continue
        questions = [
            DayQuestion(number, _day_of(marketplaces[number])(each.at), measured.scope)
            for number, each, measured in places
        ]
        figures = read_day_figures(session, series.subject, series.days, questions)
        for (_, each, measured), found in zip(places, figures, strict=True):
            each.figures[series.key, series.days] = measured._replace(
                average=found.average, low=found.low, high=found.high
            )


def _find_marketplaces(session: Session, product_ids: Iterable[int]) -> dict[int, str]:
    rows = session.execute(
        select(Product.id, Product.marketplace).where(Product.id.in_(list(product_ids)))
    )
    return {each.id: each.marketplace for each in rows}


@lru_cache(maxsize=64)
def _day_of(marketplace: str) -> Callable[[datetime], date]:
    """Return the function from a moment to a marketplace's date."""
    zone = ZoneInfo(get_marketplace(marketplace).time_zone)
    return lambda at: at.astimezone(zone).date()
