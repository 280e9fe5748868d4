"""Reads of suggestions. Decisions must show at once, so nothing is cached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy.orm import Session

from app.data import get_principal
from app.data.prebuilt_figure import FigureBody, pack_figure
from app.data.product.period import WHOLE_HISTORY, PeriodView
from core.accounts.access.permissions import Permission, Principal
from core.catalog.marketplaces import get_marketplace
from core.chart_theme import money_style
from core.database.session import read_scope
from core.history.current import competitor_values
from core.history.current.competitor_values import CompetitorValues
from core.history.product_summary import ProductSummary
from core.settings.environment import get_settings
from core.suggestions.advice_queue import queries as advice_queries
from core.suggestions.advice_queue.queries import AdviceProgress, AdvisorAnswer
from core.suggestions.changes.publication import Preview
from core.suggestions.execution import export
from core.suggestions.execution.change_set import ChangeSet
from core.suggestions.llm.config import ModelAddress, read_model_address
from core.suggestions.llm.daily_stats import ModelDay, get_model_day
from core.suggestions.queue_filter import QueueFilter
from core.suggestions.review import charts, listing_preview, queries, service
from core.suggestions.review.views import Event, QueuePage, QueuePlace, QueueRow, SuggestionView
from core.suggestions.rules import ActionState, Change, Kind
from core.tracking.competitors import queries as competitor_sets
from core.tracking.competitors.queries import OwnProduct
from core.tracking.price_caps import queries as price_caps
from core.tracking.price_caps.rules import PriceCaps

PAGE_SIZE = 50
MOST_REQUESTED = 1000  # products in one request
_TO_DO = {ActionState.APPLIED, ActionState.UNSEEN, ActionState.UNDONE}
_RANGES = (90, 180, 365)  # days that a chart of evidence may show; beyond them everything


@dataclass(frozen=True, slots=True)
class SuggestionDetails:
    """All that a suggestion's page shows, except its product's history."""

    view: SuggestionView
    events: list[Event]
    earlier: list[QueueRow]
    place: QueuePlace | None  # None: not pending
    next_pending: int | None
    before: Preview
    caps: PriceCaps
    change_set: ChangeSet | None  # None: nothing to do by hand


def read_queue(queue_filter: QueueFilter, page: int) -> QueuePage:
    """Return a page of the queue; the first one where the requested page doesn't exist."""
    found = _read_queue(queue_filter, page)
    return _read_queue(queue_filter, 1) if found.counts.total and not found.rows else found


def _read_queue(queue_filter: QueueFilter, page: int) -> QueuePage:
    with read_scope() as session:
        return queries.read_queue(
            session, get_principal(), queue_filter, page, PAGE_SIZE, datetime.now(UTC)
        )


def find_suggestion(suggestion_id: int) -> SuggestionDetails | None:
    """Return a suggestion as it is now, None when the team has no suggestion of this id."""
    who, now = get_principal(), datetime.now(UTC)
    with read_scope() as session:
        view = queries.find_suggestion(session, who, suggestion_id, now)
        if view is None:
            return None
        product_id = view.row.product_id
        earlier = queries.list_product_suggestions(session, who, product_id, now)
        return SuggestionDetails(
            view=view,
            change_set=_change_set(session, who, view),
            events=queries.list_events(session, who, suggestion_id),
            earlier=[each for each in earlier if each.id != suggestion_id],
            place=queries.find_place(session, who, suggestion_id, now),
            next_pending=queries.find_first_pending(session, who, now),
            before=listing_preview.read_current_preview(session, product_id),
            caps=price_caps.get_price_caps(session, who, product_id),
        )


def _change_set(session: Session, who: Principal, view: SuggestionView) -> ChangeSet | None:
    """Return what a seller has to do by hand, None when nothing is open."""
    is_open = any(
        action.change.kind is not Kind.TRACKING and action.state in _TO_DO
        for action in view.actions
    )
    if not is_open or not who.may(Permission.TRACK):
        return None
    return export.export_change_set(session, who, [view.row.id])


def list_product_suggestions(product_id: int) -> list[QueueRow]:
    """Return the team's suggestions about a product, newest first."""
    with read_scope() as session:
        return queries.list_product_suggestions(
            session, get_principal(), product_id, datetime.now(UTC)
        )


def get_model_address() -> ModelAddress:
    """Return the configured model, or why there is none."""
    return read_model_address(get_settings())


def read_model_day() -> ModelDay:
    """Return the model's statistics of today (UTC) for the team."""
    with read_scope() as session:
        return get_model_day(session, get_principal(), datetime.now(UTC))


def requires_second_approver() -> bool:
    """Return whether another user than the requester must approve a suggestion."""
    with read_scope() as session:
        return service.requires_second_approver(session, get_principal().team_id)


def read_advice_progress(product_ids: Sequence[int], since: datetime) -> AdviceProgress:
    """Return how far the advisors are with requested products."""
    with read_scope() as session:
        return advice_queries.get_advice_progress(
            session, get_principal(), product_ids, since, datetime.now(UTC)
        )


def list_own_product_ids() -> list[int]:
    """Return the ids of the team's own products, at most those of one request."""
    with read_scope() as session:
        return advice_queries.list_own_product_ids(session, get_principal(), MOST_REQUESTED)


def list_advisor_answers(product_ids: Sequence[int], since: datetime) -> list[AdvisorAnswer]:
    """Return the advisors' answers about products since a time."""
    with read_scope() as session:
        return advice_queries.list_advisor_answers(session, get_principal(), product_ids, since)


def list_competitors(product_id: int) -> list[CompetitorValues]:
    """Return the chosen competitors of a product."""
    with read_scope() as session:
        return competitor_values.list_competitors(session, get_principal(), product_id)


def list_own_products(marketplace: str) -> list[OwnProduct]:
    """Return the team's own products of a marketplace."""
    with read_scope() as session:
        return competitor_sets.list_own_products(session, get_principal(), marketplace)


def get_price_caps(product_id: int) -> PriceCaps:
    """Return a product's price caps."""
    with read_scope() as session:
        return price_caps.get_price_caps(session, get_principal(), product_id)


# The chart


def count_chart_days(view: SuggestionView, now: datetime) -> int:
    """Return the shortest range in days whose chart shows all drawn evidence (0: all)."""
    times = [
        key.captured_at for each in view.evidence if charts.is_drawn(each) for key in each.snapshots
    ]
    oldest = (now - min(times)).days + 1 if times else 0
    return next((days for days in _RANGES if days >= oldest), WHOLE_HISTORY)


def build_evidence_chart(
    head: ProductSummary, period: PeriodView, view: SuggestionView
) -> FigureBody:
    """Return the product's chart with the evidence and a proposed price drawn on it."""
    place = get_marketplace(head.marketplace)
    money = money_style(place.currency, place.locale)
    zone = ZoneInfo(get_principal().time_zone)
    traces = charts.draw_evidence(view.evidence, head.product_id, money, zone)
    layout: dict[str, Any] = {
        name: orjson.loads(value) for name, value in period.chart.layout.items()
    }
    between = layout.get("xaxis", {}).get("range")
    for action in view.actions:
        price = action.new_values.get("price")
        if action.change is Change.UPDATE_PRICE and isinstance(price, int) and between:
            traces.append(charts.draw_proposed_price(price, between, money))
    charts.widen_price_range(layout, traces)
    added = pack_figure({"data": traces, "layout": layout})
    return FigureBody(period.chart.traces + added.traces, added.layout)
