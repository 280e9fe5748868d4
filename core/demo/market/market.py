"""The demo market: observations and items of its products at any time, past or future.

Joins the numbers of `simulation` with the texts of `catalogue` to observations
and items. Applied changes (`applied_changes`) enter items only: the loaded past
does not change.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.demo.market import items
from core.demo.market.applied_changes import ChangesByProduct, apply_changes, find_no_changes
from core.demo.market.catalogue import DemoProduct, Stocked, make_listing, make_stock
from core.demo.market.observations import Offer, make_observation, make_offers
from core.demo.market.simulation import ORIGIN, hours_since, simulate_hours
from core.history.observation import Listing, Observation

Times = NDArray[np.datetime64]  # UTC

DEFAULT_SEED: Final = 1
_DAILY: Final = np.timedelta64(396, "D")  # thirteen months
_HOURLY: Final = np.timedelta64(30 * 24, "h")
_HOUR_OF_DAILY_CHECK: Final = np.timedelta64(6, "h")


class Market:
    """Sixty invented products; all values follow from seed, product and hours since `origin`.

    The only exceptions are applied changes, which `read_changes` returns.
    """

    def __init__(
        self,
        seed: int = DEFAULT_SEED,
        read_changes: Callable[[], ChangesByProduct] = find_no_changes,
        origin: datetime = ORIGIN,
    ) -> None:
        self.seed = seed
        self._origin = origin
        self._read_changes = read_changes
        self._stock = make_stock(seed)
        self._listings: dict[tuple[str, int], Listing] = {}

    @property
    def products(self) -> tuple[DemoProduct, ...]:
        return tuple(stocked.product for stocked in self._stock.values())

    def list_observations(self, product: DemoProduct, times: Times) -> Iterator[Observation]:
        """Yield the observation at each of the UTC times, as parsed from axesso items, in order.

        Observations with the same version of the listing share one Listing object.
        """
        stocked = self._stock[product.marketplace, product.asin]
        for captured_at, offer in zip(
            _as_datetimes(times), self._offers(stocked, times), strict=True
        ):
            yield make_observation(
                product, captured_at, offer, self._listing(stocked, offer.variant)
            )

    def make_item(self, marketplace: str, asin: str, at: datetime) -> dict[str, Any] | None:
        """Return axesso's item of a product; None if its page is removed or never existed."""
        return self._item(items.axesso_item, marketplace, asin, at)

    def make_junglee_item(self, marketplace: str, asin: str, at: datetime) -> dict[str, Any] | None:
        """Return junglee's item of a product; None if its page is removed or never existed."""
        return self._item(items.junglee_item, marketplace, asin, at)

    def _item(
        self, write: items.Writer, marketplace: str, asin: str, at: datetime
    ) -> dict[str, Any] | None:
        stocked = self._stock.get((marketplace, asin))
        if stocked is None:
            return None
        offer = next(self._offers(stocked, _as_times([at])))
        if offer.is_gone:
            return None
        listing = self._listing(stocked, offer.variant)
        changes = self._read_changes().get((marketplace, asin), ())
        return write(stocked.product, *apply_changes(stocked, offer, listing, changes, at))

    def _offers(self, stocked: Stocked, times: Times) -> Iterator[Offer]:
        return make_offers(
            stocked, simulate_hours(stocked.traits, hours_since(self._origin, times))
        )

    def _listing(self, stocked: Stocked, variant: int) -> Listing:
        key = (stocked.product.asin, variant % 6)  # the versions repeat after six
        if key not in self._listings:
            self._listings[key] = make_listing(stocked, key[1])
        return self._listings[key]


def list_observation_times(product: DemoProduct, now: datetime) -> Times:
    """Return when the demo observed a product: daily for 13 months, then hourly for 30 days.

    Ends with the last full hour before `now`; a new product begins with its first day.
    """
    end = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "h")
    hourly_from = end - _HOURLY
    daily_from = end.astype("datetime64[D]") - _DAILY + _HOUR_OF_DAILY_CHECK
    daily = np.arange(daily_from, hourly_from, np.timedelta64(24, "h"))
    times = np.concatenate([daily, np.arange(hourly_from, end + 1)])
    if product.history_days is not None:
        times = times[times >= end - np.timedelta64(product.history_days, "D")]
    return times.astype("datetime64[s]")


def _as_times(moments: list[datetime]) -> Times:
    return np.array([moment.astimezone(UTC).replace(tzinfo=None) for moment in moments], "M8[us]")


def _as_datetimes(times: Times) -> Iterator[datetime]:
    return (at.replace(tzinfo=UTC) for at in times.astype("datetime64[us]").tolist())
