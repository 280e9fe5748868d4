"""Candidates for an own product's competitors: same subcategory, near in rank."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log

from sqlalchemy.orm import Session

from core.catalog.categories import is_named
from core.history.current.competitor_values import CompetitorValues
from core.suggestions.evidence import queries
from core.suggestions.evidence.queries import ListingCategory, ProductValues

MOST_CANDIDATES = 3  # competitors of an own product, chosen and proposed together
ENOUGH_COMPETITORS = 2  # chosen ones: enough for rules to compare, so no more are proposed
LARGEST_RANK_RATIO = 3.0  # times better or worse in rank
_NEIGHBOURS = 5  # neighbours in rank on each side whose subcategory is read


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tracked product that may be added as a competitor of an own one."""

    product_id: int
    asin: str
    bsr: int
    bsr_at: datetime | None


_Ranked = Sequence[tuple[int, int]]  # (rank, product) of one category, best first


def find_candidates(
    session: Session,
    team_id: int,
    heads: Mapping[int, ProductValues],
    competitors: Mapping[int, Sequence[CompetitorValues]],
) -> dict[int, list[Candidate]]:
    """Return the candidates for each product's competitors, nearest in rank first.

    They have a rank in the same main category, the same last category in the listing, and
    another brand. Only products with too few competitors are in the result.
    """
    incomplete = [
        head for own, head in heads.items() if len(competitors.get(own, ())) < ENOUGH_COMPETITORS
    ]
    ranked = _read_ranks(session, team_id, incomplete)
    near = {head.product_id: _find_near(head, ranked, competitors) for head in incomplete}
    ids = {product for found in near.values() for _, product in found} | {
        own for own, found in near.items() if found
    }
    listings = queries.read_listing_categories(session, ids) if ids else {}
    return {
        own: list(_filter_same_subcategory(own, found, listings)) for own, found in near.items()
    }


def _read_ranks(
    session: Session, team_id: int, heads: Sequence[ProductValues]
) -> dict[int, _Ranked]:
    named = [head.bsr_category_id for head in heads if is_named(head.bsr_category)]
    categories = {number for number in named if number is not None}
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    if categories:
        for product_id, category_id, bsr in queries.read_ranked_others(
            session, team_id, categories
        ):
            found[category_id].append((bsr, product_id))
    return {category_id: sorted(ranks) for category_id, ranks in found.items()}


def _find_near(
    head: ProductValues,
    ranked: Mapping[int, _Ranked],
    competitors: Mapping[int, Sequence[CompetitorValues]],
) -> list[tuple[int, int]]:
    """Return (rank, product) of the nearest in rank in a product's category, nearest first."""
    if not head.bsr or head.bsr_category_id is None or not is_named(head.bsr_category):
        return []
    others = ranked.get(head.bsr_category_id, ())
    place = bisect_left(others, (head.bsr, 0))
    around = others[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS]
    known = {each.product_id for each in competitors.get(head.product_id, ())} | {head.product_id}
    near = [(_distance(head.bsr, bsr), bsr, each) for bsr, each in around if each not in known]
    return [
        (bsr, each) for distance, bsr, each in sorted(near) if distance <= log(LARGEST_RANK_RATIO)
    ]


def _distance(one: int, other: int) -> float:
    return abs(log(one / other))


def _filter_same_subcategory(
    own: int,
    near: Sequence[tuple[int, int]],
    listings: Mapping[int, ListingCategory],
) -> Iterator[Candidate]:
    if own not in listings:
        return
    listing = listings[own]
    for bsr, product_id in near:
        other = listings.get(product_id)
        if other is not None and _can_compete(listing, other):
            yield Candidate(product_id, other.asin, bsr, other.bsr_at)


def _can_compete(own: ListingCategory, other: ListingCategory) -> bool:
    is_other_brand = own.brand is None or own.brand != other.brand
    return (
        bool(own.category_path)
        and own.category_path[-1:] == other.category_path[-1:]
        and is_other_brand
    )
