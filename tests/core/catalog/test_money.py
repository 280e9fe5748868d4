"""Money is read as its marketplace writes it, and written so again."""

import csv
from decimal import Decimal

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.marketplaces import MARKETPLACES
from core.catalog.money import (
    LARGEST,
    UnreadableMoneyError,
    find_currency,
    format_amount,
    format_money,
    format_price,
    parse_amount,
    to_decimal,
)
from tests.real_data import real_data_path

marketplaces = st.sampled_from(list(MARKETPLACES.values()))

WRITTEN = {
    "US": "$123,456.50",
    "CA": "$123,456.50",
    "MX": "$123,456.50",
    "BR": "R$\u00a0123.456,50",
    "UK": "£123,456.50",
    "IE": "€123,456.50",
    "DE": "123.456,50\u00a0€",
    "FR": "123\u202f456,50\u00a0€",
    "IT": "123.456,50\u00a0€",
    "ES": "123.456,50\u00a0€",
    "NL": "€\u00a0123.456,50",
    "BE": "123\u202f456,50\u00a0€",
    "SE": "123\u00a0456,50\u00a0kr",
    "PL": "123\u00a0456,50\u00a0zł",
    "TR": "₺123.456,50",
    "AE": "AED\u00a0123,456.50",
    "SA": "SAR\u00a0123,456.50",
    "EG": "EGP\u00a0123,456.50",
    "ZA": "R123\u00a0456,50",
    "IN": "₹1,23,456.50",
    "JP": "￥123,456",
    "AU": "$123,456.50",
    "SG": "$123,456.50",
}


@pytest.mark.parametrize("code", MARKETPLACES)
def test_every_marketplace_writes_amounts_its_own_way(code):
    marketplace = MARKETPLACES[code]
    minor = 123456 if code == "JP" else 12345650
    assert format_money(minor, marketplace) == WRITTEN[code]


@given(marketplace=marketplaces, minor=st.integers(-LARGEST, LARGEST))
def test_what_is_written_is_read_back(marketplace, minor):
    text = format_money(minor, marketplace)
    assert parse_amount(text, marketplace) == minor
    assert find_currency(text, marketplace) == marketplace.currency


@given(marketplace=marketplaces, minor=st.integers(-(10**9), 10**9))
def test_amounts_are_written_as_babel_writes_them(marketplace, minor):
    amount = to_decimal(minor, marketplace.currency)
    expected = format_currency(amount, marketplace.currency, locale=marketplace.locale)
    written = format_money(minor, marketplace)
    if marketplace.code in {"AE", "SA", "EG"}:
        written = written.replace("\u00a0", "")
    assert written == expected


@pytest.mark.parametrize(
    ("raw", "code", "minor"),
    [
        ("$1,234.56", "US", 123456),
        ("$17.00 ", "US", 1700),
        ("113.38 -409", "US", 11338),
        ("1,087.72 -409", "US", 108772),
        ("12,99", "US", 1299),
        ("1.226", "US", 123),
        (".99", "US", 99),
        ("(12.99)", "US", -1299),
        ("12.99-", "US", -1299),
        ("-$12.99", "US", -1299),
        ("$-12.99", "US", -1299),
        ("\u221212.99", "US", -1299),
        ("12.99 USD", "US", 1299),
        ("0.005", "US", 1),
        ("1.226 €", "DE", 122600),
        ("1.226,00 €", "DE", 122600),
        ("1,226", "DE", 122600),
        ("12.99", "DE", 1299),
        ("0.123", "DE", 12),
        ("EUR 12,99", "DE", 1299),
        ("12,- €", "DE", 1200),
        ("€ 12,-", "NL", 1200),
        ("€\u00a01.234,-", "NL", 123400),
        ("1 234:-", "SE", 123400),
        ("1'234.50", "DE", 123450),
        ("123 456,50 €", "FR", 12345650),
        ("123\u202f456,50\u00a0€", "FR", 12345650),
        ("1 234 567 €", "FR", 123456700),
        ("￥123,456", "JP", 123456),
        ("¥1,980", "JP", 1980),
        ("１２，３４５円", "JP", 12345),
        ("₹1,23,456.50", "IN", 12345650),
        ("R$ 123.456,50", "BR", 12345650),
        ("R 1,234.50", "ZA", 123450),
        ("SAR 99", "SA", 9900),
        ("\u200f١٢٣٬٤٥٦٫٥٠ ر.س.\u200f", "SA", 12345650),
        (12, "US", 1200),
        (12, "JP", 12),
        (0.1 + 0.2, "US", 30),
        (19.999, "US", 2000),
        (Decimal("12.345"), "US", 1235),
        ("0", "US", 0),
    ],
)
def test_every_style_is_read(raw, code, minor):
    assert parse_amount(raw, MARKETPLACES[code]) == minor


