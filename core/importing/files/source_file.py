"""Open files from outside: size, compression, encoding. Contents are read elsewhere.

No file is loaded whole: gzip is unpacked while reading, up to a limit, and a
workbook's declared sizes are checked before it is opened.
"""

import codecs
import gzip
import hashlib
import io
import os
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path
from typing import IO, cast
from xml.etree import ElementTree

from core.errors import InvalidInputError

IMPORTABLE = (
    "Amazcope imports pasted text, CSV or XLSX lists, Keepa API JSON, Keepa exports, "
    "Apify data sets (JSON, JSON Lines or CSV) and history CSV files, "
    "each also compressed with gzip."
)
MEGABYTE = 1024 * 1024
UPLOAD_MB = "AMAZCOPE_READER_UPLOAD_MB"  # passes the setting to a reader's process
UNPACKED_TIMES_UPLOAD = 20  # how much larger than the largest upload a file may unpack
RATIO_LIMIT = 300  # text rarely shrinks more than 50 times; bombs reach 1,000
RATIO_FREE_BYTES = 32 * MEGABYTE  # below this the ratio is not checked
LOADED_PARTS_LIMIT = 100 * MEGABYTE  # of a workbook: parts held in memory while it is read
CHUNK = 256 * 1024
PROLOG_LIMIT = 64 * 1024  # bytes before the first element; usually about a hundred
_SAMPLE = 16 * 1024


class UnreadableFileError(InvalidInputError):
    """The file can't be read, or not from some place on."""


class Container(Enum):
    """The container of a file's content."""

    TEXT = auto()
    XLSX = auto()


_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture or a recording"),
    (b"\xd0\xcf\x11\xe0", "an old or password-protected Office file"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)

_MANIFEST = "[Content_Types].xml"
_LOADED_PARTS = frozenset(
    {"xl/styles.xml", "xl/theme/theme1.xml", "docProps/core.xml", "docProps/custom.xml"}
)

# What zipfile raises on an archive with contradictory parts.
_ARCHIVE_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class TextForm:
    """The encoding of a text file."""

    encoding: str  # a codec's name; it removes a byte order mark
    errors: str  # "strict", or "replace" where some bytes are damaged
    problem: str | None = None  # a sentence if the encoding is a guess


def upload_limit() -> int:
    """Return how many bytes an uploaded file may have."""
    given = os.environ.get(UPLOAD_MB)
    if given is not None:
        return int(given) * MEGABYTE
    from core.settings.environment import (
        get_settings,  # takes longer to load than the whole reader's process
    )

    return get_settings().amazcope_upload_mb * MEGABYTE


def file_sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes, compressed or not."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def find_container(path: Path) -> Container:
    """Return the container of a file. Raises UnreadableFileError if it can't be imported."""
    _check_size(path)
    with path.open("rb") as stream:
        start = stream.read(8)
    if start[:4] == b"PK\x03\x04":
        _check_workbook(path)
        return Container.XLSX
    with open_bytes(path) as content:
        _check_is_text(content.read(_SAMPLE))
    return Container.TEXT


def open_bytes(path: Path) -> "LimitedReader":
    """Open a file's bytes, unpacked if it is gzip. Reading raises UnreadableFileError."""
    raw = path.open("rb")
    is_gzip = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    packed_bytes = path.stat().st_size
    source = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if is_gzip else raw
    return LimitedReader(source, raw, packed_bytes)


def open_text(path: Path, form: TextForm) -> io.TextIOWrapper:
    """Open a file's characters, with its line ends and without its byte order mark."""
    return io.TextIOWrapper(
        io.BufferedReader(open_bytes(path), CHUNK),
        encoding=form.encoding,
        errors=form.errors,
        newline="",
    )


