"""Load the demo market's history into the database on the first start, and remove it.

Each batch is its own transaction, so an interrupted start continues where it was.
`remove_demo` deletes only what is marked as demo.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.people.membership import get_owner_principal
from core.catalog.images.service import store_drawn
from core.catalog.models import Product
from core.catalog.service import find_products
from core.database.session import read_scope, write_scope
from core.demo import people, product_pictures
from core.demo.market.catalogue import DemoProduct
from core.demo.market.market import Market, list_observation_times
from core.demo.market.observations import DEMO_SELLER, find_seller_id
from core.demo.seed_state import STATE_NAME
from core.history.ingest.store import SourcedObservation, ensure_partitions, store_observations
from core.history.periods.team_days import compute_day, find_due_days, finish_days
from core.settings.environment import get_settings
from core.suggestions.advice_queue.service import request_advice
from core.tracking.competitors.service import add_competitor
from core.tracking.models import Tracking
from core.tracking.rules import Cadence, Role
from core.tracking.sellers.service import add_own_seller
from core.tracking.service import NewTracking, track
from core.upkeep.installation_state import set_state

Report = Callable[[str], None]
_BATCH = 4  # products in a transaction: about four thousand observations


def load_demo(report: Report, now: datetime | None = None) -> None:
    """Load the whole market up to `now`. Loading it again stores nothing twice."""
    now = now or datetime.now(UTC)
    market = Market(origin=get_settings().amazcope_demo_origin)
    with write_scope() as session:
        set_state(session, STATE_NAME, {"state": "loading"})
        _create_partitions(session, market.products, now)
    for number, batch in enumerate(_split_into_batches(market.products)):
        with write_scope() as session:
            _load_batch(session, _get_tracker(session), market, batch, now)
        done = min((number + 1) * _BATCH, len(market.products))
        report(f"Loading the demo market: {done} of {len(market.products)} products")
    _draw_main_pictures()
    with write_scope() as session:
        name_own_sellers(session, get_owner_principal(session), market.products)
        _choose_competitors(session, market.products, now)
        _compute_team_days(session, now)
        _ask_for_advice(session, now)
        set_state(session, STATE_NAME, {"state": "loaded"})
        count = {"count": len(market.products)}
        audit.record(session, _get_tracker(session), "loaded demo", new=count)
    with write_scope() as session:
        session.execute(text("ANALYZE snapshot, product_daily, product_latest, tracking"))


def _draw_main_pictures() -> None:
    """Draw a picture of each product; the worker draws those of the other images."""
    with read_scope() as session:
        missing = product_pictures.list_missing_pictures(session, only_main=True)
    drawn = product_pictures.draw_apart(missing)
    with write_scope() as session:
        store_drawn(session, drawn)


def name_own_sellers(
    session: Session, principal: Principal, products: Sequence[DemoProduct]
) -> None:
    """Name the brands of the market's own products as sellers of the team."""
    sellers = {(each.marketplace, each.brand) for each in products if each.role == Role.OWN}
    for marketplace, brand in sorted(sellers):
        number = find_seller_id(brand)
        assert number is not None
        add_own_seller(session, principal, marketplace, number, brand)


def _choose_competitors(session: Session, products: Sequence[DemoProduct], now: datetime) -> None:
    """Choose the competitors of each category's leader; other products get none."""
    principal = _get_tracker(session)
    ids = find_products(session, [(each.marketplace, each.asin) for each in products])
    leaders: dict[tuple[str, tuple[str, ...]], int] = {}
    for each in products:
        shelf, product_id = (each.marketplace, each.category), ids[each.marketplace, each.asin]
        leader = leaders.setdefault(shelf, product_id)
        if each.role == Role.COMPETITOR and leader != product_id:
            add_competitor(session, principal, leader, product_id, now)


def _compute_team_days(session: Session, now: datetime) -> None:
    """Count the changes of past days, so that the first visit shows them."""
    due = find_due_days(session, now)
    for day in due.days:
        compute_day(session, day, due.closed)
    finish_days(session, due)


def _ask_for_advice(session: Session, now: datetime) -> None:
    """Request advice on the market's own products, so that the first visit shows some."""
    own = select(Tracking.product_id).join(Product, Product.id == Tracking.product_id)
    chosen = own.where(Product.is_demo, Tracking.role == Role.OWN.value).distinct()
    request_advice(session, _get_tracker(session), list(session.scalars(chosen)), now)


def _get_tracker(session: Session) -> Principal:
    """Return the user who tracks the demo's products: its seller, otherwise the owner."""
    return people.find_demo_seller(session) or get_owner_principal(session)


def _create_partitions(session: Session, products: Sequence[DemoProduct], now: datetime) -> None:
    longest = max((list_observation_times(product, now) for product in products), key=len)
    ensure_partitions(session, [moment.replace(tzinfo=UTC) for moment in longest.tolist()])


def _split_into_batches(products: Sequence[DemoProduct]) -> Iterator[list[DemoProduct]]:
    rest = iter(products)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _load_batch(
    session: Session,
    principal: Principal,
    market: Market,
    products: Sequence[DemoProduct],
    now: datetime,
) -> None:
    tracked = track(
        session,
        principal,
        [_make_tracking(product) for product in products],
        is_demo=True,
        is_recorded=False,
    )
    observations = [
        SourcedObservation(answer.product_id, observation)
        for answer, product in zip(tracked, products, strict=True)
        for observation in market.list_observations(product, list_observation_times(product, now))
    ]
    store_observations(session, observations, now)


def _make_tracking(product: DemoProduct) -> NewTracking:
    return NewTracking(
        marketplace=product.marketplace,
        asin=product.asin,
        role=Role(product.role),
        cadence=Cadence(product.cadence),
        tags=product.tags,
    )


_OF_DEMO = "(SELECT id FROM product WHERE is_demo)"
# Children first; the rest goes with the product by its foreign keys.
_EMPTIED = (
    f"DELETE FROM snapshot WHERE product_id IN {_OF_DEMO}",
    f"DELETE FROM snapshot_rank WHERE product_id IN {_OF_DEMO}",
    f"DELETE FROM product_daily WHERE product_id IN {_OF_DEMO}",
    f"DELETE FROM raw_item WHERE product_id IN {_OF_DEMO}",
    "DELETE FROM product WHERE is_demo",
    "DELETE FROM product_image WHERE url LIKE 'https://m.media-amazon.com/images/I/demo-%'",
    f"DELETE FROM own_seller WHERE seller_id LIKE '{DEMO_SELLER}%'",
    "DELETE FROM fetch_item WHERE fetch_run_id IN "
    "(SELECT id FROM fetch_run WHERE provider = 'demo')",
    "DELETE FROM fetch_run WHERE provider = 'demo'",
    "DELETE FROM provider_state WHERE provider = 'demo'",
)


@requires(Permission.ADMIN)
def remove_demo(session: Session, principal: Principal) -> int:
    """Delete every demo product and its observations; return how many products there were.

    The next start does not load them again.
    """
    count = session.execute(text("SELECT count(*) FROM product WHERE is_demo")).scalar_one()
    for statement in _EMPTIED:
        session.execute(text(statement))
    set_state(session, STATE_NAME, {"state": "removed"})
    audit.record(session, principal, "removed demo", new={"count": int(count)})
    return int(count)


def has_demo(session: Session) -> bool:
    """Return whether there is any invented product."""
    return session.scalars(select(Product.id).where(Product.is_demo).limit(1)).first() is not None
