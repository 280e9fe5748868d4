"""Names of modules and classes: nouns or verb phrases, each class once in its package."""

import re
from collections.abc import Iterator
from pathlib import Path

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
    "embedded|escaping|feed|grounding|importing|listing|pricing|ranking|scraping|seed|"
    "throttling|tracking"
)


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
