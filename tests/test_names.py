"""Names of modules and classes: nouns or verb phrases, each class once in its package.

Tests lie and are named as what they test.
"""

import ast
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from token import COMMENT, NAME
from tokenize import generate_tokens

from benchmarks.code import PRODUCTION, read_modules, repeated_classes

ROOT = Path(__file__).resolve().parents[1]
# Pronouns, and participles that no ending gives away.
NO_NAMES = re.compile(
    "all|any|both|each|given|gone|held|it|kept|known|left|made|mine|nobody|others?|ours|own|said|"
    "seen|sent|shown|somebody|someone|stored|taken|that|theirs|these|things|this|told|what|where|"
    "which|who(ever|m|se)?"
)
PARTICIPLES = re.compile("[a-z]+(ed|ing)")
# Nouns of the field that end like participles.
NOUNS = re.compile(
    "embedded|escaping|expected|feed|grounding|importing|listing|pricing|ranking|scraping|seed|"
    "throttling|tracking"
)

# Words for what has a name of its own: a message, a user, an observation.
_PRIVATE = "told|tells?|says?|said|somebody|nobody|whoever|anybody|looks?|looked|looking"
PRIVATE_WORDS = re.compile(_PRIVATE, re.IGNORECASE)
PRIVATE_PART = re.compile(_PRIVATE, re.IGNORECASE)
# As they are stored, or as agents know them; and plain English.
STORED_WORDS = re.compile(
    "looks?|looked_at|looked_at_in_24_hours|last_look|last_look_at|doubtful_looks|"
    "doubtful_looks_left_out|said_by|_?looks_(like_)?(json|address|binary)"
)
# In prose; "says" of a text and "looks up" are plain English.
PRIVATE_PROSE = re.compile(r"\b(?:told|tells?(?! apart)|somebody|nobody|whoever|anybody)\b", re.I)

# Test modules whose subject crosses modules.
CROSSING = {
    "app/test_outages.py": "pages and routes while the database is away, full or read-only",
    "core/accounts/access/test_foreign_ids.py": "operations of all packages, by another team's ids",
    "core/alerts/engine/test_demo_market.py": "a month of the demo market, up to its incidents",
    "core/alerts/engine/test_recorded_series.py": "a recorded series, from its rows to incidents",
    "core/importing/test_fault_files.py": "an import from the file to the stored row",
    "core/importing/test_hostile_input.py": "any bytes, through detection and all readers",
    "core/importing/test_imported_recordings.py": "an import from the file to the stored row",
    "core/importing/test_recorded_files.py": "recorded files, through detection and all readers",
    "core/suggestions/test_never_unapproved.py": "any order of operations on a suggestion",
    "core/suggestions/test_own_changes.py": "verified actions in the lists of products",
    "core/suggestions/test_two_at_once.py": "two users in different operations at one moment",
    "jobs/test_kills.py": "a killed worker, in all of its tasks",
    "jobs/test_wrong_clocks.py": "a worker with a wrong clock, in all of its tasks",
    "mcp_server/test_outside.py": "the whole server, by clients of others",
}


def test_every_test_module_is_named_and_placed_as_what_it_tests() -> None:
    """`test_x.py` or `test_x_<aspect>.py` tests the module or package `x` of the same folder."""
    tests = {
        path.relative_to(ROOT / "tests")
        for folder in ("app", "core", "jobs", "mcp_server")
        for path in (ROOT / "tests" / folder).rglob("test_*.py")
    }
    assert CROSSING.keys() - {path.as_posix() for path in tests} == set()
    assert sorted(str(path) for path in tests if not find_subject(path)) == sorted(CROSSING)


def find_subject(test: Path) -> Path | None:
    """Return the module or package that a test module is named by, None if there is none."""
    words = test.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    paths = [ROOT / test.parent / name for name in names]
    modules = [path for path in paths if path.with_suffix(".py").exists() or path.is_dir()]
    return next(iter(modules), None)


def test_every_measured_test_module_exists() -> None:
    measured = json.loads((ROOT / "tests" / "durations.json").read_text())
    assert [path for path in measured if not (ROOT / path).exists()] == []


def test_no_module_is_named_by_a_participle_or_a_pronoun() -> None:
    assert [path for path in module_paths() if is_odd(Path(path).stem)] == []


def module_paths() -> Iterator[str]:
    """Yield all production modules and their packages."""
    for folder in (*PRODUCTION, "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            named = path.parent if path.name == "__init__.py" else path
            if "versions" not in path.parts:
                yield named.relative_to(ROOT).as_posix()


def is_odd(name: str) -> bool:
    """Return whether the last word of a name is a participle or a pronoun, or all of it is one."""
    word = name.rpartition("_")[2]
    is_participle = PARTICIPLES.fullmatch(word) and not NOUNS.fullmatch(word)
    return bool(is_participle or NO_NAMES.fullmatch(word))


def test_participles_and_pronouns_are_found() -> None:
    odd = ["known", "whose", "advising", "made", "what_is_told", "approved"]
    assert [name for name in [*odd, "listing", "price_caps", "settings"] if is_odd(name)] == odd


def test_no_class_name_stands_twice_in_one_package() -> None:
    assert repeated_classes(list(read_modules(ROOT))) == {}


def test_no_identifier_has_a_private_word() -> None:
    """In tests as well: a test is named by the fact that it asserts."""
    found = {
        f"{path.relative_to(ROOT)}:{token.start[0]} {token.string}"
        for path, source in sources_with(PRIVATE_PART)
        for token in generate_tokens(StringIO(source).readline)
        if token.type == NAME and has_private_word(token.string)
    }
    assert found == set()


def test_no_docstring_or_comment_has_a_private_word() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path, source in sources_with(PRIVATE_PROSE)
        for line in read_prose(source)
        if PRIVATE_PROSE.search(line)
    ]
    assert found == []


def has_private_word(name: str) -> bool:
    words = re.findall("[A-Z]?[a-z]+", name)
    return not STORED_WORDS.fullmatch(name) and any(map(PRIVATE_WORDS.fullmatch, words))


def test_private_words_are_found() -> None:
    names = [
        "told",
        "make_somebody",
        "test_a_page_says_so",
        "Said",
        "looked_at",
        "holder",
        "salary",
    ]
    assert [name for name in names if has_private_word(name)] == names[:4]


def sources_with(words: re.Pattern[str]) -> Iterator[tuple[Path, str]]:
    """Yield the files that have one of some words anywhere, with their text."""
    for folder in (*PRODUCTION, "benchmarks", "tests", "deploy"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if words.search(source := path.read_text(encoding="utf-8")):
                yield path, source


def read_prose(source: str) -> Iterator[str]:
    """Yield the lines of a module's docstrings and comments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (ast.get_docstring(node) or "").splitlines()
    for token in generate_tokens(StringIO(source).readline):
        if token.type == COMMENT:
            yield token.string
