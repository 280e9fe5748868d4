"""Ids of sellers, and names that are the same seller's."""

import pytest

from core.catalog.sellers import comparable_name, find_seller_id


@pytest.mark.parametrize("text", ["A1DEMOSELLER", " a1demoseller ", "A0123456789"])
def test_an_id_is_read_in_any_case(text: str) -> None:
    assert find_seller_id(text) == text.strip().upper()


@pytest.mark.parametrize("text", ["", "-1", "-2", "A1", "B0DEMO0001", "A1-DEMO-SELLER", "A" * 40])
def test_what_is_no_id_is_none(text: str) -> None:
    assert find_seller_id(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bright Shop", " bright  SHOP "),
        ("Caf\u00e9 Lumo", "Cafe\u0301 lumo"),
        ("Straße 7", "STRASSE 7"),
        ("Lumo\u00a0Shop", "Lumo Shop"),
        ("Ｌｕｍｏ", "Lumo"),
    ],
)
def test_names_are_compared_without_case_spaces_and_form(one: str, other: str) -> None:
    assert comparable_name(one) == comparable_name(other)


def test_other_names_stay_other_names() -> None:
    assert comparable_name("Lumo US") != comparable_name("LumoUS")
