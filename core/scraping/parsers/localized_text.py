"""Parse Amazon's sentences in the languages of its marketplaces.

Ratings, availability, coupons, sellers. Pure; ranks have their own module.
An unknown sentence gives None, never a guess.
"""

import re
from functools import lru_cache
from typing import Final

from core.catalog.marketplaces import Marketplace
from core.history.observation import Availability, Fulfilment
from core.scraping.parsers.value_parsers import (
    LONGEST_NAME,
    UnreadableValueError,
    parse_amount_text,
    parse_whole_number,
)

_NUMBER = re.compile(r"\d+(?:[.,٫]\d+)*")
_LONGEST_STARS: Final = 4  # characters of "4.66"; "1,234" is a count
_STARS = re.compile(
    r"\d[.,]\d\s+(?:out of|von|sur|su|de|van de|av|na|z|/|yıldız)\s+5\b|5つ星のうち|\d[.,]\d\s*顆星"
    r"|\d[.,]\d\s*颗星",
    re.IGNORECASE,
)
_LARGEST_RATING: Final = 10.0  # stars; above 5 is flagged later, above 10 is not a rating
_LONGEST_SENTENCE: Final = 400  # characters; the rest of a longer one is ignored

# Searched in this order: "currently unavailable" also contains "available".
_WORDS: Final = tuple(
    (state, re.compile(pattern, re.IGNORECASE))
    for state, pattern in (
        (
            Availability.BUY_BOX_SUPPRESSED,
            r"see all buying options|available from these sellers|no featured offers?"
            r"|alle kaufoptionen|keine hervorgehobenen angebote|andere verkäufer"
            r"|toutes les options d'achat|aucune offre mise en avant|chez ces vendeurs"
            r"|tutte le opzioni di acquisto|todas las opciones de compra|estos vendedores"
            r"|すべての購入オプション|こちらからもご購入|おすすめ出品の要件|查看所有購買選項|これらの出品者",
        ),
        (
            Availability.PRE_ORDER,
            r"pre-?\s?order|will be released on|not yet (?:been )?released"
            r"|vorbestell|erscheint am|noch nicht erschienen"
            r"|pr[ée]-?command|para[iî]tra le|pas encore paru"
            r"|pre-?ordin|prenotabil|reservar ahora|disponible para reserva|pr[ée]-?venda"
            r"|予約|発売予定|預購|预订|預售|przedsprzeda|förhandsboka|ön sipariş",
        ),
        (
            Availability.BACK_ORDER,
            r"temporarily out of stock|back-?\s?order|in stock soon|in stock on \w+"
            r"|vorübergehend nicht|demnächst (?:wieder )?auf lager|wieder auf lager ab"
            r"|temporairement|bientôt en stock|en stock (?:à partir d|le \d)"
            r"|temporaneamente|temporalmente|tijdelijk|一時的に(?:在庫切れ|品切れ)|入荷予定です"
            r"|暫時缺貨|暂时缺货|chwilowo|tillfälligt",
        ),
        (
            Availability.UNAVAILABLE,
            r"unavailable|out of stock|sold out|not available|no longer available"
            r"|nicht verfügbar|nicht auf lager|ausverkauft"
            r"|indisponible|rupture de stock|épuisé"
            r"|non disponibil|esaurito|no disponible|agotado|sin stock"
            r"|niet beschikbaar|niet verkrijgbaar|niet op voorraad|uitverkocht"
            r"|indisponível|não disponível|esgotado|niedostępn|slut i lager|inte tillgänglig"
            r"|在庫切れ|取り扱いできません|入荷予定は立って|無法供應|无法供应|目前無貨|缺貨|缺货|無現貨"
            r"|ej tillgänglig|目前无货|mevcut değil|stokta yok|غير متوفر|غير متاح",
        ),
        (
            Availability.IN_STOCK,
            r"in stock|available|ships? (?:with)?in|dispatched|in-stock"
            r"|auf lager|verfügbar|lieferbar|versandfertig"
            r"|en stock|disponib|expédi[ée] sous"
            r"|op voorraad|em estoque|disponível|dostępn|w magazynie|i lager|stokta"
            r"|在庫あり|通常\s*\d|現貨|现货|有貨|有货|متوفر",
        ),
    )
)
# The page was shown for a delivery location outside the marketplace.
_NOT_SENT_HERE = re.compile(
    r"(?:can(?:not|'t|’t| not)|could not|unable to|does(?: not|n't|n’t)|not able to)\s+(?:be\s+)?"
    r"(?:ship(?:ped)?|deliver(?:ed)?)\b.{0,40}\bto\b|not available for (?:delivery|shipping) to"
    r"|nicht an (?:den|die|ihren|ihre|deinen|deine)\b.{0,60}(?:versandt|versendet|geliefert)"
    r"|nicht nach\b.{0,40}(?:versandt|versendet|geliefert|lieferbar)"
    r"|(?:ne peut pas|ne peut|impossible).{0,30}(?:expédi|livr|envoy)"
    r"|non può essere.{0,20}(?:spedit|consegnat|inviat)|non è possibile (?:spedi|consegn)"
    r"|no (?:se )?puede.{0,20}(?:envi|entreg)|no se env[ií]a|no hace envíos"
    r"|não pode ser.{0,20}(?:envi|entreg)|não é possível (?:envi|entreg)"
    r"|kan niet.{0,60}(?:verzonden|geleverd|bezorgd)|kan inte (?:skickas|levereras)"
    r"|nie może (?:być|zostać).{0,20}(?:wysłan|dostarcz)|nie można.{0,20}(?:wysłać|dostarcz)"
    r"|gönderilem|gönderim yapılam|teslim edilem"
    r"|お届けできません|お届けすることができません|配送できません"
    r"|(?:無法|无法|不能)(?:運送|配送|寄送|运送|送达|送達)"
    r"|لا يمكن (?:شحن|توصيل)|لا يشحن",
    re.IGNORECASE,
)
_FEW_LEFT = re.compile(
    r"(?:only|nur noch|reste (?:plus )?que|reste|sol[oóa]s?(?: qued\w+| rest\w+)?|qued\w+"
    r"|rest\w+ solo|nog (?:maar|slechts)|slechts|apenas|somente|tylko|endast|bara|sadece"
    r"|残り|剩余|僅剩|仅剩|只剩|تبقى)"
    r"\D{0,15}(\d{1,5})(?![\d.,]*\s*(?:%|€|\$|£|days?|hours?|tage?n?|jours?|giorni|días))"
    r"|في المخزون\D{0,5}(\d{1,5})",
    re.IGNORECASE,
)
_COUPON = re.compile(
    r"coupon|voucher|gutschein|rabattcode|cup[oó]n|cupom|buono sconto|bon de réduction"
    r"|クーポン|優惠券|优惠券|折價券|折扣券|kupon|kupong|قسيمة",
    re.IGNORECASE,
)
# "Click to pay 12,59 €" states what is paid, not the saving.
_PAYS = re.compile(r"\bpay(?:er|ez)?\b|bezahl|\bzahlen|\bpagar?\b|\bpaghi\b|支払", re.IGNORECASE)
_PERCENT = re.compile(r"(\d{1,3})\s*[%％٪]|[%％]\s*(\d{1,3})")
_MONEY_SIGN: Final = (
    r"(?:R\$|US\$|C\$|AU\$|MX\$|S\$|[$€£¥￥₹₺]|kr|zł|AED|SAR|EGP|USD|CAD|EUR|GBP|円|元)"
)
_MONEY = re.compile(
    rf"{_MONEY_SIGN}\s*\d[\d.,'\u00a0\u202f]*|\d[\d.,'\u00a0\u202f]*\s*{_MONEY_SIGN}"
)
_AMAZON_ITSELF = re.compile(
    r"(?:amazon|アマゾン)(?:\.(?:com?\.)?[a-z]{2,3}|\s+(?:eu|us|uk|japan|services|seller services"
    r"|export sales|global store|warehouse|resale|retail|deutschland|france|italia)\b.*)?"
    r"(?:\s*\(.*)?",
    re.IGNORECASE,
)


