"""Recognising columns by their cells, and where a table begins and breaks off."""

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from core.catalog.marketplaces import get_marketplace
from core.history.observation import Availability, Failure, Observation, Outcome, Seen
from core.importing.detect import detect_file
from core.importing.read_rows import read_rows
from core.importing.readers.history_columns import HistoryColumns
from core.importing.trial import TrialContext
from core.importing.values.currencies import read_currency
from core.importing.values.rows import FileKind, ReadContext, Refusal
from core.scraping.parsers.value_parsers import UnreadableValueError
from tests.hypothesis_runs import examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def results(path, kind=FileKind.HISTORY_FILE, marketplace="US"):
    return [row.result for row in read_rows(path, kind, ReadContext(NOON, marketplace))]


def columns_of(**cells):
    """Return the fields found for columns by these names and cells."""
    return dict(HistoryColumns.from_header(cells, cells).by_field)


# Meaning


@pytest.mark.parametrize(
    ("cells", "field", "column"),
    [
        ({"Ratings": ["4.7", "4", "N/A"]}, "rating", "Ratings"),
        ({"Ratings": ["4.7 out of 5 stars"]}, "rating", "Ratings"),
        ({"Reviews": ["4,3", "3,9"]}, "rating", "Reviews"),
        ({"Ratings": ["4", "5", "12"]}, "ratings_count", "Ratings"),
        ({"Rating": ["308", "1,284"]}, "ratings_count", "Rating"),
        ({"ratings_count": ["3.0", "5.0"]}, "ratings_count", "ratings_count"),  # as pandas writes
        ({"rating": ["45", "47"]}, "rating", "rating"),  # tenths of stars, perhaps
        ({"Ratings": ["4.7"], "Review Count": ["308"]}, "ratings_count", "Review Count"),
        ({"Buy Box": ["Acme Water Shop", "Amazon", "N/A"]}, "seller", "Buy Box"),
        ({"Buy Box": ["$19.99", "N/A"]}, "buy_box_price", "Buy Box"),
        ({"date": ["soon"], "timestamp": ["2026-01-31"]}, "time", "timestamp"),
        ({"price": ["see cart"], "current_price": ["9.99"]}, "price", "current_price"),
    ],
)
def test_cells_decide_what_a_name_leaves_open(cells, field, column):
    assert columns_of(**cells)[field] == column


def test_a_listings_own_state_is_no_outcome_of_a_check():
    assert "status" not in columns_of(status=["Active", "Inactive"])
    assert "status" not in columns_of(status=["Aktiv", "Inaktiv"])
    assert "status" not in columns_of(status=["Active", "Inactive (Out of stock)", "Incomplete"])
    assert columns_of(status=["ok", "robot_check"])["status"] == "status"


def test_a_buy_box_that_is_won_or_not_is_no_price():
    assert "buy_box_price" not in columns_of(**{"Buy Box": ["Yes", "No"]})


def test_an_error_written_as_an_object_is_an_error(write_file):
    item = {"asin": "B0DEMO0001", "rank": None, "error": {"code": 503, "message": "captcha"}}
    other = {"asin": "B0DEMO0002", "rank": 5, "error": None}
    failure, seen = results(write_file(json.dumps([item, other])))
    assert failure.outcome is Outcome.BLOCKED
    assert isinstance(seen, Observation)


def test_a_column_of_asins_wins_over_a_name_that_holds_none(write_file):
    path = write_file(
        "product-id\tasin1\tprice\n4006381333931\tB0DEMO0001\t5\nB0DEMO0002\tB0DEMO0002\t6\n"
    )
    assert [each.asin for each in results(path)] == ["B0DEMO0001", "B0DEMO0002"]


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Country/Region Code", "CA"),
        ("Store", "amazon.ca"),
        ("Origin page", "www.amazon.ca"),
        ("mp", "A2EUQ1WTGCTBG2"),
        ("Land", "Canada"),
    ],
)
def test_a_marketplace_column_is_recognised_by_its_cells(write_file, header, cell):
    (seen,) = results(write_file(f"asin,{header},price\nB0DEMO0001,{cell},5\n"))
    assert seen.marketplace == "CA"


