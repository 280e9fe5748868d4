"""The rules' advice on the demo market: a handful of suggestions worth a review."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from core.accounts.people.membership import get_owner_principal
from core.database.session import read_scope
from core.demo.seed import load_demo
from core.suggestions.advisors.content_rules import get_local_day
from core.suggestions.advisors.listing_policies import lint_change
from core.suggestions.advisors.rule_advisor import advise_by_rules
from core.suggestions.evidence.collect import gather_facts
from core.suggestions.rules import Advice, Change, Facts, Kind
from tests.databases import cloned_database

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)

Advised = list[tuple[Facts, tuple[Advice, ...]]]


@pytest.fixture(scope="module")
def advised(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Advised]:
    """The facts of the demo's own products, each with the rules' advice."""
    folder = tmp_path_factory.mktemp("demo")
    with (
        pytest.MonkeyPatch.context() as patch,
        cloned_database(server_url, template, folder, patch),
    ):
        load_demo(lambda _: None, NOW)
        with read_scope() as session:
            own = session.scalars(text("SELECT product_id FROM tracking WHERE role = 'own'")).all()
            facts = gather_facts(session, get_owner_principal(session).team_id, own, NOW)
        yield [(each, advise_by_rules(each)) for each in facts]


def test_the_demo_market_gets_a_handful_of_sound_suggestions_with_evidence(
    advised: Advised,
) -> None:
    assert len(advised) == 24
    suggested = [(facts, advice) for facts, found in advised for advice in found]
    kinds = Counter(advice.kind for _, advice in suggested)
    assert set(kinds) == set(Kind)
    assert 20 <= len(suggested) <= 60
    assert max(len(found) for _, found in advised) <= 4
    for facts, advice in suggested:
        assert advice.evidence
        assert any(each.snapshots for each in advice.evidence)
        for action in advice.actions:
            on = get_local_day(facts.as_of, facts.marketplace)
            held = lint_change(facts.listing, facts.marketplace, on, action.change, action.proposed)
            assert held == ()
            if action.change is Change.UPDATE_PRICE:
                assert facts.caps.find_problem(facts.price, action.proposed["price"]) is None


def test_own_products_of_a_new_demo_market_are_queued_for_advice(advised: Advised) -> None:
    with read_scope() as session:
        queued = session.scalars(text("SELECT product_id FROM advice_due")).all()
    assert sorted(queued) == sorted(facts.product_id for facts, _ in advised)
