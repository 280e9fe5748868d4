"""Words that the listing rules recognise, in the marketplaces' languages. Data only."""

import re

_ARTICLES_AND_THEIR_LIKE = (
    # English
    "a an the and or but nor for of with without in on at by to from into onto over under up as "
    "per via plus",
    # German
    "der die das den dem des ein eine einen einem einer eines und oder aber mit ohne für von vom "
    "zu zum zur im in am an auf aus bei beim bis durch gegen nach über um unter vor",
    # French
    "le la les un une des du de et ou mais avec sans pour par en dans sur sous à au aux",
    # Italian
    "il lo gli i uno e o ed ma con senza per di del della dei delle da dal dalla nel nella su",
    # Spanish and Portuguese
    "el los las unos unas y u pero sin para por desde hasta os as um uma com sem em no na do dos "
    "nos nas ao",
    # Dutch, Swedish, Polish, Turkish
    "het een van voor met zonder op bij naar door ett och eller med utan för av på till i w z ze "
    "na do dla bez oraz lub ve veya ile için",
)
# Words that a title may use more than twice and that a shortened text must not end with.
SMALL_WORDS = frozenset(" ".join(_ARTICLES_AND_THEIR_LIKE).split())

_MEDIA = (
    "books|kindle store|audible books & originals|cds & vinyl|digital music|movies & tv|dvd",
    "dvd & blu-ray|music|magazine subscriptions",
    "bücher|kindle-shop|musik-cds & vinyl|musik|filme & serien|zeitschriften",
    "livres|boutique kindle|musique|cd et vinyles|dvd et blu-ray",
    "libri|cd e vinili|film e tv|musica",
    "libros|tienda kindle|cds y vinilos|películas y tv|música|livros|loja kindle|cd e vinil",
    "boeken|muziek|films en tv|böcker|książki|muzyka|filmy i programy tv|kitaplar|kitap",
    "本|洋書|kindleストア|ミュージック|كتب",
)
# First categories of books, music and films, in lower case.
MEDIA = frozenset("|".join(_MEDIA).split("|"))

# Clear cases only: “sale” or “free” alone are in many texts that don't promote.
_LATIN = (
    r"free shipping",
    r"free delivery",
    r"fast shipping",
    r"(?:100 ?% )?(?:quality|satisfaction) guaranteed?",
    r"money[- ]back guaranteed?",
    r"full refund",
    r"best[- ]?seller",
    r"best[- ]selling",
    r"hot (?:item|sale)",
    r"(?:now )?on sale",
    r"limited[- ]time(?: offer)?",
    r"special offer",
    r"great deal",
    r"buy now",
    r"order now",
    r"add to cart",
    r"(?:lowest|best) price",
    r"new arrival",
    r"kostenloser versand",
    r"versandkostenfrei",
    r"geld[- ]zurück[- ]garantie",
    r"sonderangebot",
    r"jetzt (?:kaufen|bestellen)",
    r"(?:bester|niedrigster) preis",
    r"livraison gratuite",
    r"satisfait ou remboursé",
    r"offre (?:spéciale|limitée)",
    r"meilleur(?:e)? (?:prix|vente)",
    r"achetez maintenant",
    r"spedizione gratuita",
    r"soddisfatti o rimborsati",
    r"offerta (?:speciale|limitata)",
    r"miglior prezzo",
    r"env[ií]o gratis",
    r"oferta (?:especial|limitada)",
    r"mejor precio",
    r"frete grátis",
)
_UNSPACED = ("送料無料", "返金保証", "ベストセラー", "期間限定", "激安", "最安値", "今すぐ購入")
PROMOTIONS = re.compile(
    r"(?<!\w)(?:" + "|".join(_LATIN) + r")(?!\w)|" + "|".join(_UNSPACED), re.IGNORECASE
)
