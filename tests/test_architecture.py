"""Which module may import which, and where what is done. Reads the source; imports all once."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
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
    "connections",
    "agents",
    "catalog",
    "tracking",
    "history",
    "scraping",
    "importing",
    "alerts",
    "suggestions",
    "upkeep",
    "backup",
    "reports",
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
    "core.delivery": {
        ".": set(),
        "channels": {"."},
    },
    "core.accounts": {
        ".": set(),
        "access": {"."},
        "people": {".", "access"},
        "login": {".", "access", "people"},
    },
    "core.catalog": {
        ".": set(),
        "images": {"."},
    },
    "core.tracking": {
        ".": set(),
        "competitors": {"."},
        "lists": {"."},
        "price_caps": {"."},
        "sellers": {"."},
        "views": {"."},
    },
    "core.history": {
        ".": set(),
        "current": {"."},
        "expected": {"."},
        "notes": {"."},
        "periods": {"."},
        "ingest": {".", "periods"},
        "timeline": {".", "ingest"},
        "chart": {".", "buy_box", "timeline"},
        "changes": {".", "expected", "periods", "timeline"},
        "provenance": {".", "timeline"},
        "buy_box": {".", "ingest", "timeline"},
        "analysis": {".", "timeline"},
        "promotions": {".", "chart", "timeline"},
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
    "core.alerts": {
        ".": set(),
        "rules": {"."},
        "evaluation": {"rules"},
        "engine": {".", "evaluation", "rules"},
        "incidents": {".", "evaluation", "engine", "rules"},
        "notifications": {".", "evaluation", "incidents", "rules"},
        "charts": {"evaluation", "incidents", "rules"},
        "delivery": {"incidents", "notifications", "rules"},
        "explanation": {"evaluation", "incidents", "notifications"},
    },
    "core.suggestions": {
        ".": set(),
        "evidence": {"."},
        "changes": {"."},
        "advisors": {".", "changes", "evidence"},
        "proposals": {".", "advisors", "changes", "evidence"},
        "review": {".", "advisors", "changes", "evidence"},
        "advice_queue": {".", "advisors", "evidence", "proposals", "review"},
        "execution": {".", "changes", "review"},
        "model_server": set(),
        "llm": {".", "advice_queue", "changes", "model_server", "proposals"},
    },
    "core.reports": {
        ".": set(),
        "frozen": {"."},
        "feed": {"."},
        "paragraph": {"."},
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
        "data": {"auth", "web"},
        "commands": {"auth", "data", "web"},
        "components": {".", "auth", "data", "web"},
        "account": {"commands", "components", "data"},
        "imports": {".", "auth", "commands", "components", "data", "web"},
        "login": {"auth", "commands", "components", "data", "web"},
        "suggestions": {".", "commands", "components", "data", "web"},
        "notifications": {".", "commands", "components", "data"},
        "alerts": {".", "commands", "components", "data", "web"},
        "alert_rules": {".", "commands", "components", "data", "web"},
        "health": {".", "commands", "components", "data", "suggestions", "web"},
        "reports": {".", "commands", "components", "data", "web"},
        "admin": {".", "account", "commands", "components", "data"},
        "overview": {".", "commands", "components", "data", "products"},
        "product": {".", "commands", "components", "data", "imports", "suggestions", "web"},
        "product_tabs": {
            ".",
            "commands",
            "components",
            "data",
            "product",
            "products",
            "suggestions",
            "web",
        },
        "products": {".", "commands", "components", "data", "imports", "suggestions", "web"},
        "frame": {".", "auth", "commands", "components", "data", "imports", "web"},
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
    "jobs.__main__",
    "mcp_server.__main__",
    "mcp_server.http",
    "mcp_server.server",
}
LARGEST_FOLDER = 12  # modules
# Their modules are of one shape: a component, the cached reads of a screen, a tool, a migration, a
# channel, a reader of a kind of file, a parser, a job or a kind of change each.
OF_ONE_SHAPE = {
    "app/components",
    "app/data",
    "core/database/migrations/versions",
    "core/delivery/channels",
    "core/importing/readers",
    "core/scraping/parsers",
    "core/suggestions/changes",
    "jobs/tasks",
    "mcp_server/tools",
}
TABLES = {"core.metadata", "core.database.migrations.env"}
PURE = (
    "rules",
    "rule",
    "fold",
    "preview",
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
    "email_address",
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
def tree_of(module: str) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Return every module that a module names in an import, also within functions."""
    return frozenset(_imports(tree_of(module)))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top_packages(module: str) -> set[str]:
    return {name.split(".")[0] for name in imports(module)}


