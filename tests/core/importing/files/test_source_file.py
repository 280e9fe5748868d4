"""Opening files: what is refused, and with which words."""

import gzip
import io
import zipfile
from collections.abc import Callable

import pytest
from openpyxl import Workbook

from core.importing.detect import detect_file
from core.importing.files import source_file
from core.importing.files.source_file import (
    Container,
    UnreadableFileError,
    file_sha256,
    find_container,
    find_text_form,
    open_text,
)
from core.importing.files.tabular_reader import find_table_form, read_lines
from core.importing.read_rows import read_rows
from core.importing.values.rows import FileKind, ReadContext, Row, TrackRequest

SHEET = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}


def archive_of(parts: dict[str, str | bytes]) -> bytes:
    """Return a ZIP archive of named parts."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return body.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \r\n\t ", "empty"),
        (b"%PDF-1.7 something", "PDF"),
        (b"\x89PNG\r\n\x1a\n0000", "picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "password-protected"),
        (b"PAR1abcd", "Parquet"),
        (bytes(range(256)) * 20, "contains no text"),
        (gzip.compress(b"\x1f\x8b twice"), "compressed twice"),
        (gzip.compress(b"asin\nB0DEMO0001\n" * 500)[:40], "incomplete"),
        (archive_of({"readme.txt": "hello"}), "archive"),
        (archive_of(SHEET)[:60], "damaged"),
    ],
)
def test_what_can_not_be_imported_is_refused_with_words(write_file, content, words):
    with pytest.raises(UnreadableFileError, match=words):
        find_container(write_file(content))


def test_a_file_above_the_limit_is_refused(write_file, monkeypatch):
    monkeypatch.setattr(source_file, "MEGABYTE", 1)
    with pytest.raises(UnreadableFileError, match="can be imported"):
        find_container(write_file(b"a" * 1000))


def test_a_gzip_bomb_is_not_unpacked_to_its_end(write_file, monkeypatch):
    monkeypatch.setattr(source_file, "RATIO_FREE_BYTES", 1_000_000)
    path = write_file(gzip.compress(b"asin,price\n" * 2_000_000))
    with pytest.raises(UnreadableFileError, match="far more than its size"):
        find_text_form(path)


def test_a_workbook_bomb_is_refused_before_it_is_opened(write_file, monkeypatch):
    monkeypatch.setattr(source_file, "RATIO_FREE_BYTES", 1_000_000)
    bomb = archive_of({**SHEET, "xl/worksheets/sheet1.xml": "0" * 5_000_000})
    with pytest.raises(UnreadableFileError, match="far more than its size"):
        find_container(write_file(bomb))


def test_a_workbook_with_entities_is_refused(write_file):
    tricky = archive_of({**SHEET, "xl/sharedStrings.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x/>'})
    with pytest.raises(UnreadableFileError, match="no spreadsheet needs"):
        find_container(write_file(tricky))


DOCTYPE = '<!DOCTYPE x [<!ENTITY a "b">]><x/>'


@pytest.mark.parametrize(
    "part",
    [
        "<?xml version='1.0'?>\n<!-- " + "long " * 5_000 + "-->" + DOCTYPE,
        "<!--" + "longer " * 20_000 + "-->" + DOCTYPE,
        "<!-- one --> <?two?> <!-- <x> -->" + DOCTYPE,
        ("\ufeff<!-- \u2d2d\u3c3e\u003e " + DOCTYPE.join(["-->", ""])).encode("utf-16-le"),
        DOCTYPE.encode("utf-16-be"),
        "\ufeff" + DOCTYPE,
    ],
    ids=["long comment", "endless comment", "many steps", "utf-16", "utf-16 unmarked", "mark"],
)
def test_entities_do_not_hide_behind_what_comes_first(write_file, part):
    with pytest.raises(UnreadableFileError, match="no spreadsheet needs"):
        find_container(write_file(archive_of({**SHEET, "xl/sharedStrings.xml": part})))


def test_a_text_that_speaks_of_a_doctype_is_no_entity(write_file):
    part = "<?xml version='1.0'?><!-- by hand --><sst><t><![CDATA[<!DOCTYPE x>]]></t></sst>"
    sheet = archive_of({**SHEET, "xl/sharedStrings.xml": part, "xl/empty.xml": ""})
    assert find_container(write_file(sheet)) is Container.XLSX


def test_a_workbook_is_distinguished_from_other_archives(write_file):
    assert find_container(write_file(archive_of(SHEET))) is Container.XLSX


@pytest.mark.parametrize(
    ("encoding", "is_certain"),
    [("utf-8", True), ("utf-8-sig", True), ("utf-16", True), ("cp1252", False)],
)
def test_accents_survive_in_every_usual_encoding(write_file, encoding, is_certain):
    text = "asin,note\nB0DEMO0001,Müller café €5\nB0DEMO0002,naïve Größe\n"
    path = write_file(text.encode(encoding))
    form = find_text_form(path)
    with open_text(path, form) as stream:
        assert stream.read() == text
    assert (form.problem is None) == is_certain


def test_utf_16_without_a_mark_is_read(write_file):
    path = write_file("asin\nB0DEMO0001\n".encode("utf-16-le"))
    assert find_container(path) is Container.TEXT
    with open_text(path, find_text_form(path)) as stream:
        assert stream.read() == "asin\nB0DEMO0001\n"


def test_one_damaged_byte_does_not_turn_a_file_into_another_encoding(write_file):
    form = find_text_form(write_file("größe café ".encode() * 30 + b"\xff"))
    assert form.encoding == "utf-8-sig"
    assert form.problem


def test_a_file_is_hashed_as_it_lies(write_file):
    assert file_sha256(write_file(b"abc")).startswith("ba7816bf")


def reassembled(book: Workbook, sheet: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook's bytes with its first sheet's XML changed."""
    whole, body = io.BytesIO(), io.BytesIO()
    book.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(body, "w") as new:
        for part in old.infolist():
            read = old.read(part)
            is_sheet = part.filename == "xl/worksheets/sheet1.xml"
            new.writestr(part.filename, sheet(read) if is_sheet else read)
    return body.getvalue()


