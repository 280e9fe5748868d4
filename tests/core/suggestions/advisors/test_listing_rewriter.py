"""Rewritten listing texts keep all policies and add no words."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.marketplaces import MARKETPLACES
from core.suggestions.advisors.listing_policies import lint_listing
from core.suggestions.advisors.listing_rewriter import (
    make_bullets_from_description,
    repair_bullets,
    repair_description,
    repair_title,
)
from core.suggestions.rules import ListingFacts, ListingPart
from tests.core.suggestions.made_facts import BULLETS, listing

ON = date(2026, 11, 2)


def title_of(title: str, brand: str | None = "Lumo", marketplace: str = "US") -> str | None:
    return repair_title(listing(title=title, brand=brand), marketplace, ON)


def test_a_long_title_ends_where_a_clause_ends() -> None:
    long = "Lumo Reading Lamp for Desks and Shelves, Dimmable in Five Steps, with a Heavy Base"
    assert title_of(long) == "Lumo Reading Lamp for Desks and Shelves, Dimmable in Five Steps"


def test_a_title_without_clauses_ends_at_a_word_that_may_end_it() -> None:
    long = "Lumo reading lamp that is dimmable and bends in every direction you want with a base"
    assert (
        title_of(long) == "Lumo reading lamp that is dimmable and bends in every direction you want"
    )


def test_a_number_is_not_cut_from_its_unit() -> None:
    long = "Lumo reading lamp for desks and shelves and for everybody who reads 100 metres away"
    assert title_of(long) == "Lumo reading lamp for desks and shelves and for everybody who reads"


def test_no_bracket_is_left_open() -> None:
    long = "Lumo Reading Lamp for Desks and Shelves in White (with a Base of Oak or of Brass)"
    assert title_of(long) == "Lumo Reading Lamp for Desks and Shelves in White"


def test_a_brand_at_the_end_comes_to_the_front() -> None:
    long = "Reading Lamp for Desks and Shelves, Dimmable in Five Steps, with a Heavy Base by Lumo"
    short = title_of(long)
    assert short == "Lumo Reading Lamp for Desks and Shelves, Dimmable in Five Steps"


def test_a_title_without_a_place_to_cut_is_not_rewritten() -> None:
    assert title_of("照" * 90, None, "JP") is None
    assert title_of("Lumo " + "x" * 90) is None


def test_a_title_with_a_price_is_not_rewritten() -> None:
    assert title_of("Lumo Reading Lamp, now $5 off for all") is None


def test_forbidden_characters_and_third_words_go_and_the_brand_stays() -> None:
    assert title_of("Wow! Lamp! with LED_Light?", "Wow!") == "Wow! Lamp with LED Light"
    assert title_of("Lumo Lamp, Desk Lamp, Bed Lamp, Black") == "Lumo Lamp, Desk Lamp, Bed, Black"


def test_promotional_phrases_go() -> None:
    title = title_of("Lumo Reading Lamp (Free Shipping), Black, Best Seller")
    assert title == "Lumo Reading Lamp, Black"


def test_a_title_that_breaks_a_policy_after_repair_is_not_rewritten() -> None:
    assert title_of("Lumo Reading Lamp, Buy ! now") is None


def test_a_title_that_would_lose_its_brand_is_not_rewritten() -> None:
    assert title_of("Bestseller Reading Lamp for Shelves", "Bestseller") is None


def test_a_brand_named_three_times_is_named_twice() -> None:
    assert title_of("Lumo Lamp, Lumo Base, Lumo Bulb") == "Lumo Lamp, Lumo Base, Bulb"


def test_where_long_titles_are_allowed_none_is_shortened() -> None:
    long = "Lumo Reading Lamp for Desks and Shelves, Dimmable in Five Steps, with Heavy Base!"
    assert title_of(long, marketplace="TR") == long.rstrip("!")


def test_the_nearest_short_bullets_of_six_are_joined() -> None:
    six = (*BULLETS, "Short one here", "Short two here", BULLETS[0] + " Again.")
    found = repair_bullets(listing(bullets=six), "US", ON)
    assert found == (*BULLETS, "Short one here. Short two here", six[-1])


def test_a_long_bullet_is_split_between_sentences_where_there_is_room() -> None:
    long = "This is a sentence about light. " * 9
    found = repair_bullets(listing(bullets=(long.strip(), *BULLETS)), "US", ON)
    assert found is not None
    assert " ".join(found) == " ".join((long.strip(), *BULLETS))


def test_two_bullets_become_three_where_one_has_two_sentences() -> None:
    two = ("BENDS: to all sides. And it stays there.", BULLETS[1])
    found = repair_bullets(listing(bullets=two), "US", ON)
    assert found == ("BENDS: to all sides.", "And it stays there.", BULLETS[1])


def test_bullets_that_cannot_be_repaired_are_not_rewritten() -> None:
    assert repair_bullets(listing(bullets=("One alone here",)), "US", ON) is None
    assert repair_bullets(listing(bullets=("x" * 300, *BULLETS)), "US", ON) is None


def test_sentences_of_the_description_become_bullets() -> None:
    described = listing(bullets=(), description="It bends far. It shines bright. It stands firm.")
    found = make_bullets_from_description(described, "US", ON)
    assert found == ("It bends far.", "It shines bright.", "It stands firm.")


def test_a_description_with_markup_or_two_sentences_gives_no_bullets() -> None:
    marked = "<p>It bends far. It shines bright. It stands firm.</p>"
    for text in (marked, "It bends far. It shines bright.", None):
        assert (
            make_bullets_from_description(listing(bullets=(), description=text), "US", ON) is None
        )


def test_a_description_loses_its_promotion_only() -> None:
    promoting = listing(description="A lamp for long evenings. Buy now! It bends to all sides.")
    text = repair_description(promoting, "US", ON)
    assert text == "A lamp for long evenings. ! It bends to all sides."


# For any text


PIECES = st.sampled_from(
    [
        "Lumo", "lamp", "LAMP", "with", "für", "!", "?", "_", "$", ", ", " - ", "(", ")", "[", "「",
        "Free Shipping", "best seller", "送料無料", "照明器具", "ランプ", "5", "cm", "ß", "İ", "’",
        "\u200e", "\u00a0", "\n", "\t", "x" * 40, "é" * 30, "🙂", "<b>", "\\", "¬¦",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(PIECES, max_size=40).map(" ".join),
    st.lists(PIECES, max_size=40).map("".join),
    st.text(max_size=400),
)
BRANDS = st.one_of(st.none(), st.sampled_from(["Lumo", "Wow!", "lamp", "L_", "(", ""]), st.text())
PLACES = st.sampled_from(sorted(MARKETPLACES))
DAYS = st.sampled_from([date(2024, 1, 1), date(2025, 1, 21), date(2026, 7, 26), ON])


@given(TEXTS, BRANDS, PLACES, DAYS)
def test_an_advised_title_passes_the_lint_and_keeps_the_brand(
    title: str, brand: str | None, marketplace: str, on: date
) -> None:
    facts = ListingFacts(title=title, brand=brand)
    repaired = repair_title(facts, marketplace, on)
    if repaired is not None:
        then = ListingFacts(title=repaired, brand=brand)
        assert [
            each for each in lint_listing(then, marketplace, on) if each.part is ListingPart.TITLE
        ] == []
        assert (
            not brand
            or brand.strip().casefold() not in title.casefold()
            or (brand.strip().casefold() in repaired.casefold())
        )
        assert letters(repaired) - letters(title) == set()


@given(st.lists(TEXTS, max_size=9), PLACES)
def test_advised_bullets_pass_the_lint_and_hold_nothing_new(
    bullets: list[str], marketplace: str
) -> None:
    repaired = repair_bullets(ListingFacts(bullets=tuple(bullets)), marketplace, ON)
    if repaired is not None:
        assert lint_listing(ListingFacts(bullets=repaired), marketplace, ON) == ()
        assert letters(" ".join(repaired)) - letters(" ".join(bullets)) == set()


@given(TEXTS, PLACES)
def test_bullets_of_any_description_pass_the_lint(description: str, marketplace: str) -> None:
    found = make_bullets_from_description(ListingFacts(description=description), marketplace, ON)
    assert found is None or lint_listing(ListingFacts(bullets=found), marketplace, ON) == ()


def letters(text: str) -> set[str]:
    return set(re.findall(r"\w", text))


@pytest.mark.parametrize("size", [10_000, 100_000])
def test_a_huge_text_takes_no_time(size: int) -> None:
    huge = ("lamp, " * size)[:size]
    repair_title(listing(title=huge), "US", ON)
    repair_bullets(listing(bullets=(huge, huge)), "US", ON)
