"""The twelve invented categories of the demo market: brands, words, typical figures. Data only.

Every brand and product is invented. Texts are in the marketplace's language.
"""

from dataclasses import dataclass
from typing import Final

OWN_BRAND: Final = "Talvora"


@dataclass(frozen=True, slots=True)
class DemoCategory:
    """One category of one marketplace, and the material of its five products."""

    number: int  # two digits of the ASIN
    marketplace: str
    path: tuple[str, ...]  # main category first; ranks are in the first and the last
    typical_price: int  # minor units
    typical_rank: int  # in the main category
    season_peak: int  # day of the year
    season_strength: float  # log rank
    rivals: tuple[str, str, str]  # brands of the third to fifth product
    models: tuple[str, str, str, str, str]
    titles: tuple[str, str]  # with {brand} and {model}
    bullets: tuple[str, ...]
    description: str
    attributes: tuple[tuple[str, str], ...]
    tag: str


CATEGORIES: Final = (
    DemoCategory(
        1, "US", ("Electronics", "Headphones, Earbuds & Accessories", "Earbud Headphones"),
        4999, 2400, 340, 0.35, ("Brixham Vale", "Quillmont", "Oakentide"),
        ("Air One", "Air Two Pro", "Pulse 3", "Nestle-In", "Riverbed S"),
        (
            "{brand} {model} Wireless Earbuds, Bluetooth 5.4, 42-Hour Playtime, Black",
            "{brand} {model} Bluetooth Earbuds with Charging Case, 42H Battery, IPX5, Black",
        ),
        (
            "42 HOURS WITH THE CASE: seven hours per charge and five more charges in the case.",
            "CLEAR CALLS: two microphones on each side tell your voice from the wind.",
            "A FIT THAT STAYS: four sizes of soft tips are in the box.",
            "SPLASH-PROOF: rain and sweat are no reason to stop (IPX5).",
            "ONE TOUCH: play, skip and answer without taking out your phone.",
            "TWO PHONES AT ONCE: connected to both, it changes over when one rings.",
        ),
        "Small earbuds for long days. The case fits a coin pocket and charges over USB-C.",
        (("Color", "Black"), ("Connectivity", "Bluetooth 5.4"), ("Item Weight", "1.7 ounces")),
        "audio",
    ),
    DemoCategory(
        2, "US", ("Sports & Outdoors", "Exercise & Fitness", "Yoga Mats"),
        3299, 3800, 12, 0.55, ("Fennimore", "Stillwater Loft", "Brackenway"),
        ("Ground 6", "Ground 8", "Calm Mat", "Balance XL", "Morning Roll"),
        (
            "{brand} {model} Yoga Mat, Non-Slip, 72 x 24 in, with Carrying Strap",
            "{brand} {model} Thick Exercise Mat for Yoga and Pilates, Non-Slip, with Strap",
        ),
        (
            "GRIP ON BOTH SIDES: a fine wave below, a dry surface above.",
            "THICK ENOUGH FOR KNEES: a quarter of an inch of closed-cell foam.",
            "LIGHT TO CARRY: two pounds, with a cotton strap.",
            "WIPES CLEAN: soap and water are enough.",
            "NO SMELL: made without PVC and latex.",
        ),
        "A mat that lies flat from the first day, for yoga, stretching and all floor work.",
        (("Color", "Slate"), ("Material", "TPE foam"), ("Item Dimensions", "72 x 24 inches")),
        "fitness",
    ),
    DemoCategory(
        3, "US", ("Kitchen & Dining", "Travel & To-Go Drinkware", "Insulated Bottles"),
        2499, 1500, 200, 0.5, ("Harrow & Pine", "Coldbrook", "Juniper Mesa"),
        ("Flask 18", "Flask 26", "Trail Bottle", "Steel Sipper", "Daily 20"),
        (
            "{brand} {model} Insulated Water Bottle, Stainless Steel, Leakproof Lid",
            "{brand} {model} Stainless Steel Bottle, Cold 24 Hours, Leakproof, BPA-Free",
        ),
        (
            "COLD FOR A DAY: a double wall with a vacuum between.",
            "NO DRIPS: a lid with one seal that comes out for washing.",
            "NO TASTE: steel inside, no coating.",
            "FITS THE HOLDER: 2.9 inches at the base.",
            "A LOOP TO CARRY IT BY: wide enough for two fingers.",
        ),
        "One bottle for ice water in July and tea in January.",
        (("Color", "Pine"), ("Material", "Stainless Steel"), ("Special Feature", "Leakproof")),
        "kitchen",
    ),
    DemoCategory(
        4, "DE", ("Küche, Haushalt & Wohnen", "Kaffee & Tee", "Handkaffeemühlen"),
        5990, 3100, 345, 0.5, ("Falkenwerk", "Silberau", "Tannhof"),
        ("Mahl 2", "Mahl 3 Plus", "Korn S", "Morgenmühle", "Reise 20"),
        (
            "{brand} {model} Kaffeemühle manuell, Kegelmahlwerk aus Edelstahl, 36 Stufen",
            "{brand} {model} Handkaffeemühle mit Edelstahl-Mahlwerk, verstellbar, 30 g",
        ),
        (
            "GLEICHMÄSSIG: ein Kegelmahlwerk aus gehärtetem Edelstahl, doppelt gelagert.",
            "36 STUFEN: von Mokka bis Stempelkanne, mit spürbarer Rastung.",
            "LEISE: am Morgen wird niemand geweckt.",
            "FÜR UNTERWEGS: passt in die Becher der meisten Kaffeepressen.",
            "LEICHT ZU REINIGEN: ohne Werkzeug zerlegt, Pinsel liegt bei.",
            "30 GRAMM: genug für zwei große Tassen.",
        ),
        "Für alle, die ihren Kaffee frisch mahlen. Gehäuse aus Aluminium, Griff aus Buche.",
        (("Farbe", "Anthrazit"), ("Material", "Edelstahl, Aluminium"), ("Inhalt", "30 Gramm")),
        "küche",
    ),
    DemoCategory(
        5, "DE", ("Sport & Freizeit", "Radsport", "Fahrradbeleuchtung"),
        3495, 2700, 310, 0.75, ("Nordlichtwerk", "Radebrück", "Kurvental"),
        ("Licht 50", "Licht 70 Set", "Strahl Pro", "Pendler", "Nachtfahrt"),
        (
            "{brand} {model} Fahrradlicht Set, StVZO zugelassen, USB-C, 70 Lux, wasserdicht",
            "{brand} {model} LED Fahrradbeleuchtung, Vorder- und Rücklicht, aufladbar, StVZO",
        ),
        (
            "ZUGELASSEN: mit Prüfzeichen des Kraftfahrt-Bundesamts.",
            "70 LUX: leuchtet die Straße aus, ohne zu blenden.",
            "LANGE UNTERWEGS: bis zu zehn Stunden, danach in zwei geladen.",
            "OHNE WERKZEUG: hält an Lenkern von 22 bis 35 Millimetern.",
            "BEI JEDEM WETTER: geschützt nach IPX5.",
        ),
        "Vorder- und Rücklicht für den täglichen Weg, mit einer Anzeige für den Ladestand.",
        (("Farbe", "Schwarz"), ("Lichtquelle", "LED"), ("Artikelgewicht", "162 Gramm")),
        "rad",
    ),
    DemoCategory(
        6, "DE", ("Beleuchtung", "Innenbeleuchtung", "Schreibtischlampen"),
        4499, 1900, 330, 0.3, ("Lindenhell", "Werkstatt Sieben", "Auwald"),
        ("Tisch 1", "Tisch 2 Flex", "Bogen", "Lese M", "Klemme"),
        (
            "{brand} {model} Schreibtischlampe LED, dimmbar, 5 Farbtemperaturen, USB-Anschluss",
            "{brand} {model} LED Tischleuchte dimmbar, schwenkbar, flimmerfrei, mit USB",
        ),
        (
            "FÜNF LICHTFARBEN: von warm am Abend bis klar am Zeichentisch.",
            "STUFENLOS: ein Streifen zum Berühren statt eines Schalters.",
            "FLIMMERFREI: auch in Videokonferenzen.",
            "MERKT SICH ALLES: beim Einschalten wie zuletzt.",
            "USB-ANSCHLUSS: lädt das Telefon im Fuß der Lampe.",
        ),
        "Eine ruhige Leuchte mit Gelenken, die bleiben, wo man sie hinstellt.",
        (("Farbe", "Weiß"), ("Lichtquelle", "LED"), ("Leistung", "9 Watt")),
        "büro",
    ),
    DemoCategory(
        7, "JP", ("ホーム&キッチン", "キッチン用品", "急須・ティーポット"),
        3480, 4200, 20, 0.4, ("ハルミネ", "カゼノワ工房", "ソラツムギ"),
        ("ゆらぎ 300", "ゆらぎ 450", "朝霧", "しずく", "縁側"),
        (
            "{brand} {model} 急須 耐熱ガラス ステンレス茶こし付き 電子レンジ対応",
            "{brand} {model} ティーポット 耐熱ガラス 茶こし付き 一人用 プレゼント",
        ),
        (
            "【注ぎやすい】細い注ぎ口で最後の一滴まできれいに注げます。",
            "【目の細かい茶こし】深蒸し茶の細かい茶葉も通しません。",
            "【耐熱ガラス】熱湯をそのまま注いでも安心です。",
            "【洗いやすい】口が広く、手を入れて洗えます。",
            "【贈り物に】丁寧な化粧箱に入れてお届けします。",
        ),
        "毎日のお茶のための、軽くて丈夫な急須です。お茶の色も楽しめます。",
        (("色", "クリア"), ("素材", "耐熱ガラス"), ("容量", "300 ミリリットル")),
        "茶器",
    ),
    DemoCategory(
        8, "JP", ("文房具・オフィス用品", "筆記具", "万年筆"),
        4950, 2300, 90, 0.45, ("ミナトヤ文具", "アカネイロ", "トキワ書房具"),
        ("しおり F", "しおり M", "夜行", "木漏れ日", "はじまり"),
        (
            "{brand} {model} 万年筆 細字 コンバーター付き 化粧箱入り",
            "{brand} {model} 万年筆 なめらかな書き味 両用式 ギフト",
        ),
        (
            "【なめらか】一本ずつ書き味を確かめてから出荷しています。",
            "【両用式】カートリッジとコンバーターの両方が使えます。",
            "【乾きにくい】二重構造のキャップでインクが乾きません。",
            "【軽い】長い手紙でも手が疲れません。",
            "【保証】一年間、ペン先を無料で調整します。",
        ),
        "初めての一本にも、毎日の一本にも。手になじむ軸の太さです。",
        (("色", "紺"), ("素材", "樹脂、真鍮"), ("ペン先", "細字")),
        "文具",
    ),
    DemoCategory(
        9, "JP", ("家電&カメラ", "季節・空調家電", "卓上加湿器"),
        2980, 1600, 15, 1.0, ("ミストリア", "ユキノハ電機", "コトリ家電"),
        ("うるみ 300", "うるみ 500", "霧の森", "つぼみ", "ひだまり"),
        (
            "{brand} {model} 加湿器 卓上 超音波式 静音 USB給電 300ml",
            "{brand} {model} 卓上加湿器 静音 自動停止 LEDライト付き オフィス",
        ),
        (
            "【静音】寝室でも気にならない 26dB 以下の運転音です。",
            "【自動停止】水がなくなると自動で止まります。",
            "【長時間】連続モードで約6時間、間欠モードで約10時間。",
            "【お手入れ簡単】タンクの中まで手が届きます。",
            "【USB給電】デスクでも車の中でも使えます。",
        ),
        "机の上に置ける小さな加湿器です。乾いた季節の喉にやさしい霧を。",
        (("色", "ホワイト"), ("容量", "300 ミリリットル"), ("電源", "USB")),
        "家電",
    ),
    DemoCategory(
        10, "FR", ("Cuisine et Maison", "Ustensiles de cuisine", "Couteaux de cuisine"),
        3990, 2600, 345, 0.55, ("Maison Verlune", "Atelier Brisac", "Clairoux"),
        ("Chef 20", "Chef 24", "Lame d'Or", "Le Marché", "Office 9"),
        (
            "{brand} {model} Couteau de chef 20 cm, acier inoxydable, manche en noyer",
            "{brand} {model} Couteau de cuisine professionnel, lame forgée, coffret cadeau",
        ),
        (
            "UNE LAME QUI DURE : acier trempé à 58 HRC, affûté à la main.",
            "BIEN ÉQUILIBRÉ : le poids est là où la main le tient.",
            "MANCHE EN NOYER : chaque pièce a son dessin.",
            "FACILE À AFFÛTER : deux passages sur le fusil suffisent.",
            "PRÊT À OFFRIR : livré dans une boîte en carton recyclé.",
        ),
        "Un couteau pour tous les jours, du marché à la table.",
        (("Couleur", "Noyer"), ("Matériau", "Acier inoxydable"), ("Lame", "20 Centimètres")),
        "cuisine",
    ),
    DemoCategory(
        11, "FR", ("Jardin", "Arrosage", "Arrosoirs et pulvérisateurs"),
        2290, 3300, 140, 1.1, ("Vertelune", "Les Quatre Rangs", "Boscarel"),
        ("Goutte 5", "Goutte 9", "Petit Jardin", "La Serre", "Balcon 2"),
        (
            "{brand} {model} Arrosoir 5 L avec pomme amovible, plastique recyclé, vert",
            "{brand} {model} Arrosoir de jardin et de balcon, bec long, pomme en laiton",
        ),
        (
            "LONG BEC : arrose au pied, sans mouiller les feuilles.",
            "POMME AMOVIBLE : une pluie fine pour les semis.",
            "LÉGER : 480 grammes à vide.",
            "RECYCLÉ : fabriqué à partir de bouteilles collectées en France.",
            "GRADUÉ : pour doser l'engrais sans compter.",
        ),
        "Un arrosoir simple et solide pour le potager, la terrasse et les plantes d'intérieur.",
        (("Couleur", "Vert"), ("Matériau", "Plastique recyclé"), ("Capacité", "5 Litres")),
        "jardin",
    ),
    DemoCategory(
        12, "FR", ("Bagages", "Sacs à dos", "Sacs à dos loisir"),
        5490, 1800, 240, 0.6, ("Sentier Blanc", "Montferrine", "Rive Haute"),
        ("Ville 18", "Ville 24", "Le Cartable", "Passage", "Escapade"),
        (
            "{brand} {model} Sac à dos 18 L, imperméable, ordinateur 15 pouces, port USB",
            "{brand} {model} Sac à dos homme et femme, compartiment ordinateur, déperlant",
        ),
        (
            "PROTÈGE L'ORDINATEUR : une poche suspendue, doublée, jusqu'à 15 pouces.",
            "SOUS LA PLUIE : toile déperlante et fermetures étanches.",
            "DOS AÉRÉ : mousse rainurée et bretelles réglables.",
            "DISCRET : une poche contre le dos pour les papiers.",
            "EN CABINE : passe sous le siège de devant.",
        ),
        "Un sac pour la semaine au bureau et le week-end à la campagne.",
        (("Couleur", "Gris"), ("Matériau", "Polyester recyclé"), ("Capacité", "18 Litres")),
        "bagages",
    ),
)  # fmt: skip
