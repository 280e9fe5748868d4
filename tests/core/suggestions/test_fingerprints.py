"""What counts as the same facts, the same change, the same reasons."""

import json
from dataclasses import replace
from datetime import timedelta

from core.suggestions.advisors.rule_advisor import advise_by_rules
from core.suggestions.facts_payload import make_facts_payload
from core.suggestions.fingerprints import (
    change_hash,
    declined_mark,
    evidence_hash,
    facts_hash,
    is_repeat,
)
from core.suggestions.rules import Advice, CompetitorFacts, Facts, ListingFacts
from tests.core.suggestions.made_facts import facts, listing

DEARER = {"price_now": 2299, "price_median_90": 2099, "bsr_median_30": 800}


def only(seen: Facts) -> Advice:
    (advice,) = advise_by_rules(seen)
    return advice


def declined(seen: Facts, advice: Advice) -> Facts:
    mark = declined_mark(change_hash(advice), evidence_hash(advice))
    return replace(seen, declined=frozenset({mark}))


def test_facts_are_the_same_whenever_they_were_gathered() -> None:
    seen = facts()
    later = replace(seen, as_of=seen.as_of + timedelta(hours=5), declined=frozenset({"x"}))
    assert facts_hash(seen) == facts_hash(later)
    assert len(facts_hash(seen)) == 32


def test_another_price_title_cap_or_cadence_makes_other_facts() -> None:
    usual = facts()
    others = (
        facts({"price_now": 2001}),
        facts(listing=listing(title="Lumo Lamp")),
        facts(cadence="hourly"),
        facts({"bsr_now": None}),
    )
    assert len({facts_hash(each) for each in (usual, *others)}) == 5


def test_a_change_is_the_same_whatever_its_reasons() -> None:
    advice = only(facts(DEARER))
    assert change_hash(advice) == change_hash(replace(advice, reasoning="Because.", evidence=()))
    other = only(facts({**DEARER, "price_median_90": 2000}))
    assert change_hash(advice) != change_hash(other)


def test_what_was_declined_is_not_said_again_for_the_same_reasons() -> None:
    seen = facts(DEARER)
    advice = only(seen)
    assert is_repeat(advice, declined(seen, advice))
    assert advise_by_rules(declined(seen, advice)) == ()


def test_a_rank_that_breathes_is_no_new_evidence_and_one_that_falls_is() -> None:
    advice = only(facts(DEARER))
    breathing = declined(facts({**DEARER, "bsr_median_30": 840, "bsr_now": 505}), advice)
    assert advise_by_rules(breathing) == ()
    fallen = declined(facts({**DEARER, "bsr_median_30": 4000}), advice)
    assert [change_hash(each) for each in advise_by_rules(fallen)] == [change_hash(advice)]


def test_what_is_told_is_json_and_leaves_out_what_is_unknown() -> None:
    plain = make_facts_payload(facts({"bsr_now": None}, listing=ListingFacts()))
    assert json.loads(json.dumps(plain)) == plain
    assert "bsr_now" not in plain["figures"]
    assert plain["listing"] == {}
    assert plain["figures"]["price_now"] == [2000, "USD minor"]


def test_huge_texts_are_cut_where_they_are_told_and_only_there() -> None:
    huge = listing(title="x" * 9000, bullets=("y" * 9000,) * 90, description="z" * 99_000)
    rival = CompetitorFacts(2, "B0RIVAL001", None, None, None, None, None, huge)
    seen = facts(listing=huge, competitors=(rival,) * 90)
    assert len(json.dumps(make_facts_payload(seen))) / 4 <= 2500
    assert seen.listing.description == "z" * 99_000
