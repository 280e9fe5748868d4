"""What people read: figures, times and reasons in the same words everywhere."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.people.profile import LOCALES
from core.catalog.money import format_price
from core.chart_theme import money_style
from core.history.labels import (
    availability_label,
    flag_names,
    flag_reasons,
    outcome_sentence,
    price_basis_label,
)
from core.history.observation import Availability, Flag, Outcome, PriceBasis
from core.text import locale as formats
from core.text.escaping import escape_markdown, quote, shorten
from core.text.locale import Formats
from core.text.machines import machine_name
from core.text.numbers import (
    format_capped_count,
    format_count,
    format_counted,
    format_dollars,
    format_file_size,
    format_percent_change,
    format_rank,
    format_rank_change,
    format_rating,
)
from core.text.times import format_age, format_cadence, format_day, format_duration, format_moment
from core.tracking.rules import Cadence

NAN = float("nan")
NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("\u2060", "")


def test_figures_are_written_for_people():
    assert format_price(1299, "US") == "$12.99"
    assert format_price(1299.0, "JP") == "￥1,299"
    assert format_rank(1204) == "#1,204"
    assert format_rating(46) == "4.6"
    assert format_count(11598) == "11,598"
    assert format_dollars(Decimal("1234.5")) == "$1,234.50"
    assert format_dollars(Decimal("0.0049")) == "$0.0049"
    assert format_dollars(Decimal("-2")) == "\u2212$2.00"


def test_one_thing_is_counted_in_the_singular():
    assert format_counted(1, "row") == "1 row"
    assert format_counted(0, "row") == "0 rows"
    assert format_counted(2000, "row") == "2,000 rows"


def test_zero_is_a_figure_and_not_unknown():
    assert format_price(0, "US") == "$0.00"
    assert format_count(0) == "0"
    assert format_rating(0) == "0.0"
    assert format_dollars(Decimal(0)) == "$0.00"
    assert format_file_size(0) == "0 bytes"


@pytest.mark.parametrize("nothing", [None, NAN])
def test_what_is_not_known_is_called_unknown(nothing):
    assert format_price(nothing, "US") == "unknown"
    for write in (format_rank, format_rating, format_count, format_duration):
        assert write(nothing) == "unknown"
    assert format_percent_change(nothing, 1) == "unknown"
    assert format_percent_change(1, nothing) == "unknown"
    assert format_rank_change(nothing, 1) == "unknown"
    assert format_rank_change(1, nothing) == "unknown"


def test_what_has_no_value_at_all_is_unknown():
    assert format_age(None, NOW) == "unknown"
    assert format_moment(None, "UTC") == "unknown"
    assert format_day(None) == "unknown"
    assert format_dollars(None) == "unknown"
    assert format_file_size(None) == "unknown"
    assert availability_label(None) == "unknown"
    assert price_basis_label(None) == "unknown"
    assert format_capped_count(None) == "unknown"


def test_a_count_that_was_stopped_is_marked():
    assert format_capped_count(10_000) == "10,000"
    assert format_capped_count(10_001) == "10,000+"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (100, 103, "+3 %"),
        (1000, 958, "\u22124.2 %"),
        (100, 100, "0 %"),
        (100000, 100001, "+<0.1 %"),
        (Decimal("10"), Decimal("15"), "+50 %"),
        (100, 0, "\u2212100 %"),
        (1, 100, "+9,900 %"),
        (0, 5, "unknown"),
    ],
)
def test_a_change_is_written_in_percent(before, after, words):
    assert plain(format_percent_change(before, after)) == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (112, 100, "improved 12 %"),
        (100, 112, "worsened 12 %"),
        (1000, 1045, "worsened 4.5 %"),
        (100, 210, "worsened ×2.1"),
        (210, 100, "improved ×2.1"),
        (250_000, 1, "improved ×250,000"),
        (5, 5, "unchanged"),
        (0, 5, "unknown"),
    ],
)
def test_a_rank_improves_or_worsens_alike_both_ways(before, after, words):
    assert plain(format_rank_change(before, after)) == words


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=12), "12 min ago"),
        (timedelta(hours=3, minutes=59), "3 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=2, hours=5), "2 days ago"),
        (timedelta(days=90), "3 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(minutes=-5), "in 5 min"),
        (timedelta(days=-1), "in 1 day"),
    ],
)
def test_an_age_is_written_in_its_largest_unit(ago, words):
    assert format_age(NOW - ago, NOW) == words


def test_a_future_time_within_a_year_is_written_in_days():
    assert format_age(NOW + timedelta(days=90, seconds=-5), NOW) == "in 89 days"
    assert format_age(NOW + timedelta(days=400), NOW) == "in 13 months"


def test_times_are_written_in_the_given_zone():
    assert format_moment(NOW, "UTC") == "23 Nov 2026, 14:20"
    assert format_moment(NOW, "Asia/Tokyo") == "23 Nov 2026, 23:20"
    assert format_day(date(2026, 9, 3)) == "3 Sep 2026"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.42, "0.4 s"),
        (12, "12 s"),
        (59.7, "1 min"),
        (185, "3 min 5 s"),
        (7500, "2 h 5 min"),
        (90000, "1 d 1 h"),
        (86400, "1 d"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds, words):
    assert format_duration(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(999, "999 bytes"), (1234, "1.2 kB"), (999_960, "1.0 MB"), (200_000_000, "200.0 MB")],
)
def test_a_file_size_is_written_in_powers_of_a_thousand(size, words):
    assert format_file_size(size) == words


@pytest.mark.parametrize("every", Cadence)
def test_every_cadence_has_words(every):
    assert format_cadence(every).startswith("every ")


def test_a_cadence_is_written_from_minutes_too():
    assert format_cadence(360) == "every 6 hours"
    assert format_cadence(90) == "every 1 h 30 min"
    assert format_cadence(timedelta(minutes=15)) == "every 15 min"
    assert format_cadence(None) == "never"


@pytest.mark.parametrize("ended", Outcome)
def test_every_outcome_is_a_sentence(ended):
    assert outcome_sentence(ended).endswith(".")


@pytest.mark.parametrize("state", Availability)
def test_every_availability_has_its_own_words(state):
    words = [availability_label(each) for each in Availability]
    assert words.count(availability_label(state)) == 1


@pytest.mark.parametrize("basis", PriceBasis)
def test_every_price_names_its_basis(basis):
    assert price_basis_label(basis)


def test_every_flag_has_its_reason():
    every = Flag(sum(Flag))
    assert len(flag_reasons(every)) == len(Flag)
    assert flag_reasons(Flag.NONE) == []
    assert len(flag_names(every).split(", ")) == len(Flag)
    assert flag_names(Flag.PRICE_JUMP) == "price far off"
    assert len(flag_reasons(Flag.PRICE_JUMP | Flag.STALE_VALUE)) == 2


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


# In the reader's way


@pytest.fixture
def written() -> Iterator[Callable[[Formats], None]]:
    yield formats.use
    formats.use(formats.USUAL)


def test_a_reader_who_chose_german_reads_every_figure_in_it(
    written: Callable[[Formats], None],
) -> None:
    written(Formats("de_DE"))
    assert plain(format_price(123450, "US")) == "1.234,50 $"
    assert format_rank(1204) == "#1.204"
    assert format_rating(46) == "4,6"
    assert format_count(11598) == "11.598"
    assert format_capped_count(10_001) == "10.000+"
    assert plain(format_percent_change(1000, 1023)) == "+2,3 %"
    assert format_rank_change(100, 1234) == "worsened ×12,3"
    assert format_dollars(Decimal("1234.5")) == "$1.234,50"
    assert format_file_size(1_234_000) == "1,2 MB"
    assert format_duration(1.26) == "1,3 s"
    assert format_moment(NOW, "Europe/Berlin") == "23.11.2026, 15:20"
    assert format_day(date(2026, 11, 23)) == "23.11.2026"


def test_the_usual_reader_reads_amounts_as_their_marketplace_writes_them() -> None:
    assert plain(format_price(123450, "DE")) == "1.234,50 €"
    assert format_price(123450, "US") == "$1,234.50"
    assert format_moment(NOW, "Europe/Berlin") == "23 Nov 2026, 15:20"


def test_a_currency_is_written_as_its_code_for_who_wants_it(
    written: Callable[[Formats], None],
) -> None:
    written(Formats(has_currency_code=True))
    assert plain(format_price(123450, "US")) == "USD 1,234.50"
    assert plain(format_price(-123450, "DE")) == "-1.234,50 EUR"
    assert plain(format_dollars(Decimal("1.5"))) == "USD 1.50"
    assert money_style("USD", "en_US", True).hover == "USD\u00a0%{y:,.2f}"
    assert money_style("EUR", "de_DE", True).suffix == "\u00a0EUR"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_on_offer_writes_numbers_and_days(
    locale: str, written: Callable[[Formats], None]
) -> None:
    written(Formats(locale))
    for text in (format_count(1234567), format_moment(NOW, "UTC"), format_price(99, "JP")):
        assert text
        assert "unknown" not in text


def test_formats_are_of_one_thread(written: Callable[[Formats], None]) -> None:
    written(Formats("de_DE"))
    seen: list[str] = []
    other = Thread(target=lambda: seen.append(format_count(1234)))
    other.start()
    other.join()
    assert seen == ["1,234"]
    assert format_count(1234) == "1.234"


@pytest.mark.parametrize(
    ("address", "named"),
    [
        (None, "this machine"),
        ("127.0.0.1", "this machine"),
        ("::1", "this machine"),
        ("203.0.113.7", "203.0.113.7"),
        ("a proxy's word", "a proxy's word"),
    ],
)
def test_this_machine_has_one_name(address: str | None, named: str) -> None:
    assert machine_name(address) == named


@given(st.text(max_size=60), st.integers(2, 40))
def test_a_quotation_is_one_line_that_nothing_gets_out_of(text: str, longest: int) -> None:
    quotation = quote(text, longest)
    assert (quotation[0], quotation[-1]) == ("«", "»")
    inside = quotation[1:-1]
    assert len(inside) <= longest
    assert not set("«»\n\r\u2028\u2029\x00\x1b\u202e\u200b\U000e0041") & set(inside)


def test_a_quotation_leaves_out_what_is_there_and_not_seen() -> None:
    hidden = "A lamp\U000e0049\U000e0047\u200b\u2060 for «you»\n"
    assert quote(hidden, 40) == "«A lamp for ‹you›»"
