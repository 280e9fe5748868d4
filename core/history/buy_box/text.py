"""Writes who held a Buy Box: cells of the table of periods and of the shares. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.catalog.money import format_price
from core.history.buy_box.changes import HolderChange, find_changes
from core.history.buy_box.holders import Holder, HolderState
from core.history.buy_box.periods import BuyBoxHistory, BuyBoxPeriod, BuyBoxShare, PeriodEnd
from core.history.labels import availability_label
from core.history.observation import Availability, Fulfilment
from core.text.numbers import format_percent_change
from core.text.times import format_day, format_duration, format_moment, format_span

NONE, NOT_REPORTED = "none", "not reported"
_STILL_NOW: Final = timedelta(days=1)  # a holder seen later than this before the end holds now
_FULFILMENT: Final = {
    Fulfilment.AMAZON: "Amazon",
    Fulfilment.FBA: "FBA",
    Fulfilment.FBM: "FBM",
}


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One period as the table shows it. The seller's name is text from outside."""

    since: str
    until: str
    seller: str
    price: str
    duration: str
    cause: str


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One holder's share as the table shows it; `share` in percent."""

    seller: str
    share: float
    price: str
    fulfilment: str
    last_known: str


def list_period_rows(history: BuyBoxHistory, marketplace: str, time_zone: str) -> list[PeriodRow]:
    """Return the rows of the periods, newest first."""

    def moment(at: datetime) -> str:
        return format_day(at) if history.is_by_day else format_moment(at, time_zone)

    rows = []
    for period, change in zip(history.periods, find_changes(history), strict=True):
        last_day = timedelta(days=1) if history.is_by_day else timedelta(0)
        is_now = period.end is PeriodEnd.OPEN and history.until - period.until <= _STILL_NOW
        rows.append(
            PeriodRow(
                since=f"before {moment(period.since)}" if period.is_cut else moment(period.since),
                until="now" if is_now else moment(period.until - last_day),
                seller=format_holder(period.holder),
                price=_format_prices(period, marketplace),
                duration=_format_length(period.duration),
                cause=describe_change(change),
            )
        )
    return rows[::-1]


def list_share_rows(history: BuyBoxHistory, marketplace: str, time_zone: str) -> list[ShareRow]:
    """Return the rows of the shares, largest first."""
    return [
        ShareRow(
            seller=format_holder(each.holder),
            share=100 * each.share,
            price=_format_average(each, marketplace),
            fulfilment=_format_fulfilment(each),
            last_known=format_day(each.last_known)
            if history.is_by_day
            else format_moment(each.last_known, time_zone),
        )
        for each in history.shares
    ]


def format_holder(holder: Holder) -> str:
    """Write a holder: "Talvora (you)", "none: currently unavailable", "not reported"."""
    if holder.state is HolderState.UNKNOWN:
        return NOT_REPORTED
    if holder.availability is not None:
        return f"{NONE}: {availability_label(holder.availability)}"
    return f"{holder.label} (you)" if holder.is_own else holder.label or NOT_REPORTED


def _format_length(length: timedelta) -> str:
    """Write how long a period is known to last; one observation alone lasts no time."""
    return format_duration(length.total_seconds()) if length else "seen once"


def _format_prices(period: BuyBoxPeriod, marketplace: str) -> str:
    """Write a period's last price, with its first one if that was another."""
    if period.holder.availability is not None:
        return NONE
    if period.first_price is None or period.last_price is None:
        return NOT_REPORTED
    last = format_price(period.last_price, marketplace)
    if period.first_price == period.last_price:
        return last
    return f"{format_price(period.first_price, marketplace)} → {last}"


def _format_average(share: BuyBoxShare, marketplace: str) -> str:
    if share.holder.availability is not None:
        return NONE
    if share.average_price is None:
        return NOT_REPORTED
    return format_price(round(share.average_price), marketplace)


def _format_fulfilment(share: BuyBoxShare) -> str:
    if share.holder.availability is not None:
        return NONE
    return NOT_REPORTED if share.fulfilment is None else fulfilment_label(share.fulfilment)


def fulfilment_label(fulfilment: Fulfilment) -> str:
    """Return who sells and ships, in the trade's letters: "FBA"."""
    return _FULFILMENT[fulfilment]


def describe_change(change: HolderChange | None) -> str:
    """Write how a Buy Box came to its holder, "" if nothing is known of it.

    Nothing explains a change whose sides were not both seen within a day.
    """
    if change is None:
        return ""
    if not change.is_seen:
        return f"Not known: {format_span(change.gap)} without a check"
    if change.is_vacated:
        return _describe_vacancy(change.after.holder)
    if change.is_filled:
        is_suppressed = change.before.holder.state is HolderState.SUPPRESSED
        return "Featured again" if is_suppressed else "In stock again"
    return _describe_taking(change)


def _describe_vacancy(holder: Holder) -> str:
    if holder.state is HolderState.SUPPRESSED:
        return "Suppressed: offers, none featured"
    return "Listing removed" if holder.availability is Availability.GONE else "Out of stock"


def _describe_taking(change: HolderChange) -> str:
    """Write that another seller took it: "New holder at −4 % of your last price"."""
    taker = "Won back" if change.after.holder.is_own else "New holder"
    whose = "your" if change.before.holder.is_own else "the"
    if change.prices is None:
        return f"{taker}, prices {NOT_REPORTED}"
    old, new = change.prices
    if old == new:
        return f"{taker} at {whose} last price"
    return f"{taker} at {format_percent_change(old, new)} of {whose} last price"
