"""A text's numbers: each must be one of the data, with its sign and its unit."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reports.paragraph.number_check import (
    AllowedNumbers,
    find_unmatched_numbers,
    read_numbers,
)
from core.text.numbers import MINUS, THIN_SPACE

DATA = (
    f"#1,000 → #1,500, ▼ 500 (+50{THIN_SPACE}%)",
    f"$25.00 → $20.00, {MINUS}20{THIN_SPACE}%",
    "EUR 29.90",
    "7 products changed: BSR worsened 5",
    f"+4{THIN_SPACE}pt",
    "Checks in the 24 hours before",
)
ALLOWED = AllowedNumbers(
    frozenset(number for text in DATA for number in read_numbers(text)),
    frozenset({"9 Mar 2026", "2026-03-09"}),
    frozenset({"Lamp 60W, pack of 3", "Price fell 99 %"}),
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nothing to do.",
        "The BSR went from #1,000 to #1,500 (+50 %); $20.00 is the price now.",
        "Seven products changed, five of them with a worse BSR.",
        "The price went down: −20 %, from $25.00 to $20.00, or -20 percent.",
        "“Lamp 60W, pack of 3” moved on 9 Mar 2026 by 500.",
        "EUR 29.90 within 24 hours, +4 pt.",
    ],
)
def test_a_text_with_numbers_of_the_data_passes(text: str) -> None:
    assert find_unmatched_numbers(text, ALLOWED) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("by 50 %", ["50 %"]),  # the sign is missing
        (f"by {MINUS}50 %", ["−50 %"]),
        ("by +50", ["+50"]),  # the unit is missing
        ("rank 1,500", ["1,500"]),
        ("€25.00", ["25.00 €"]),
        ("25.00 dollars", ["25.00"]),
        ("$25", ["25 $"]),  # digits as in the data
        ("$25.000", ["25.000 $"]),
        ("#1.500", ["1.500 #"]),
        ("#1500", ["1500 #"]),
        ("5k, 5th and 5x", ["5 k", "5 th", "5 x"]),
        (".5", [".5"]),
        ("on 19 Mar 2026", ["19", "2026"]),
        ("Lamp 60W", ["60 W"]),  # no quoted name
        ("“Lamp 60W”", ["60 W"]),  # no whole one
        ("Price fell 99 %", ["99 %"]),
        ("six products, eight percent", ["6", "8 %"]),
        ("half of them, twice, a hundred", ["half", "twice", "hundred"]),
        ("½", ["1", "2", "⁄"]),
        ("٣ and 三 and ௧௦", ["٣", "௧௦", "٣", "三", "௧", "௦"]),
        ("ⅣⅠ 三", ["三"]),  # Roman numerals become letters
        ("<500 ~500 >500 ±500", ["<500", "~500", ">500", "±500"]),
    ],
)
def test_another_number_is_found(text: str, wrong: list[str]) -> None:
    assert find_unmatched_numbers(text, ALLOWED) == wrong


words = st.text(string.ascii_letters + " ,.;:()→“”", max_size=30)
forms = st.sampled_from(
    [f"#1,000 {'x' * 3}", f"+50{THIN_SPACE}%", "$25.00", "EUR 29.90", "500", "24", "+4 pt", "seven"]
)


@given(st.lists(st.tuples(st.sampled_from(["then", "is", "and (", "to:"]), forms), max_size=8))
def test_any_order_of_the_datas_numbers_passes(parts: list[tuple[str, str]]) -> None:
    text = ", ".join(f"{word} {form}" for word, form in parts)
    assert find_unmatched_numbers(text, ALLOWED) == []


@given(words, st.integers(0, 10**9), words)
def test_a_number_that_the_data_has_not_is_always_found(
    before: str, number: int, after: str
) -> None:
    if str(number) in {each.digits for each in ALLOWED.numbers}:
        return
    text = f"{before} {number} {after}"
    assert find_unmatched_numbers(text, ALLOWED) != []


@given(st.text(string.digits + " .,+-#$€%kW'’“”\u202f\u2212abc", max_size=60))
def test_no_digit_escapes(text: str) -> None:
    allowed = AllowedNumbers(frozenset())
    has_digit = any(each.isdigit() for each in text)
    assert bool(find_unmatched_numbers(text, allowed)) is has_digit


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    found = find_unmatched_numbers(text, AllowedNumbers(frozenset()))
    if any(each.isdigit() for each in text):
        assert found
