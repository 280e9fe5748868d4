"""The sixty invented products and the texts of their pages, made from the categories."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from core.demo.market.categories import CATEGORIES, OWN_BRAND, DemoCategory
from core.demo.market.simulation import Fate, Traits, draw_traits
from core.history.observation import Listing

_ROLES: Final = ("own", "own", "competitor", "competitor", "watched")
_CADENCES: Final = ("hourly", "hourly", "hourly", "hourly", "daily")
_PRICE_UNITS: Final = {"US": (100, 1), "DE": (100, 1), "FR": (50, 1), "JP": (100, 20)}
_FATES: Final = {
    "B0DEMO0201": Fate.PURGED,
    "B0DEMO0605": Fate.VANISHING,
    "B0DEMO1105": Fate.RETURNING,
    "B0DEMO0302": Fate.NEWCOMER,
}
_NEWCOMER_DAYS: Final = 9


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """A product of the demo market, and how a seller would track it."""

    marketplace: str
    asin: str
    title: str
    brand: str
    category: tuple[str, ...]  # main category first
    role: str  # own, competitor or watched
    tags: tuple[str, ...]
    cadence: str
    history_days: int | None  # days of known history; None: no limit


@dataclass(frozen=True, slots=True)
class Stocked:
    """A product with the data that only the market has."""

    product: DemoProduct
    model: str
    category: DemoCategory
    traits: Traits


@lru_cache(maxsize=4)
def make_stock(seed: int) -> dict[tuple[str, str], Stocked]:
    """Return all products of a market by marketplace and ASIN, in a fixed order."""
    shelves = [_shelf(seed, category) for category in CATEGORIES]
    return {
        (each.product.marketplace, each.product.asin): each for shelf in shelves for each in shelf
    }


def _shelf(seed: int, category: DemoCategory) -> list[Stocked]:
    """Return a category's five products: the first is the competitors' price leader."""
    leader = _traits(seed, category, 0, None)
    return [
        Stocked(
            product=_product(category, place),
            model=category.models[place],
            category=category,
            traits=leader if place == 0 else _traits(seed, category, place, leader),
        )
        for place in range(len(category.models))
    ]


def _product(category: DemoCategory, place: int) -> DemoProduct:
    asin, brand = _asin(category, place), _brand(category, place)
    return DemoProduct(
        marketplace=category.marketplace,
        asin=asin,
        title=category.titles[0].format(brand=brand, model=category.models[place]),
        brand=brand,
        category=category.path,
        role=_ROLES[place],
        tags=(category.tag,),
        cadence=_CADENCES[place],
        history_days=_NEWCOMER_DAYS if _FATES.get(asin) is Fate.NEWCOMER else None,
    )


def _traits(seed: int, category: DemoCategory, place: int, leader: Traits | None) -> Traits:
    asin = _asin(category, place)
    unit, charm = _PRICE_UNITS[category.marketplace]
    return draw_traits(
        seed,
        category.marketplace,
        asin,
        typical_price=category.typical_price,
        price_unit=unit,
        charm=charm,
        typical_rank=category.typical_rank,
        season_peak=category.season_peak,
        season_strength=category.season_strength,
        fate=_FATES.get(asin, Fate.USUAL),
        leader=leader if _ROLES[place] == "competitor" else None,
    )


def _asin(category: DemoCategory, place: int) -> str:
    return f"B0DEMO{category.number:02d}{place + 1:02d}"


def _brand(category: DemoCategory, place: int) -> str:
    return OWN_BRAND if _ROLES[place] == "own" else category.rivals[place - 2]


def make_listing(stocked: Stocked, variant: int) -> Listing:
    """Return a version of the page's text and images; versions alternate."""
    category, product = stocked.category, stocked.product
    return Listing(
        title=category.titles[variant % 2].format(brand=product.brand, model=stocked.model),
        brand=product.brand,
        bullets=_bullets(category.bullets, variant),
        description=category.description,
        category_path=category.path,
        images=_images(product.asin, variant),
        attributes={**dict(category.attributes), "ASIN": product.asin},
    )


def _bullets(bullets: tuple[str, ...], variant: int) -> tuple[str, ...]:
    """Return the bullets of a version; every third version puts the last one first."""
    return bullets[-1:] + bullets[:-1] if variant % 3 == 2 else bullets


def _images(asin: str, variant: int) -> tuple[str, ...]:
    """Return a version's images; every third version has the third one before the second."""
    count = 5 + variant % 3
    numbers = [1, 3, 2] if variant % 3 == 2 else [1, 2, 3]
    return tuple(
        f"https://m.media-amazon.com/images/I/demo-{asin}-{number}._AC_SL1500_.jpg"
        for number in (*numbers, *range(4, count + 1))
    )
