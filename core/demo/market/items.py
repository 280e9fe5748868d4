"""Write items of demo products in the form of Apify's actors. Invents no values.

Amounts are floats here because the actors' JSON has floats.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from core.catalog.asin import product_url
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_money
from core.demo.market.catalogue import DemoProduct
from core.demo.market.observations import Offer, find_seller_id
from core.demo.market.reviews import page_reviews
from core.history.observation import Availability, Fulfilment, Listing

Writer = Callable[[DemoProduct, Offer, Listing], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Wording:
    """The wording of a marketplace's pages."""

    decimals: int
    currency: str  # as junglee writes it
    group: str  # between thousands
    rating: str  # {stars}
    in_stock: str
    few_left: str  # {count}
    unavailable: str
    suppressed: str
    coupon: str  # {worth}: percent or an amount
    store: str  # {brand}
    percent: str  # {number}
    rank_name: str
    ranks: str  # {rank} {main} {sub_rank} {sub}


_WORDINGS: Final = {
    "US": _Wording(
        decimals=2,
        currency="$",
        group=",",
        rating="{stars} out of 5 stars",
        in_stock="In Stock",
        few_left="Only {count} left in stock - order soon.",
        unavailable="Currently unavailable.",
        suppressed="See All Buying Options",
        coupon="Apply {worth} coupon",
        store="Visit the {brand} Store",
        percent="{number}%",
        rank_name="Best Sellers Rank",
        ranks="#{rank} in {main} (See Top 100 in {main}) #{sub_rank} in {sub}",
    ),
    "DE": _Wording(
        decimals=2,
        currency="€",
        group=".",
        rating="{stars} von 5 Sternen",
        in_stock="Auf Lager",
        few_left="Nur noch {count} auf Lager",
        unavailable="Derzeit nicht verfügbar.",
        suppressed="Alle Kaufoptionen anzeigen",
        coupon="{worth} Coupon einlösen",
        store="Besuche den {brand}-Store",
        percent="{number} %",
        rank_name="Amazon Bestseller-Rang",
        ranks="Nr. {rank} in {main} (Siehe Top 100 in {main}) Nr. {sub_rank} in {sub}",
    ),
    "FR": _Wording(
        decimals=2,
        currency="€",
        group="\u202f",
        rating="{stars} sur 5 étoiles",
        in_stock="En stock",
        few_left="Il ne reste plus que {count} exemplaire(s) en stock.",
        unavailable="Actuellement indisponible.",
        suppressed="Voir toutes les options d'achat",
        coupon="Appliquer le coupon de {worth}",
        store="Visiter la boutique {brand}",
        percent="{number} %",
        rank_name="Classement des meilleures ventes d'Amazon",
        ranks="{rank} en {main} (Voir les 100 premiers en {main}) {sub_rank} en {sub}",
    ),
    "JP": _Wording(
        decimals=0,
        currency="￥",
        group=",",
        rating="5つ星のうち{stars}",
        in_stock="在庫あり。",
        few_left="残り{count}点 ご注文はお早めに",
        unavailable="現在在庫切れです。",
        suppressed="すべての購入オプションを見る",
        coupon="{worth}OFF クーポンを適用",
        store="{brand}",
        percent="{number}%",
        rank_name="Amazon 売れ筋ランキング",
        ranks="- {rank}位{main} ({main}の売れ筋ランキングを見る) - {sub_rank}位{sub}",
    ),
}
_DECIMAL_COMMA: Final = frozenset({"DE", "FR"})


def axesso_item(product: DemoProduct, offer: Offer, listing: Listing) -> dict[str, Any]:
    """Return an item of axesso_data/amazon-product-details-scraper."""
    wording = _WORDINGS[product.marketplace]
    return {
        "statusCode": 200,
        "statusMessage": "FOUND",
        "url": product_url(product.marketplace, product.asin),
        "title": listing.title,
        "manufacturer": wording.store.format(brand=listing.brand),
        "countReview": offer.ratings_count,
        "productRating": _rating_text(product.marketplace, offer.rating),
        "asin": product.asin,
        **_offer_fields(offer, product.marketplace),
        "features": list(listing.bullets),
        "imageUrlList": list(listing.images),
        "videoeUrlList": [],
        "productDescription": listing.description,
        "productDetails": _details(product, offer, listing),
        "minimalQuantity": "1",
        "reviews": page_reviews(product.marketplace, product.asin),
        "productSpecification": [],
        "mainImage": {"imageUrl": listing.images[0], "imageResolution": "679 x 679"},
        "variations": [],
        "bookVariations": [],
        "categoriesExtended": _categories(listing.category_path),
        "deliveryMessage": None,
        "importantInformation": [],
        "buyBoxUsed": None,
        "aboutProduct": [],
        "globalReviews": [],
        "prime": offer.fulfilment in (Fulfilment.AMAZON, Fulfilment.FBA),
        "used": False,
        "pastSales": None,
        "reviewInsights": None,
    }


