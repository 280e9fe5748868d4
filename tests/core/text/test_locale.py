"""Numbers, days and amounts are written in the user's language."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Thread

import pytest

from core.accounts.people.profile import LOCALES
from core.catalog.money import format_price
from core.chart_theme import money_style
from core.text import locale as formats
from core.text.locale import Formats
from core.text.numbers import (
    format_capped_count,
    format_count,
    format_dollars,
    format_file_size,
    format_percent_change,
    format_rank,
    format_rank_change,
    format_rating,
)
from core.text.times import format_day, format_duration, format_moment

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("\u2060", "")


@pytest.fixture
def written() -> Iterator[Callable[[Formats], None]]:
    yield formats.use_formats
    formats.use_formats(formats.USUAL)


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
    assert plain(format_rank_change(100, 1234)) == "▼ 1.134 (+1.134 %)"
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
