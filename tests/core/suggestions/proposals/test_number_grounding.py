"""Numbers in a text that the evidence supports, as people write them."""

import pytest

from core.suggestions.proposals.number_grounding import (
    find_numbers_not_in_listing,
    find_supporting_keys,
    find_unsupported_numbers,
    list_figures,
    list_proposed_figures,
)
from core.suggestions.rules import Change, Evidence, ProposedAction
from tests.core.suggestions.model_facts import LISTING, lamp_facts

FACTS = lamp_facts()
PRICE = ProposedAction(Change.UPDATE_PRICE, {"price": 2000}, {"price": 1900}, "Try it.")
THRESHOLD = ProposedAction(
    Change.SET_RANK_THRESHOLD, {"percent": None}, {"percent": "7.5"}, "Noise."
)


def wrong_in(text: str) -> list[str]:
    figures = list_figures(FACTS.evidence, "US")
    figures += list_proposed_figures(PRICE, "US") + list_proposed_figures(THRESHOLD, "US")
    return find_unsupported_numbers(text, figures, FACTS)


@pytest.mark.parametrize(
    "text",
    [
        "No number at all.",
        "The price is $20.00 now, which is 20 USD or 2000 in cents.",
        "It would go from 20.00 to 19.00.",
        "Rank 1,204, or 1204, or #1,204.",
        "Rated 4.5 of its buyers.",
        "In stock 96.53% of the time, 96.5 % or about 97 percent, over the last 30 days.",
        "A threshold of 7.5% would do.",
        "The title says “12 W”, a competitor “20 W”.",
        "The 12W of the listing are no figure of ours.".replace("12W", "“12 W”"),
        "Competitor B0TEST0002 sells more.",
        "It has 45 characters.",
        "１,204 is the rank in wide digits.",
    ],
)
def test_a_figure_of_the_evidence_may_be_used(text: str) -> None:
    assert wrong_in(text) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("It sells 300 a month.", ["300"]),
        ("The price is $20.01.", ["20.01"]),
        ("The price is $45.", ["45"]),
        ("It fell by 45%.", ["45"]),
        ("It rose by 4.5 percent.", ["4.5"]),
        ("It rose by five percent.", ["five percent"]),
        ("Sales will double.", ["double"]),
        ("A tenfold rise.", ["tenfold"]),
        ("Der Rang ist 1.204,5.", ["1.204,5"]),
        ("Rated 4 stars.", ["4"]),
        ("Rank 1200.", ["1200"]),
        ("In stock 95.0% of the time.", ["95.0"]),
        ("It gives 20W.", ["20W"]),
        ("It says “99 W”.", ["99"]),
        ("See B0OTHER001.", ["B0OTHER001"]),
        ("The last 90 days.", ["90"]),
        ("²⁰⁰ of them.", ["200"]),
        ("٣٠٠ of them.", ["٣٠٠"]),
    ],
)
def test_a_made_up_figure_is_found(text: str, wrong: list[str]) -> None:
    assert wrong_in(text) == wrong


def test_yen_have_no_minor_unit() -> None:
    yen = list_figures([Evidence("price_now", "Price", 1980, "JPY minor")], "JP")
    assert find_unsupported_numbers("It costs ￥1,980.", yen, FACTS) == []
    assert find_unsupported_numbers("It costs ￥19.80.", yen, FACTS) == ["19.80"]


def test_the_evidence_of_a_number_is_found() -> None:
    figures = list_figures(FACTS.evidence, "US")
    assert find_supporting_keys("Rank 1,204 at $20.00, and 999.", figures) == {
        "bsr_now",
        "price_now",
    }


def test_a_text_claims_only_what_the_listing_holds() -> None:
    assert find_numbers_not_in_listing("Lamp with 12 W and a neck of 60 cm", LISTING) == []
    assert find_numbers_not_in_listing("Lamp with 20 W, IP68, 60 cm", LISTING) == ["20", "IP68"]


@pytest.mark.parametrize("text", ["a" * 300_000, "a." * 150_000, "ab1" * 100_000])
def test_a_long_run_without_spaces_is_read_once(text: str) -> None:
    """From each letter to the end, it would take longer than a test may."""
    wrong_in(text)