def test_a_sellers_country_is_no_marketplace(write_file):
    (seen,) = results(write_file("asin,Seller Country/Region,price\nB0DEMO0001,CN,5\n"))
    assert seen.marketplace == "US"


@pytest.mark.parametrize(
    ("header", "cells"),
    [("currency", "CAD,5"), ("Currency code", "Euro,5"), ("note", ",€5.00"), ("note", ",£5")],
)
def test_a_row_in_another_currency_than_its_marketplaces_is_refused(write_file, header, cells):
    (failure,) = results(write_file(f"asin,{header},price\nB0DEMO0001,{cells}\n"))
    assert isinstance(failure, Failure)
    assert "amazon.com sells in USD" in failure.detail


@pytest.mark.parametrize(
    ("written", "code"),
    [("GPB", "GBP"), ("gbp", "GBP"), ("£", "GBP"), ("British Pound", "GBP"), ("pounds", "GBP"),
     ("Euro", "EUR"), ("Japanischer Yen", "JPY"), ("円", "JPY"), ("złoty polski", "PLN"),
     ("$", "USD"), ("dollars", "USD")],
)  # fmt: skip
def test_a_currency_is_known_by_code_name_and_sign(written, code):
    assert read_currency(written, get_marketplace("US")) == code


def test_what_is_no_currency_costs_the_amounts_and_not_the_row(write_file):
    with pytest.raises(UnreadableValueError):
        read_currency("QQQ", get_marketplace("US"))
    (seen,) = results(write_file("asin,price,currency,bsr\nB0DEMO0001,5,QQQ,7\n"))
    assert (seen.price, seen.ranks[0].rank) == (None, 7)
    assert not seen.seen & Seen.PRICE


@pytest.mark.parametrize("absent", ["N/A", "-", "n/a", "nan", "None", "null", "—", "?"])
def test_a_word_for_no_value_is_unknown_and_not_none(write_file, absent):
    path = write_file(f"asin,price,bsr,rating,ratings_count\nB0DEMO0001,{absent},{absent},4.5,9\n")
    (row,) = read_rows(path, FileKind.HISTORY_FILE, ReadContext(NOON, "US"))
    assert row.result.seen == Seen.RATING | Seen.RATINGS_COUNT
    assert not row.unreadable


def test_cells_that_can_not_be_read_are_kept_with_their_text(write_file):
    path = write_file(
        "asin,price,bsr,rating,availability\nB0DEMO0001,5,first!,4.5,Auf Umwegen\n"
        "B0DEMO0002,5,9,4.5,In stock\n"
    )
    seen, _ = results(path)
    assert seen.unreadable == {Seen.BSR: "first!", Seen.AVAILABILITY: "Auf Umwegen"}
    assert seen.seen == Seen.PRICE | Seen.RATING


def test_small_whole_numbers_far_below_other_amounts_are_no_prices(write_file):
    lines = "".join(f"B0DEMO000{n},US,{4400 + n}.00,{n}\n" for n in range(1, 6))
    path = write_file(f"asin,marketplace,buyBoxPrice,newPrice\n{lines}B0DEMO0009,US,,7\n")
    found = detect_file(path, "x.csv")
    assert any("count offers" in problem for problem in found.problems)
    seen = results(path)
    assert [each.new_price for each in seen[:5]] == [None] * 5
    assert seen[5].price is None
    books = write_file("asin,marketplace,price,used_price\nB0DEMO0001,US,120.00,4\n")
    assert [each.used_price for each in results(books)] == [400]
    usual = write_file("asin,marketplace,buyBoxPrice,newPrice\nB0DEMO0001,US,24,19\n")
    assert not any("count offers" in problem for problem in detect_file(usual, "x.csv").problems)


