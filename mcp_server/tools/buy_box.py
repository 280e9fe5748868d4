"""Who held a product's Buy Box over time."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import minor_units
from core.database.session import read_scope
from core.history.buy_box import text
from core.history.buy_box.changes import find_changes
from core.history.buy_box.holders import Holder, HolderState
from core.history.buy_box.periods import BuyBoxHistory, BuyBoxPeriod, BuyBoxShare
from core.history.buy_box.queries import read_buy_box
from core.history.labels import availability_label
from core.history.product_summary import ProductSummary
from core.history.timeline import statistics_text
from core.tracking.sellers.queries import read_own_sellers
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import Days, ProductName, Until, resolve_period
from mcp_server.results.base import (
    Moment,
    Number,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    format_moment,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.period import PeriodPart, find_history_key, product_fields
from mcp_server.results.product_lookup import find_product

MAX_PERIODS = 100
MAX_SHARES = 50


class BuyBoxSeller(ResultPart):
    """Who holds the Buy Box."""

    state: Annotated[
        HolderState,
        Described(
            description="none: not for sale; suppressed: offers, none featured; unknown: its "
            "seller was not reported."
        ),
    ]
    seller: Annotated[Untrusted | None, Described(description="Name, else id.")]
    is_own: Annotated[bool | None, Described(description="One of the team's own; null: not known.")]
    reason: Annotated[str | None, Described(description="Why no seller holds it.")]


class HeldPeriod(BuyBoxSeller):
    """A period of one holder, without holes."""

    since: Moment
    until: Annotated[Moment, Described(description="Of the newest: when it was last seen.")]
    began_earlier: Annotated[bool, Described(description="Before the requested period.")]
    price: Annotated[Number | None, Described(description="The last; null: not known.")]
    change: Annotated[
        str,
        Described(
            description="How it passed to this holder; empty: not known.",
            examples=["New holder at −4 % of your last price"],
        ),
    ]


class HeldShare(BuyBoxSeller):
    """One holder's part of the time in which the holder is known."""

    share: Annotated[Number, Described(description="0 to 1; all sum to 1.")]
    average_price: Annotated[Number | None, Described(description="Weighted by duration.")]
    fulfilment: Annotated[str | None, Described(examples=["FBA"])]
    last_seen: Moment


class BuyBoxHolders(PeriodPart, ProductRef, Result):
    """Who held a product's Buy Box."""

    currency: Annotated[str, Described(examples=["USD"])]
    shares: Annotated[list[HeldShare], Described(description="Largest first.")]
    shares_total: int
    periods: Annotated[list[HeldPeriod], Described(description="Newest first.")]
    periods_total: int
    why_none: Annotated[str | None, Described(description="Why there are no periods.")]


@tool(Permission.READ, "Buy Box history")
def get_buy_box_history(
    call: Call, product: ProductName, days: Days = 90, until: Until = None
) -> BuyBoxHolders:
    """Return who held a product's Buy Box: periods with seller and price, how it was lost or won,
    and each seller's share of the time.

    Time without checks belongs to no period. Periods over 400 days are by day.
    """
    with read_scope() as session:
        head = find_product(session, call.principal, product)
        key = find_history_key(head, call.now)
        own = read_own_sellers(session, call.principal.team_id)
        bounds = resolve_period(days, until, call.now)
        found = read_buy_box(session, key, *bounds, own)
    currency = get_marketplace(head.marketplace).currency
    cents = minor_units(currency)
    pairs = list(zip(found.periods, find_changes(found), strict=True))[::-1]
    return BuyBoxHolders(
        **product_fields(head),
        since=format_moment(bounds[0]),
        until=format_moment(bounds[1]),
        resolution="days" if found.is_by_day else "looks",
        currency=currency,
        shares=[_make_share(each, cents) for each in found.shares[:MAX_SHARES]],
        shares_total=len(found.shares),
        periods=[
            _make_period(each, text.describe_change(change), cents)
            for each, change in pairs[:MAX_PERIODS]
        ],
        periods_total=len(found.periods),
        why_none=None if found.reason is None else str(found.reason),
        summary=_summarize(head, found, *bounds),
    )


def _seller_fields(holder: Holder) -> dict[str, Any]:
    why = holder.availability
    return {
        "state": holder.state,
        "seller": mark_untrusted(holder.label),
        "is_own": holder.is_own,
        "reason": None if why is None else availability_label(why),
    }


def _make_share(each: BuyBoxShare, cents: int) -> HeldShare:
    return HeldShare(
        **_seller_fields(each.holder),
        share=round(each.share, 4),
        average_price=_in_units(each.average_price, cents),
        fulfilment=None if each.fulfilment is None else text.fulfilment_label(each.fulfilment),
        last_seen=format_moment(each.last_known),
    )


def _make_period(each: BuyBoxPeriod, change: str, cents: int) -> HeldPeriod:
    return HeldPeriod(
        **_seller_fields(each.holder),
        since=format_moment(each.since),
        until=format_moment(each.until),
        began_earlier=each.is_cut,
        price=_in_units(each.last_price, cents),
        change=change,
    )


def _in_units(minor: float | None, cents: int) -> float | None:
    return None if minor is None else round(minor / cents, 2)


def _summarize(head: ProductSummary, found: BuyBoxHistory, since: datetime, until: datetime) -> str:
    name = f"{format_product_name(head.marketplace, head.asin)} {quote_text(head.title)}"
    dates = f"{format_moment(since)} to {format_moment(until)}"
    if not found.periods:
        return f"Buy Box of {name}, {dates}: {found.reason}."
    shares = ", ".join(
        f"{_name(each.holder)} {statistics_text.format_share(each.share)}"
        for each in found.shares[:5]
    )
    now = _name(found.periods[-1].holder)
    return f"Buy Box of {name}, {dates}: last {now}. {shares or 'No seller is known'}."


def _name(holder: Holder) -> str:
    """Return a holder for a sentence; a seller's name is text from outside."""
    if holder.label is None:
        return text.format_holder(holder)
    return f"{quote_text(holder.label, 40)}{' (own)' if holder.is_own else ''}"
