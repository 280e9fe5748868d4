"""Invented reviews for the pages of demo products, in the marketplace's language. Data only."""
# ruff: noqa: E501 - a text reads better whole

from typing import Any, Final

_DATES: Final = {
    "US": "Reviewed in the United States on {month} {day}, 2025",
    "DE": "Bewertet in Deutschland am {day}. {month} 2025",
    "FR": "Avis laissé en France le {day} {month} 2025",
    "JP": "2025年{month}{day}日に日本でレビュー済み",
}
_MONTHS: Final = {
    "US": ("March", "June", "August"),
    "DE": ("März", "Juni", "August"),
    "FR": ("mars", "juin", "août"),
    "JP": ("3月", "6月", "8月"),
}
_TEXTS: Final = {
    "US": (
        (
            "Does what it says",
            "I have used it every day for a month. No complaints so far, and the "
            "second one I ordered as a present arrived just as well packed. I would have liked a "
            "longer manual, but there is not much that could be explained.",
        ),
        (
            "Good, with one catch",
            "Well made and it feels like it will last. The catch is the smell "
            "of the packaging, which was gone after two days on the balcony. Everything else is as "
            "described on the page, including the size, which I checked with a ruler.",
        ),
        (
            "Bought it twice",
            "The first one went to my daughter, so I needed another. The price had "
            "moved a little in between. Customer service answered a question within a day.",
        ),
        (
            "Not for me",
            "Nothing wrong with it, I simply expected something smaller. Returning it "
            "was easy. Three stars, because the pictures could show it next to a hand.",
        ),
    ),
    "DE": (
        (
            "Hält, was es verspricht",
            "Seit vier Wochen täglich in Gebrauch und bisher ohne Tadel. "
            "Die Verarbeitung ist sauber, nichts wackelt. Die Anleitung ist kurz, aber es gibt auch "
            "nicht viel zu erklären. Würde ich wieder kaufen.",
        ),
        (
            "Gut, mit kleinem Abzug",
            "Macht einen soliden Eindruck. Der Geruch der Verpackung war "
            "nach zwei Tagen am offenen Fenster verschwunden. Die Maße stimmen, ich habe nachgemessen. "
            "Ein Stern Abzug für die Lieferung, die zwei Tage später kam als angekündigt.",
        ),
        (
            "Schon das zweite",
            "Das erste hat meine Schwester behalten. Der Preis war inzwischen etwas "
            "anders. Eine Frage an den Händler wurde am selben Tag beantwortet.",
        ),
        (
            "Größer als gedacht",
            "Nichts daran auszusetzen, ich hatte es mir nur kleiner vorgestellt. "
            "Die Rückgabe war unkompliziert.",
        ),
    ),
    "FR": (
        (
            "Conforme à la description",
            "Utilisé tous les jours depuis un mois, sans aucun souci. La "
            "finition est propre et l'emballage soigné. La notice est courte, mais il n'y a pas "
            "grand-chose à expliquer. Je le rachèterais sans hésiter.",
        ),
        (
            "Très bien, à un détail près",
            "Produit solide qui semble fait pour durer. L'odeur de "
            "l'emballage a disparu en deux jours à l'air libre. Les dimensions sont exactes, je les ai "
            "vérifiées. Une étoile en moins pour la livraison arrivée avec deux jours de retard.",
        ),
        (
            "Acheté deux fois",
            "Le premier est resté chez ma fille. Le prix avait un peu changé entre "
            "les deux. Le vendeur a répondu à ma question dans la journée.",
        ),
        (
            "Plus grand que prévu",
            "Rien à lui reprocher, je l'imaginais simplement plus petit. Le "
            "retour s'est fait facilement.",
        ),
    ),
    "JP": (
        (
            "説明通りの品です",
            "一か月ほど毎日使っていますが、今のところ不満はありません。作りが丁寧で、"
            "梱包もきれいでした。説明書は短めですが、難しいところはないので十分です。贈り物にも良いと思います。",
        ),
        (
            "良いですが一つだけ",
            "しっかりした作りで長く使えそうです。届いたときに箱の匂いが少し気になりましたが、"
            "二日ほどで消えました。サイズは商品ページの通りで、実際に測って確かめました。",
        ),
        (
            "二つ目を購入",
            "一つ目は娘に取られてしまったので、もう一つ注文しました。値段は前回と少し変わっていました。"
            "質問には当日中に返事をいただけました。",
        ),
        (
            "思ったより大きい",
            "品物に問題はありませんが、もう少し小さいものを想像していました。"
            "返品の手続きは簡単でした。",
        ),
    ),
}
_STARS: Final = (5, 4, 5, 3)


def page_reviews(marketplace: str, asin: str) -> list[dict[str, Any]]:
    """Return the few reviews that a product's page shows, as axesso writes them."""
    shift = sum(map(ord, asin))
    return [_review(marketplace, asin, number, shift + number) for number in range(4)]


def _review(marketplace: str, asin: str, number: int, turn: int) -> dict[str, Any]:
    title, text = _TEXTS[marketplace][turn % 4]
    month = _MONTHS[marketplace][turn % 3]
    return {
        "text": text,
        "date": _DATES[marketplace].format(month=month, day=1 + turn % 27),
        "rating": f"{_STARS[turn % 4]}.0",
        "title": title,
        "userName": f"Demo reader {turn % 40 + 1}",
        "url": "",
        "imageUrlList": [],
        "variationList": [],
        "reviewId": f"RDEMO{asin[6:]}{number}",
    }
