"""Hashes by which facts, changes and reasons are compared. Pure.

They are SHA-256 of canonical JSON and stored, so they must not change between releases.
"""

import json
from hashlib import sha256
from math import log
from typing import Any

from core.suggestions.facts_payload import make_facts_payload
from core.suggestions.rules import Advice, Evidence, Facts


def facts_hash(facts: Facts) -> bytes:
    """Return a hash of the facts as an advisor gets them.

    The time of gathering and the observations behind the values make no difference.
    """
    return _digest({**make_facts_payload(facts), "as_of": None})


def change_hash(advice: Advice) -> bytes:
    """Return a hash of the proposed changes, without their reasons."""
    return _digest([[each.change.value, dict(each.proposed)] for each in advice.actions])


def evidence_hash(advice: Advice) -> bytes:
    """Return a hash of the evidence, its values rounded to coarse sizes.

    An ordinary move of a rank or of a price by a few percent is no new evidence, unless the
    value crosses from one size to the next. Sizes are coarse so that this is rare.
    """
    return _digest(sorted([each.key, _size(each)] for each in advice.evidence))


def declined_mark(change: bytes, evidence: bytes) -> str:
    """Return the mark of a declined suggestion in `Facts.declined`, from its two hashes."""
    return f"{change.hex()}:{evidence.hex()}"


def is_repeat(advice: Advice, facts: Facts) -> bool:
    """Return whether the same advice was declined before, with the same evidence."""
    return declined_mark(change_hash(advice), evidence_hash(advice)) in facts.declined


_STEPS = {"rank": 2.0, "characters": 1.0, "images": 1.0, "bullets": 1.0}
_USUAL_STEP = 1.25


def _size(evidence: Evidence) -> str:
    """Return a value rounded to the size of its unit; text as it is."""
    value, step = evidence.value, _STEPS.get(evidence.unit, _USUAL_STEP)
    if isinstance(value, str) or value <= 0 or step == 1.0:
        return str(value)
    return f"~{round(log(value) / log(step))}"


def _digest(value: Any) -> bytes:
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(written.encode("utf-8", "surrogatepass")).digest()
