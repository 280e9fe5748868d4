"""Plain values, flat rows, ranks and Amazon's sentences."""

import csv
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.marketplaces import get_marketplace
from core.history.observation import Availability
from core.scraping.parsers import localized_text, value_parsers
from core.scraping.parsers.ranks import read_listed_ranks, read_ranks
from core.scraping.parsers.unflatten import unflatten_keys
from tests.core.scraping.parsers.saved_items import json_values
from tests.real_data import real_data_path

US = get_marketplace("US")
DE = get_marketplace("DE")
JP = get_marketplace("JP")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (29, 29),
        (29.0, 29),
        ("29", 29),
        ("29.0", 29),
        ("1,234", 1234),
        ("1.234", 1234),
        ("1\u202f234", 1234),
        ("1,23,456", 123456),
        ("12,604 ratings", 12604),
        ("1,204個の評価", 1204),
        ("", None),
        (None, None),
    ],
)
def test_a_count_is_read_in_every_spelling(value: object, number: int | None) -> None:
    assert value_parsers.parse_whole_number(value) == number


@pytest.mark.parametrize(
    "value", [True, [], {}, 1.5, math.nan, -1, 2**31, "4.5", "1K", "1 K", "12 of 30"]
)
def test_what_is_no_count_is_unreadable(value: object) -> None:
    with pytest.raises(value_parsers.UnreadableValueError):
        value_parsers.parse_whole_number(value)


def test_rank_zero_is_no_rank() -> None:
    assert value_parsers.parse_rank_number(0) is None
    assert value_parsers.parse_rank_number("#35,077") == 35077


@pytest.mark.parametrize(
    ("value", "minor"),
    [(29.5, 2950), (19.99, 1999), (0, None), ("129.99", 12999), ("$1,299.00", 129900), ("", None)],
)
def test_an_amount_is_minor_units_and_zero_is_none(value: object, minor: int | None) -> None:
    assert value_parsers.parse_amount_text(value, US) == minor


def test_a_german_text_has_a_decimal_comma_and_a_number_a_point() -> None:
    assert value_parsers.parse_amount_text("1.226,50 €", DE) == 122650
    assert value_parsers.parse_amount_text("1226.5", DE) == 122650


def test_an_amount_in_another_currency_has_its_own_decimals() -> None:
    assert value_parsers.parse_amount_text(1500, US, "JPY") == 1500
    assert value_parsers.parse_amount_text(15, JP, "USD") == 1500


@given(json_values)
def test_no_value_makes_a_reader_fail_in_another_way(value: object) -> None:
    for read in (
        value_parsers.parse_whole_number,
        value_parsers.parse_rank_number,
        value_parsers.parse_bool,
        value_parsers.clean_lines,
        localized_text.parse_rating,
        localized_text.parse_availability,
        lambda raw: value_parsers.parse_amount_text(raw, DE),
        lambda raw: localized_text.parse_coupon(raw, DE),
        lambda raw: read_listed_ranks(raw, "category", "url", DE),
    ):
        try:
            read(value)
        except value_parsers.UnreadableValueError as error:
            assert str(error)  # noqa: PT017


@pytest.mark.parametrize(("word", "truth"), [("true", True), ("FALSE", False), ("", None)])
def test_yes_and_no_are_read_as_words(word: str, truth: bool | None) -> None:
    assert value_parsers.parse_bool(word) is truth


@pytest.mark.parametrize(
    ("value", "tenths"),
    [
        ("4.6 out of 5 stars", 46),
        ("4,9 von 5 Sternen", 49),
        ("4.9 顆星，最高 5 顆星", 49),
        ("5つ星のうち4.3", 43),
        ("5つ星のうち5", 50),
        ("5.0 out of 5 stars", 50),
        (4.4, 44),
        (5, 50),
        ("0.0 out of 5 stars", None),
        (None, None),
    ],
)
def test_a_rating_is_read_in_every_language(value: object, tenths: int | None) -> None:
    assert localized_text.parse_rating(value) == tenths


