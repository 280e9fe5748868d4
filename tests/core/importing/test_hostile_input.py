"""No bytes break the reading of files: they give rows, or one error with words."""

import gzip
import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from core.importing.detect import detect_file
from core.importing.files.source_file import UnreadableFileError
from core.importing.read_rows import read_rows
from core.importing.values.rows import FileKind, ReadContext
from core.scraping.parsers.localized_text import parse_rating
from core.scraping.parsers.value_parsers import UnreadableValueError
from tests.hypothesis_runs import examples

KINDS = list(FileKind)
CONTEXT = ReadContext(default_marketplace="US")
quick = settings(max_examples=examples(30))


def workbook() -> bytes:
    book = Workbook()
    for row in (["asin", "marketplace"], ["B0DEMO0001", "US"], ["B0DEMO0002", 5.5]):
        book.active.append(row)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


SEEDS = (
    b"asin,marketplace,date,price\nB0DEMO0001,US,2026-01-31,5\n",
    json.dumps(
        [{"asin": "B0DEMO0001", "stars": 4, "url": "https://www.amazon.com/dp/B0DEMO0001"}]
    ).encode(),
    json.dumps(
        {"products": [{"asin": "B0DEMO0001", "domainId": 1, "csv": [[7000000, 5]]}]}
    ).encode(),
    gzip.compress(b"asin\nB0DEMO0001\n"),
    workbook(),
)


def read_all(path: Path) -> None:
    detect_file(path, path.name)
    for kind in KINDS:
        with suppress(UnreadableFileError):
            numbers = [row.number for row in read_rows(path, kind, CONTEXT)]
            assert numbers == list(range(1, len(numbers) + 1))


@quick
@given(content=st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(tmp_path, content):
    path = tmp_path / "upload"
    path.write_bytes(content)
    read_all(path)


@quick
@given(text=st.text(alphabet='asinB0DEMO1,;\t|"\n\r{}[]:=\0 é\u200e', max_size=200))
def test_text_of_the_usual_signs_is_read_or_refused(tmp_path, text):
    path = tmp_path / "upload"
    path.write_text("asin,date,price\n" + text, encoding="utf-8", newline="")
    read_all(path)


@quick
@given(seed=st.sampled_from(SEEDS), data=st.data())
def test_damaged_files_are_read_or_refused(tmp_path, seed, data):
    place = data.draw(st.integers(0, len(seed) - 1))
    patch = data.draw(st.binary(max_size=4))
    keeps_end = data.draw(st.booleans())
    path = tmp_path / "upload"
    path.write_bytes(seed[:place] + patch + (seed[place + 1 :] if keeps_end else b""))
    read_all(path)


@pytest.mark.parametrize(
    "content",
    [
        b'asin,note\nB0DEMO0001,"never closed\n' + b"x" * 3_000_000,
        b"asin\n" + b"x" * 5_000_000,
        b"asin" + b"," * 50_000 + b"\nB0DEMO0001\n",
        b"\xff\xfe" + b"\0" * 100,
    ],
)
def test_endless_cells_lines_and_headers_are_refused(write_file, content):
    read_all(write_file(content))


def test_a_line_without_end_is_not_read_to_its_end(write_file):
    path = write_file(b"asin\n" + b"x" * 5_000_000)
    with pytest.raises(UnreadableFileError, match="longer than"):
        list(read_rows(path, FileKind.HISTORY_FILE, CONTEXT))


ABSURD = (
    "1e9999999999999999999", "-1e9999999999999999999", "1e400", "1E5", "-0", "-0.0", "-5", "−5",
    "NaN", "nan", "Infinity", "-Infinity", "inf", "9" * 19, "9" * 20, "9" * 5_000, "4294967296",
    "9223372036854775808", "0x7fffffff", "1_000", "۹۹۹", "1e-400", ".", "1.2.3.4", "0,,0",
)  # fmt: skip
NUMERIC = (
    "price", "list_price", "buy_box_price", "amazon_price", "coupon", "bsr", "sub_bsr", "rating",
    "ratings_count", "review_count", "offers_new", "stock",
)  # fmt: skip
FITS = {
    "price": 2**63, "list_price": 2**63, "buy_box_price": 2**63, "amazon_price": 2**63,
    "rating": 1000, "ratings_count": 2**31, "reviews_count": 2**31, "offers_new": 2**31,
    "stock_left": 2**31,
}  # fmt: skip


@pytest.mark.parametrize("column", NUMERIC)
def test_an_absurd_number_in_a_cell_is_no_value_that_can_not_be_kept(write_file, column):
    rows = [f"B0DEMO0001,US,2026-01-31T00:{n:02}:00Z,{cell}\n" for n, cell in enumerate(ABSURD)]
    text = f"asin,marketplace,captured_at,{column}\n{''.join(rows)}"
    for row in read_rows(write_file(text), FileKind.HISTORY_FILE, CONTEXT):
        for name, limit in FITS.items():
            value = getattr(row.result, name, None)
            assert value is None or 0 <= value < limit
        assert all(0 < each.rank < 2**31 for each in getattr(row.result, "ranks", ()))


@pytest.mark.parametrize("cell", ["1e400", "1E5", "-5", "−5", "-0.5"])
def test_a_number_that_is_no_rating_is_not_cut_to_one(cell):
    with pytest.raises(UnreadableValueError):
        parse_rating(cell)
