"""Run the tests that depend on the date on five dates: `python -m tests.dates [pytest options]`.

The clock of the whole run is moved by libfaketime: Python, the processes that tests start and
the embedded database server. It is moved by an offset, so that all of them agree and time
goes on.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

DATES: Final = {
    "a leap day": datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
    "the EU's clocks go forward": datetime(2027, 3, 28, 0, 50, tzinfo=UTC),
    "the US's clocks go back": datetime(2027, 11, 7, 8, 50, tzinfo=UTC),
    "a new year": datetime(2028, 1, 1, 0, 10, tzinfo=UTC),
    "today": None,
}
LIBRARY: Final = "faketime/libfaketimeMT.so.1"
MISSING: Final = "libfaketime is missing: install Debian's package faketime.\n"
OWN_SERVER: Final = "AMAZCOPE_TEST_DATABASE_URL"


def main(options: list[str]) -> int:
    """Run the marked tests once per date; return 1 when any run failed."""
    library = find_library()
    if library is None:
        sys.stderr.write(MISSING)
        return 1
    if os.environ.get(OWN_SERVER):
        sys.stderr.write(f"Unset {OWN_SERVER}: the clock of that server can't be moved.\n")
        return 1
    failed = [name for name, date in DATES.items() if run_at(library, name, date, options)]
    sys.stdout.write(f"Failed: {', '.join(failed)}.\n" if failed else "All dates passed.\n")
    return 1 if failed else 0


def find_library() -> Path | None:
    """Return where libfaketime lies, None where it isn't installed."""
    places = [*Path("/usr/lib").glob(f"*/{LIBRARY}"), *Path("/usr").glob(f"*/{LIBRARY}")]
    return next(iter(places), None)


def run_at(library: Path, name: str, date: datetime | None, options: list[str]) -> int:
    """Run the marked tests with the clock at a date (None: as it is); return the exit code."""
    sys.stdout.write(f"\n{name}: {date or datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n")
    sys.stdout.flush()
    offset = 0 if date is None else round((date - datetime.now(UTC)).total_seconds())
    moved = {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{offset:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # waits and time-outs take as long as ever
        "PYTHONPATH": str(Path(__file__).parent / "moved_clock"),
        "FAKETIME_EXPECTED": "" if date is None else date.isoformat(),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-m", "dates", *options]
    return subprocess.run(command, env=os.environ | moved, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