@pytest.mark.parametrize(
    ("column", "cell", "outcome"),
    [
        ("error", "Blocked by Amazon bot detection", Outcome.BLOCKED),
        ("error_message", "Read timed out. (read timeout=30)", Outcome.TIMEOUT),
        ("error", "KeyError: 'price'", Outcome.RUN_FAILED),
        ("blocked", "true", Outcome.BLOCKED),
        ("captcha", "1", Outcome.BLOCKED),
        ("success", "false", Outcome.RUN_FAILED),
        ("http_status", "503", Outcome.BLOCKED),
        ("status_code", "500", Outcome.RUN_FAILED),
        ("failed", "true", Outcome.RUN_FAILED),
    ],
)
def test_a_column_that_reports_a_failed_check_makes_a_failure(write_file, column, cell, outcome):
    path = write_file(f'asin,bsr,{column}\nB0DEMO0001,,"{cell}"\n')
    (failure,) = results(path)
    assert isinstance(failure, Failure)
    assert failure.outcome is outcome


@pytest.mark.parametrize(
    ("column", "cell"),
    [("error", ""), ("error", "None"), ("error", "No error"), ("error", "0.0"),
     ("error", "false"), ("blocked", "0"), ("success", "True"),
     ("http_status", "200"), ("http_status", "200.0")],
)  # fmt: skip
def test_a_column_that_reports_a_good_check_changes_nothing(write_file, column, cell):
    (seen,) = results(write_file(f"asin,bsr,{column}\nB0DEMO0001,9,{cell}\n"))
    assert isinstance(seen, Observation)


@pytest.mark.parametrize(
    "sentence",
    ["Actuellement indisponible.", "Derzeit nicht verfügbar.", "現在在庫切れです。", "Niedostępny"],
)
def test_the_pages_own_sentence_wins_over_a_price_that_was_not_found(write_file, sentence):
    path = write_file(f"asin,price,status,availability\nB0DEMO0001,,price_missing,{sentence}\n")
    (seen,) = results(path)
    assert (seen.outcome, seen.availability) == (Outcome.UNAVAILABLE, Availability.UNAVAILABLE)


def test_a_label_that_is_no_tag_does_not_turn_a_history_into_a_list(write_file):
    label = "a description far too long for any tag that a user would write"
    path = write_file(f"asin,marketplace,label,price\nB0DEMO0001,US,{label},5\n")
    assert detect_file(path, "x.csv").kind is FileKind.HISTORY_FILE


def test_fields_of_other_tools_objects_are_read(write_file):
    item = {"asin": "B0DEMO0001", "url": "https://www.amazon.com/dp/B0DEMO0001", "num_ratings": 25,
            "bs_rank": 120, "bs_category": "Lamps", "final_price": 12.5, "timestamp": "2026-01-31",
            "rating": 4.4}  # fmt: skip
    (seen,) = results(write_file(json.dumps([item])))
    assert (seen.ratings_count, seen.ranks[0].rank, seen.ranks[0].category) == (25, 120, "Lamps")


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("#1,204 in Home & Kitchen (See Top 100 in Home & Kitchen)", [1204]),
        ("Nr. 12 in Baumarkt, Nr. 3 in Bohrer", [12, 3]),
        ("#1,204", [1204]),
    ],
)
def test_a_rank_may_be_the_line_of_the_page(write_file, cell, found):
    (seen,) = results(write_file(f'asin,bsr,price\nB0DEMO0001,"{cell}",5\n'))
    assert [rank.rank for rank in seen.ranks] == found


# Title rows


TITLES = [["Monthly report"], [], ["Marketplace: amazon.de", None, "As of: 24.12.2025"]]
TABLE = [["ASIN", "Price", "Rating"], ["B0DEMO0001", "5,00", "4,5"], ["B0DEMO0002", "6,00", "4,1"]]


def as_csv(lines):
    return "".join(";".join(f'"{cell or ""}"' for cell in line) + "\n" for line in lines)


def as_workbook(lines):
    workbook = Workbook()
    for line in lines:
        workbook.active.append(line)
    body = io.BytesIO()
    workbook.save(body)
    return body.getvalue()


@pytest.mark.parametrize("write", [as_csv, as_workbook])
def test_a_header_below_title_rows_is_found_and_their_content_offered(write_file, write):
    path = write_file(write(TITLES + TABLE))
    found = detect_file(path, "report")
    assert (found.kind, found.suggested_marketplace) == (FileKind.HISTORY_FILE, "DE")
    assert found.suggested_captured_at == datetime(2025, 12, 24, 12, tzinfo=UTC)
    assert [each.price for each in results(path, marketplace="DE")] == [500, 600]


