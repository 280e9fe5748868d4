"""Gathers the facts of products for an advisor: a few SELECTs for many products.

Flagged and old values, and prices in another currency, are unknown here, so that no advice
can rest on them. Never writes, never commits.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.catalog.categories import is_named
from core.catalog.marketplaces import get_marketplace
from core.history.current.competitor_values import CompetitorValues, read_competitors
from core.history.ingest.quality_gate import PRICE_FLAGS
from core.history.observation import Availability
from core.suggestions.evidence import queries
from core.suggestions.evidence.competitor_candidates import Candidate, find_candidates
from core.suggestions.evidence.history_figures import (
    LONG,
    SHORT,
    HistoryDay,
    Keys,
    make_history_figures,
)
from core.suggestions.evidence.queries import ListingRow, Moment, ProductValues
from core.suggestions.rules import CompetitorFacts, Evidence, Facts, SnapshotKey
from core.tracking.lists.team_thresholds import read_team_thresholds
from core.tracking.price_caps.rules import PriceCaps

OLDEST_VALUE = timedelta(days=8)  # a weekly check, and a day for its result
MOST_COMPETITORS = 5  # with figures: the first that were chosen
_SOLD = (None, Availability.IN_STOCK, Availability.LIMITED)


def gather_facts(
    session: Session, acting_team_id: int, product_ids: Sequence[int], now: datetime
) -> list[Facts]:
    """Return the facts of those of the products that the team tracks, in their order.

    `now` is aware. Days are in the time zone of each product's marketplace. Figures of a
    period leave out today, which is not over.
    """
    heads = queries.read_products(session, acting_team_id, product_ids)
    found = _FactsBatch(session, acting_team_id, heads, now)
    return [found.facts(heads[each]) for each in dict.fromkeys(product_ids) if each in heads]


class _FactsBatch:
    """Everything read for a batch of products, by product."""

    def __init__(
        self, session: Session, team_id: int, heads: Mapping[int, ProductValues], now: datetime
    ) -> None:
        ids = list(heads)
        self.now = now
        self.thresholds = read_team_thresholds(session, team_id)
        self.competitors = read_competitors(session, team_id, ids, MOST_COMPETITORS)
        self.candidates = find_candidates(session, team_id, heads, self.competitors)
        shown = {each.product_id for chosen in self.competitors.values() for each in chosen}
        self.listings = queries.read_listings(session, [*ids, *shown])
        self.days = queries.read_days(session, ids, now.date() - timedelta(LONG + 1))
        self.declined = queries.read_declined(session, team_id, ids, now)
        self.sources = queries.read_sources(
            session, _moments(heads, self.competitors, self.candidates)
        )
        self.firsts = {
            days: queries.read_first_observations(session, ids, now - timedelta(days))
            for days in (SHORT, LONG)
        }

    def facts(self, head: ProductValues) -> Facts:
        """Return the facts of one product."""
        marketplace = get_marketplace(head.marketplace)
        listing = self.listings.get(head.product_id)
        competitors = self.competitors.get(head.product_id, ())
        competitor_facts = [self._competitor(head, each) for each in competitors]
        evidence = (
            *self._current(head, marketplace.currency),
            *self._history(head, marketplace.currency, marketplace.time_zone),
            *_listing_figures(head.product_id, listing),
            *self._of_competitors(head, competitor_facts, competitors, marketplace.currency),
            *self._of_candidates(head.product_id),
        )
        return Facts(
            product_id=head.product_id,
            marketplace=head.marketplace,
            asin=head.asin,
            as_of=self.now,
            currency=marketplace.currency,
            price=find_usable_price(head, self.now),
            bsr=_fresh(head.bsr, head.bsr_at, self.now),
            bsr_category=head.bsr_category,
            bsr_category_id=head.bsr_category_id,
            rating=head.rating,
            ratings_count=head.ratings_count,
            availability=_fresh(head.availability, head.availability_at, self.now),
            listing=queries.make_listing_facts(listing),
            price_change_percent=_float(head.price_change_percent),
            rank_change_percent=_float(head.rank_change_percent),
            cadence=head.cadence,
            caps=_caps(head),
            competitors=tuple(competitor_facts),
            evidence=evidence,
            declined=frozenset(self.declined.get(head.product_id, ())),
        )

    def _key(self, product_id: int, at: datetime | None) -> tuple[SnapshotKey, ...]:
        source = None if at is None else self.sources.get((product_id, at))
        return () if at is None or source is None else (SnapshotKey(product_id, at, source),)

    def _current(self, head: ProductValues, currency: str) -> Iterator[Evidence]:
        price_key = self._key(head.product_id, head.price_at)
        price = find_usable_price(head, self.now)
        if price is not None:
            yield Evidence("price_now", "Price now", price, f"{currency} minor", None, price_key)
            off, unit = head.coupon_percent, "%"
            if not off:
                off, unit = head.coupon_amount, f"{currency} minor"
            if off:
                yield Evidence("coupon_now", "Coupon now", off, unit, None, price_key)
        bsr = _fresh(head.bsr, head.bsr_at, self.now)
        if bsr is not None:
            key = self._key(head.product_id, head.bsr_at)
            yield Evidence("bsr_now", "Rank now", bsr, "rank", None, key)
        yield from _ratings(head, "", "now", self._key(head.product_id, head.rating_at))
        state = _fresh(head.availability, head.availability_at, self.now)
        if state is not None:
            key = self._key(head.product_id, head.availability_at)
            text = Availability(state).name.lower().replace("_", " ")
            yield Evidence("availability_now", "Availability now", text, "text", None, key)
            if head.stock_left:
                yield Evidence("stock_left_now", "Stock left", head.stock_left, "units", None, key)

    def _history(self, head: ProductValues, currency: str, time_zone: str) -> Iterator[Evidence]:
        today = self.now.astimezone(ZoneInfo(time_zone)).date()
        thresholds = self.thresholds.with_own(
            _either(head.price_change_percent, head.person_price_percent),
            _either(head.rank_change_percent, head.person_rank_percent),
        )
        days: Sequence[HistoryDay] = self.days.get(head.product_id, ())
        keys = self._period_keys(head)
        return make_history_figures(days, today, currency, head.bsr_category_id, thresholds, keys)

    def _period_keys(self, head: ProductValues) -> Keys:
        """Return the first and last observation of each period."""
        last = self._key(head.product_id, head.captured_at)
        found: dict[int, tuple[SnapshotKey, ...]] = {}
        for days, firsts in self.firsts.items():
            first = firsts.get(head.product_id)
            found[days] = tuple(dict.fromkeys((first, *last))) if first else ()
        return found

    def _competitor(self, head: ProductValues, row: CompetitorValues) -> CompetitorFacts:
        """Return a competitor; price and rank only if it is in the same marketplace."""
        is_near = row.marketplace == head.marketplace
        return CompetitorFacts(
            product_id=row.product_id,
            asin=row.asin,
            price=find_usable_price(row, self.now) if is_near else None,
            bsr=_fresh(row.bsr, row.bsr_at, self.now) if is_near else None,
            bsr_category_id=row.bsr_category_id,
            rating=row.rating,
            ratings_count=row.ratings_count,
            listing=queries.make_listing_facts(self.listings.get(row.product_id)),
        )

    def _of_competitors(
        self,
        head: ProductValues,
        found: Sequence[CompetitorFacts],
        rows: Sequence[CompetitorValues],
        currency: str,
    ) -> Iterator[Evidence]:
        for number, (facts, row) in enumerate(zip(found, rows, strict=True), 1):
            name, named = f"competitor_{number}", f"of competitor {number}"
            yield Evidence(name, f"Competitor {number}", facts.asin, "text")
            if facts.price is not None:
                key = self._key(row.product_id, row.price_at)
                unit = f"{currency} minor"
                yield Evidence(f"{name}_price", f"Price {named}", facts.price, unit, None, key)
            if facts.bsr is not None and _is_in_category_of(head, row):
                key = self._key(row.product_id, row.bsr_at)
                yield Evidence(f"{name}_bsr", f"Rank {named}", facts.bsr, "rank", None, key)
            yield from _ratings(row, f"{name}_", named, self._key(row.product_id, row.rating_at))
            yield from _content(name, named, row.product_id, self.listings.get(row.product_id))

    def _of_candidates(self, product_id: int) -> Iterator[Evidence]:
        for number, each in enumerate(self.candidates.get(product_id, ()), 1):
            name, figure = f"candidate_{number}", f"possible competitor {number}"
            key = self._key(each.product_id, each.bsr_at)
            yield Evidence(name, figure.capitalize(), each.asin, "text")
            yield Evidence(f"{name}_bsr", f"Rank of {figure}", each.bsr, "rank", None, key)


def _is_in_category_of(head: ProductValues, row: CompetitorValues) -> bool:
    return is_named(head.bsr_category) and row.bsr_category_id == head.bsr_category_id


def find_usable_price(row: ProductValues | CompetitorValues, now: datetime) -> int | None:
    """Return a price that advice may rest on: accepted, recent, of a product in stock.

    If the newest observation's price is flagged, there is none until another confirms it.
    """
    if row.flags & PRICE_FLAGS or row.availability not in _SOLD:
        return None
    return _fresh(row.price, row.price_at, now)


def _fresh(value: int | None, at: datetime | None, now: datetime) -> int | None:
    return value if at is not None and now - at <= OLDEST_VALUE else None


def _either(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return second if first is None else first


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _caps(head: ProductValues) -> PriceCaps:
    if head.step_percent is None:
        return PriceCaps()
    return PriceCaps(head.floor, head.ceiling, head.step_percent)


def _moments(
    heads: Mapping[int, ProductValues],
    competitors: Mapping[int, Sequence[CompetitorValues]],
    candidates: Mapping[int, Sequence[Candidate]],
) -> set[Moment]:
    """Return the product and time of every observation that a current value came from."""
    found: set[tuple[int, datetime | None]] = set()
    for head in heads.values():
        ats = (head.captured_at, head.price_at, head.bsr_at, head.rating_at, head.availability_at)
        found |= {(head.product_id, at) for at in ats}
    for row in (each for chosen in competitors.values() for each in chosen):
        found |= {(row.product_id, at) for at in (row.price_at, row.bsr_at, row.rating_at)}
    for each in (near for chosen in candidates.values() for near in chosen):
        found.add((each.product_id, each.bsr_at))
    return {(product_id, at) for product_id, at in found if at is not None}


def _ratings(
    row: ProductValues | CompetitorValues, before: str, named: str, key: tuple[SnapshotKey, ...]
) -> Iterator[Evidence]:
    now = "" if before else "_now"
    if row.rating is not None:
        figure, rating = f"Rating {named}", row.rating
        yield Evidence(f"{before}rating{now}", figure, rating, "stars/10", None, key)
    if row.ratings_count is not None:
        figure, count = f"Ratings {named}", row.ratings_count
        yield Evidence(f"{before}ratings_count{now}", figure, count, "ratings", None, key)


# Listings


def _listing_key(product_id: int, row: ListingRow) -> tuple[SnapshotKey, ...]:
    return (SnapshotKey(product_id, row.first_seen_at, row.source),)


def _listing_figures(product_id: int, row: ListingRow | None) -> Iterator[Evidence]:
    facts = queries.make_listing_facts(row)
    if row is None:
        return
    key, unit = _listing_key(product_id, row), "characters"
    if facts.title is not None:
        yield Evidence("title_length", "Length of the title", len(facts.title), unit, None, key)
    if facts.bullets is not None:
        size = sum(map(len, facts.bullets))
        yield Evidence("bullets_length", "Length of all bullets", size, unit, None, key)
    if facts.description is not None:
        size = len(facts.description)
        yield Evidence("description_length", "Length of the description", size, unit, None, key)
    yield from _content("", "of the listing", product_id, row)


def _content(name: str, named: str, product_id: int, row: ListingRow | None) -> Iterator[Evidence]:
    """Return the number of bullets and images of a listing, for comparing listings."""
    facts = queries.make_listing_facts(row)
    if row is None or facts.bullets is None or facts.image_count is None:
        return
    key, prefix = _listing_key(product_id, row), f"{name}_" if name else ""
    count, images = len(facts.bullets), facts.image_count
    yield Evidence(f"{prefix}bullet_count", f"Bullets {named}", count, "bullets", None, key)
    yield Evidence(f"{prefix}image_count", f"Images {named}", images, "images", None, key)
