"""Facts of tracked products, gathered with the observations they came from."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.models import Person
from core.catalog.categories import UNNAMED_CATEGORY
from core.catalog.listing import Listing
from core.history.observation import Availability, CategoryRank, PriceBasis, Source
from core.suggestions.advisors.rule_advisor import advise_by_rules
from core.suggestions.evidence.collect import gather_facts
from core.suggestions.facts_payload import make_facts_payload
from core.suggestions.fingerprints import change_hash, evidence_hash
from core.suggestions.models import Suggestion
from core.suggestions.rules import Advice, Change, Facts, SnapshotKey
from core.tracking.competitors.models import Competitor
from core.tracking.price_caps.models import PriceCap
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.rules import Role
from tests.factories.observations import NOON, NOW, make_observation, store_observations
from tests.factories.people import add_colleague, add_stranger
from tests.factories.products import KETTLE, LAMP, add_product, make_listing, track_products

FULL = {"images": tuple(f"https://images.example/{n}.jpg" for n in range(5))}
COMPETITOR = "B0TEST0003"


def store_days(session: Session, asin: str = LAMP, days: int = 30, **values: Any) -> None:
    """Store an observation at noon of each of the last days; today's is at eleven."""
    observations = [
        make_observation(asin, NOW - timedelta(days=ago), **values) for ago in range(days, 0, -1)
    ]
    last = make_observation(asin, NOW - timedelta(hours=1), listing=make_listing(**FULL), **values)
    store_observations(session, *observations, last)


def track(session: Session, principal: Principal, *asins: str, **how: Any) -> list[int]:
    return track_products(session, principal, asins, **how)


def facts_of(session: Session, principal: Principal, product_id: int, now: datetime = NOW) -> Facts:
    (found,) = gather_facts(session, principal.team_id, [product_id], now)
    return found


def add_competitors(session: Session, principal: Principal, own: int, *others: int) -> None:
    for other in others:
        row = {"team_id": principal.team_id, "product_id": own, "competitor_id": other}
        session.execute(insert(Competitor).values(**row, added_by=principal.person_id))


def figures(facts: Facts) -> dict[str, Any]:
    return {each.key: each.value for each in facts.evidence}