def test_a_row_with_the_number_of_billions_is_refused_at_once(write_file):
    book = Workbook()
    book.active.append(["asin", "marketplace"])
    book.active.append(["B0DEMO0001", "US"])
    far = reassembled(book, lambda xml: xml.replace(b'<row r="2"', b'<row r="4000000000"'))
    with pytest.raises(UnreadableFileError, match="damaged"):
        list(read_rows(write_file(far), FileKind.ASIN_LIST, ReadContext()))


def test_rows_after_a_quotation_mark_that_is_never_closed_are_not_dropped_silently(
    write_file,
):
    good = "".join(f"B0DEMO{number:04},US,x\n" for number in range(200))
    path = write_file(f'asin,marketplace,note\n{good}B0DEMO9999,US,"never closed\n{good}')
    *stored, last = read_rows(path, FileKind.ASIN_LIST, ReadContext())
    assert len(stored) == 200
    assert "from line 202 on" in last.result.detail


def test_a_cell_of_several_lines_is_one_cell(write_file):
    path = write_file('asin,marketplace,note\nB0DEMO0001,US,"two\nlines"\nB0DEMO0002,US,"x"')
    found = [row.result for row in read_rows(path, FileKind.ASIN_LIST, ReadContext())]
    assert [each.note for each in found] == ["two\nlines", "x"]


def test_the_encoding_of_japanese_spreadsheets_is_guessed_and_reported(write_file):
    text = "asin,title\nB0DEMO0001,ワイヤレス イヤホン、高音質\n"
    path = write_file(text.encode("cp932"))
    form = find_text_form(path)
    with open_text(path, form) as stream:
        assert stream.read() == text
    assert "Shift-JIS" in (form.problem or "")


def wide(cells: int) -> Callable[[bytes], bytes]:
    """Return what gives a sheet a row of so many cells."""
    row = b'<row r="9">' + b"<c><v>1</v></c>" * cells + b"</row></sheetData>"
    return lambda xml: xml.replace(b"</sheetData>", row)


def book_of(*lines: list[str]) -> Workbook:
    book = Workbook()
    for line in lines:
        book.active.append(line)
    return book


