"""Where the recorded real data lies, for tests that try it. None of it is part of the project."""

import os
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("AMAZCOPE_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)


def real_data_path(name: str) -> Path:
    """Return the path of a recorded file, or skip the test where it is absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"recorded data {name} is not here (set AMAZCOPE_REAL_DATA)")
    return path