def folders_of_core(names: frozenset[str]) -> set[str]:
    return {
        parts[1]
        for name in names
        if len(parts := name.split(".")) > 1 and parts[0] == "core" and parts[1] in FOLDERS
    }


def in_folders() -> list[str]:
    """Return the modules of core that stand in one of its folders."""
    return [name for name in modules("core") if [*name.split("."), ""][1] in FOLDERS]


def test_a_folder_of_core_imports_only_folders_above_it() -> None:
    wrong = {
        module: below
        for module in in_folders()
        if (below := folders_of_core(imports(module)) - _folders_down_to(module.split(".")[1]))
    }
    assert wrong == {}


def _folders_down_to(own: str) -> set[str]:
    return set(FOLDERS[: FOLDERS.index(own) + 1])


def test_the_toolbox_knows_no_folder_of_core() -> None:
    toolbox = set(modules("core")) - set(in_folders()) - TABLES - {"core"}
    assert {name for name in toolbox if folders_of_core(imports(name)) - TOOLS} == set()


@pytest.mark.parametrize("parent", PACKAGES)
def test_inner_packages_import_only_what_the_table_allows(parent: str) -> None:
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


def importing(found: Iterable[str], tops: set[str]) -> dict[str, set[str]]:
    """Return the modules that import one of these packages, and which."""
    return {name: wrong for name in found if (wrong := top_packages(name) & tops)}


def test_core_knows_neither_frames_nor_what_stands_on_it() -> None:
    demo = [name for name in modules("core") if ".demo" in name]
    others = [name for name in modules("core") if ".demo" not in name]
    assert importing(others, FRAMES | OUTER) == {}
    assert importing(demo, (FRAMES | OUTER) - {"starlette", "uvicorn"}) == {}


def test_rules_are_pure() -> None:
    rules = [name for name in modules("core") if name.split(".")[-1] in PURE]
    assert importing(rules, NOT_PURE) == {}


def test_pages_know_no_database() -> None:
    assert importing(modules("pages"), {"psycopg", "sqlalchemy"}) == {}


def test_jobs_know_no_page() -> None:
    found = set(modules("jobs")) - LAUNCHERS
    assert importing(found, {"app", "pages", "streamlit"}) == {}


def test_the_frame_knows_no_page() -> None:
    assert importing(modules("app"), {"pages"}) == {}


def test_tools_know_neither_pages_nor_sql() -> None:
    found = modules("mcp_server")
    assert importing(found, {"app", "pages", "streamlit", "pandas", "plotly"}) == {}
    sql = re.compile(r"sqlalchemy\.(sql\b.*|select|text|update|insert)")
    assert {name for name in found if any(map(sql.fullmatch, imports(name)))} == set()


def test_nothing_but_tests_and_measurements_stands_on_the_tools() -> None:
    assert importing(modules("core", "app", "pages", "jobs"), {"mcp_server"}) == {}


def test_one_place_commits() -> None:
    committing = {
        module
        for module in modules("core", "app", "pages", "jobs", "mcp_server")
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
    }
    assert committing <= COMMITS


def test_only_jobs_and_the_frame_know_the_demo() -> None:
    knowing = {
        module
        for module in modules("core", "pages")
        if "core.demo" in {".".join(name.split(".")[:2]) for name in imports(module)}
        and not module.startswith("core.demo")
    }
    assert knowing == set()


def containing(pattern: str, *folders: str) -> list[str]:
    """Return the files below these folders whose text matches."""
    return [
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if re.search(pattern, path.read_text(encoding="utf-8"))
    ]


def test_jobs_go_by_the_databases_clock_alone() -> None:
    own_clock = r"datetime\.now\(|time\.time\(|date\.today\("
    assert containing(own_clock, "jobs") == [], "ask core.database.session.database_time"


def test_what_counts_across_processes_goes_by_the_shared_clock() -> None:
    shared = ("app/commands", "app/auth", "app/login", "mcp_server/protocol")
    assert containing(r"datetime\.now\(", *shared) == [], "ask core.database.session.shared_time"


def test_every_table_has_a_file_of_its_own() -> None:
    with_file = {"app/components/data_table.py", "app/product_tabs/history_tab.py"}  # all rows
    found = containing(r"st\.(?:dataframe|data_editor|table)\(|\.to_csv\(", "app", "pages")
    assert set(found) <= with_file, "call app.components.data_table.show_table"


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
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_tests_run_coroutines_in_a_thread() -> None:
    """A driven browser leaves its event loop in the thread of the tests."""
    assert containing(r"asyncio\.run\(", "tests") == [], "Use tests.loops.run."
