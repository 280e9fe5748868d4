"""The arrows of the house: who may import whom. Reads the source; runs one import of all."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# A folder imports only folders above it; `demo` may import all and is imported by none.
FOLDERS = (
    "text",
    "settings",
    "runtime",
    "database",
    "delivery",
    "accounts",
    "agents",
    "catalog",
    "tracking",
    "history",
    "scraping",
    "importing",
    "suggestions",
    "upkeep",
    "demo",
)
FRAMES = {"streamlit", "huey", "mcp", "starlette", "uvicorn"}
OUTER = {"app", "pages", "jobs", "mcp_server", "benchmarks", "tests"}
# What stands in no folder, or in one of these, knows no subject.
TOOLS = set(FOLDERS[:4])
# What each inner package may import of its siblings; "." is what lies beside them.
PACKAGES = {
    "core.database": {
        "embedded": set(),
        ".": {"embedded"},
    },
    "core.accounts": {
        ".": set(),
        "access": {"."},
        "people": {".", "access"},
        "login": {".", "access", "people"},
    },
    "core.tracking": {
        ".": set(),
        "lists": {"."},
    },
    "core.history": {
        ".": set(),
        "current": {"."},
        "ingest": {"."},
        "timeline": {".", "ingest"},
        "changes": {".", "ingest", "timeline"},
        "provenance": {".", "timeline"},
    },
    "core.scraping": {
        "parsers": set(),
        ".": set(),
        "runs": {"parsers"},
    },
    "core.importing": {
        "files": set(),
        "values": set(),
        "readers": {"files", "values"},
        ".": {"files", "readers", "values"},
    },
    "core.suggestions": {
        ".": set(),
        "evidence": {"."},
        "advisors": {".", "evidence"},
        "competitors": {".", "evidence"},
        "proposals": {".", "advisors", "competitors", "evidence"},
        "review": {".", "advisors", "competitors"},
        "advice_queue": {".", "advisors", "evidence", "proposals", "review"},
        "execution": {".", "competitors", "review"},
        "llm": {".", "advice_queue", "proposals"},
    },
    "core.demo": {
        "fake_apify": set(),
        "market": set(),
        ".": {"fake_apify", "market"},
    },
    "app": {
        ".": set(),
        "web": set(),
        "auth": {"web"},
        "data": {"auth"},
        "commands": {"auth", "data", "web"},
        "components": {".", "auth", "data", "web"},
        "account": {"commands", "components", "data"},
        "imports": {".", "auth", "commands", "components", "data", "web"},
        "login": {"auth", "commands", "components", "data", "web"},
        "suggestions": {".", "commands", "components", "data", "web"},
        "admin": {".", "account", "commands", "components", "data"},
        "products": {".", "commands", "components", "data", "imports", "suggestions", "web"},
    },
    "jobs": {
        ".": set(),
        "tasks": {"."},
        "launcher": {".", "tasks"},
        "commands": {".", "launcher", "tasks"},
    },
    "mcp_server": {
        "results": set(),
        "protocol": {"results"},
        "tools": {"protocol", "results"},
        ".": {"protocol", "results"},
        "resources": {"protocol", "results", "tools"},
    },
}
# They put the others together: an entry point may import all.
ENTRY_POINTS = {
    "app.__main__",
    "app.asgi",
    "app.main",
    "app.sidebar",
    "app.theme",
    "jobs.__main__",
    "mcp_server.__main__",
    "mcp_server.http",
    "mcp_server.server",
}
LARGEST_FOLDER = 12  # modules
# Their modules are of one shape: a tool or a migration each.
OF_ONE_SHAPE = {"mcp_server/tools", "core/database/migrations/versions"}
TABLES = {"core.metadata", "core.database.migrations.env"}
PURE = (
    "rules",
    "budget",
    "quality_gate",
    "change_detection",
    "observation",
    "money",
    "marketplaces",
    "categories",
    "thresholds",
    "asin",
    "listing_policies",
    "permissions",
    "labels",
)
NOT_PURE = {"sqlalchemy", "psycopg", "pandas", "numpy", "apify_client", "huey", "streamlit"}
LAUNCHERS = {
    "jobs.launcher.up",
    "jobs.launcher.supervisor",
    "jobs.commands.check",
    "jobs.commands.cli",
}
COMMITS = {"core.database.session", "core.database.migrate", "core.database.embedded.server"}


def modules(*folders: str) -> list[str]:
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "versions" not in path.parts:
                found.append(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return [name.removesuffix(".__init__") for name in found]


def path_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"


@cache
def imports(module: str) -> frozenset[str]:
    """Return every module that a module names in an import, also within functions."""
    return frozenset(_imports(ast.parse(path_of(module).read_text())))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tops(module: str) -> set[str]:
    return {name.split(".")[0] for name in imports(module)}


def folders_of_core(names: frozenset[str]) -> set[str]:
    return {
        parts[1]
        for name in names
        if len(parts := name.split(".")) > 1 and parts[0] == "core" and parts[1] in FOLDERS
    }


IN_FOLDERS = [
    name for name in modules("core") if name.split(".")[1:2] and name.split(".")[1] in FOLDERS
]
TOOLBOX = [
    name
    for name in modules("core")
    if name not in IN_FOLDERS and name not in TABLES and name != "core"
]


@pytest.mark.parametrize("module", IN_FOLDERS)
def test_a_folder_of_core_imports_only_folders_above_it(module: str) -> None:
    own = module.split(".")[1]
    allowed = set(FOLDERS[: FOLDERS.index(own) + 1])
    assert folders_of_core(imports(module)) <= allowed


@pytest.mark.parametrize("module", TOOLBOX)
def test_the_toolbox_knows_no_folder_of_core(module: str) -> None:
    assert folders_of_core(imports(module)) <= TOOLS


@pytest.mark.parametrize("parent", PACKAGES)
def test_inner_packages_import_only_what_the_table_says(parent: str) -> None:
    allowed = {f"{parent}.{inner}".rstrip("."): may for inner, may in PACKAGES[parent].items()}
    wrong = [
        f"{module} imports {name}"
        for module in modules(parent.replace(".", "/"))
        if module not in ENTRY_POINTS and (own := package_of(module, allowed))
        for name in imports(module) - {parent}
        if (other := package_of(name, allowed)) not in (own, None)
        and (other.removeprefix(parent).lstrip(".") or ".") not in allowed[own]
    ]
    assert wrong == []


@pytest.mark.parametrize("parent", PACKAGES)
def test_the_table_has_no_circle_and_names_every_package(parent: str) -> None:
    TopologicalSorter(PACKAGES[parent]).prepare()
    folder = ROOT.joinpath(*parent.split("."))
    there = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert there - {"migrations"} == PACKAGES[parent].keys() - {"."}


def package_of(name: str, packages: Mapping[str, object]) -> str | None:
    """Return the package that a module or a name in it belongs to; None: another folder's."""
    while name and name not in packages:
        name = name.rpartition(".")[0]
    return name or None


