"""The script behind `make`: its message where something is missing, and when it installs."""

import ast
import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from core.settings.environment import Settings

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "deploy" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script as a module that works in a folder of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (tmp_path / name).write_text(f"# {name}\n")
    return module


def only_has(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(bootstrap, "find", lambda name: name == program)
    monkeypatch.setattr(bootstrap, "sudo", lambda: "sudo ")


def test_an_old_python_gets_the_command_that_installs_a_newer_one(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_has(bootstrap, monkeypatch, "apt-get")
    message = bootstrap.what_is_missing((3, 8))
    assert "this is 3.8" in message
    assert "sudo apt install python3.11 python3.11-venv" in message
    assert "make run PYTHON=python3.11" in message


def test_a_missing_venv_module_gets_the_command_that_installs_it(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_has(bootstrap, monkeypatch, "apt-get")
    monkeypatch.setitem(__import__("sys").modules, "ensurepip", None)
    assert "sudo apt install python3-venv python3.12-venv" in bootstrap.what_is_missing((3, 12))


def test_a_machine_without_a_known_package_manager_is_sent_to_the_source(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_has(bootstrap, monkeypatch, "nothing")
    assert "python.org/downloads" in bootstrap.what_is_missing((2, 7))


def test_the_script_can_be_read_by_the_oldest_python_three(bootstrap: ModuleType) -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 0))
    too_new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match)
    assert not [node for node in ast.walk(tree) if isinstance(node, too_new)]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not [f.name for f in functions if f.returns or any(a.annotation for a in f.args.args)]


def test_a_second_start_installs_nothing_until_a_version_changes(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[list[str]] = []
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(bootstrap, "run_with_progress", lambda command: installed.append(command))
    assert bootstrap.install("requirements.txt")
    assert bootstrap.is_installed("requirements.txt")
    assert not bootstrap.is_installed("requirements-dev.txt")
    (tmp_path / "constraints.txt").write_text("one==2\n")
    assert not bootstrap.is_installed("requirements.txt")
    assert len(installed) == 1


def test_a_failed_installation_leaves_no_stamp(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(bootstrap, "run_with_progress", lambda _command: "no network\n")
    assert not bootstrap.install("requirements.txt")
    assert not bootstrap.is_installed("requirements.txt")


def test_a_broken_environment_is_not_taken_for_whole(bootstrap: ModuleType, tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    assert not bootstrap.has_whole_venv()
    (tmp_path / ".venv" / "bin" / "python").symlink_to("/nonexistent/python")
    assert not bootstrap.has_whole_venv()


def test_every_verb_of_make_has_its_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    result = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    hidden = {"runtime", "development"}
    verbs = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) - hidden
    assert {line.split()[1] for line in result.stdout.splitlines()} == verbs


def test_every_pinned_requirement_is_pinned_to_the_same_version_everywhere() -> None:
    def pins(name: str) -> dict[str, str]:
        found = re.findall(r"^([\w.-]+)(?:\[[^]]*])?==(\S+)$", (ROOT / name).read_text(), re.M)
        return dict(found)

    everything = pins("constraints.txt")
    direct = pins("requirements.txt") | pins("requirements-dev.txt")
    assert direct
    assert {name: everything.get(name) for name in direct} == direct


def test_the_example_explains_every_setting_with_its_default() -> None:
    example = ROOT / ".env.example"
    named = set(re.findall(r"^([A-Z_]+)=", example.read_text(), re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert Settings(_env_file=example).model_dump() == defaults
