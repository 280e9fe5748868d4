"""No test depends on how long something takes: it waits until a deadline, or patches the clock."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time"}


def find_measured_times(code: str) -> Iterator[int]:
    """Yield the lines that ask a clock for more than a deadline.

    Allowed are `clock() + seconds`, which makes a deadline, and the comparison with its name.
    """
    tree = ast.parse(code)
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if _is_clock(child) and not _is_of_deadline(node):
                yield child.lineno


def _is_clock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return getattr(called, "attr", getattr(called, "id", "")).removesuffix("_ns") in CLOCKS


def _is_of_deadline(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add)
    if not isinstance(node, ast.Compare):
        return False
    sides = [node.left, *node.comparators]
    return all(_is_clock(side) or isinstance(side, ast.Name) for side in sides)


def test_no_test_measures_a_time() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line}"
        for path in sorted(TESTS.rglob("*.py"))
        for line in find_measured_times(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "began = time.monotonic()",
        "assert time.monotonic() - began < 5",
        "assert monotonic() < 5",
        "took = perf_counter() - began",
        "times.append(time.monotonic_ns())",
        "def took(): return time.process_time()",
    ],
)
def test_a_measured_time_is_found(code: str) -> None:
    assert list(find_measured_times(code)) == [1]


@pytest.mark.parametrize(
    "code",
    [
        "deadline = time.monotonic() + 60",
        "while time.monotonic() < deadline: pass",
        "assert time.monotonic() < until, 'it did not start'",
        "clock = SimpleNamespace(monotonic=time.monotonic)",
    ],
)
def test_a_deadline_is_no_measured_time(code: str) -> None:
    assert list(find_measured_times(code)) == []