def test_a_folder_holds_at_most_twelve_modules() -> None:
    sizes = {
        path.parent.relative_to(ROOT).as_posix(): len(list(path.parent.glob("*.py"))) - 1
        for folder in ("core", "app", "jobs", "mcp_server")
        for path in (ROOT / folder).rglob("__init__.py")
    }
    large = {name for name, size in sizes.items() if size > LARGEST_FOLDER}
    assert large <= OF_ONE_SHAPE


@pytest.mark.parametrize("module", modules("core"))
def test_core_knows_neither_frames_nor_what_stands_on_it(module: str) -> None:
    frames = FRAMES if ".demo" not in module else FRAMES - {"starlette", "uvicorn"}
    assert tops(module) & (frames | OUTER) == set()


@pytest.mark.parametrize(
    "module", [name for name in modules("core") if name.split(".")[-1] in PURE]
)
def test_rules_are_pure(module: str) -> None:
    assert tops(module) & NOT_PURE == set()


@pytest.mark.parametrize("module", modules("pages"))
def test_pages_know_no_database(module: str) -> None:
    assert tops(module) & {"psycopg", "sqlalchemy"} == set()


@pytest.mark.parametrize("module", modules("jobs"))
def test_jobs_know_no_page(module: str) -> None:
    if module not in LAUNCHERS:
        assert tops(module) & {"app", "pages", "streamlit"} == set()


