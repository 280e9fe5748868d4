"""Texts of a period, of a missing value and of a changed listing."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.history.changes.listing_diff import MOST_WORDS, diff_words, list_changes
from core.history.current import missing_values
from core.history.observation import Flag, Outcome, Seen, Source
from core.history.product_summary import FetchState
from core.history.provenance.snapshot_table import format_rows, write_csv
from core.history.timeline import statistics_text
from core.history.timeline.queries import ListingText
from tests.core.history.timeline.test_series import history_frame, timeline_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def fetching(**values: Any) -> FetchState:
    usual: dict[str, Any] = {
        "due_at": NOW + timedelta(hours=3), "leased_until": None, "failures": 0,
        "observed_at": None, "last_outcome": None, "requested_at": None,
    }  # fmt: skip
    return FetchState(**{**usual, **values})


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "never fetched: paused, or tracked by no one"),
        (fetching(), "never fetched: due in 3 h"),
        (fetching(due_at=NOW), "never fetched: due now"),
        (fetching(leased_until=NOW + DAY), "never fetched: the first fetch is running"),
        (fetching(last_outcome=Outcome.BLOCKED), "never read: the last fetch ended as blocked"),
    ],
)  # fmt: skip
def test_a_product_never_observed_has_a_reason(state: FetchState | None, words: str):
    assert missing_values.never_observed_text(state, NOW) == words


def test_a_failed_fetch_is_a_problem_and_a_good_one_is_not():
    failed = fetching(
        last_outcome=Outcome.BLOCKED, failures=3, observed_at=NOW - timedelta(hours=1)
    )
    found = missing_values.fetch_problem(failed, NOW)
    assert found is not None
    assert found.startswith("The last fetch failed (3 times in a row; last read 1 h ago): Amazon")
    assert missing_values.fetch_problem(fetching(last_outcome=Outcome.UNAVAILABLE), NOW) is None


def test_a_request_is_shown_until_a_check_answers_it():
    asked = fetching(due_at=NOW, requested_at=NOW - timedelta(minutes=2))
    assert missing_values.next_fetch_text(asked, NOW) == "check queued 2 min ago"
    answered = fetching(requested_at=NOW - timedelta(hours=2), observed_at=NOW)
    assert missing_values.next_fetch_text(answered, NOW) == "next check in 3 h"


def test_a_table_of_statistics_writes_change_range_and_middle():
    frame = history_frame([0, 1, 2], price=[2000.0, 2000, 1500], bsr=[200.0, 100, 100])
    rows = {
        row.name: row
        for row in statistics_text.statistics_rows(timeline_of(frame).compute_statistics(), "US")
    }
    assert rows["Price"].now == "$15.00"
    assert rows["Price"].details == (
        "−25\u202f% from $20.00",
        "$15.00 to $20.00",
        "average $20.00",
    )
    assert rows["Rank"].details[0] == "▲ 100 (−50\u202f%) from #200"
    assert rows["Rating"].now == "none on the page"


@pytest.mark.parametrize(
    ("part", "words"),
    [(1.0, "100"), (0.9999, ">99.9"), (0.995, "99.5"), (0.5, "50"), (0.0, "0"), (0.0001, "<0.1")],
)
def test_less_than_all_is_never_written_as_all(part: float, words: str):
    assert statistics_text.format_share(part) == f"{words}\u202f%"


def test_differences_carry_their_sign():
    assert statistics_text.rating_change(43, 44) == "+0.1"
    assert statistics_text.count_change(4090, 135) == "−3,955"
    assert statistics_text.count_change(5, 5) == "unchanged"


def test_a_changed_word_is_marked_and_the_rest_stays():
    pieces = diff_words("Steel bottle 18 oz blue", "Steel bottle 26 oz blue")
    assert [(piece.mark, piece.text) for piece in pieces] == [
        ("same", "Steel bottle"), ("removed", "18"), ("added", "26"), ("same", "oz blue"),
    ]  # fmt: skip


def test_a_very_long_text_is_shown_as_replaced():
    pieces = diff_words("same " * (MOST_WORDS + 1), "same")
    assert [piece.mark for piece in pieces] == ["removed", "added"]


def version(title: str, *bullets: str) -> ListingText:
    return ListingText(NOW, Source.AXESSO, title, None, bullets, None, 0)


def test_each_version_lists_its_changes_since_the_one_before():
    found = list_changes([version("New", "a", "b"), version("Old", "a")])
    assert [change.part for change in found[0][1] or ()] == ["Title", "Bullet 2"]
    assert found[1][1] is None
    assert list_changes([]) == []


def stored(**values: Any) -> dict[str, Any]:
    names = [
        "price",
        "list_price",
        "buy_box_price",
        "buy_box_seller",
        "buy_box_seller_id",
        "deal_price",
        "coupon_amount",
        "coupon_percent",
        "bsr",
        "sub_rank",
        "rating",
        "ratings_count",
        "reviews_count",
        "availability",
        "stock_left",
        "offers_new",
        "price_basis",
    ]
    usual: dict[str, Any] = dict.fromkeys(names)
    usual |= {"captured_at": NOW, "source": 1, "outcome": "ok", "flags": 0, "seen": 0}
    return usual | {"currency": "USD", "unreadable": None} | values


def test_a_row_distinguishes_none_from_not_reported_and_names_the_flags():
    row = stored(price=1999, seen=int(Seen.PRICE | Seen.BSR), flags=int(Flag.PRICE_JUMP))
    shown = format_rows([row], "US", "UTC")[0]
    assert (shown["price"], shown["bsr"], shown["rating"]) == ("$19.99", "none", "–")
    assert shown["doubts"] == "price far off"
    assert format_rows([stored(flags=0)], "US", "UTC")[0]["doubts"] == "none"
    assert shown["captured_at"] == "2026-11-23 12:00"


def test_a_csv_holds_major_units_and_no_formula():
    body = write_csv(
        [
            stored(
                price=1999,
                buy_box_seller="=cmd|'/c calc'!A1",
                buy_box_seller_id="A1DEMOSELLER",
                rating=43,
            )
        ]
    )
    row = next(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert (row["price"], row["rating"], row["bsr"]) == ("19.99", "4.3", "")
    assert row["buy_box_seller"].startswith("'=")
    assert row["buy_box_seller_id"] == "A1DEMOSELLER"
    assert row["captured_at"] == "2026-11-23T12:00:00+00:00"
