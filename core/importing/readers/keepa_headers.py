"""Names of the columns of Keepa's exports, in the languages of its site. No values."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

_NOISE = re.compile(r"[^\w:,().&/ -]+")

_CURRENT = (
    "current", "aktuell", "actuel", "actuelle", "attuale", "corrente", "actual", "atual",
    "現在価格", "現在", "当前", "当前价格", "目前", "huidig",
)  # fmt: skip
_NEW = ("new", "neu", "neuf", "nuovo", "nuevo", "novo", "nieuw", "新品", "全新")
_USED = ("used", "gebraucht", "occasion", "d occasion", "usato", "usado", "中古", "二手")
_REVIEWS = (
    "reviews", "bewertungen", "rezensionen", "avis", "évaluations", "recensioni", "reseñas",
    "opiniones", "avaliações", "レビュー", "评论", "评价",
)  # fmt: skip
_CATEGORIES = (
    "categories", "kategorien", "catégories", "categorie", "categorías", "categorias", "カテゴリ",
    "カテゴリー", "类别", "分类",
)  # fmt: skip

# Our field ← the parts before and after the colon of a column's name.
_IN_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "rank": (
        ("sales rank", "verkaufsrang", "classement des ventes", "rang de vente",
         "classifica vendite", "posizione in classifica", "ranking de ventas",
         "clasificación en ventas", "classificação de vendas", "売れ筋ランキング", "销售排名"),
        _CURRENT,
    ),
    "buy_box_price": (("buy box", "buybox", "caja de compra", "カート", "购物车"), _CURRENT),
    "amazon_price": (("amazon",), _CURRENT),
    "new_price": (_NEW, _CURRENT),
    "new_fba_price": (("new, 3rd party fba", "neu, drittanbieter fba", "新品, 第三者 fba",
                       "新品, サードパーティ fba"), _CURRENT),
    "used_price": (_USED, _CURRENT),
    "list_price": (
        ("list price", "listenpreis", "uvp", "prix conseillé", "prix catalogue",
         "prezzo di listino", "precio de lista", "precio recomendado", "preço de tabela",
         "参考価格", "定価", "标价", "参考价"),
        _CURRENT,
    ),
    "deal_price": (("lightning deals", "blitzangebote", "タイムセール", "ventes flash",
                    "offerte lampo", "ofertas flash"), _CURRENT),
    "offers_new": (("new offer count", "新品アイテム数", "anzahl neuer angebote"), _CURRENT),
    "offers_used": (
        ("used offer count", "中古アイテム数", "anzahl gebrauchter angebote"), _CURRENT,
    ),
    "rating": (_REVIEWS, ("rating", "sterne", "bewertung", "note", "valutazione", "valoración",
                          "calificación", "avaliação", "評価", "评分")),
    "ratings_count": (_REVIEWS, (
        "rating count", "review count", "anzahl der bewertungen", "anzahl bewertungen",
        "nombre d évaluations", "nombre d avis", "numero di valutazioni", "número de valoraciones",
        "評価件数", "評価数", "レビュー件数", "レビュー数", "评分数", "评论数",
    )),
    "path": (_CATEGORIES, ("tree", "baum", "arborescence", "albero", "árbol", "árvore", "ツリー",
                           "树")),
    "root": (_CATEGORIES, ("root", "stamm", "racine", "radice", "raíz", "raiz", "ルート", "根")),
}  # fmt: skip
# Names without such parts, or with parts used only once.
_WHOLE: dict[str, tuple[str, ...]] = {
    "asin": ("asin",),
    "title": ("title", "titel", "titre", "titolo", "título", "商品名", "タイトル", "标题",
              "商品名称"),
    "brand": ("brand", "marke", "marque", "marca", "merk", "ブランド", "品牌"),
    "images": ("image", "bild", "immagine", "imagen", "imagem", "画像", "图片"),
    "buy_box_seller": ("buy box: buy box seller", "buy box seller"),
    "offers_new": ("count of retrieved live offers: new",),
    "offers_used": ("count of retrieved live offers: used",),
    "is_fba": ("buy box: is fba",),
    "description": ("description & features: description", "description"),
    "locale": ("locale", "ロケール"),
}  # fmt: skip
_BULLET = "description & features: feature "
_ATTRIBUTES = {
    "product codes: ean": "ean", "product codes: upc": "upc", "product codes: gtin": "gtin",
    "商品コード: ean": "ean", "商品コード: upc": "upc", "produktcodes: ean": "ean",
    "product codes: partnumber": "partNumber", "parent asin": "parentAsin",
    "manufacturer": "manufacturer", "hersteller": "manufacturer", "製造者": "manufacturer",
    "model": "model", "color": "color", "size": "size",
    "author": "author", "website display group: name": "websiteDisplayGroupName",
}  # fmt: skip
LABELS = {
    "asin": "ASIN", "title": "Title", "brand": "Brand", "images": "Images",
    "rank": "Best Sellers Rank", "rating": "Rating (stars)", "ratings_count": "Number of ratings",
    "buy_box_price": "Buy Box price", "buy_box_seller": "Buy Box seller",
    "amazon_price": "Amazon's price", "new_price": "Lowest new price",
    "new_fba_price": "Lowest new FBA price", "used_price": "Lowest used price",
    "list_price": "List price", "deal_price": "Deal price", "offers_new": "New offers",
    "offers_used": "Used offers", "is_fba": "Shipped by Amazon", "path": "Category",
    "root": "Category of the rank", "description": "Description",
}  # fmt: skip


def _names() -> dict[str, str]:
    """Return our field by Keepa's name of the column in plain form."""
    found = {name: field for field, names in _WHOLE.items() for name in names}
    for field, (heads, tails) in _IN_PARTS.items():
        for head, tail in product(heads, tails):
            found.setdefault(f"{head}: {tail}", field)
    return found


