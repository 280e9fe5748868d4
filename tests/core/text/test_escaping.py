"""Text from outside stays text: escaped, shortened and quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.escaping import escape_markdown, quote, shorten, write_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**b** _i_ `c`", r"\*\*b\*\* \_i\_ \`c\`"),
        ("$x$ ~s~", r"\$x\$ \~s\~"),
        ("[a](b)", r"\[a\](b)"),
        ("<b>&amp;", r"\<b\>\&amp;"),
        ("a | b", r"a \| b"),
        ("back\\slash", r"back\\slash"),
        ("# head", r"\# head"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("two\n\nlines", "two lines"),
        (":smile: :red[x]", ":\u2060smile: :\u2060red\\[x\\]"),
        ("https://x.tld", "https:\u2060//x.tld"),
        ("www.x.tld", "www\u2060.x.tld"),
        ("a@x.tld", "a@\u2060x.tld"),
        ("Size: 5, 12 in", "Size: 5, 12 in"),
    ],
)
def test_text_from_outside_stays_text_in_markdown(text, shown):
    assert escape_markdown(text) == shown


@given(st.text(max_size=100))
def test_no_markdown_sign_is_left_bare(text):
    escaped = escape_markdown(text)
    bare = escaped.replace("\\\\", "")
    for sign in "*_`[]$#<>|~&":
        assert bare.count(sign) == bare.count("\\" + sign)
    assert "\n" not in escaped


@given(st.text(max_size=50), st.integers(1, 60))
def test_shortened_text_fits(text, longest):
    short = shorten(text, longest)
    assert len(short) <= longest
    assert short == text or short.endswith("…")


@pytest.mark.parametrize("sign", ["\u202e", "\u202a", "\u2066", "\u2069"])
def test_text_from_outside_cannot_turn_what_stands_beside_it(sign):
    assert escape_markdown(f"lamp{sign} red") == "lamp red"
    assert shorten(f"{sign}lamp", 10) == "lamp"


def test_letters_of_right_to_left_scripts_stay_as_they_are():
    assert escape_markdown("\u05e9\u05dc\u05d5\u05dd\u200f") == "\u05e9\u05dc\u05d5\u05dd\u200f"


@given(st.text(max_size=60), st.integers(2, 40))
def test_a_quotation_is_one_line_that_nothing_gets_out_of(text: str, longest: int) -> None:
    quotation = quote(text, longest)
    assert (quotation[0], quotation[-1]) == ("«", "»")
    inside = quotation[1:-1]
    assert len(inside) <= longest
    assert not set("«»\n\r\u2028\u2029\x00\x1b\u202e\u200b\U000e0041") & set(inside)


def test_a_line_leaves_out_what_is_invisible_or_turns_text() -> None:
    hidden = "A\u202e lamp\ufeff\ud800\uffff\u2028for\U000e0041\x9fyou\r\n"
    assert write_line(hidden) == "A lamp for you"


def test_a_quotation_leaves_out_what_is_there_and_not_seen() -> None:
    hidden = "A lamp\U000e0049\U000e0047\u200b\u2060 for «you»\n"
    assert quote(hidden, 40) == "«A lamp for ‹you›»"
