"""When facts, changes and reasons count as the same."""

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


def only(given: Facts) -> Advice:
    (advice,) = advise_by_rules(given)
    return advice


def declined(given: Facts, advice: Advice) -> Facts:
    mark = declined_mark(change_hash(advice), evidence_hash(advice))
    return replace(given, declined=frozenset({mark}))


def test_facts_are_the_same_whatever_the_time_of_gathering() -> None:
    given = facts()
    later = replace(given, as_of=given.as_of + timedelta(hours=5), declined=frozenset({"x"}))
    assert facts_hash(given) == facts_hash(later)
    assert len(facts_hash(given)) == 32


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


def test_declined_advice_is_not_repeated_for_the_same_reasons() -> None:
    given = facts(DEARER)
    advice = only(given)
    assert is_repeat(advice, declined(given, advice))
    assert advise_by_rules(declined(given, advice)) == ()


def test_an_ordinary_move_of_a_rank_is_no_new_evidence_and_a_large_one_is() -> None:
    advice = only(facts(DEARER))
    ordinary = declined(facts({**DEARER, "bsr_median_30": 840, "bsr_now": 505}), advice)
    assert advise_by_rules(ordinary) == ()
    worsened = declined(facts({**DEARER, "bsr_median_30": 4000}), advice)
    assert [change_hash(each) for each in advise_by_rules(worsened)] == [change_hash(advice)]


def test_the_payload_is_json_without_unknown_values() -> None:
    plain = make_facts_payload(facts({"bsr_now": None}, listing=ListingFacts()))
    assert json.loads(json.dumps(plain)) == plain
    assert "bsr_now" not in plain["figures"]
    assert plain["listing"] == {}
    assert plain["figures"]["price_now"] == [2000, "USD minor"]


def test_long_texts_are_cut_in_the_payload_and_not_in_the_facts() -> None:
    huge = listing(title="x" * 9000, bullets=("y" * 9000,) * 90, description="z" * 99_000)
    competitor = CompetitorFacts(2, "B0COMP0001", None, None, None, None, None, huge)
    given = facts(listing=huge, competitors=(competitor,) * 90)
    assert len(json.dumps(make_facts_payload(given))) / 4 <= 2500
    assert given.listing.description == "z" * 99_000