@pytest.mark.parametrize(
    ("sentence", "state", "left"),
    [
        ("In Stock", Availability.IN_STOCK, None),
        ("現貨。", Availability.IN_STOCK, None),
        ("Only 11 left in stock - order soon.", Availability.LIMITED, 11),
        ("Nur noch 3 auf Lager", Availability.LIMITED, 3),
        ("Il ne reste plus que 13 exemplaire(s) en stock.", Availability.LIMITED, 13),
        ("残り5点 ご注文はお早めに", Availability.LIMITED, 5),
        ("Sólo queda(n) 4 en stock.", Availability.LIMITED, 4),
        ("Solo 2 rimanenti in magazzino", Availability.LIMITED, 2),
        ("Nog maar 6 op voorraad.", Availability.LIMITED, 6),
        ("Currently unavailable.", Availability.UNAVAILABLE, None),
        ("Derzeit nicht verfügbar.", Availability.UNAVAILABLE, None),
        ("Actuellement indisponible.", Availability.UNAVAILABLE, None),
        ("現在在庫切れです。", Availability.UNAVAILABLE, None),
        ("No disponible por el momento", Availability.UNAVAILABLE, None),
        ("Non disponibile", Availability.UNAVAILABLE, None),
        ("Available for Pre-order.", Availability.PRE_ORDER, None),
        ("Jetzt vorbestellen", Availability.PRE_ORDER, None),
        ("Temporarily out of stock.", Availability.BACK_ORDER, None),
        ("Temporairement en rupture de stock.", Availability.BACK_ORDER, None),
        ("Usually ships within 5 to 7 days", Availability.IN_STOCK, None),
        ("See All Buying Options", Availability.BUY_BOX_SUPPRESSED, None),
        ("No featured offers available", Availability.BUY_BOX_SUPPRESSED, None),
        ("Qapla'", None, None),
        ("", None, None),
    ],
)
def test_a_sentence_about_stock_is_understood(
    sentence: str, state: Availability | None, left: int | None
) -> None:
    assert localized_text.parse_availability(sentence) == (state, left)


@pytest.mark.parametrize(
    ("sentence", "amount", "percent"),
    [
        ("coupon 5,00 €", 500, None),
        ("Spare 10 % mit Gutschein", None, 10),
        ("10 % offerts pour 2 article(s) achetés", None, None),
    ],
)
def test_only_what_a_coupon_takes_off_is_a_coupon(
    sentence: str, amount: int | None, percent: int | None
) -> None:
    assert localized_text.parse_coupon(sentence, DE) == (amount, percent)


@pytest.mark.parametrize(
    "sentence",
    ["Coupon : Cliquer pour payer 12,59 €", "Save 900% with coupon", "Coupon available"],
)
def test_a_coupon_of_unknown_worth_is_unreadable(sentence: str) -> None:
    with pytest.raises(value_parsers.UnreadableValueError):
        localized_text.parse_coupon(sentence, DE)


def test_words_of_no_known_coupon_are_unreadable_only_where_coupons_stand() -> None:
    assert localized_text.parse_coupon("Zľava na pokladni", DE) == (None, None)
    with pytest.raises(value_parsers.UnreadableValueError):
        localized_text.parse_coupon("Zľava na pokladni", DE, is_coupon=True)


@pytest.mark.parametrize("written", ["1,234", "4.66.1", "Note 12345"])
def test_a_number_that_is_no_rating_is_unreadable(written: str) -> None:
    with pytest.raises(value_parsers.UnreadableValueError):
        localized_text.parse_rating(written)