def parse_rating(value: object) -> int | None:
    """Return a rating in tenths of a star from 4.6, "4,9 von 5 Sternen" or "5つ星のうち4.3".

    None for 0, which scrapers write for "not rated yet".
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _parse_rating_text(value[:LONGEST_NAME])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableValueError("This should be a rating.")
    if not 0 <= value <= _LARGEST_RATING:  # false for NaN too
        raise UnreadableValueError("This isn't a rating.")
    return int(value * 10 + 0.5) or None


_NO_STARS = re.compile(r"\s*(?:[-−]\s*\d|[\d.,]+e[-+]?\d)", re.IGNORECASE)  # "-5", "1e400"


@lru_cache(maxsize=1024)
def _parse_rating_text(text: str) -> int | None:
    if not text.strip():
        return None
    numbers = _NUMBER.findall(text)
    if not numbers or _NO_STARS.match(text):
        raise UnreadableValueError("This should be a rating.")
    # Some languages name the maximum first: "5 stars' of which 4.3".
    stated = numbers[1] if numbers[0] == "5" and len(numbers) > 1 else numbers[0]
    if len(stated) > _LONGEST_STARS:
        raise UnreadableValueError("This should be a rating.")
    return parse_rating(float(stated.replace(",", ".").replace("٫", ".")))


def mentions_rating(value: object) -> bool:
    """Return whether a detail is one like "4.6 out of 5 stars 75 ratings", which changes daily."""
    return (
        isinstance(value, str)
        and value[:1].isdigit()
        and "5" in value
        and _STARS.search(value[:_LONGEST_SENTENCE]) is not None
    )


def parse_availability(value: object) -> tuple[Availability | None, int | None]:
    """Return the availability and the stock left by a stock sentence; None for what it lacks."""
    if value is None:
        return None, None
    if not isinstance(value, str):
        raise UnreadableValueError("This should be a stock sentence.")
    return _parse_stock_text(value[:_LONGEST_SENTENCE])


@lru_cache(maxsize=4096)
def _parse_stock_text(sentence: str) -> tuple[Availability | None, int | None]:
    few = _FEW_LEFT.search(sentence)
    if few:
        return Availability.LIMITED, int(few[1] or few[2])
    for state, words in _WORDS:
        if words.search(sentence):
            return state, None
    return None, None


def is_not_sent_here(value: object) -> bool:
    """Return whether a sentence means that the item isn't delivered to the place shown."""
    return isinstance(value, str) and _matches_not_sent_here(value[:_LONGEST_SENTENCE])