def test_a_list_below_title_rows_is_a_list(write_file):
    path = write_file("Our products\n\nName,ASIN\nMug,B0DEMO0001\n")
    assert detect_file(path, "x").kind is FileKind.ASIN_LIST
    (request,) = results(path, FileKind.ASIN_LIST)
    assert request.asin == "B0DEMO0001"


# Tab files and cut files


def test_in_a_tab_file_a_quotation_mark_is_a_letter(write_file):
    path = write_file(
        'asin\tname\tprice\nB0DEMO0001\t"Best" mug, 12" tall\t5\nB0DEMO0002\t"Never closed\t6\n'
        'B0DEMO0003\t"As a ""spreadsheet"" writes it"\t7\n'
    )
    seen = results(path)
    assert [each.price for each in seen] == [500, 600, 700]
    assert [each.listing.title for each in seen] == [
        '"Best" mug, 12" tall',
        '"Never closed',
        'As a "spreadsheet" writes it',
    ]


def test_a_cell_of_several_lines_in_a_tab_file_is_one_cell(write_file):
    path = write_file(
        "asin\tname\tprice\tcolour\n"
        'B0DEMO0001\t"A mug\n\nof ""clay"", 12"" tall"\t5\tblue\n'
        'B0DEMO0002\t"Never closed\t6\t"red\n'
        'B0DEMO0003\tCup\t7\t"as in\nthe picture"\n'
        'B0DEMO0004\tCup\t8\t"green\n'
    )
    seen = results(path)
    assert [each.price for each in seen] == [500, 600, 700, 800]
    assert [each.listing.title for each in seen] == [
        'A mug\n\nof "clay", 12" tall',
        '"Never closed',
        "Cup",
        "Cup",
    ]


@pytest.mark.parametrize(
    "cut",
    ["B0DEMO0009,US,2026-01", "B0DEMO0009,US,2026-01-31", "B0DEMO0009,US,2026-01-31,39.9",
     "B0DEMO0009,US,2026-01-31,3", "B0D"],
)  # fmt: skip
def test_a_last_row_that_was_cut_off_is_not_stored(write_file, cut):
    good = "".join(f"B0DEMO000{n},US,2026-01-31,39.99\n" for n in range(4))
    *_, last = results(write_file(f"asin,marketplace,date,price\n{good}{cut}"))
    assert isinstance(last, Failure)
    assert "cut off" in last.detail
    whole = results(write_file(f"asin,marketplace,date,price\n{good}"))
    assert all(isinstance(each, Observation) for each in whole)


@pytest.mark.parametrize(
    ("others", "last"), [("39.99", "38.99"), ("39", "40"), ("9.99 €", "8.99 €"), ("in stock", "ok")]
)
def test_a_whole_last_row_without_a_line_break_is_stored(write_file, others, last):
    good = "".join(f"B0DEMO000{n},DE,2026-01-31,7,{others}\n" for n in range(4))
    header = (
        "asin,marketplace,date,bsr,price" if others[0].isdigit() else "asin,marketplace,date,bsr,x"
    )
    *_, seen = results(write_file(f"{header}\n{good}B0DEMO0009,DE,2026-01-31,7,{last}"))
    assert isinstance(seen, Observation)


def test_rows_swallowed_by_a_quotation_mark_of_a_csv_are_reported(write_file):
    good = "B0DEMO0002,Mug,US,5\nB0DEMO0003,Mug,US,5\n"
    text = f'asin,name,marketplace,price\nB0DEMO0001,"12 inch,US,5\n{good}B0DEMO0004,9" cup,US,5\n'
    first, *_ = results(write_file(text + good.replace("000", "001")))
    assert isinstance(first, Failure)
    assert "3 lines later" in first.detail


@pytest.mark.parametrize(
    "words",
    ["Warm\nSoft, light, and cheap, and blue\nLasts", "One, two, three, four\nfive; six; seven; 8"],
)
def test_a_text_of_several_lines_with_commas_is_no_swallowed_row(write_file, words):
    path = write_file(f'asin,title,price,notes\nB0DEMO0001,Mug,5,"{words}"\nB0DEMO0002,Mug,6,\n')
    assert [each.price for each in results(path)] == [500, 600]