def _offer_fields(offer: Offer, marketplace: str) -> dict[str, Any]:
    wording = _WORDINGS[marketplace]
    return {
        "soldBy": offer.seller,
        "fulfilledBy": "Amazon" if offer.fulfilment is not Fulfilment.FBM else offer.seller,
        "sellerId": find_seller_id(offer.seller),
        "warehouseAvailability": _availability_text(offer, wording),
        "retailPrice": _amount(offer.list_price, wording),
        "price": _amount(offer.price, wording),
        "priceRange": None,
        "shippingPrice": 0,
        "priceShippingInformation": "",
        "priceSaving": _saving(offer),
        "coupon": _coupon(offer, marketplace),
        "deal": offer.is_deal,
    }


def _coupon(offer: Offer, marketplace: str) -> str | None:
    """Return a coupon's sentence on the page, None without a coupon."""
    wording = _WORDINGS[marketplace]
    if offer.coupon_percent:
        return wording.coupon.format(worth=wording.percent.format(number=offer.coupon_percent))
    if offer.coupon_amount:
        worth = format_money(offer.coupon_amount, get_marketplace(marketplace))
        return wording.coupon.format(worth=worth)
    return None


def _amount(minor: int | None, wording: _Wording) -> float | int:
    """Return an amount as axesso writes it: a number, 0 for none."""
    if minor is None:
        return 0
    return minor if wording.decimals == 0 else minor / 10**wording.decimals


def _saving(offer: Offer) -> str | None:
    if offer.price is None or offer.list_price is None:
        return None
    return f"-{round(100 * (1 - offer.price / offer.list_price))}%"


def _availability_text(offer: Offer, wording: _Wording) -> str:
    match offer.availability:
        case Availability.UNAVAILABLE:
            return wording.unavailable
        case Availability.BUY_BOX_SUPPRESSED:
            return wording.suppressed
        case Availability.LIMITED:
            return wording.few_left.format(count=offer.stock_left)
        case _:
            return wording.in_stock


def _rating_text(marketplace: str, tenths: int | None) -> str | None:
    if tenths is None:
        return None
    stars = f"{tenths // 10}.{tenths % 10}"
    if marketplace in _DECIMAL_COMMA:
        stars = stars.replace(".", ",")
    return _WORDINGS[marketplace].rating.format(stars=stars)


def _details(product: DemoProduct, offer: Offer, listing: Listing) -> list[dict[str, str]]:
    named = [{"name": name, "value": value} for name, value in listing.attributes.items()]
    if offer.ranks:
        wording = _WORDINGS[product.marketplace]
        named.append({"name": wording.rank_name, "value": _ranks_text(offer, wording)})
    return named


def _ranks_text(offer: Offer, wording: _Wording) -> str:
    main, sub = offer.ranks
    return wording.ranks.format(
        rank=_grouped(main.rank, wording),
        main=main.category,
        sub_rank=_grouped(sub.rank, wording),
        sub=sub.category,
    )


def _grouped(number: int, wording: _Wording) -> str:
    return f"{number:,}".replace(",", wording.group)


def _categories(path: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {"name": name, "url": f"/b/ref=dp_bc_{step}?node={9000 + step}", "node": str(9000 + step)}
        for step, name in enumerate(path, start=1)
    ]


def junglee_item(product: DemoProduct, offer: Offer, listing: Listing) -> dict[str, Any]:
    """Return an item of junglee/Amazon-crawler."""
    wording = _WORDINGS[product.marketplace]
    return {
        "title": listing.title,
        "url": product_url(product.marketplace, product.asin),
        "asin": product.asin,
        "inStock": offer.price is not None,
        "inStockText": _availability_text(offer, wording),
        "brand": listing.brand,
        "price": _money(offer.price, wording),
        "listPrice": _money(offer.list_price, wording),
        "shippingPrice": None,
        "stars": None if offer.rating is None else offer.rating / 10,
        "starsBreakdown": {
            "5star": 0.7,
            "4star": 0.16,
            "3star": 0.07,
            "2star": 0.03,
            "1star": 0.04,
        },
        "reviewsCount": offer.ratings_count,
        "answeredQuestions": None,
        "breadCrumbs": " › ".join(listing.category_path),
        "thumbnailImage": listing.images[0],
        "galleryThumbnails": [],
        "highResolutionImages": list(listing.images),
        "description": listing.description,
        "features": list(listing.bullets),
        "variantAsins": [],
        "variantDetails": [],
        "attributes": [{"key": name, "value": text} for name, text in listing.attributes.items()],
        "seller": _seller(offer),
        "bestsellerRanks": [
            {"rank": rank.rank, "category": rank.category, "url": None} for rank in offer.ranks
        ]
        or None,
        "saleSummary": _coupon(offer, product.marketplace),
        "isAmazonChoice": None,
    }


def _money(minor: int | None, wording: _Wording) -> dict[str, Any] | None:
    if minor is None:
        return None
    return {"value": _amount(minor, wording), "currency": wording.currency}


def _seller(offer: Offer) -> dict[str, Any] | None:
    if offer.seller is None:
        return None
    shipped_by_amazon = int(offer.fulfilment is not Fulfilment.FBM)
    return {
        "name": offer.seller,
        "id": find_seller_id(offer.seller),
        "url": f"/gp/help/seller/at-a-glance.html?isAmazonFulfilled={shipped_by_amazon}",
    }
