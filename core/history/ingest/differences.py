"""Fields in which two observations of the same moment and source contradict. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.history.observation import Observation, Seen

# Columns of a snapshot, their bits in the presence mask, and their names.
FIELDS: tuple[tuple[str, Seen, str], ...] = (
    ("price", Seen.PRICE, "price"),
    ("list_price", Seen.LIST_PRICE, "list price"),
    ("buy_box_price", Seen.BUY_BOX, "Buy Box price"),
    ("amazon_price", Seen.AMAZON_PRICE, "Amazon's price"),
    ("new_price", Seen.NEW_PRICE, "new price"),
    ("new_fba_price", Seen.NEW_FBA_PRICE, "new FBA price"),
    ("used_price", Seen.USED_PRICE, "used price"),
    ("deal_price", Seen.DEAL, "deal price"),
    ("coupon_amount", Seen.COUPON, "coupon"),
    ("coupon_percent", Seen.COUPON, "coupon"),
    ("bsr", Seen.BSR, "rank"),
    ("rating", Seen.RATING, "rating"),
    ("ratings_count", Seen.RATINGS_COUNT, "number of ratings"),
    ("reviews_count", Seen.REVIEWS_COUNT, "number of reviews"),
    ("availability", Seen.AVAILABILITY, "availability"),
    ("stock_left", Seen.STOCK_LEFT, "stock"),
    ("buy_box_seller", Seen.SELLER, "Buy Box seller"),
    ("buy_box_seller_id", Seen.SELLER_ID, "id of the Buy Box seller"),
    ("offers_new", Seen.OFFERS_NEW, "new offers"),
    ("offers_used", Seen.OFFERS_USED, "used offers"),
)


def snapshot_values(observation: Observation) -> dict[str, Any]:
    """Return an observation's values by their columns of `snapshot`, with "seen"."""
    values = {name: getattr(observation, name) for name, _, _ in FIELDS if name != "bsr"}
    rank = observation.ranks[0].rank if observation.ranks else None
    return values | {"bsr": rank, "seen": int(observation.seen)}


def differing_fields(stored: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields in which `again` contradicts `stored`."""
    return list(dict.fromkeys(_differing(stored, again)))


def _differing(stored: Mapping[str, Any], again: Mapping[str, Any]) -> Iterable[str]:
    for name, bit, called in FIELDS:
        first, second = stored[name], again[name]
        if first == second:
            continue
        # Rows stored before ids of sellers were read report none.
        if bit is Seen.SELLER_ID and not stored["seen"] & int(bit):
            continue
        # "None" contradicts a value; "not reported" contradicts nothing.
        if second is not None or again["seen"] & int(bit):
            yield called
