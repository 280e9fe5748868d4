"""The known actors: their input and the parsers of their items.

Pure: no network. A new actor is one entry here and a module with its `parse_item`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.catalog.marketplaces import get_marketplace
from core.errors import ConfigurationError
from core.history.observation import Failure, Observation, Outcome, Source
from core.scraping.parsers import axesso, bestsellers, junglee
from core.scraping.parsers.identity import RequestedProduct, find_requested_product, make_failure

Parser = Callable[[Mapping[str, Any], RequestedProduct | None, datetime], Observation | Failure]
InputBuilder = Callable[[Sequence[RequestedProduct]], dict[str, Any]]

__all__ = [
    "ACTORS",
    "Actor",
    "RequestedProduct",
    "find_requested_product",
    "get_actor",
    "make_product_url",
    "recognise_actor",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor of Apify's store.

    `build_input` None: it can't fetch single products (bestseller lists, reviews).
    `source` None: its items are not observations of products, and `parse_item` refuses them.
    """

    id: str  # "user/name"
    label: str
    source: Source | None
    build_input: InputBuilder | None
    parse_item: Parser
    find_requested_product: Callable[[Mapping[str, Any]], tuple[str | None, str | None]] = (
        find_requested_product
    )

    @property
    def fetches_products(self) -> bool:
        return self.build_input is not None

    @property
    def is_product_details(self) -> bool:
        """Return whether its items are observations of products, so that they can be imported."""
        return self.source is not None


def make_product_url(requested: RequestedProduct) -> str:
    """Return the URL of a product's page."""
    return f"https://www.{get_marketplace(requested.marketplace).domain}/dp/{requested.asin}"


def _axesso_input(batch: Sequence[RequestedProduct]) -> dict[str, Any]:
    return {"urls": [make_product_url(requested) for requested in batch]}


def _junglee_input(batch: Sequence[RequestedProduct]) -> dict[str, Any]:
    return {
        "categoryOrProductUrls": [{"url": make_product_url(requested)} for requested in batch],
        "maxItemsPerStartUrl": 1,
        "scrapeProductDetails": True,
        "scrapeProductVariantPrices": False,
        "scrapeSellers": False,
        "proxyCountry": "AUTO_SELECT_PROXY_COUNTRY",
    }


def _free_scraper_input(batch: Sequence[RequestedProduct]) -> dict[str, Any]:
    return {
        "categoryUrls": [{"url": make_product_url(requested)} for requested in batch],
        "maxItemsPerStartUrl": 1,
    }


def _refuse_review(
    item: Mapping[str, Any],
    requested: RequestedProduct | None,
    captured_at: datetime,
) -> Failure:
    detail = (
        "This is a review, not product details: import the data set of a product details actor."
    )
    known = item if isinstance(item, Mapping) else {}
    return make_failure(known, requested, captured_at, Outcome.NOT_A_PRODUCT_PAGE, detail)


AXESSO_DETAILS: Final = Actor(
    id="axesso_data/amazon-product-details-scraper",
    label="Axesso product details",
    source=Source.AXESSO,
    build_input=_axesso_input,
    parse_item=axesso.parse_item,
)
JUNGLEE_CRAWLER: Final = Actor(
    id="junglee/Amazon-crawler",
    label="Junglee Amazon crawler",
    source=Source.JUNGLEE,
    build_input=_junglee_input,
    parse_item=junglee.parse_item,
)
JUNGLEE_FREE: Final = Actor(
    id="junglee/free-amazon-product-scraper",
    label="Junglee free product scraper",
    source=Source.JUNGLEE,
    build_input=_free_scraper_input,
    parse_item=junglee.parse_item,
)
JUNGLEE_BESTSELLERS: Final = Actor(
    id="junglee/amazon-bestsellers",
    label="Junglee bestseller lists",
    source=Source.BESTSELLERS,
    build_input=None,
    parse_item=bestsellers.parse_item,
)
AXESSO_REVIEWS: Final = Actor(
    id="axesso_data/amazon-reviews-scraper",
    label="Axesso reviews (no product details)",
    source=None,
    build_input=None,
    parse_item=_refuse_review,
)
JUNGLEE_REVIEWS: Final = Actor(
    id="junglee/amazon-reviews-scraper",
    label="Junglee reviews (no product details)",
    source=None,
    build_input=None,
    parse_item=_refuse_review,
)

ACTORS: Final[Mapping[str, Actor]] = {
    actor.id: actor
    for actor in (
        AXESSO_DETAILS,
        JUNGLEE_CRAWLER,
        JUNGLEE_FREE,
        JUNGLEE_BESTSELLERS,
        AXESSO_REVIEWS,
        JUNGLEE_REVIEWS,
    )
}
_BY_PLAIN_NAME: Final = {actor_id.lower(): actor for actor_id, actor in ACTORS.items()}


def get_actor(actor_id: str) -> Actor:
    """Return the actor of a name such as "user/name" or "user~name".

    Raises ConfigurationError with the known names for any other.
    """
    actor = _BY_PLAIN_NAME.get(actor_id.strip().replace("~", "/").lower())
    if actor is None:
        known = ", ".join(actor.id for actor in ACTORS.values() if actor.fetches_products)
        raise ConfigurationError(
            f"The actor {actor_id!r} is unknown. Set AMAZCOPE_ACTOR to one of: {known}."
        )
    return actor


# Fields that only one actor writes, by which its items are recognised. The order matters:
# reviews and bestseller entries also have a product's fields.
_SIGNS: Final[tuple[tuple[Actor, tuple[frozenset[str], ...]], ...]] = (
    (AXESSO_REVIEWS, (frozenset({"reviewId", "sortStrategy"}), frozenset({"reviewSummary"}))),
    (
        JUNGLEE_REVIEWS,
        (
            frozenset({"ratingScore", "reviewTitle"}),
            frozenset({"reviewDescription"}),
            frozenset({"reviewCategoryUrl"}),
        ),
    ),
    (
        AXESSO_DETAILS,
        (
            frozenset({"asin", "productRating"}),
            frozenset({"asin", "warehouseAvailability"}),
            frozenset({"asin", "countReview"}),
            frozenset({"statusCode", "url"}),
        ),
    ),
    (
        JUNGLEE_BESTSELLERS,
        (
            frozenset({"bestsellerPageData"}),
            frozenset({"position", "url", "name"}),
            frozenset({"position", "categoryName"}),
            frozenset({"position", "category"}),
        ),
    ),
    (
        JUNGLEE_FREE,
        (frozenset({"asin", "answeredQuestions", "priceVariants"}),),
    ),
    (
        JUNGLEE_CRAWLER,
        (
            frozenset({"asin", "stars", "url"}),
            frozenset({"asin", "breadCrumbs"}),
            frozenset({"asin", "bestsellerRanks"}),
            frozenset({"asin", "inStockText"}),
            frozenset({"error", "url"}),
        ),
    ),
)


def recognise_actor(item: Mapping[str, Any]) -> Actor | None:
    """Return the actor that wrote an item of a data set, None for an unknown shape."""
    if not isinstance(item, Mapping):
        return None
    names = item.keys()
    for actor, shapes in _SIGNS:
        if any(shape <= names for shape in shapes):
            return actor
    return None
