"""What Streamlit's AppTest looks for anew at each run, found once. No tests."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner


@pytest.fixture(scope="session", autouse=True)
def one_component_scan() -> Iterator[None]:
    """Scan the installed packages for components once: it is most of the time of a run."""
    with pytest.MonkeyPatch.context() as patch:
        scan = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield
