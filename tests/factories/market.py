"""What the demo market shows of one product at one time."""

from datetime import UTC, datetime

import numpy as np

from core.demo.market.catalogue import DemoProduct
from core.demo.market.market import Market
from core.history.observation import Observation


def observe(market: Market, product: DemoProduct, at: datetime) -> Observation:
    """Return the observation at an aware time."""
    moment = np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")
    return next(market.list_observations(product, np.array([moment])))