def test_a_row_of_a_sheet_with_more_cells_than_columns_is_refused(write_file):
    book = book_of(["asin", "marketplace"], ["B0DEMO0001", "US"])
    *_, last = read_rows(
        write_file(reassembled(book, wide(60_000))), FileKind.ASIN_LIST, ReadContext()
    )
    assert "more cells than a spreadsheet has columns" in last.result.detail


def test_coded_characters_of_a_sheet_are_decoded(write_file):
    saved = io.BytesIO()
    book_of(["asin", "no_x0074_e"], ["B0DEMO0001", "two_x000D_\nlines"]).save(saved)
    form = find_table_form(path := write_file(saved.getvalue()), Container.XLSX)
    assert list(read_lines(path, form)) == [["asin", "note"], ["B0DEMO0001", "two\r\nlines"]]


def test_a_row_as_wide_as_a_sheet_is_read(write_file):
    book = book_of(["asin", "marketplace"], ["B0DEMO0001", "US"])
    *_, last = read_rows(
        write_file(reassembled(book, wide(16_384))), FileKind.ASIN_LIST, ReadContext()
    )
    assert "The row has 16384 cells" in last.result.detail


@pytest.mark.parametrize("name", ["xl/sharedStrings.xml", "xl/worksheets/a.xml", "b.bin"])
def test_texts_of_a_workbook_are_counted_whatever_their_part_is_called(
    write_file, monkeypatch, name
):
    monkeypatch.setattr(source_file, "LOADED_PARTS_LIMIT", 10_000)
    types = (
        f'<Types><Override PartName="/{name}" ContentType="application/'
        'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
    )
    large = {**SHEET, "[Content_Types].xml": types, name: "<sst>" + "0" * 20_000 + "</sst>"}
    with pytest.raises(UnreadableFileError, match="too large"):
        find_container(write_file(archive_of(large)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("asin,note\nB0DEMO0001,x\nB0DEMO0002," + "x" * 1_100_000 + "\n", "cell in line 3"),
        ("asin\nB0DEMO0001\n" + "x," * 2_200_000, "Line 3 is longer"),
        ("asin" + ",x" * 100_000 + "\nB0DEMO0001\n", "100001 columns"),
    ],
    ids=["cell", "line", "columns"],
)
def test_what_is_too_long_for_a_table_is_reported_with_its_place(write_file, content, words):
    path = write_file(content)
    with pytest.raises(UnreadableFileError, match=words):
        _raise_last(list(read_rows(path, FileKind.ASIN_LIST, ReadContext("US"))))
    assert words in " ".join(
        [detect_file(path, "x.csv").reason, *detect_file(path, "x.csv").problems]
    )


def _raise_last(rows: list[Row]) -> None:
    """Raise the error in the last row of a file that breaks off."""
    raise UnreadableFileError(rows[-1].result.detail)


@pytest.mark.parametrize(
    "content",
    [
        b"asin,marketplace\rB0DEMO0001,US\rB0DEMO0002,DE\r",
        b"\xef\xbb\xbfasin,marketplace\r\nB0DEMO0001,US\r\nB0DEMO0002,DE",
        b"asin,marketplace\nB0DEMO0001\0,U\0S\nB0DEMO0002,DE\n\0\0",
        b"asin,marketplace,note\nB0DEMO0001,US,\xff\nB0DEMO0002,DE,\xc3\n",
        "asin,marketplace\nB0DEMO0001,US\nB0DEMO0002,DE\n".encode("utf-16-be")[:-1],
        b"\xff\xfe" + "asin,marketplace\nB0DEMO0001,US\nB0DEMO0002,DE\n".encode("utf-16-le")[:-1],
        b"\xff\xfe"
        + "asin,marketplace\nB0DEMO0001,US\n\ud800B0DEMO0002,DE\n".encode(
            "utf-16-le", "surrogatepass"
        ),
    ],
    ids=["lone CR", "mark", "NUL", "bytes", "UTF-16 cut", "UTF-16 cut, mark", "half characters"],
)
def test_odd_bytes_do_not_keep_products_from_being_read(write_file, content):
    rows = list(read_rows(write_file(content), FileKind.ASIN_LIST, ReadContext()))
    asins = [row.result.asin for row in rows if isinstance(row.result, TrackRequest)]
    assert asins[0] == "B0DEMO0001"
    assert len(rows) == 2
