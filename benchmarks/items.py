"""Invented items as axesso's product details actor writes them, about 20 kB of JSON each."""

from random import Random
from typing import Any

ASIN_PREFIX = "B0BENCH"
_WORDS = [
    "steady",
    "bright",
    "folding",
    "travel",
    "garden",
    "kitchen",
    "bottle",
    "lamp",
    "cable",
    "charger",
    "desk",
    "stand",
    "quiet",
    "portable",
    "compact",
    "sturdy",
    "washable",
    "cotton",
    "steel",
    "bamboo",
    "ceramic",
    "glass",
    "cover",
    "holder",
    "brush",
    "set",
    "pack",
    "light",
    "heavy",
    "round",
    "square",
    "large",
    "small",
    "every",
    "morning",
    "works",
    "well",
    "for",
    "home",
    "office",
]
_CATEGORIES = ("Home & Kitchen", "Office Products", "Garden & Outdoors", "Electronics", "Sports")
_SUBS = ("Desk Lamps", "Bottles", "Cable Holders", "Garden Lights", "Brush Sets")


def asin_of(number: int) -> str:
    """Return the invented ASIN of a product's number, below 1,000."""
    return f"{ASIN_PREFIX}{number:03d}"


def page_of_items(numbers: range, round_: int) -> list[dict[str, Any]]:
    """Return one item per product as seen in a round; from the second round on every
    tenth listing has changed and every twentieth price is off by a factor of 100."""
    return [_item(number, round_) for number in numbers]


def _item(number: int, round_: int) -> dict[str, Any]:
    fixed = Random(number)
    moving = Random(number * 1_000_003 + round_)
    price = 1_000 + fixed.randrange(9_000) + moving.randrange(40)
    is_slip = round_ > 0 and (number + round_) % 20 == 5
    asin = asin_of(number)
    return {
        "statusCode": 200,
        "statusMessage": "FOUND",
        "url": f"https://www.amazon.com/dp/{asin}",
        "title": f"{_sentence(fixed, 14)} (edition {_edition(number, round_)})",
        "manufacturer": f"Visit the {_sentence(fixed, 2).title()} Store",
        "countReview": 500 + fixed.randrange(5_000) + round_,
        "productRating": f"{3 + fixed.randrange(20) / 10:.1f} out of 5 stars",
        "asin": asin,
        "soldBy": "Bench Trading",
        "fulfilledBy": "Amazon",
        "sellerId": "A0BENCH00000",
        "warehouseAvailability": "In Stock",
        "retailPrice": round(price * 1.2) / 100,
        "price": price if is_slip else price / 100,
        "priceRange": None,
        "shippingPrice": 0,
        "priceSaving": None,
        "coupon": None,
        "features": [_sentence(fixed, 30) for _ in range(6)],
        "imageUrlList": [_image(fixed) for _ in range(8)],
        "videoeUrlList": [],
        "productDescription": _sentence(fixed, 160),
        "productDetails": [*_details(fixed), _ranks(fixed, moving)],
        "minimalQuantity": "1",
        "reviews": [_review(fixed, asin, place) for place in range(8)],
        "productSpecification": [],
        "mainImage": {"imageUrl": _image(fixed), "imageResolution": "679 x 679"},
        "variations": _variations(fixed),
        "bookVariations": [],
        "categoriesExtended": [
            {"name": name, "url": f"/b?node={place}", "node": str(place)}
            for place, name in enumerate(_CATEGORIES[: 2 + number % 3])
        ],
        "deliveryMessage": None,
        "importantInformation": [],
        "buyBoxUsed": None,
        "aboutProduct": [],
        "globalReviews": [],
        "deal": False,
        "prime": True,
        "used": False,
        "pastSales": "100+ bought in past month",
        "reviewInsights": {
            "summary": _sentence(fixed, 60),
            "featureName": _sentence(fixed, 3),
            "featureReviews": [_sentence(fixed, 80) for _ in range(10)],
        },
    }


def _edition(number: int, round_: int) -> int:
    """Return the last round in which this product's listing changed."""
    return 10 + round_ - (number + round_) % 10


def _sentence(random: Random, words: int) -> str:
    return " ".join(random.choices(_WORDS, k=words)).capitalize()


def _image(random: Random) -> str:
    return f"https://images.example/I/{random.getrandbits(64):016x}._AC_SL1500_.jpg"


def _details(random: Random) -> list[dict[str, str]]:
    return [{"name": f"Detail {place}", "value": _sentence(random, 3)} for place in range(18)]


def _ranks(fixed: Random, moving: Random) -> dict[str, str]:
    main, sub = fixed.choice(_CATEGORIES), fixed.choice(_SUBS)
    rank, sub_rank = 1_000 + moving.randrange(90_000), 1 + moving.randrange(900)
    line = f"#{rank:,} in {main} (See Top 100 in {main}) #{sub_rank} in {sub}"
    return {"name": "Best Sellers Rank", "value": line}


def _review(random: Random, asin: str, place: int) -> dict[str, Any]:
    return {
        "text": _sentence(random, 78),
        "date": "Reviewed in the United States on May 4, 2025",
        "rating": "5.0 out of 5 stars",
        "title": _sentence(random, 6),
        "userName": f"Reader {place}",
        "url": f"https://www.amazon.com/gp/customer-reviews/R{place}{asin}",
        "imageUrlList": [],
        "variationList": [],
        "reviewId": f"R{place}{asin}",
        "locale": "en-US",
        "profilePath": f"/gp/profile/amzn1.account.{random.getrandbits(80):020x}",
    }


def _variations(random: Random) -> list[dict[str, Any]]:
    values = [
        {
            "value": _sentence(random, 2),
            "dpUrl": f"/dp/B0BENCHV{place:02d}?th=1",
            "selected": place == 0,
            "available": True,
            "price": 0,
            "imageUrl": _image(random),
            "asin": f"B0BENCHV{place:02d}",
        }
        for place in range(6)
    ]
    return [{"variationName": "Colour", "values": values}]
