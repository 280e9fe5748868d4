"""Read items of Apify's data sets, in any of its export formats. Pure; one item at a time.

`core.scraping` recognises the actor and parses the item.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.history.observation import Failure, Observation
from core.importing.values.rows import ReadContext, Refusal, bad_row, needs_marketplace
from core.importing.values.timestamps import find_zone, read_moment
from core.scraping.parsers.registry import RequestedProduct, find_requested_product, recognise_actor
from core.scraping.parsers.value_parsers import UnreadableValueError

# The keys under which items may have their time.
TIME_KEYS = ("scrapedAt", "crawledAt", "fetchedAt", "capturedAt", "timestamp", "scrapeDate")


def parse_item(item: object, context: ReadContext) -> Observation | Failure | Refusal:
    """Return an item's observation, or why it can't be used."""
    if not isinstance(item, Mapping):
        return bad_row("This entry isn't an object: a data set is a list of objects.")
    actor = recognise_actor(item)
    if actor is None:
        return bad_row(
            "This entry has the fields of no actor that Amazcope knows: "
            "import data sets of Axesso's or Junglee's Amazon actors."
        )
    captured_at = item_time(item, context) or context.captured_at
    if captured_at is None:
        return bad_row("The entry has no time: enter when the data set was made.")
    asin, marketplace = find_requested_product(item)
    if marketplace or asin is None or not actor.is_product_details:
        return actor.parse_item(item, None, captured_at)
    if context.default_marketplace is None:
        return needs_marketplace(asin)
    return actor.parse_item(item, RequestedProduct(context.default_marketplace, asin), captured_at)


def item_time(item: Mapping[str, Any], context: ReadContext) -> datetime | None:
    """Return the time an item was captured, in UTC; None if it has no readable time."""
    zone = find_zone(context.time_zone)
    for key in TIME_KEYS:
        value = item.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool):
            try:
                return read_moment(str(value)[:40], zone, zone)
            except UnreadableValueError:
                continue
    return None


def find_asked_text(item: object) -> str:
    """Return the text that names an item's product, to show beside its verdict; "" if none."""
    if not isinstance(item, Mapping):
        return item[:200] if isinstance(item, str) else ""
    values = (item.get(key) for key in ("asin", "url", "input", "title", "name"))
    return next((value for value in values if isinstance(value, str) and value.strip()), "")
