"""Rank lines in the languages of the marketplaces, and lines that can't be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.observation import Observation, Seen
from core.scraping.parsers.axesso import parse_item
from core.scraping.parsers.identity import RequestedProduct
from core.scraping.parsers.ranks import read_ranks
from tests.core.scraping.parsers.saved_items import CAPTURED_AT


@pytest.mark.parametrize(
    ("line", "main", "category"),
    [
        ("Pozycja 12 345 w kategorii Dom i kuchnia (Zobacz Top 100 w kategorii Dom i kuchnia)",
         12345, "Dom i kuchnia"),
        ("Nr 1.234 in Küche (Siehe Top 100 in Küche)", 1234, "Küche"),
        ("1 234 en Cuisine (Voir les 100 premiers en Cuisine)", 1234, "Cuisine"),
        ("n. 1.234 in Casa (Visualizza i Top 100 nella categoria Casa)", 1234, "Casa"),
        ("nº1.234 en Hogar (Ver el Top 100 en Hogar)", 1234, "Hogar"),
        ("Nº 1.234 em Casa (Conheça o Top 100 na categoria Casa)", 1234, "Casa"),
        ("#1.234 in Keuken (Top 100 in Keuken bekijken)", 1234, "Keuken"),
        ("Plaats 1.234 in Keuken", 1234, "Keuken"),
        ("1 234 i Hem & kök (Visa Topp 100 i Hem & kök)", 1234, "Hem & kök"),
        ("#1.234 - Mutfak (Mutfak kategorisindeki İlk 100'e bakın)", 1234, "Mutfak"),
        ("Mutfak kategorisinde 1.234. sırada (İlk 100 ürüne bakın)", 1234, "Mutfak"),
        ("\u200e#1,234 في المطبخ (شاهد أفضل 100 في المطبخ)", 1234, "المطبخ"),
        ("رقم ١٬٢٣٤ في المطبخ (شاهد أفضل ١٠٠ في المطبخ)", 1234, "المطبخ"),
        ("1’234 in Küche (Siehe Top 100 in Küche)", 1234, "Küche"),
        ("＃１，２３４ in Kitchen", 1234, "Kitchen"),
        ("1,234位家電 (家電の売れ筋ランキングを見る)", 1234, "家電"),
    ],
)  # fmt: skip
def test_a_rank_is_read_in_each_language(line: str, main: int, category: str) -> None:
    ranks = read_ranks(line, is_named=True)
    assert [(rank.rank, rank.category) for rank in ranks[:1]] == [(main, category)]


def test_further_ranks_of_a_polish_line_are_read() -> None:
    line = (
        "Pozycja 12\u00a0345 w kategorii Dom (Zobacz Top 100 w kategorii Dom) "
        "Pozycja 67 w kategorii Czajniki"
    )
    found = {rank.category: rank.rank for rank in read_ranks(line, is_named=True)}
    assert found == {"Dom": 12345, "Czajniki": 67}


def item(value: str, name: str = "Ranking najlepiej sprzedających się produktów") -> Observation:
    """An axesso item whose details hold one line."""
    seen = parse_item(
        {
            "statusCode": 200,
            "url": "https://www.amazon.pl/dp/B0DEMO0001",
            "asin": "B0DEMO0001",
            "title": "Czajnik",
            "price": 99.0,
            "productDetails": [{"name": name, "value": value}],
        },
        RequestedProduct("PL", "B0DEMO0001"),
        CAPTURED_AT,
    )
    assert isinstance(seen, Observation)
    return seen


def test_a_rank_line_that_can_not_be_read_is_unreadable_and_kept() -> None:
    seen = item("Dwunaste miejsce (12.) wśród czajników")
    assert not seen.seen & Seen.BSR
    assert seen.unreadable == {Seen.BSR: "Dwunaste miejsce (12.) wśród czajników"}
    assert seen.ranks == ()


def test_details_without_a_rank_line_mean_no_rank() -> None:
    seen = item("Stal", name="Materiał")
    assert seen.seen & Seen.BSR
    assert seen.unreadable == {}


separators = st.sampled_from([" ", "\u00a0", "\u202f", ".", ",", "'", "’", "٬"])
digits = st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９"])
frames = st.sampled_from(
    [
        "#{} in Kitchen", "Pozycja {} w kategorii Kitchen", "Nr. {} in Kitchen",
        "{} en Kitchen (Voir les 100 premiers en Kitchen)", "nº{} en Kitchen",
    ]
)  # fmt: skip


@given(st.integers(1, 9_999_999), separators, digits, frames)
def test_a_rank_is_read_whatever_separates_its_thousands(
    rank: int, separator: str, signs: str, frame: str
) -> None:
    written = f"{rank:,}".replace(",", separator).translate(str.maketrans("0123456789", signs))
    (found,) = read_ranks(frame.format(written), is_named=True)
    assert (found.rank, found.category) == (rank, "Kitchen")


fragments = st.text(max_size=60) | st.sampled_from(
    ["Pozycja 12 w kategorii Dom", "#5 in Kitchen", "12.", "place 3 of Kitchen", "none"]
)


@given(fragments)
def test_a_named_line_with_a_number_is_a_rank_or_unreadable_never_none(value: str) -> None:
    seen = item(value)
    is_reported = bool(seen.ranks) or Seen.BSR in seen.unreadable
    assert is_reported or not any(sign.isdigit() and sign.isdecimal() for sign in value)
    assert not (seen.ranks and seen.unreadable)