@pytest.mark.parametrize(
    ("line", "ranks"),
    [
        (
            "#35,077 in Electronics (See Top 100 in Electronics) #2,607 in Ear & Head",
            [("Electronics", 35077), ("Ear & Head", 2607)],
        ),
        ("#4 in Games (PC) (See Top 100 in Games (PC)) #1 in RPG", [("Games (PC)", 4), ("RPG", 1)]),
        ("#975 在 電子 (請參閱 電子 前 100 名) #150 在 耳機", [("電子", 975), ("耳機", 150)]),
        (
            "Nr. 1.234 in Küche (Siehe Top 100 in Küche) Nr. 5 in Pfannen",
            [("Küche", 1234), ("Pfannen", 5)],
        ),
        (
            "n° 45 en Cuisine (Voir les 100 premiers en Cuisine) n° 3 en Poêles",
            [("Cuisine", 45), ("Poêles", 3)],
        ),
        (
            "1\u202f234 en Cuisine (Voir les 100 premiers en Cuisine) 3 en Poêles",
            [("Cuisine", 1234), ("Poêles", 3)],
        ),
        (
            "nº1.234 en Hogar (Ver el Top 100 en Hogar) nº5 en Sartenes",
            [("Hogar", 1234), ("Sartenes", 5)],
        ),
        (
            "n. 12 in Casa (Visualizza i Top 100 nella categoria Casa) n. 5 in Padelle",
            [("Casa", 12), ("Padelle", 5)],
        ),
        (
            "- 12位家電 (家電の売れ筋ランキングを見る) - 3位イヤホン",
            [("家電", 12), ("イヤホン", 3)],
        ),
        (
            "家電 - 1,234位 (家電の売れ筋ランキングを見る) 34位 ─ 炊飯器",
            [("家電", 1234), ("炊飯器", 34)],
        ),
        (
            "35,077 in Garden (See Top 100 in Garden) 7 in Tools",
            [("Garden", 35077), ("Tools", 7)],
        ),
        ("3.58 x 3.19 x 1.34 inches", []),
        ("2 in 1", []),
        ("Nylon", []),
        ("", []),
    ],
)
def test_a_line_of_ranks_is_split(line: str, ranks: list[tuple[str, int]]) -> None:
    assert [(rank.category, rank.rank) for rank in read_ranks(line)] == ranks


@given(st.text(max_size=80) | st.text(alphabet="#Nr. n°0123456789,在in位()（）見る ", max_size=80))
def test_no_line_of_ranks_raises(line: str) -> None:
    for rank in read_ranks(line, is_named=True):
        assert rank.rank >= 1
        assert rank.category


def test_a_relative_category_address_gets_the_marketplaces_host() -> None:
    ranks = read_listed_ranks(
        [{"rank": "5", "category": "Garten", "url": "/zgbs/1"}], "category", "url", DE
    )
    assert ranks[0].url == "https://www.amazon.de/zgbs/1"


def test_a_flat_row_becomes_nested_again() -> None:
    row = {"asin": "B0DEMO0001", "price": "", "price/value": "29", "price/currency": "$"}
    row |= {"features/0": "a", "features/10": "c", "features/2": "b", "features/3": ""}
    row |= {"bestsellerRanks": "", "ranks/0/rank": "5", "ranks/0/category": "Garden"}
    assert unflatten_keys(row) == {
        "asin": "B0DEMO0001",
        "price": {"value": "29", "currency": "$"},
        "features": ["a", "b", "c"],
        "bestsellerRanks": None,
        "ranks": [{"rank": "5", "category": "Garden"}],
    }


def test_a_value_whose_parts_are_all_empty_is_none() -> None:
    assert unflatten_keys({"price/value": "", "price/currency": "", "price": ""}) == {"price": None}


def test_surplus_cells_of_a_row_are_left_out() -> None:
    assert unflatten_keys({"a": "1", None: ["x", "y"]}) == {"a": "1"}  # type: ignore[dict-item]


@given(st.dictionaries(st.text(alphabet="ab/01 9", max_size=24), st.text(max_size=4), max_size=12))
def test_no_row_raises(row: dict[str, str]) -> None:
    assert isinstance(unflatten_keys(row), dict)


def test_the_recorded_ranks_and_ratings_are_read() -> None:
    path = real_data_path("nasty/real_money_rank_strings.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        wanted = row["expected_number"]
        if row["expected_unit"] == "BSR" and row["raw"].startswith("#"):
            assert read_ranks(row["raw"])[0].rank == int(wanted)
        if row["expected_unit"] == "RATING" and "5" in row["raw"][3:]:
            assert localized_text.parse_rating(row["raw"]) == round(float(wanted) * 10)
