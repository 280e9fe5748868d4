"""What the rules say of the demo market: a handful of things worth a manager's time."""

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

Said = list[tuple[Facts, tuple[Advice, ...]]]


@pytest.fixture(scope="module")
def said(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Said]:
    """The facts of the demo's own products, and what the rules say of each."""
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


def test_the_demo_market_gets_a_handful_of_sound_suggestions_with_evidence(said: Said) -> None:
    assert len(said) == 24
    advised = [(facts, advice) for facts, found in said for advice in found]
    kinds = Counter(advice.kind for _, advice in advised)
    assert set(kinds) == set(Kind)
    assert 20 <= len(advised) <= 60
    assert max(len(found) for _, found in said) <= 4
    for facts, advice in advised:
        assert advice.evidence
        assert any(each.snapshots for each in advice.evidence)
        for action in advice.actions:
            on = get_local_day(facts.as_of, facts.marketplace)
            held = lint_change(facts.listing, facts.marketplace, on, action.change, action.proposed)
            assert held == ()
            if action.change is Change.UPDATE_PRICE:
                assert facts.caps.problem(facts.price, action.proposed["price"]) is None


def test_a_fresh_demo_market_waits_for_advice_on_its_own_products(said: Said) -> None:
    with read_scope() as session:
        waiting = session.scalars(text("SELECT product_id FROM advice_due")).all()
    assert sorted(waiting) == sorted(facts.product_id for facts, _ in said)