@pytest.mark.parametrize(
    ("others", "last", "is_stored"),
    [
        ([1204, 1188, 1100], 998, True),  # a rank that improves
        ([12, 55, 98], 7, True),  # counts of a few products
        ([1000 + n for n in range(12)], 998, True),  # no further digit makes it one of these
        ([1000 + n for n in range(12)], 10, False),
        (['"1,204"', '"1,188"', '"1,100"'], 998, True),
    ],
)
def test_a_count_with_fewer_digits_in_a_last_row_is_cut_only_where_it_must_be(
    write_file, others, last, is_stored
):
    rows = "\n".join(f"B0DEMO00{n:02},US,5,{rank}" for n, rank in enumerate([*others, last]))
    *_, seen = results(write_file(f"asin,marketplace,price,bsr\n{rows}"))
    assert isinstance(seen, Observation) == is_stored


@pytest.mark.parametrize(
    ("others", "last", "is_stored"),
    [
        (["11/28/2026", "11/29/2026", "11/30/2026"], "12/1/2026", True),
        (["11/28/2026", "11/29/2026", "11/30/2026"], "12/1/20", False),
        (["2026-01-28 10:15", "2026-01-28 11:15", "2026-01-28 12:15"], "2026-01-29 9:15", True),
        (["2026-01-28", "2026-01-29", "2026-01-30"], "2026-01-3", False),
    ],
)
def test_a_last_time_is_cut_where_numbers_or_digits_of_it_are_missing(
    write_file, others, last, is_stored
):
    rows = "\n".join(f"B0DEMO00{n:02},US,5,{day}" for n, day in enumerate([*others, last]))
    *_, seen = results(write_file(f"asin,marketplace,price,date\n{rows}"))
    assert isinstance(seen, Observation) == is_stored


def test_a_region_of_states_is_no_marketplace(write_file):
    states = write_file("asin,region,price\nB0DEMO0001,CA,5\nB0DEMO0002,IN,6\n")
    assert {each.marketplace for each in results(states)} == {"US"}
    countries = write_file("asin,region,price\nB0DEMO0001,CA,5\nB0DEMO0002,US,6\n")
    assert [each.marketplace for each in results(countries)] == ["CA", "US"]


# Before confirming


def test_the_preview_shows_what_will_fail_and_what_is_not_used(write_file):
    good = "".join(f"B0DEMO{n:04},US,2026-01-31,5,x\n" for n in range(600))
    bad = "not-one,US,2026-01-31,5,x\nB0DEMO0001,US,2026-01-31,cheap,x\n"
    found = detect_file(write_file(f"asin,marketplace,date,price,colour\n{bad}{good}"), "x.csv")
    problems = " ".join(found.problems)
    assert "1 of the first 500 rows will not be stored (Not usable). Row 1: “not-one”" in problems
    assert "1 of the first 500 rows will not be stored (Could not be read). Row 2" in problems
    uses = {use.column: (use.meaning, use.unreadable) for use in found.uses}
    assert uses["colour"] == (None, 0)
    assert uses["price"] == ("Price", 1)


def test_contradicting_rows_and_future_times_are_reported_before_confirming(write_file):
    path = write_file(
        "asin,marketplace,captured_at,price\nB0DEMO0001,US,2026-01-31T08:00:00Z,5\n"
        "B0DEMO0001,US,2026-01-31T08:00:00Z,6\nB0DEMO0001,US,2026-02-01T08:00:00Z,5\n"
    )
    problems = detect_file(
        path, "x.csv", trial=TrialContext(now=datetime(2026, 1, 31, 9, tzinfo=UTC))
    ).problems
    assert any("The first is row 2" in problem for problem in problems)
    assert any("lies in the future" in problem and "Row 3" in problem for problem in problems)


def test_a_file_is_tried_by_the_clock_of_who_will_confirm_it(write_file):
    path = write_file("asin,marketplace,captured_at,price\nB0DEMO0001,DE,2026-03-29 02:30,5\n")
    assert detect_file(path, "x.csv").problems == []
    problems = detect_file(path, "x.csv", trial=TrialContext("Europe/Berlin")).problems
    assert any("went forward" in problem for problem in problems)