_FIELD_OF = _names()


@dataclass(frozen=True, slots=True)
class ExportColumns:
    """What a file's columns hold."""

    by_field: Mapping[str, str]
    bullets: tuple[str, ...]
    attributes: Mapping[str, str]  # the attribute's name → the column

    @classmethod
    def from_header(cls, columns: Iterable[str]) -> "ExportColumns":
        plain: dict[str, str] = {}
        for column in columns:
            plain.setdefault(plain_header(column), column)
        found: dict[str, str] = {}
        for name, column in plain.items():
            if name in _FIELD_OF:
                found.setdefault(_FIELD_OF[name], column)
        bullets = tuple(column for name, column in plain.items() if name.startswith(_BULLET))
        attributes = {to: plain[name] for name, to in _ATTRIBUTES.items() if name in plain}
        return cls(found, bullets, attributes)

    def list_meanings(self, columns: Iterable[str]) -> dict[str, str | None]:
        """Return what each column is read as, None for one that is not used."""
        used = {column: LABELS[name] for name, column in self.by_field.items() if name in LABELS}
        used |= dict.fromkeys(self.bullets, "Bullet point")
        used |= {column: f"Attribute “{name}”" for name, column in self.attributes.items()}
        return {column: used.get(column) for column in columns if column}


def plain_header(header: str) -> str:
    """Return a header without emoji and odd spaces: "Buy Box 🚚: Current" → "buy box: current"."""
    folded = unicodedata.normalize("NFKC", header).replace("'", " ").replace("\u2019", " ")
    words = " ".join(_NOISE.sub("", folded).split()).lower()
    return words.replace(" :", ":")


def is_export(columns: Iterable[str]) -> bool:
    """Return whether columns are those of a Keepa export: an ASIN, and names only Keepa uses."""
    plain = {plain_header(column) for column in columns}
    own = sum(": " in name for name in plain)
    return "asin" in plain and own >= 2
