"""Apply the faults of real actors to items: failed pages, wrong values. One item at a time."""

from typing import Any, Final

from core.demo.fake_apify.actor_input import RequestedPage
from core.demo.fake_apify.faults import Fault, FaultKind
from core.scraping.parsers.ranks import is_rank_label, read_ranks

_OTHER_ASIN: Final = "B0DEMOELSE"  # the page a redirect leads to
_OVERVIEW: Final = (
    "title",
    "asin",
    "brand",
    "stars",
    "reviewsCount",
    "thumbnailImage",
    "breadCrumbs",
    "description",
    "price",
    "url",
)


def apply_faults(
    item: dict[str, Any] | None, page: RequestedPage, faults: list[Fault], *, is_junglee: bool
) -> dict[str, Any]:
    """Return the actor's item of a page, with its faults.

    `item` None means that there is no such page. The faults that affect the
    page's ASIN are applied in their order.
    """
    kinds = [fault.kind for fault in faults if fault.affects_item(page.asin)]
    if item is None or FaultKind.NOT_FOUND_ITEMS in kinds:
        return _missing_page(page, is_junglee)
    if FaultKind.BLOCKED_ITEMS in kinds:
        return _blocked_page(page, is_junglee)
    for kind in kinds:
        item = _apply_fault(item, kind, is_junglee)
    return item


def _missing_page(page: RequestedPage, is_junglee: bool) -> dict[str, Any]:
    if is_junglee:
        return {"error": "page_not_found", "url": page.url}
    return {"statusCode": 404, "statusMessage": "NOT_FOUND", "url": page.url}


def _blocked_page(page: RequestedPage, is_junglee: bool) -> dict[str, Any]:
    if is_junglee:
        return {"error": "blocked_by_captcha", "url": page.url}
    return {"statusCode": 503, "statusMessage": "ROBOT_CHECK", "url": page.url}


def _apply_fault(item: dict[str, Any], kind: FaultKind, is_junglee: bool) -> dict[str, Any]:
    match kind:
        case FaultKind.REDIRECTED_ITEMS:
            return {**item, "asin": _OTHER_ASIN, "url": _make_redirect_url(item)}
        case FaultKind.ASIN_EMPTY:
            return {**item, "asin": ""}
        case FaultKind.NULL_PRODUCT_DETAILS:
            return {**item, "bestsellerRanks": None} if is_junglee else _drop_details(item)
        case FaultKind.LISTED_RANKS if not is_junglee:
            return _list_ranks(item)
        case FaultKind.ONLY_USED if not is_junglee:
            return {**item, "price": 0, "buyBoxUsed": {"price": item.get("price") or 9.9}}
        case FaultKind.NOT_A_PRODUCT if not is_junglee:
            return {"statusCode": 200, "url": item.get("url"), "asin": "", "title": None}
        case FaultKind.OVERVIEW if is_junglee:
            return {name: item.get(name) for name in _OVERVIEW}
        case FaultKind.PRICE_ZERO | FaultKind.PRICE_TIMES_100 | FaultKind.WRONG_CURRENCY:
            return {**item, "price": _wrong_price(item.get("price"), kind)}
        case _:
            return item


def _make_redirect_url(item: dict[str, Any]) -> str:
    return str(item.get("url", "")).replace(str(item.get("asin", "")), _OTHER_ASIN)


def _drop_details(item: dict[str, Any]) -> dict[str, Any]:
    bare = {name: value for name, value in item.items() if name != "bestSellersRank"}
    return {**bare, "productDetails": None}


def _list_ranks(item: dict[str, Any]) -> dict[str, Any]:
    details = item.get("productDetails") or []
    lines = [each for each in details if is_rank_label(each["name"])]
    ranks = [rank for line in lines for rank in read_ranks(line["value"], is_named=True)]
    return {
        **item,
        "productDetails": [each for each in details if each not in lines],
        "bestSellersRank": [
            {"rank": rank.rank, "categoryName": rank.category, "link": None} for rank in ranks
        ],
    }


def _wrong_price(price: Any, kind: FaultKind) -> Any:
    """Return the wrong price: a number from axesso, `{value, currency}` from junglee."""
    if isinstance(price, dict):
        if kind is FaultKind.WRONG_CURRENCY:
            return {**price, "currency": "C$"}
        return {**price, "value": _wrong_price(price["value"], kind)}
    if kind is FaultKind.PRICE_ZERO or not price:
        return 0
    factor = 100 if kind is FaultKind.PRICE_TIMES_100 else 7  # 7: roughly another currency
    return round(price * factor, 2)