@lru_cache(maxsize=4096)
def _matches_not_sent_here(sentence: str) -> bool:
    return _NOT_SENT_HERE.search(sentence) is not None


def parse_coupon(
    value: object, marketplace: Marketplace, *, is_coupon: bool = False
) -> tuple[int | None, int | None]:
    """Return a coupon's discount: (minor units, percent), at most one of them.

    A promotion other than a coupon gives neither, unless the field contains only
    coupons (`is_coupon`). Raises UnreadableValueError for a coupon without a stated
    discount, such as "coupon: pay 12.59".
    """
    if value is None:
        return None, None
    if not isinstance(value, str):
        raise UnreadableValueError("This should be a sentence about a coupon.")
    return _parse_coupon_text(value[:_LONGEST_SENTENCE], marketplace, is_coupon)


@lru_cache(maxsize=1024)
def _parse_coupon_text(
    sentence: str, marketplace: Marketplace, is_coupon: bool
) -> tuple[int | None, int | None]:
    if not sentence.strip() or not (is_coupon or _COUPON.search(sentence)):
        return None, None
    percent, money = _PERCENT.search(sentence), _MONEY.search(sentence)
    if _PAYS.search(sentence) or not (percent or money):
        raise UnreadableValueError("This should be a coupon's discount.")
    if percent:
        return None, _parse_percent(percent[1] or percent[2])
    return (parse_amount_text(money[0], marketplace) if money else None), None


def _parse_percent(digits: str) -> int | None:
    percent = parse_whole_number(digits)
    if percent is not None and percent > 100:
        raise UnreadableValueError("A coupon's discount is at most 100 percent.")
    return percent or None


def is_amazon(name: str | None) -> bool:
    """Return whether a name is one under which Amazon itself sells and ships."""
    return name is not None and _is_amazon(name[:LONGEST_NAME])


@lru_cache(maxsize=4096)
def _is_amazon(name: str) -> bool:
    return _AMAZON_ITSELF.fullmatch(name.strip()) is not None


def parse_fulfilment(sold_by: str | None, shipped_by: str | None) -> Fulfilment | None:
    """Return who ships, from the two names on the page; None if they don't show it."""
    if shipped_by is None:
        return Fulfilment.AMAZON if is_amazon(sold_by) else None
    if not is_amazon(shipped_by):
        return Fulfilment.FBM
    if sold_by is None:
        return None
    return Fulfilment.AMAZON if is_amazon(sold_by) else Fulfilment.FBA
