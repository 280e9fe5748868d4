"""Numbers are written for people, and what is not known is called unknown."""

from decimal import Decimal

import pytest

from core.text.numbers import (
    format_capped_count,
    format_count,
    format_counted,
    format_dollars,
    format_file_size,
    format_percent_change,
    format_points,
    format_rank,
    format_rank_change,
    format_rating,
    format_share,
)

NAN = float("nan")


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("\u2060", "")


def test_figures_are_written_for_people():
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
    assert format_count(0) == "0"
    assert format_rating(0) == "0.0"
    assert format_dollars(Decimal(0)) == "$0.00"
    assert format_file_size(0) == "0 bytes"


@pytest.mark.parametrize("nothing", [None, NAN])
def test_what_is_not_known_is_called_unknown(nothing):
    for write in (format_rank, format_rating, format_count):
        assert write(nothing) == "unknown"
    assert format_percent_change(nothing, 1) == "unknown"
    assert format_percent_change(1, nothing) == "unknown"
    assert format_rank_change(nothing, 1) == "unknown"
    assert format_rank_change(1, nothing) == "unknown"


def test_what_has_no_value_at_all_is_unknown():
    assert format_dollars(None) == "unknown"
    assert format_file_size(None) == "unknown"
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
        (112, 100, "▲ 12 (\u221211 %)"),
        (100, 112, "▼ 12 (+12 %)"),
        (1000, 1045, "▼ 45 (+4.5 %)"),
        (10735, 6993, "▲ 3,742 (\u221235 %)"),
        (250_000, 1, "▲ 249,999 (\u2212100 %)"),
        (5, 5, "unchanged"),
        (0, 5, "unknown"),
        (None, 5, "unknown"),
        (5, NAN, "unknown"),
    ],
)
def test_a_rank_moves_by_places_with_its_direction(before, after, words):
    assert plain(format_rank_change(before, after)) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(999, "999 bytes"), (1234, "1.2 kB"), (999_960, "1.0 MB"), (200_000_000, "200.0 MB")],
)
def test_a_file_size_is_written_in_powers_of_a_thousand(size, words):
    assert format_file_size(size) == words


def test_a_share_is_whole_only_where_it_is():
    assert [plain(format_share(part)) for part in (0, 0.001, 0.875, 0.999, 1)] == [
        "0 %", "1 %", "88 %", "99 %", "100 %",
    ]  # fmt: skip
    assert format_share(None) == format_share(NAN) == "unknown"
    assert plain(format_points(-4.2)) == "4.2 pt"
    assert format_points(0) == "no change"
