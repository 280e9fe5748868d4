"""The competitors that the team chose for a product."""

from dataclasses import dataclass

from app.data import get_principal
from app.data.cache import cached_read
from app.data.products import get_cache_token
from core.accounts.access.permissions import Principal
from core.database.session import read_scope
from core.history.current.competitor_values import list_competitors
from core.tracking.lists.queries import read_sparklines


@dataclass(frozen=True, slots=True)
class ChosenCompetitor:
    """A competitor that can be drawn beside the product. The name is text from outside."""

    marketplace: str
    asin: str
    name: str


def list_chosen_competitors(product_id: int) -> list[ChosenCompetitor]:
    """Return the competitors that the team chose for a product, the earliest choice first."""
    return _list_chosen_competitors(get_principal(), product_id, get_cache_token())


@cached_read(seconds=30, entries=1000)
def _list_chosen_competitors(who: Principal, product_id: int, token: str) -> list[ChosenCompetitor]:
    del token  # part of the key
    with read_scope() as session:
        rows = list_competitors(session, who, product_id)
    return [ChosenCompetitor(row.marketplace, row.asin, row.title or row.asin) for row in rows]


@cached_read(seconds=60, entries=200)
def read_month_lines(
    product_ids: tuple[int, ...],
) -> dict[int, tuple[list[float | None], list[float | None]]]:
    """Return prices (minor units) and ranks of the last 30 days by product, oldest first."""
    with read_scope() as session:
        return read_sparklines(session, product_ids)
