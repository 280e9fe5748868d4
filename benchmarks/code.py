"""`python -m benchmarks.code [ROOT …] [--json]`: the figures of a tree's source, side by side.

Reads the source and runs nothing of it, except for `tools/list`.
"""

import argparse
import ast
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.figures import percentile

PRODUCTION = ("core", "app", "jobs", "mcp_server", "pages")
Figures = dict[str, int | float | str | None]
Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef | ast.Module


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the source."""

    name: str  # with its packages: core.text.units
    package: str
    lines: list[str]
    tree: ast.Module

    @property
    def top_package(self) -> str:
        """Return core.history for all that is in it; of others than core the top folder."""
        return ".".join(self.package.split(".")[: 2 if self.package.startswith("core.") else 1])

    @property
    def class_names(self) -> list[str]:
        """Return the names of its public classes."""
        return [
            node.name
            for node in self.tree.body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        ]

    @property
    def functions(self) -> list[Function]:
        """Return all functions, also those within others."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]


def main(arguments: Sequence[str]) -> int:
    """Print the figures of the trees that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.code", description=__doc__)
    parser.add_argument("roots", nargs="*", metavar="ROOT", type=Path, default=[Path()])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args(arguments)
    found = {root.as_posix(): measure_code(root) for root in asked.roots}
    print(json.dumps(found, indent=2) if asked.json else format_table(found))
    return 0


def measure_code(root: Path) -> Figures:
    """Return the figures of the tree at `root`."""
    modules = list(read_modules(root))
    per_package = [*Counter(module.package for module in modules).values()]
    functions = [function for module in modules for function in module.functions]
    lengths = [function_lines(function) for function in functions]
    public = [function.name for function in functions if not function.name.startswith("_")]
    single = [name for name in public if "_" not in name]
    names = [name for module in modules for name in module.class_names]
    return {
        "modules": len(modules),
        "packages": len(per_package),
        "modules per package, median": round(median(per_package)),
        "modules per package, p90": round(percentile(per_package, 90)),
        "modules per package, largest": max(per_package),
        "lines": sum(len(module.lines) for module in modules),
        "lines of code": sum(code_lines(module) for module in modules),
        "lines per module, p90": round(percentile([len(each.lines) for each in modules], 90)),
        "lines per module, largest": max(len(module.lines) for module in modules),
        "functions": len(functions),
        "lines per function, median": round(median(lengths)),
        "lines per function, p90": round(percentile(lengths, 90)),
        "lines per function, largest": max(lengths),
        "public functions": len(public),
        "… named by one word, percent": round(100 * len(single) / len(public)),
        "class names used twice": sum(count > 1 for count in Counter(names).values()),
        "… within core.<package>, app, jobs or mcp_server": len(repeated_classes(modules)),
        "imports between packages": len(package_imports(modules)),
        "bytes of tools/list": tools_list_bytes(root),
    }


def read_modules(root: Path) -> Iterator[Module]:
    """Yield the production modules with any content; migrations are history, not design."""
    for path in sorted(path for folder in PRODUCTION for path in (root / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        parts = path.relative_to(root).with_suffix("").parts
        if "versions" not in parts and (path.name != "__init__.py" or len(text.splitlines()) > 1):
            name = ".".join(parts).removesuffix(".__init__")
            yield Module(name, ".".join(parts[:-1]), text.splitlines(), ast.parse(text))


def function_lines(function: Function) -> int:
    """Return the lines from `def` to the end, without decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def code_lines(module: Module) -> int:
    """Return how many lines are neither blank nor comments nor docstrings."""
    documented = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, Documented) and ast.get_docstring(node, clean=False) is not None
    ]
    strings = [node.body[0] for node in documented]
    silent = {
        number
        for string in strings
        for number in range(string.lineno, (string.end_lineno or string.lineno) + 1)
    }
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in silent
        for number, line in enumerate(module.lines, start=1)
    )


def repeated_classes(modules: Sequence[Module]) -> dict[tuple[str, str], list[str]]:
    """Return public classes of several modules by (top package, name): core.history, app, …"""
    homes: dict[tuple[str, str], list[str]] = {}
    for module in modules:
        for name in module.class_names:
            homes.setdefault((module.top_package, name), []).append(module.name)
    return {key: where for key, where in homes.items() if len(where) > 1}


def package_imports(modules: Sequence[Module]) -> set[tuple[str, str]]:
    """Return the pairs (package, other package it imports) within the production code."""
    packages = {module.package for module in modules}
    by_name = {module.name: module.package for module in modules}
    found = set()
    for module in modules:
        for name in imported_names(module.tree):
            other = by_name.get(name) or by_name.get(name.rpartition(".")[0])
            if other in packages and other != module.package:
                found.add((module.package, other))
    return found


def imported_names(tree: ast.AST) -> Iterator[str]:
    """Yield what a module imports, with its package, also within functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


_LIST_TOOLS = """
import asyncio, json
from mcp_server.server import make_server
tools = asyncio.run(make_server(None).list_tools())
sent = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
print(len(json.dumps(sent, separators=(",", ":"), ensure_ascii=False).encode()))
print(len(json.dumps(
    [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in sent],
    separators=(",", ":"), ensure_ascii=False,
).encode()))
"""


def tools_list_bytes(root: Path) -> str | None:
    """Return the bytes of `tools/list`, and those a model reads; None: it can't be imported."""
    done = subprocess.run(
        [sys.executable, "-c", _LIST_TOOLS], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return None
    whole, read = done.stdout.split()
    return f"{int(whole):,}, without results {int(read):,}"


def format_table(found: dict[str, Figures]) -> str:
    """Return the figures as a Markdown table with a column for each tree."""
    lines = [f"| figure | {' | '.join(found)} |", f"|---{'|---' * len(found)}|"]
    for name in next(iter(found.values())):
        cells = [_format_cell(figures[name]) for figures in found.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _format_cell(value: float | str | None) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:,}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
