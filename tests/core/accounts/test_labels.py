"""Every stored verb and way to act has a label, the old ones too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.accounts import labels
from core.accounts.access.one_time_tokens import Purpose
from core.accounts.access.permissions import Via
from core.accounts.access.refusals import REFUSED
from core.settings.environment import ROOT
from core.suggestions.lifecycle import JOB_TRANSITIONS

WRITERS = {"record": 2, "record_bulk": 2, "record_anonymous": 2, "record_transition": 4}
"""The audit's functions, with the position of the verb among the arguments."""

COMPUTED = {
    "f'accepted {purpose.value}'": {
        f"accepted {each.value}" for each in (Purpose.INVITATION, Purpose.SETUP)
    },
    "f'suggestion {then.value}'": {f"suggestion {each.value}" for each in JOB_TRANSITIONS},
    "REFUSED": {REFUSED},
    "what": set(),  # handed on by a helper of the module, whose callers are read too
    "verb": set(),
}
"""Verbs that are no literals in the code, by how the code writes them."""

STORED_BY_6BA1250 = """
accepted invitation, accepted setup, added competitor, added to suggestion, applied suggestion,
approved suggestion, asked for a fetch, asked for a new password, changed mail address,
changed password, changed profile, changed role, changed settings, changed team settings,
confirmed import, declined suggestion, disabled, discarded import, enabled, erased, followed,
invited, joined by sign-on, linked sign-on, loaded demo, locked out, made reset link,
made set-up link, made token, offered import, paused, proposed suggestion, registered,
removed competitor, removed demo, removed second factor, resumed, revoked token,
set a new password, set four eyes, set price caps, set up, set up second factor, signed in,
signed out, signed out elsewhere, signed out everywhere else, suggestion expired,
suggestion failed, suggestion stale, suggestion unseen, suggestion verified, tagged,
undid suggestion, unfollowed, withdrew invitation
"""
"""The verbs in the code of commit 6ba1250, whose databases are upgraded."""


def modules() -> Iterator[Path]:
    for top in ("core", "app", "jobs", "mcp_server", "pages"):
        for path in (ROOT / top).rglob("*.py"):
            if path != ROOT / "core/accounts/access/audit.py":
                yield path


def verbs_of(tree: ast.Module) -> Iterator[str]:
    """Yield the verbs that a module stores: arguments of the audit's functions and of helpers."""
    helpers = {
        node.name: [argument.arg for argument in node.args.args].index("what")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("_")
        and any(argument.arg == "what" for argument in node.args.args)
        and any(name in ast.unparse(node) for name in ("record(", "record_bulk("))
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        is_audit = name in WRITERS and ast.unparse(node.func) in (f"audit.{name}", name)
        place = WRITERS[name] if is_audit else helpers.get(name)
        if place is None:
            continue
        verb = node.args[place]
        if isinstance(verb, ast.Constant):
            yield str(verb.value)
        else:
            yield from COMPUTED[ast.unparse(verb)]


def stored_verbs() -> set[str]:
    found = set()
    for path in modules():
        source = path.read_text(encoding="utf-8")
        if "audit" in source and "record" in source:
            found |= set(verbs_of(ast.parse(source)))
    return found


def test_every_verb_that_is_stored_has_a_label() -> None:
    verbs = stored_verbs()
    assert len(verbs) > 50, "the search finds the calls"
    assert sorted(verbs - set(labels.EVENT_LABELS)) == []


def test_every_verb_of_the_old_release_has_a_label() -> None:
    old = {" ".join(each.split()) for each in STORED_BY_6BA1250.split(",")}
    assert len(old) == 56
    assert sorted(old - set(labels.EVENT_LABELS)) == []


def test_no_label_is_for_a_verb_that_was_never_stored() -> None:
    old = {" ".join(each.split()) for each in STORED_BY_6BA1250.split(",")}
    assert sorted(set(labels.EVENT_LABELS) - stored_verbs() - old) == []


def test_labels_of_verbs_differ_and_begin_with_a_capital() -> None:
    words = list(labels.EVENT_LABELS.values())
    assert len(set(words)) == len(words)
    assert all(each[0].isupper() for each in words)


@pytest.mark.parametrize("via", Via)
def test_every_way_to_act_has_a_label(via: Via) -> None:
    assert labels.via_label(via.value) == labels.VIA_LABELS[via.value].noun
    assert labels.via_phrase(via.value) == labels.VIA_LABELS[via.value].phrase


def test_an_unknown_code_is_shown_as_it_is_stored() -> None:
    assert labels.event_label("danced") == "danced"
    assert (labels.via_label("telepathy"), labels.via_phrase("telepathy")) == ("telepathy",) * 2