@pytest.mark.parametrize("raw", [None, "", "  ", "N/A", "-", "–", "—", "none", "NaN", "\u00a0"])
def test_where_there_is_no_number_the_amount_is_unknown(raw):
    assert parse_amount(raw, MARKETPLACES["DE"]) is None


@pytest.mark.parametrize(
    "raw",
    [
        "free",
        "1,2,3",
        "1.2.3",
        "12 99 €",
        "1.234,567",
        "1,2345",
        "$0.17$0.17/count",
        "18.18%",
        "#35,077 in Electronics",
        "12.99 (13.99",
        "..",
        "inf",
        "9" * 60,
        pytest.param("1" * 10**6, id="a megabyte"),
        float("nan"),
        float("inf"),
        1e300,
        pytest.param(10**5000, id="a number too long to print"),
        Decimal("sNaN"),
        Decimal("1e999999"),
        True,
    ],
)
def test_what_is_no_price_is_refused_in_a_sentence(raw):
    with pytest.raises(UnreadableMoneyError, match=r"\.$|€\.$|Check it\.$") as caught:
        parse_amount(raw, MARKETPLACES["US"])
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("raw", ["12,99 € - 15,99 €", "12,99–15,99 €", "100 -150", "$5 to $9"])
def test_a_range_is_not_one_price(raw):
    with pytest.raises(UnreadableMoneyError, match="is a range, not one price"):
        parse_amount(raw, MARKETPLACES["DE"])


def test_the_largest_amount_is_read_and_one_more_is_not():
    assert parse_amount(10**13, MARKETPLACES["US"]) == LARGEST
    with pytest.raises(UnreadableMoneyError, match="too large"):
        parse_amount("10000000000000.01", MARKETPLACES["US"])


@given(raw=st.text(max_size=80), marketplace=marketplaces)
def test_any_text_is_an_amount_or_none_or_refused(raw, marketplace):
    find_currency(raw, marketplace)
    try:
        minor = parse_amount(raw, marketplace)
    except UnreadableMoneyError:
        return
    assert minor is None or abs(minor) <= LARGEST


@given(raw=st.text(alphabet="0123456789.,' -()$€\u00a0", max_size=30), marketplace=marketplaces)
def test_any_text_of_digits_and_marks_is_read_or_refused(raw, marketplace):
    try:
        minor = parse_amount(raw, marketplace)
    except UnreadableMoneyError:
        return
    assert (minor is None) == (not any(each.isdigit() for each in raw))


@given(minor=st.integers(0, 10**9))
def test_a_float_of_an_amount_means_that_amount(minor):
    assert parse_amount(minor / 100, MARKETPLACES["US"]) == minor


@pytest.mark.parametrize(
    ("text", "code", "currency"),
    [
        ("12,99 €", "UK", "EUR"),
        ("$5", "CA", "CAD"),
        ("$5", "DE", "USD"),
        ("US$5", "CA", "USD"),
        ("GPB 12", "UK", "GBP"),
        ("R$ 5", "ZA", "BRL"),
        ("R5", "ZA", "ZAR"),
        ("￥5", "JP", "JPY"),
        ("Rs. 99", "IN", "INR"),
        ("chf 12", "DE", "CHF"),
        ("12.99", "US", None),
        ("Reduced 12.99", "US", None),
        ("", "US", None),
    ],
)
def test_the_currency_is_the_one_the_text_names(text, code, currency):
    assert find_currency(text, MARKETPLACES[code]) == currency


def test_an_unknown_amount_is_written_as_unknown():
    assert format_amount(None, "EUR", "de_DE") == "unknown"
    assert format_money(0, MARKETPLACES["US"]) == "$0.00"


def test_minor_units_depend_on_the_currency():
    assert to_decimal(1250, "USD") == Decimal("12.50")
    assert to_decimal(1250, "JPY") == Decimal(1250)


# Not money in the recorded strings: percentages, ranks, ratings, sales figures,
# coupon and stock sentences. They have their own readers.
MONEY_UNITS = {"USD", "GBP", ""}


def test_recorded_money_is_read_and_all_other_recorded_strings_are_refused():
    path = real_data_path("nasty/real_money_rank_strings.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    read = 0
    for row in rows:
        marketplace = MARKETPLACES["UK" if row["expected_unit"] == "GBP" else "US"]
        if row["expected_number"] and row["expected_unit"] in MONEY_UNITS:
            expected = Decimal(row["expected_number"])
            assert parse_amount(row["raw"], marketplace) == int(expected * 100), row["raw"]
            read += 1
        elif row["expected_number"]:
            with pytest.raises(UnreadableMoneyError):
                parse_amount(row["raw"], marketplace)
    assert read == 109


def test_prices_are_written_for_people() -> None:
    assert format_price(1299, "US") == "$12.99"
    assert format_price(1299.0, "JP") == "￥1,299"
    assert format_price(0, "US") == "$0.00"


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_an_unknown_price_is_called_unknown(nothing: float | None) -> None:
    assert format_price(nothing, "US") == "unknown"
