"""A product's newest values, for the head of its page."""

from app.data import get_principal
from app.data.cache import cached_read
from app.data.product.period import CACHED_FOR
from core.database.session import read_scope
from core.history import product_summary
from core.history.current import further_values
from core.history.current.further_values import FurtherValues
from core.history.product_summary import ProductSummary


def find_product_summary(marketplace: str, asin: str) -> ProductSummary | None:
    """Return a product as the user sees it now. Never cached: it carries the data version."""
    with read_scope() as session:
        return product_summary.find_product_summary(session, get_principal(), marketplace, asin)


def read_further_values(head: ProductSummary) -> FurtherValues:
    """Return the newest values that lists don't keep."""
    return _read_further_values(head.product_id, head.data_version)


@cached_read(seconds=CACHED_FOR, entries=1000)
def _read_further_values(product_id: int, data_version: int) -> FurtherValues:
    del data_version  # part of the key
    with read_scope() as session:
        return further_values.read_further_values(session, product_id)
