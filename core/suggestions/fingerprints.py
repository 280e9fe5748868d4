"""What makes two sets of facts, two changes or two reasons the same. Pure.

Hashes are SHA-256 of canonical JSON: they last longer than a process or a release.
"""

import json
from hashlib import sha256
from math import log
from typing import Any

from core.suggestions.facts_payload import make_facts_payload
from core.suggestions.rules import Advice, Evidence, Facts


def facts_hash(facts: Facts) -> bytes:
    """Return a hash that is the same while an advisor would be told the same.

    When it was gathered, and from which looks, makes no difference.
    """
    return _digest({**make_facts_payload(facts), "as_of": None})


def change_hash(advice: Advice) -> bytes:
    """Return a hash of what is proposed, not of why."""
    return _digest([[each.change.value, dict(each.proposed)] for each in advice.actions])


def evidence_hash(advice: Advice) -> bytes:
    """Return a hash of the reasons, by their size.

    A rank that breathes or a price that moves by a few percent is no new evidence, unless
    it happens to cross from one size to the next: a size is coarse so that few do.
    """
    return _digest(sorted([each.key, _size(each)] for each in advice.evidence))


def declined_mark(change: bytes, evidence: bytes) -> str:
    """Return how `Facts.declined` names a declined suggestion by its two hashes."""
    return f"{change.hex()}:{evidence.hex()}"


def is_repeat(advice: Advice, facts: Facts) -> bool:
    """Return whether this was declined before, for the same reasons."""
    return declined_mark(change_hash(advice), evidence_hash(advice)) in facts.declined


_STEPS = {"rank": 2.0, "characters": 1.0, "images": 1.0, "bullets": 1.0}
_USUAL_STEP = 1.25


def _size(evidence: Evidence) -> str:
    """Return a value as coarse as its unit deserves; text as it is."""
    value, step = evidence.value, _STEPS.get(evidence.unit, _USUAL_STEP)
    if isinstance(value, str) or value <= 0 or step == 1.0:
        return str(value)
    return f"~{round(log(value) / log(step))}"


def _digest(value: Any) -> bytes:
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(written.encode("utf-8", "surrogatepass")).digest()