def test_amounts_are_not_judged_before_the_marketplace_is_known(write_file):
    found = detect_file(write_file('asin,price,currency\nB0DEMO0001,"1.249,90",EUR\n'), "x.csv")
    assert (found.needs_marketplace, found.problems) == (True, [])


def test_that_a_marketplace_is_still_to_be_chosen_is_no_failure(write_file):
    found = detect_file(write_file("asin,date,price\nB0DEMO0001,2026-01-31,5\n"), "x.csv")
    assert (found.needs_marketplace, found.problems) == (True, [])


def test_a_spreadsheets_day_numbers_are_reported(write_file):
    found = detect_file(write_file("asin,marketplace,date,price\nB0DEMO0001,US,46015,5\n"), "x.csv")
    assert any("46015 is 2025-12-24" in problem for problem in found.problems)


# Exports of Keepa in other languages


@pytest.mark.parametrize(
    ("code", "header", "cells"),
    [
        (
            "JP",
            "ASIN,商品名,売れ筋ランキング: 現在,Buy Box: 現在価格,新品: 現在価格,レビュー: 評価",
            '"2,980","2,700"',
        ),
        (
            "DE",
            "ASIN,Titel,Verkaufsrang: Aktuell,Buy Box 🚚: Aktuell,Neu: Aktuell,Bewertungen: Sterne",
            "2980,2700",
        ),
        (
            "FR",
            "ASIN,Titre,Classement des ventes : Actuel,Buy Box : Actuel,Neuf : Actuel,Avis : Note",
            "2980,2700",
        ),
    ],
)  # fmt: skip
def test_an_export_in_another_language_of_keepas_site_is_read(write_file, code, header, cells):
    path = write_file(f"\ufeff{header}\nB0DEMO0001,Kettle,15,{cells},4.4\n")
    (seen,) = results(path, FileKind.KEEPA_EXPORT, code)
    assert (seen.ranks[0].rank, seen.rating, seen.listing.title) == (15, 44, "Kettle")
    scale = 1 if code == "JP" else 100
    assert (seen.buy_box_price, seen.new_price) == (2980 * scale, 2700 * scale)


def test_an_export_in_a_language_that_is_not_known_is_not_stored(write_file):
    path = write_file("ASIN,Nimi,Myyntisija: Nykyinen,Uusi: Nykyinen\nB0DEMO0001,Kannu,15,27\n")
    (failure,) = results(path, FileKind.KEEPA_EXPORT)
    assert failure.outcome is Outcome.PARSE_ERROR
    assert "English" in failure.detail
    found = detect_file(path, "KeepaExport.csv")
    assert any("No value of the row can be read" in problem for problem in found.problems)
    assert [use.meaning for use in found.uses] == ["ASIN", None, None, None]


@settings(max_examples=examples(30))
@given(
    st.lists(st.text(max_size=12), min_size=1, max_size=6),
    st.lists(st.text(max_size=12), max_size=30),
)
def test_no_names_and_no_cells_bring_the_choice_of_columns_down(names, cells):
    found = HistoryColumns.from_header(
        names, {name: [c for c in cells if c.strip()] for name in names}
    )
    assert set(found.by_field.values()) <= set(names)
    assert set(found.list_meanings(names)) == {name for name in names if name}


def test_a_refusal_stays_a_refusal(write_file):
    (refusal,) = results(write_file("asin,marketplace,price\nB0DEMO0001,Atlantis,5\n"))
    assert isinstance(refusal, Refusal)


def test_a_table_names_the_seller_by_name_and_by_id(write_file):
    header = "asin,price,seller,seller_id\n"
    rows = "B0DEMO0001,5,Lumo,A1DEMOSELLER\nB0DEMO0002,5,Lumo,none known\nB0DEMO0003,5,Lumo,\n"
    both, odd, blank = results(write_file(header + rows))
    assert (both.buy_box_seller, both.buy_box_seller_id) == ("Lumo", "A1DEMOSELLER")
    assert both.seen & Seen.SELLER
    assert both.seen & Seen.SELLER_ID
    assert odd.unreadable == {Seen.SELLER_ID: "none known"}
    assert not blank.seen & Seen.SELLER_ID
