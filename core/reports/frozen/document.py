"""A file of HTML that stands alone: no script, no remote address, its data inside. Pure.

Every text is escaped here, so that a title from outside is only ever shown.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any, Final

from core.text.escaping import write_line

LARGEST: Final = 300_000  # bytes of a file
_STYLE: Final = (
    ":root{color-scheme:light}"
    "body{font:15px/1.5 system-ui,sans-serif;color:#1f1f1f;background:#fff;max-width:1000px;"
    "margin:0 auto;padding:24px}"
    "h1{font-size:24px;line-height:1.3;margin:0 0 4px}h2{font-size:18px;margin:28px 0 8px}"
    "p{margin:4px 0}.about{color:#595959}"
    "svg{display:block;width:100%;height:auto;margin:8px 0}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}"
    "caption{text-align:left;color:#595959;padding:4px 0}"
    "th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid #e0e0e0;"
    "vertical-align:top}th{font-weight:600}"
    "td.line{width:90px;padding:0}td.line svg{width:84px;margin:0}"
    "@media print{body{max-width:none;padding:0}h2{break-after:avoid}tr,svg{break-inside:avoid}}"
)
_POLICY: Final = (
    "default-src 'none'; style-src 'sha256-"
    f"{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class Html:
    """HTML that is safe to write: all text in it is escaped."""

    text: str


Content = Html | str


def write_text(content: Content) -> str:
    """Return text as HTML, with a direction of its own."""
    if isinstance(content, Html):
        return content.text
    return f"<bdi>{escape(write_line(content))}</bdi>"


def make_heading(text: str) -> Html:
    """Return the heading of a section."""
    return Html(f"<h2>{write_text(text)}</h2>")


def make_paragraph(text: str, *, is_quiet: bool = False) -> Html:
    """Return a paragraph."""
    kind = ' class="about"' if is_quiet else ""
    return Html(f"<p{kind}>{write_text(text)}</p>")


def make_list(texts: Iterable[str]) -> Html:
    """Return a list of sentences."""
    return Html(f"<ul>{''.join(f'<li>{write_text(text)}</li>' for text in texts)}</ul>")


def make_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Content]]) -> Html:
    """Return a table whose cells are texts or drawings."""
    head = "".join(f'<th scope="col">{write_text(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(map(_write_cell, row))}</tr>" for row in rows)
    return Html(
        f'<div class="wide"><table><caption>{write_text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _write_cell(content: Content) -> str:
    kind = ' class="line"' if isinstance(content, Html) else ""
    return f"<td{kind}>{write_text(content)}</td>"


def write_document(title: str, about: Sequence[str], parts: Iterable[Html], data: Any) -> bytes:
    """Return the file. `data`: plain values, kept as JSON in a block that never runs."""
    line = escape(write_line(title))
    subtitle = "".join(make_paragraph(text, is_quiet=True).text for text in about)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{line} — Amazcope</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{write_text(title)}</h1>\n{subtitle}\n"
        f"{chr(10).join(part.text for part in parts)}\n</main>\n"
        f'<script type="application/json" id="data">{escape_json(data)}</script>\n'
        "</body>\n</html>\n"
    ).encode()


def escape_json(data: Any) -> str:
    """Return values as JSON that is text in HTML too, whatever their texts contain."""
    written = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