@pytest.mark.parametrize("module", modules("app"))
def test_the_frame_knows_no_page(module: str) -> None:
    assert "pages" not in tops(module)


@pytest.mark.parametrize("module", modules("mcp_server"))
def test_tools_know_neither_pages_nor_sql(module: str) -> None:
    assert tops(module) & {"app", "pages", "streamlit", "pandas", "plotly"} == set()
    assert not {name for name in imports(module) if name.startswith("sqlalchemy.sql")}
    assert not {f"sqlalchemy.{verb}" for verb in ("select", "text", "update", "insert")} & imports(
        module
    )


@pytest.mark.parametrize("module", modules("core", "app", "pages", "jobs"))
def test_nothing_but_tests_and_measurements_stands_on_the_tools(module: str) -> None:
    assert "mcp_server" not in tops(module)


@pytest.mark.parametrize("module", modules("core", "app", "pages", "jobs", "mcp_server"))
def test_one_place_commits(module: str) -> None:
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(path_of(module).read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert "commit" not in calls or module in COMMITS


def test_nobody_but_jobs_and_the_frame_knows_the_demo() -> None:
    knowing = {
        module
        for module in modules("core", "pages")
        if "core.demo" in {".".join(name.split(".")[:2]) for name in imports(module)}
        and not module.startswith("core.demo")
    }
    assert knowing == set()


def test_jobs_go_by_the_databases_clock_alone() -> None:
    own_clock = ("datetime.now(", "time.time(", "date.today(")
    for path in (ROOT / "jobs").rglob("*.py"):
        found = [call for call in own_clock if call in path.read_text()]
        assert not found, (
            f"{path.name} asks the process's clock; ask core.database.session.database_time"
        )


@pytest.mark.parametrize(
    "path",
    [
        *(ROOT / "app" / "commands").glob("*.py"),
        *(ROOT / "app" / "auth").glob("*.py"),
        *(ROOT / "app" / "login").glob("*.py"),
        *(ROOT / "mcp_server" / "protocol").glob("*.py"),
    ],
    ids=lambda path: path.name,
)
def test_what_counts_across_processes_goes_by_the_shared_clock(path: Path) -> None:
    assert "datetime.now(" not in path.read_text(), "ask core.database.session.shared_time"


@pytest.mark.parametrize(
    "path",
    [*(ROOT / "app").rglob("*.py"), *(ROOT / "pages").glob("*.py")],
    ids=lambda path: path.name,
)
def test_every_table_has_a_file_of_its_own(path: Path) -> None:
    with_file = ("data_table.py", "tabs.py")  # the latter offers all rows of a history
    found = re.findall(r"st\.(?:dataframe|data_editor|table)\(|\.to_csv\(", path.read_text())
    assert not found or path.name in with_file, "call app.components.data_table.show"


def test_every_folder_of_core_is_listed() -> None:
    there = {path.parent.name for path in (ROOT / "core").glob("*/__init__.py")}
    assert there == set(FOLDERS)


_IMPORT_ALL = """
import importlib, socket, sys
import sqlalchemy, psycopg
def refuse(*args, **options):
    raise SystemExit("something was opened at import")
socket.socket.connect = refuse
psycopg.connect = psycopg.Connection.connect = refuse
sqlalchemy.create_engine = refuse
for name in sys.argv[1:]:
    importlib.import_module(name)
from core.database import session
assert not session.has_engines()
"""


def test_importing_every_module_opens_nothing(tmp_path: Path) -> None:
    names = [
        name
        for name in modules("core", "jobs", "app", "mcp_server")
        if name not in ("core.database.migrations.env", "app.main")
        and not name.endswith("__main__")
    ]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_tests_run_coroutines_in_a_thread() -> None:
    """A driven browser leaves its event loop in the thread of the tests."""
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path.name not in ("loops.py", "test_architecture.py")
        and "asyncio.run(" in path.read_text(encoding="utf-8")
    ]
    assert found == [], "Use tests.loops.run."
