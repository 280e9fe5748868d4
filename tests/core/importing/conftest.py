"""Files for the tests of importing, written where each test may read them."""

from collections.abc import Callable
from pathlib import Path

import pytest

WriteFile = Callable[[bytes | str, str], Path]


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    """Return a function that writes content to a file and gives its path."""

    def write(content: bytes | str, name: str = "upload") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
