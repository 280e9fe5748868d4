"""Runs the benchmarks that are named, prints their figures and writes them to a file."""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.servers import Server, running_server

RESULTS = Path(__file__).parent / "results"
# Name → module with `measure(server, quick=…)`; in the order in which they run.
BENCHMARKS = (
    "ingest",
    "lease",
    "history",
    "lists",
    "overview",
    "changes",
    "issues",
    "inbox",
    "product",
    "accounts",
    "suggestions",
    "review",
    "agents",
    "alerts",
    "deliveries",
    "reports",
    "backups",
    "rest",
    "journeys",
)

Measure = Callable[..., Iterator[Figure]]


def main(arguments: Sequence[str]) -> int:
    """Run what the command line names; return the exit code. Slowness is no error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="less data: two minutes, not ten")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"There is no benchmark {', '.join(sorted(unknown))}.")
    names = [name for name in BENCHMARKS if not asked.names or name in asked.names]
    began = time.monotonic()
    figures: list[Figure] = []
    with running_server() as server:
        about = _about(server, asked.quick)
        print("  ".join(f"{name}: {value}" for name, value in about.items()), flush=True)
        try:
            for name in names:
                _run(name, server, asked.quick, figures)
        finally:  # one that breaks off must not take the others' figures with it
            about["seconds"] = round(time.monotonic() - began)
            print(table(figures))
            print(f"Written to {_write(about, figures)} after {about['seconds']} s.")
    return 0


def _run(name: str, server: Server, quick: bool, figures: list[Figure]) -> None:
    """Run one benchmark, print each figure as soon as it is known, and keep it."""
    print(f"\n{name} …", flush=True)
    began = time.monotonic()
    measure: Measure = import_module(f"benchmarks.{name}").measure
    for figure in measure(server, quick=quick):
        print(f"  {figure.name}: {shown(figure.value)} {figure.unit}", flush=True)
        figures.append(figure)
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)


def _about(server: Server, quick: bool) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": "quick" if quick else "whole",
        "database": f"{server.label}, {server.version()}",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    head = ("figure", "median", "best", "floor", "ratio", "target", "met")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    ruler = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join(["", lines[0], ruler, *lines[1:], ""])


def _row(figure: Figure) -> tuple[str, ...]:
    sign = "≥" if figure.more_is_better else "≤"
    floor = f"{shown(figure.floor)} ({figure.floor_name})" if figure.floor else ""
    return (
        figure.name,
        f"{shown(figure.value)} {figure.unit}",
        shown(figure.best),
        floor,
        f"{figure.ratio:.2f}" if figure.ratio else "",
        f"{sign} {shown(figure.target)}" if figure.target is not None else "",
        {True: "yes", False: "no", None: ""}[figure.is_met],
    )


def shown(number: float | None) -> str:
    """Return a number with as many digits as mean something, "" for None."""
    if number is None:
        return ""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def _write(about: dict[str, Any], figures: Sequence[Figure]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    content = {"about": about, "figures": [figure.as_json() for figure in figures]}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
