"""No production code is used by tests alone, or by nothing."""

import linecache
import tomllib
from functools import cache
from pathlib import Path

from vulture.core import Item, Vulture

from core.history.ingest.snapshot_rows import COPIED

ROOT = Path(__file__).resolve().parents[1]
OBSERVATION = ROOT / "core/history/observation.py"
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["vulture"]


def test_every_function_class_and_name_is_used_in_production() -> None:
    allowed = set(CONFIG["ignore_names"])
    assert [item.get_report() for item in find_unused() if item.name not in allowed] == []


def test_every_exception_is_needed() -> None:
    unused = {item.name for item in find_unused()}
    assert [name for name in CONFIG["ignore_names"] if name not in unused] == []


@cache
def find_unused() -> tuple[Item, ...]:
    """Return vulture's findings without what others read."""
    vulture = Vulture(ignore_decorators=CONFIG["ignore_decorators"])
    vulture.scavenge([ROOT / path for path in CONFIG["paths"]], CONFIG["exclude"])
    return tuple(item for item in vulture.get_unused_code() if not is_read_elsewhere(item))


def is_read_elsewhere(item: Item) -> bool:
    """Return whether a client, the database or a library reads what this file only writes."""
    line = linecache.getline(str(item.filename), item.first_lineno)
    if item.typ == "attribute":
        return f"self.{item.name}" not in line  # set on an object of a library
    if item.filename == OBSERVATION and item.name in COPIED:
        return True  # stored by the name of its column
    if item.typ == "class":
        return line.rstrip().endswith("(Base):")  # a table that only SQL text names
    is_result = item.filename.is_relative_to(ROOT / "mcp_server")
    return item.typ == "variable" and (is_result or ": Mapped[" in line)
