"""Programs of others, from npm: installed once per list of versions, skipped without Node.

Where Node is older than they need, npm brings a newer one for them alone.
"""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGES = Path(__file__).with_name("package.json")
LEAST_NODE = (22, 19)  # what the Inspector says it needs
INSTALL = ("install", "--no-package-lock", "--no-audit", "--no-fund", "--no-progress")


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs are, and the Node that runs them."""

    node: str
    folder: Path

    def run(self, program: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, in a home of its own; it must take less than two minutes."""
        return subprocess.run(
            [self.node, str(self.folder / "node_modules" / ".bin" / program), *arguments],
            cwd=home,
            env=os.environ | {"HOME": str(home), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def installed(cache: Path) -> Programs:
    """Return the programs, installed into a cache folder; skips the test without Node and npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node and its npm are not here: clients of others are not tried")
    has_node = node_version("node") >= LEAST_NODE
    mark = hashlib.sha256(PACKAGES.read_bytes() + bytes([has_node])).hexdigest()[:12]
    folder = cache / mark
    if not folder.exists():
        _install(npm, folder, ["--omit=dev"] if has_node else [])
    node = "node" if has_node else str(folder / "node_modules" / ".bin" / "node")
    if node_version(node) < LEAST_NODE:
        pytest.skip("Node 22 is not here, and npm did not bring it")
    return Programs(node, folder)


def node_version(node: str) -> tuple[int, ...]:
    """Return which Node this is; (0,) for none that runs."""
    try:
        result = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return (0,)
    return tuple(map(int, re.findall(r"\d+", result.stdout)[:2])) or (0,)


def _install(npm: str, folder: Path, options: list[str]) -> None:
    """Install the packages beside the folder, and give it its name once all of them are there."""
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    shutil.copy(PACKAGES, making)
    done = subprocess.run(
        [npm, *INSTALL, *options],
        cwd=making,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(making, ignore_errors=True)
        pytest.skip(f"the packages of npm could not be installed: {done.stderr[-300:]}")
    try:
        making.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        shutil.rmtree(making, ignore_errors=True)  # another process of the tests was faster
