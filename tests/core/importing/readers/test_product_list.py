"""Lists of products to track: columns by many names, and a verdict for each row."""

import io
from decimal import Decimal

import pytest
from openpyxl import Workbook

from core.importing.detect import detect_file
from core.importing.read_rows import read_rows
from core.importing.values.rows import FileKind, ReadContext, Refusal, RefusalReason, TrackRequest


def results(path, kind=FileKind.ASIN_LIST, marketplace=None):
    context = ReadContext(default_marketplace=marketplace)
    return [row.result for row in read_rows(path, kind, context)]


def workbook_of(rows) -> bytes:
    """Return an XLSX workbook with these rows."""
    workbook = Workbook()
    for row in rows:
        workbook.active.append(row)
    body = io.BytesIO()
    workbook.save(body)
    return body.getvalue()


def test_a_row_gives_the_tracking_settings(write_file):
    path = write_file(
        "Link;Labels;Own/Competitor;Cadence;Price Threshold;BSR threshold %;Notes\n"
        "https://www.amazon.de/dp/B0DEMO0001;mice, desk|gift;Competitor;6 hours;7,5 %;30;look\n"
    )
    assert results(path) == [
        TrackRequest(
            marketplace="DE",
            asin="B0DEMO0001",
            tags=("mice", "desk", "gift"),
            role="competitor",
            cadence="6h",
            price_change_percent=Decimal("7.5"),
            rank_change_percent=Decimal("30"),
            note="look",
        )
    ]


def test_a_row_without_marketplace_needs_one_or_takes_the_default(write_file):
    path = write_file("asin\nB0DEMO0001\n")
    (refusal,) = results(path)
    assert (refusal.why, refusal.asin) == (RefusalReason.NEEDS_MARKETPLACE, "B0DEMO0001")
    (request,) = results(path, marketplace="FR")
    assert (request.marketplace, request.asin) == ("FR", "B0DEMO0001")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("B0DEMO0001,https://www.amazon.de/dp/B0DEMO0002,", "leads to B0DEMO0002"),
        ("B0DEMO0001,https://www.amazon.de/dp/B0DEMO0001,US", "leads to amazon.de"),
        ("B0DEMO0001,,Atlantis", "isn't an Amazon marketplace"),
        ("B0XX,,US", "isn't an ASIN"),
        (",https://a.co/d/abc,US", "short link"),
        (",https://amazon.com.evil.example/dp/B0DEMO0001,US", "not on one of Amazon"),
        (",,US", "names no product"),
        ("B0DEMO0001,,US,surplus", "quotation marks around"),
    ],
)
def test_a_row_that_can_not_be_tracked_has_the_reason(write_file, line, words):
    (refusal,) = results(write_file(f"asin,url,marketplace\n{line}\n"))
    assert isinstance(refusal, Refusal)
    assert refusal.why is RefusalReason.INVALID
    assert words in refusal.detail


@pytest.mark.parametrize(
    ("column", "cell"), [("role", "boss"), ("cadence", "often"), ("price_threshold", "-3")]
)
def test_a_wish_that_is_not_understood_is_refused_not_ignored(write_file, column, cell):
    (refusal,) = results(write_file(f"asin,marketplace,{column}\nB0DEMO0001,US,{cell}\n"))
    assert cell in refusal.detail


def test_a_list_without_header_gives_each_line_its_verdict(write_file):
    rows = results(write_file("B0DEMO0001\n\nnonsense\nB0DEMO0002,DE\n"), marketplace="US")
    assert [type(row).__name__ for row in rows] == ["TrackRequest", "Refusal", "TrackRequest"]
    assert rows[2].marketplace == "DE"


def test_zeros_that_a_spreadsheet_dropped_come_back_when_the_check_digit_fits(write_file):
    path = write_file(
        workbook_of([["ASIN", "Country"], [7532741, "US"], [7532742, "US"], [None, None]])
    )
    restored, refused = results(path)
    assert restored.asin == "0007532741"
    assert "format the column as text" in refused.detail


def test_a_workbook_is_read_like_a_csv_file(write_file):
    rows = [["asin", "marketplace", "tags"], ["B0DEMO0001", "Germany", "a;b"], ["", "", ""]]
    assert results(write_file(workbook_of(rows))) == [
        TrackRequest(marketplace="DE", asin="B0DEMO0001", tags=("a", "b"))
    ]


def test_every_mention_in_a_text_has_its_own_number(write_file):
    path = write_file(
        "Hello, please watch https://www.amazon.de/dp/B0DEMO0001 and B0DEMO0002.\n"
        "Not this: https://amzn.to/3abcd\nRegards\n"
    )
    rows = list(read_rows(path, FileKind.PASTED_TEXT, ReadContext()))
    assert [row.number for row in rows] == [1, 2, 3]
    assert isinstance(rows[0].result, TrackRequest)
    assert rows[1].result.why is RefusalReason.NEEDS_MARKETPLACE
    assert rows[2].result.why is RefusalReason.INVALID


def test_a_text_without_products_is_reported_once(write_file):
    (refusal,) = results(write_file("Dear all,\nnothing here.\n"), FileKind.PASTED_TEXT)
    assert refusal.why is RefusalReason.INVALID


def test_a_percentage_of_a_spreadsheet_is_what_a_person_sees(write_file):
    book = Workbook()
    book.active.append(["asin", "marketplace", "price threshold"])
    for asin, share in (("B0DEMO0001", 0.1), ("B0DEMO0002", 0.075), ("B0DEMO0003", 1)):
        book.active.append([asin, "US", share])
        book.active.cell(book.active.max_row, 3).number_format = "0.0%"
    body = io.BytesIO()
    book.save(body)
    percents = [each.price_change_percent for each in results(write_file(body.getvalue()))]
    assert percents == [Decimal(10), Decimal("7.5"), Decimal(100)]


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("tags", "x" * 41, "too long for a tag"),
        ("tags", ",".join(map(str, range(21))), "21 tags"),
        ("note", "x" * 4001, "note is too long"),
        ("price threshold", "0.001", "not a threshold"),
        ("price threshold", "10001", "not a threshold"),
    ],
)
def test_what_can_not_be_kept_of_a_row_is_refused_and_not_cut_off(write_file, column, cell, words):
    path = write_file(f'asin,marketplace,{column}\nB0DEMO0001,US,"{cell}"\n')
    (refused,) = results(path)
    assert words in refused.detail


def test_the_longest_of_everything_is_kept(write_file):
    tag, note = "x" * 40, "y" * 4000
    path = write_file(f"asin,marketplace,tags,note,price change\nB0DEMO0001,US,{tag},{note},10000")
    (kept,) = results(path)
    assert (kept.tags, kept.note, kept.price_change_percent) == ((tag,), note, Decimal(10_000))


ONE, TWO = "B0DEMO0001", "B0DEMO0002"
LINKS = f"""Hello,
please track these:

https://www.amazon.de/d/Garden/Hose/{ONE} and https://www.amazon.de/dp/{ONE}
{TWO}
https://a.co/d/9DweDUD
https://www.amazon.de/dp/B0BROKEN
amzn.eu/d/9DweDUD
"""


def test_every_line_of_a_paste_has_its_verdict_before_it_is_confirmed(write_file):
    found = detect_file(write_file(LINKS), "pasted text", is_pasted=True)
    assert [(row["line"], row["ASIN"], row["verdict"]) for row in found.preview] == [
        ("1", "", "No product"),
        ("2", "", "No product"),
        ("4", ONE, "Product"),
        ("4", ONE, "Product"),
        ("5", TWO, "Needs a marketplace"),
        ("6", "", "Short link"),
        ("7", "", "Not a valid ASIN"),
        ("8", "", "Short link"),
    ]
    assert "2 lines name none." in found.reason
    short, invalid = found.problems
    assert short.startswith("Lines 6, 8: A short link doesn't say which product it leads to. Open")
    assert invalid.startswith("Line 7: This is not a valid ASIN")


def test_only_what_can_be_tracked_is_counted(write_file):
    assert detect_file(write_file(LINKS), "pasted text", is_pasted=True).product_estimate == 2
    bare = f"{ONE}\n{TWO}\n" * 3
    for is_pasted, kind in ((True, FileKind.PASTED_TEXT), (False, FileKind.ASIN_LIST)):
        found = detect_file(write_file(bare), "x", is_pasted=is_pasted)
        assert (found.kind, found.product_estimate, found.row_estimate) == (kind, 2, 6)


def test_a_long_list_is_counted_by_its_beginning(write_file):
    lines = [f"B0DEMO{n:04},{'US' if n % 2 else 'nowhere'}" for n in range(2000)]
    found = detect_file(write_file("asin,marketplace\n" + "\n".join(lines)), "x.csv")
    assert 800 < (found.product_estimate or 0) < 1200


def test_a_long_paste_shows_its_first_lines_and_states_it(write_file):
    found = detect_file(write_file(f"{ONE} US\n" * 500), "pasted text", is_pasted=True)
    assert len(found.preview) == 200
    assert "The first 200 lines are shown." in found.reason