def test_values_are_frozen_with_the_observation_they_came_from(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    store_days(session)
    facts = facts_of(session, principal, lamp)
    known = {each.key: each for each in facts.evidence}
    price, usual = known["price_now"], known["price_median_30"]
    last = SnapshotKey(lamp, NOW - timedelta(hours=1), int(Source.AXESSO))
    assert (price.value, price.unit, price.snapshots) == (2000, "USD minor", (last,))
    first = SnapshotKey(lamp, NOW - timedelta(days=30), int(Source.AXESSO))
    assert (usual.value, usual.snapshots) == (2000, (first, last))
    assert (facts.price, facts.bsr, facts.bsr_category, facts.rating) == (2000, 500, "Lamps", 45)


def test_history_is_of_whole_days_and_facts_have_the_listing_text(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    store_days(session)
    facts = facts_of(session, principal, lamp)
    found = figures(facts)
    assert (found["price_days_30"], found["stock_days_30"]) == (30, 30)  # today is not over
    assert (found["bullet_count"], found["image_count"]) == (2, 5)
    assert facts.listing.title == "Reading lamp with a long neck"
    assert facts.listing.category_path == ("Home", "Lamps")


@pytest.mark.parametrize(
    ("coupon", "figure"),
    [
        ({}, None),
        ({"coupon_percent": 10}, (10, "%")),
        ({"coupon_amount": 300}, (300, "USD minor")),
    ],
)
def test_a_coupon_is_a_figure_as_percent_or_amount(
    session: Session, principal: Principal, coupon: dict[str, int], figure: tuple[int, str] | None
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    store_days(session, **coupon)
    found = [
        (each.value, each.unit)
        for each in facts_of(session, principal, lamp).evidence
        if each.key == "coupon_now"
    ]
    assert found == ([] if figure is None else [figure])


def test_only_tracked_products_have_facts_in_the_requested_order(
    session: Session, principal: Principal
) -> None:
    lamp, kettle = track(session, principal, LAMP, KETTLE)
    untracked = add_product(session, COMPETITOR)
    ids = [kettle, untracked, lamp, kettle]
    assert [each.asin for each in gather_facts(session, principal.team_id, ids, NOW)] == [
        KETTLE,
        LAMP,
    ]
    assert gather_facts(session, add_stranger(session).team_id, ids, NOW) == []
    assert gather_facts(session, principal.team_id, [], NOW) == []


def test_a_product_that_was_never_checked_has_facts_and_no_figures(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP)
    facts = facts_of(session, principal, lamp)
    assert (facts.price, facts.bsr, facts.listing.bullets) == (None, None, None)
    assert advise_by_rules(facts) == ()


def test_a_flagged_price_is_unknown_until_it_is_confirmed(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    store_days(session)
    store_observations(session, make_observation(at=NOW - timedelta(minutes=5), price=200_000))
    facts = facts_of(session, principal, lamp)
    assert facts.price is None
    assert "price_now" not in figures(facts)
    assert figures(facts)["price_high_90"] == 2000


def test_a_price_in_another_currency_is_no_price(session: Session, principal: Principal) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    store_observations(
        session, make_observation(at=NOW - timedelta(hours=1), price=2700, currency="CAD")
    )
    assert facts_of(session, principal, lamp).price is None


def test_an_old_price_and_one_of_a_product_that_is_not_sold_are_unknown(
    session: Session, principal: Principal
) -> None:
    lamp, kettle = track(session, principal, LAMP, KETTLE)
    store_observations(session, make_observation(at=NOW - timedelta(days=9)))
    gone = {"availability": Availability.UNAVAILABLE, "price": None, "price_basis": None}
    store_observations(session, make_observation(KETTLE, NOW - timedelta(days=1)))
    store_observations(session, make_observation(KETTLE, NOW - timedelta(hours=1), **gone))
    old, away = gather_facts(session, principal.team_id, [lamp, kettle], NOW)
    assert (old.price, old.bsr, away.price) == (None, None, None)


def test_a_lowest_offer_beside_a_lost_buy_box_is_no_price_to_move(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP)
    suppressed = {"availability": Availability.BUY_BOX_SUPPRESSED}
    store_observations(
        session,
        make_observation(
            at=NOW - timedelta(hours=1), price_basis=PriceBasis.LOWEST_NEW, **suppressed
        ),
    )
    assert facts_of(session, principal, lamp).price is None


def test_a_competitor_is_compared_in_its_own_shop_only(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    store_days(session, days=3)
    store_observations(
        session, make_observation(COMPETITOR, NOW - timedelta(hours=1), price=1900, rank=90)
    )
    store_observations(
        session, make_observation(KETTLE, NOW - timedelta(hours=1), price=1700, marketplace="CA")
    )
    add_competitors(
        session,
        principal,
        lamp,
        add_product(session, COMPETITOR),
        add_product(session, KETTLE, "CA"),
    )
    facts = facts_of(session, principal, lamp)
    assert [each.price for each in facts.competitors] == [1900, None]
    found = figures(facts)
    assert (found["competitor_1"], found["competitor_1_price"]) == (COMPETITOR, 1900)
    assert (found["competitor_1_bsr"], found["competitor_2"]) == (90, KETTLE)
    assert {"competitor_2_price", "competitor_2_bsr"} & set(found) == set()


def test_each_rating_names_its_product(session: Session, principal: Principal) -> None:
    lamp, competitor = track(session, principal, LAMP, COMPETITOR)
    store_observations(session, make_observation(LAMP, NOW), make_observation(COMPETITOR, NOW))
    add_competitors(session, principal, lamp, competitor)
    named = [each.figure for each in facts_of(session, principal, lamp).evidence]
    ratings = [figure for figure in named if figure.startswith("Rating")]
    assert sorted(ratings) == [
        "Rating now", "Rating of competitor 1", "Ratings now", "Ratings of competitor 1",
    ]  # fmt: skip


def test_a_rank_in_another_category_is_no_rank_to_compare(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    store_days(session, days=3)
    toys = (CategoryRank("Toys", 3),)
    store_observations(session, make_observation(COMPETITOR, NOW - timedelta(hours=1), ranks=toys))
    add_competitors(session, principal, lamp, add_product(session, COMPETITOR))
    assert "competitor_1_bsr" not in figures(facts_of(session, principal, lamp))


def test_a_rank_of_no_named_category_is_no_evidence_of_a_competitor(
    session: Session, principal: Principal
) -> None:
    lamp, kettle = track(session, principal, LAMP, KETTLE, role=Role.OWN)
    add_competitors(session, principal, lamp, kettle)
    somewhere = {"ranks": (CategoryRank(UNNAMED_CATEGORY, 90),)}
    store_observations(
        session,
        *(make_observation(asin, NOW - timedelta(hours=1), **somewhere) for asin in (LAMP, KETTLE)),
    )
    found = figures(facts_of(session, principal, lamp))
    assert found["bsr_now"] == 90
    assert "competitor_1_price" in found
    assert "competitor_1_bsr" not in found


def test_competitors_and_caps_of_another_team_do_not_count(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    other = add_stranger(session)
    add_competitors(session, other, lamp, add_product(session, COMPETITOR))
    cap = {"team_id": other.team_id, "product_id": lamp, "floor": 1}
    session.execute(insert(PriceCap).values(**cap))
    facts = facts_of(session, principal, lamp)
    assert (facts.competitors, facts.caps) == ((), PriceCaps())


def test_caps_thresholds_and_cadence_are_the_teams(session: Session, principal: Principal) -> None:
    (lamp,) = track(session, principal, LAMP, price_change_percent=Decimal("7.5"))
    cap = {"team_id": principal.team_id, "product_id": lamp, "floor": 1800, "step_percent": 5}
    session.execute(insert(PriceCap).values(**cap))
    session.get_one(Person, principal.person_id).rank_change_percent = Decimal(80)
    session.flush()
    store_days(session, days=3)
    facts = facts_of(session, principal, lamp)
    assert facts.caps == PriceCaps(1800, None, 5.0)
    assert (facts.price_change_percent, facts.rank_change_percent) == (7.5, None)
    assert (figures(facts)["price_threshold"], figures(facts)["rank_threshold"]) == (7.5, 80.0)
    assert facts.cadence == "daily"


def test_near_products_of_the_same_subcategory_are_candidates(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    store_days(session, days=3)
    asins = {"B0NEAR0001": 600, "B0NEAR0002": 450, "B0FAR00001": 5000, "B0SHELF001": 510}
    others = track(session, principal, *asins, role=Role.WATCHED)
    for asin, rank in asins.items():
        path = ("Home", "Rugs") if asin == "B0SHELF001" else ("Home", "Lamps")
        page = make_listing(brand="Other", category_path=path, **FULL)
        store_observations(
            session, make_observation(asin, NOW - timedelta(hours=2), rank=rank, listing=page)
        )
    found = figures(facts_of(session, principal, lamp))
    near = [found[f"candidate_{n}"] for n in (1, 2) if f"candidate_{n}" in found]
    assert (near, "candidate_3" in found) == (["B0NEAR0002", "B0NEAR0001"], False)
    add_competitors(session, principal, lamp, others[0])
    again = figures(facts_of(session, principal, lamp))
    assert (again["candidate_1"], "candidate_2" in again) == ("B0NEAR0002", False)


@pytest.mark.parametrize("role", [Role.OWN, Role.WATCHED])
def test_own_products_and_own_brands_are_no_candidates(
    session: Session, principal: Principal, role: Role
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    store_days(session, days=3)
    track(session, principal, KETTLE, role=role)
    brand = "Other" if role is Role.OWN else "Lumo"
    page = make_listing(brand=brand, **FULL)
    store_observations(session, make_observation(KETTLE, NOW - timedelta(hours=2), listing=page))
    assert "candidate_1" not in figures(facts_of(session, principal, lamp))


def test_an_overview_without_bullets_leaves_them_unknown(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP)
    page = make_listing(bullets=(), images=("https://images.example/1.jpg",))
    store_observations(session, make_observation(at=NOW - timedelta(hours=1), listing=page))
    listing = facts_of(session, principal, lamp).listing
    assert (listing.title, listing.bullets, listing.image_count) == (
        "Reading lamp with a long neck",
        None,
        None,
    )


def test_a_whole_page_without_bullets_lacks_them(session: Session, principal: Principal) -> None:
    (lamp,) = track(session, principal, LAMP)
    page = make_listing(bullets=(), **FULL)
    store_observations(session, make_observation(at=NOW - timedelta(hours=1), listing=page))
    assert facts_of(session, principal, lamp).listing.bullets == ()


def test_a_title_of_a_bestseller_list_keeps_the_text_read_from_the_page(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP)
    store_observations(
        session, make_observation(at=NOW - timedelta(hours=2), listing=make_listing(**FULL))
    )
    before = facts_of(session, principal, lamp).listing
    listed = Listing(title="Reading lamp, now longer")
    store_observations(
        session,
        make_observation(at=NOW - timedelta(hours=1), source=Source.BESTSELLERS, listing=listed),
    )
    after = facts_of(session, principal, lamp).listing
    assert after.title == listed.title
    assert before.bullets
    assert (after.bullets, after.image_count) == (before.bullets, before.image_count)


def test_a_product_tracked_by_two_users_has_the_teams_facts_once(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP)
    track(session, add_colleague(session, principal), LAMP)
    assert len(gather_facts(session, principal.team_id, [lamp], NOW)) == 1


def decline(
    session: Session, principal: Principal, advice: Advice, product_id: int, at: datetime
) -> None:
    """Store this advice as a declined suggestion."""
    session.execute(
        insert(Suggestion).values(
            team_id=principal.team_id,
            product_id=product_id,
            kind=advice.kind.value,
            title=advice.title,
            reasoning=advice.reasoning,
            priority=advice.priority,
            confidence=advice.confidence,
            worth=1.0,
            metric=advice.metric.value,
            direction=advice.direction.value,
            window_days=advice.window_days,
            state="declined",
            advisor="rules",
            evidence=[],
            change_hash=change_hash(advice),
            evidence_hash=evidence_hash(advice),
            made_at=at,
            expires_at=at,
            decided_at=at,
        )
    )


def test_what_the_team_declined_is_not_advised_again(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    long = "Lumo Reading Lamp for Desks and Shelves, Dimmable in Five Steps, with a Heavy Base"
    at = datetime(2026, 11, 2, 12, tzinfo=NOW.tzinfo)
    page = make_listing(title=long, **FULL)
    store_observations(session, make_observation(at=at - timedelta(hours=1), listing=page), now=at)
    (advice,) = advise_by_rules(facts_of(session, principal, lamp, at))
    assert advice.actions[0].change is Change.UPDATE_TITLE
    decline(session, add_stranger(session), advice, lamp, at)
    assert len(advise_by_rules(facts_of(session, principal, lamp, at))) == 1
    decline(session, principal, advice, lamp, at)
    assert advise_by_rules(facts_of(session, principal, lamp, at)) == ()
    much_later = at + timedelta(days=181)
    assert len(advise_by_rules(facts_of(session, principal, lamp, much_later))) == 1


def test_an_ordinary_products_facts_fit_into_1500_tokens(
    session: Session, principal: Principal
) -> None:
    (lamp,) = track(session, principal, LAMP, role=Role.OWN)
    page = {
        "title": "Lumo Reading Lamp, " + "dimmable in many steps, " * 7,
        "bullets": ("B" * 195,) * 5,
        "description": "D" * 2000,
    }
    listing = make_listing(**page, **FULL)
    store_observations(
        session,
        *(make_observation(at=NOON + timedelta(days=ago), listing=listing) for ago in range(30)),
    )
    competitors = [f"B0COMP{number:04d}" for number in range(5)]
    store_observations(
        session,
        *(
            make_observation(each, NOW - timedelta(hours=1), listing=listing)
            for each in competitors
        ),
    )
    add_competitors(session, principal, lamp, *(add_product(session, each) for each in competitors))
    facts = facts_of(session, principal, lamp)
    assert len(facts.competitors) == 5
    assert len(json.dumps(make_facts_payload(facts), ensure_ascii=False)) / 4 <= 1500
