"""Compares a product's price with its cheapest competitor's at the same time. Never commits.

The competitors are those that the team chose for the product. Each counts with its newest price of
the week before; one without a price now, such as a product out of stock, does not.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from core.alerts.evaluation.fold import Measured
from core.alerts.evaluation.series import Series
from core.alerts.rules.rule import Subject
from core.database.bulk_write import execute_with_arrays
from core.history.ingest.quality_gate import PRICE_FLAGS
from core.history.observation import Seen

LOOK_BACK: Final = timedelta(days=7)  # an older price says nothing of now
WHOLE: Final = 1000  # tenths of a percent: as expensive as the product itself

_CHEAPEST: Final = f"""
SELECT w.place, min(n.price)
FROM unnest(%s::int4[], %s::int8[], %s::int8[], %s::timestamptz[], %s::timestamptz[])
    AS w (place, team_id, product_id, at, since)
JOIN competitor AS k ON k.team_id = w.team_id AND k.product_id = w.product_id
CROSS JOIN LATERAL (
    SELECT s.price FROM snapshot AS s WHERE s.product_id = k.competitor_id
    AND s.captured_at <= w.at AND s.captured_at >= w.since
    AND s.seen & {int(Seen.PRICE)} <> 0 AND s.flags & {PRICE_FLAGS} = 0
    ORDER BY s.captured_at DESC, s.source DESC LIMIT 1
) AS n
WHERE n.price IS NOT NULL GROUP BY w.place
"""


def compare_with_cheapest(
    session: Session, series: Sequence[Series], priced: Sequence[tuple[int, Mapping[str, Measured]]]
) -> list[dict[str, Measured]]:
    """Return for each product and its values at one time the price of its cheapest competitor.

    In tenths of a percent of the product's own, by the keys of the series: 930 is 7 % below.
    Empty where the product or every competitor has no price.
    """
    wanted = [each for each in series if each.subject is Subject.CHEAPEST_COMPETITOR]
    found: list[dict[str, Measured]] = [{} for _ in priced]
    prices = [values.get(Subject.PRICE.value) for _, values in priced]
    for each in wanted:
        asked = [
            (place, each.team_id, number, price.at, price.at - LOOK_BACK)
            for place, ((number, _), price) in enumerate(zip(priced, prices, strict=True))
            if price is not None and price.value
        ]
        for place, cheapest in execute_with_arrays(session, _CHEAPEST, asked, fetch=True):
            price = prices[place]
            assert price is not None
            share = round(cheapest * WHOLE / int(price.value or 0))
            found[place][each.key] = Measured(share, price.at)
    return found