def find_text_form(path: Path) -> TextForm:
    """Return the encoding of a text file. Reads it to its end, since late bytes matter too."""
    stat = path.stat()
    return _text_form(path, (stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=8)  # a file is opened several times during detection
def _text_form(path: Path, _version: tuple[int, int]) -> TextForm:
    with open_bytes(path) as stream:
        start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return TextForm("utf-16", "replace")
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if zeros == b"\0\0":
            return TextForm(encoding, "replace", "The file has no encoding mark; read as UTF-16.")
    damaged, foreign = _count_characters(path)
    if not damaged:
        return TextForm("utf-8-sig", "strict")
    if damaged * 10 < foreign:
        return TextForm(
            "utf-8-sig", "replace", "Some characters are damaged; they are shown as “\ufffd”."
        )
    # Japanese spreadsheets' files contain bytes that Windows-1252 leaves undefined.
    if not _decodes(path, "cp1252") and _decodes(path, "cp932"):
        return TextForm("cp932", "strict", _GUESSED.format("Shift-JIS"))
    return TextForm("cp1252", "replace", _GUESSED.format("Windows-1252"))


_GUESSED = (
    "The file is not UTF-8; read as {}. Check its letters in the preview, "
    "or save it again as “CSV UTF-8”."
)


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with open_bytes(path) as stream:
        try:
            while chunk := stream.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


class LimitedReader(io.RawIOBase):
    """A byte stream that unpacks no more than the limits allow."""

    def __init__(self, source: IO[bytes], raw: IO[bytes], packed_bytes: int) -> None:
        self._source = source
        self._raw = raw
        self._packed_bytes = max(packed_bytes, 1)
        self._limit = upload_limit() * UNPACKED_TIMES_UPLOAD
        self._total = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes (a chunk if negative); empty at the end."""
        try:
            data = self._source.read(size if size >= 0 else CHUNK)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableFileError(
                "The gzip file is incomplete or damaged: download and import it again."
            ) from error
        self._count(len(data))
        return data

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._source.close()
        self._raw.close()
        super().close()

    def _count(self, size: int) -> None:
        self._total += size
        swollen = self._total > RATIO_FREE_BYTES and self._total > RATIO_LIMIT * self._packed_bytes
        if self._total > self._limit or swollen:
            raise UnreadableFileError(
                "The file unpacks to far more than its size: it was not read further. "
                "Unpack it yourself and import it in parts."
            )


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    limit = upload_limit()
    if size == 0:
        raise UnreadableFileError(f"The file is empty. {IMPORTABLE}")
    if size > limit:
        raise UnreadableFileError(
            f"The file has {size // MEGABYTE} MB; at most {limit // MEGABYTE} MB can be imported. "
            "Split it, or raise AMAZCOPE_UPLOAD_MB."
        )


def _check_is_text(sample: bytes) -> None:
    for magic, name in _MAGIC:
        if sample.startswith(magic):
            raise UnreadableFileError(f"This is {name}. {IMPORTABLE}")
    if sample.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        raise UnreadableFileError(f"The file is compressed twice: unpack it once. {IMPORTABLE}")
    if not sample.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise UnreadableFileError(f"The file is empty. {IMPORTABLE}")
    if _looks_binary(sample):
        raise UnreadableFileError(f"The file contains no text. {IMPORTABLE}")


def _looks_binary(sample: bytes) -> bool:
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    for half in (sample[::2], sample[1::2]):
        if half.count(0) > 0.4 * len(half):  # UTF-16 without a mark
            return False
    controls = sum(byte < 32 and byte not in (0, 9, 10, 12, 13, 27) for byte in sample)
    return sample.count(0) > 0.1 * len(sample) or controls > 0.05 * len(sample)


def _count_characters(path: Path) -> tuple[int, int]:
    """Return how many characters are damaged when read as UTF-8, and how many aren't ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    damaged = foreign = 0
    with open_bytes(path) as stream:
        while chunk := stream.read(CHUNK):
            text = decoder.decode(chunk)
            if not text.isascii():
                damaged += text.count("\ufffd")
                foreign += len(text) - len(text.encode("ascii", "ignore"))
        damaged += decoder.decode(b"", final=True).count("\ufffd")
    return damaged, foreign


def _check_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(archive)
    except _ARCHIVE_FAULTS as error:
        raise UnreadableFileError(
            "The workbook is incomplete or damaged: open it in a spreadsheet program, "
            "save it again as XLSX or CSV, and import that."
        ) from error


def _check_parts(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        raise UnreadableFileError(f"This is an archive: unpack it. {IMPORTABLE}")
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableFileError("The workbook has a password: save it without one.")
    _check_unpacked_size(parts)
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            _check_no_entities(archive, part)
    _check_loaded_parts(archive)


def _check_unpacked_size(parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    packed = max(sum(part.compress_size for part in parts), 1)
    limit = upload_limit() * UNPACKED_TIMES_UPLOAD
    swollen = unpacked > RATIO_FREE_BYTES and unpacked > RATIO_LIMIT * packed
    if unpacked > limit or swollen or len(parts) > 10_000:
        raise UnreadableFileError(
            "The workbook unpacks to far more than its size: save the sheet as CSV and import that."
        )


def _check_loaded_parts(archive: zipfile.ZipFile) -> None:
    """Check the size of the parts that are held in memory, such as texts and styles."""
    too_large = UnreadableFileError("The workbook is too large: save it as CSV and import that.")
    sizes = {part.filename: part.file_size for part in archive.infolist()}
    if sizes.get(_MANIFEST, 0) > MEGABYTE:
        raise too_large
    loaded = _LOADED_PARTS | _parts_by_manifest(archive.read(_MANIFEST))
    if sum(sizes.get(name, 0) for name in loaded) > LOADED_PARTS_LIMIT:
        raise too_large


def _parts_by_manifest(manifest: bytes) -> set[str]:
    """Return the names of a workbook's main part and its texts, as its manifest has them."""
    try:
        elements = list(ElementTree.fromstring(manifest))  # noqa: S314 - small, and no DOCTYPE
    except ElementTree.ParseError as error:
        raise ValueError("The list of parts isn't XML.") from error
    return {
        each.get("PartName", "")[1:]
        for each in elements
        if any(kind in each.get("ContentType", "") for kind in ("sharedStrings", "main+xml"))
    }


def _check_no_entities(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    # No spreadsheet program writes a DOCTYPE; it is only useful for attacks with entities.
    with archive.open(part) as stream:
        start = _spell_xml(stream.read(PROLOG_LIMIT))
    if _PROLOG.sub("", start, count=1).startswith(("<!", "<?")):
        raise UnreadableFileError(
            "The workbook contains XML definitions (DOCTYPE) that no spreadsheet needs: save it as "
            "CSV."
        )


# Matches up to the first element, a DOCTYPE, or a comment that the limit cuts off.
_PROLOG = re.compile(r"(?:[ \t\r\n]+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)


def _spell_xml(start: bytes) -> str:
    """Return the characters as an XML parser reads them; exact for markup only."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return start.decode("utf-16", "replace")
    if b"\0" in start[:2]:
        return start.decode("utf-16-be" if start[:1] == b"\0" else "utf-16-le", "replace")
    return start.removeprefix(codecs.BOM_UTF8).decode("latin-1")
