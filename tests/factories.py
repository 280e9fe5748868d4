"""Looks, products and people for tests, as a seller would tell them. Plain functions.

Amounts are minor units; every argument that is left out is an ordinary value.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role, Via
from core.accounts.models import Person, Team
from core.accounts.people.membership import get_principal
from core.catalog.listing import Listing
from core.catalog.service import ensure_products
from core.history.ingest.store import Look, Stored, make_room, store_looks
from core.history.observation import (
    Availability,
    CategoryRank,
    Kind,
    Observation,
    PriceBasis,
    Seen,
    Source,
)
from core.importing.models import ImportRun
from core.tracking.service import Wish, follow

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=30)
LAMP = "B0TEST0001"
KETTLE = "B0TEST0002"
EVERYTHING = (
    Seen.PRICE
    | Seen.LIST_PRICE
    | Seen.BSR
    | Seen.RATING
    | Seen.RATINGS_COUNT
    | Seen.AVAILABILITY
    | Seen.SELLER
)


def look_at(asin: str = LAMP, at: datetime = NOON, **values: Any) -> Observation:
    """Return a look at a product that sells as usual: 20.00, rank 500, 4.5 stars of 1,000."""
    usual: dict[str, Any] = {
        "marketplace": "US",
        "source": Source.AXESSO,
        "seen": EVERYTHING,
        "price": 2000,
        "price_basis": PriceBasis.BUY_BOX,
        "ranks": (CategoryRank("Lamps", 500),),
        "rating": 45,
        "ratings_count": 1000,
        "availability": Availability.IN_STOCK,
        "buy_box_seller": "Bright Shop",
    }
    if "rank" in values:
        rank = values.pop("rank")
        values["ranks"] = () if rank is None else (CategoryRank("Lamps", rank),)
    return Observation(asin=asin, captured_at=at, **(usual | values))


def change_at(asin: str = LAMP, at: datetime = NOON, **values: Any) -> Observation:
    """Return an entry of a series of changes: it holds until the next one."""
    return look_at(asin, at, **({"kind": Kind.CHANGE, "source": Source.KEEPA_API} | values))


def price_only(asin: str = LAMP, at: datetime = NOON, **values: Any) -> Observation:
    """Return a look by a source that reports a price and nothing else."""
    nothing = {"ranks": (), "rating": None, "ratings_count": None, "availability": None}
    return look_at(asin, at, **(nothing | {"buy_box_seller": None, "seen": Seen.PRICE} | values))


def lamp_listing(title: str = "Reading lamp with a long neck", **values: Any) -> Listing:
    """Return a full listing."""
    usual: dict[str, Any] = {
        "brand": "Lumo",
        "bullets": ("Bends", "Shines"),
        "description": "A lamp.",
        "category_path": ("Home", "Lamps"),
        "images": ("https://images.example/lamp.jpg",),
    }
    return Listing(title=title, **(usual | values))


def product(session: Session, asin: str = LAMP, marketplace: str = "US", **options: Any) -> int:
    """Return the id of a product, made where it is not there yet."""
    products, _ = ensure_products(session, [(marketplace, asin)], **options)
    return products[marketplace, asin]


def store(session: Session, *looks: Observation, now: datetime = NOW, **origin: Any) -> Stored:
    """Store looks in one batch, with their products and partitions made."""
    make_room(session, [look.captured_at for look in looks if look.captured_at.year < 2100])
    products, _ = ensure_products(session, {(look.marketplace, look.asin) for look in looks})
    batch = [Look(products[look.marketplace, look.asin], look, **origin) for look in looks]
    return store_looks(session, batch, now)


def follow_all(
    session: Session,
    principal: Principal,
    asins: Sequence[str],
    marketplace: str = "US",
    **how: Any,
) -> list[int]:
    """Have a person follow products; return the products' ids in order."""
    options = {name: how.pop(name) for name in ("is_demo", "fetch") if name in how}
    wishes = [Wish(marketplace, asin, **how) for asin in asins]
    return [answer.product_id for answer in follow(session, principal, wishes, **options)]


def colleague(
    session: Session, principal: Principal, name: str = "Colleague", role: Role = Role.SELLER
) -> Principal:
    """Return another person of the same team."""
    person = Person(team_id=principal.team_id, name=name, role=role.value)
    session.add(person)
    session.flush()
    return get_principal(session, person.id, Via.PAGE)


def member(session: Session, principal: Principal, role: Role) -> Principal:
    """Return somebody of the same team in a role."""
    return colleague(session, principal, role.value.title(), role)


def stranger(session: Session, role: Role = Role.ADMIN) -> Principal:
    """Return a person of another team."""
    team = Team(name="Another team")
    session.add(team)
    session.flush()
    person = Person(team_id=team.id, name="Stranger", role=role.value)
    session.add(person)
    session.flush()
    return get_principal(session, person.id, Via.PAGE)


def imported(session: Session, who: Principal, name: str = "prices.csv") -> int:
    """Store an import of a history file of somebody's and return its id."""
    run = ImportRun(
        team_id=who.team_id,
        person_id=who.person_id,
        name=name,
        kind="history",
        state="done",
        file_hash=bytes.fromhex("ab" * 32),
        file_bytes=10,
    )
    session.add(run)
    session.flush()
    return run.id


def rows(session: Session, statement: str, **values: Any) -> list[dict[str, Any]]:
    """Return rows of plain SQL as dicts."""
    return [dict(row) for row in session.execute(text(statement), values).mappings()]


def row(session: Session, statement: str, **values: Any) -> dict[str, Any]:
    """Return the one row of plain SQL."""
    (found,) = rows(session, statement, **values)
    return found


def latest(session: Session, product_id: int) -> dict[str, Any]:
    """Return a product's newest accepted values."""
    return row(session, "SELECT * FROM product_latest WHERE product_id = :id", id=product_id)


def days(session: Session, product_id: int) -> list[dict[str, Any]]:
    """Return a product's days in order."""
    return rows(
        session, "SELECT * FROM product_daily WHERE product_id = :id ORDER BY day", id=product_id
    )


def snapshots(session: Session, product_id: int) -> list[dict[str, Any]]:
    """Return a product's snapshots in order."""
    return rows(
        session,
        "SELECT * FROM snapshot WHERE product_id = :id ORDER BY captured_at, source",
        id=product_id,
    )


def schedule(session: Session, product_id: int) -> dict[str, Any] | None:
    """Return when a product is due, None where it is not fetched."""
    found = rows(session, "SELECT * FROM fetch_schedule WHERE product_id = :id", id=product_id)
    return found[0] if found else None
