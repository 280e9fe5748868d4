"""Who may be a competitor of an own product: of the same shelf, and near in rank."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log

from sqlalchemy.orm import Session

from core.catalog.categories import is_named
from core.suggestions.competitors.queries import CompetitorValues
from core.suggestions.evidence import queries
from core.suggestions.evidence.queries import ProductValues, Shelf

WANTED = 3  # competitors beside an own product, chosen and proposed together
ENOUGH = 2  # chosen ones: with so many, rules can compare, and nobody more is proposed
NEAR = 3.0  # times better or worse in rank
_LOOKED_AT = 5  # neighbours in rank on each side whose shelf is looked up


@dataclass(frozen=True, slots=True)
class Candidate:
    """A followed product that stands near an own one."""

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
    """Return who could be added to each product's competitors, the nearest in rank first.

    Same main category by rank, same last category by the listing, another brand.
    """
    wanting = [head for own, head in heads.items() if len(competitors.get(own, ())) < ENOUGH]
    ranked = _by_category(session, team_id, wanting)
    near = {head.product_id: _near(head, ranked, competitors) for head in wanting}
    ids = {product for found in near.values() for _, product in found} | {
        own for own, found in near.items() if found
    }
    shelves = queries.read_shelves(session, ids) if ids else {}
    return {own: list(_same_shelf(own, found, shelves)) for own, found in near.items()}


def _by_category(
    session: Session, team_id: int, heads: Sequence[ProductValues]
) -> dict[int, _Ranked]:
    named = [head.bsr_category_id for head in heads if is_named(head.bsr_category)]
    categories = {number for number in named if number is not None}
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    if categories:
        for product_id, category_id, bsr in queries.ranked_others(session, team_id, categories):
            found[category_id].append((bsr, product_id))
    return {category_id: sorted(ranks) for category_id, ranks in found.items()}


def _near(
    head: ProductValues,
    ranked: Mapping[int, _Ranked],
    competitors: Mapping[int, Sequence[CompetitorValues]],
) -> list[tuple[int, int]]:
    """Return the nearest in rank of a product's category, nearest first."""
    if not head.bsr or head.bsr_category_id is None or not is_named(head.bsr_category):
        return []
    others = ranked.get(head.bsr_category_id, ())
    place = bisect_left(others, (head.bsr, 0))
    around = others[max(0, place - _LOOKED_AT) : place + _LOOKED_AT]
    known = {each.product_id for each in competitors.get(head.product_id, ())} | {head.product_id}
    near = [(_distance(head.bsr, bsr), bsr, each) for bsr, each in around if each not in known]
    return [(bsr, each) for distance, bsr, each in sorted(near) if distance <= log(NEAR)]


def _distance(one: int, other: int) -> float:
    return abs(log(one / other))


def _same_shelf(
    own: int,
    near: Sequence[tuple[int, int]],
    shelves: Mapping[int, Shelf],
) -> Iterator[Candidate]:
    if own not in shelves:
        return
    shelf = shelves[own]
    for bsr, product_id in near:
        other = shelves.get(product_id)
        if other is not None and _is_same(shelf, other):
            yield Candidate(product_id, other.asin, bsr, other.bsr_at)


def _is_same(own: Shelf, other: Shelf) -> bool:
    is_rival = own.brand is None or own.brand != other.brand
    return (
        bool(own.category_path) and own.category_path[-1:] == other.category_path[-1:] and is_rival
    )
