"""Values that each team has of its own: whose Buy Box it is, price limits, unexplained edits.

They are made from the accepted values of all. Never commits.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.alerts.evaluation.fold import Measured
from core.alerts.evaluation.series import SELLER_ID, SELLER_NAME, ReadingPlan, Series
from core.alerts.rules.rule import BuyBoxOwner, ListingEdit, PriceLimits, Subject
from core.catalog.listing_versions import as_listing
from core.catalog.models import ListingVersion
from core.database.session import driver_connection
from core.history.expected.queries import read_expected_values
from core.history.expected.rules import ExpectedValue, Explanation, explain_listing
from core.tracking.sellers.queries import read_own_sellers
from core.tracking.sellers.rules import OwnSellers, is_own_seller

Values = Mapping[str, Measured]  # of one product at one time, by the keys of their series
EDITS_LOOK_BACK: Final = timedelta(days=90)  # an edit is compared with the versions of so long
# The lowest and the highest price that a team allows, each with from when on, oldest first.
Limits = Sequence[tuple[datetime, int | None, int | None]]


class TeamFacts:
    """What teams set for some products."""

    def __init__(
        self, session: Session, series: Iterable[Series], marketplaces: Mapping[int, str]
    ) -> None:
        self._series = tuple(series)
        self._marketplaces = marketplaces
        products = sorted(marketplaces)
        of_limits = _list_teams(self._series, Subject.PRICE_LIMITS)
        self._limits = _read_limits(session, of_limits, products) if of_limits else {}
        self._sellers: Mapping[int, OwnSellers] = {
            team: read_own_sellers(session, team)
            for team in _list_teams(self._series, Subject.BUY_BOX_OWNER)
        }

    def make_values(self, product_id: int, values: Values, at: datetime) -> dict[str, Measured]:
        """Return the teams' values that follow from a product's values at one time, `at`."""
        made = {}
        for each in self._series:
            team = each.team_id
            if team is None:
                continue
            if each.subject is Subject.PRICE_LIMITS:
                measured = self._find_limits(team, product_id, values, at)
            elif each.subject is Subject.BUY_BOX_OWNER:
                measured = self._find_owner(team, product_id, values)
            else:
                continue
            if measured is not None:
                made[each.key] = measured
        return made

    def list_changes(self, product_id: int, since: datetime, until: datetime) -> list[datetime]:
        """Return when a team changed a product's price limits in a time, both ends included."""
        return sorted(
            {
                at
                for (_, number), limits in self._limits.items()
                if number == product_id
                for at, _, _ in limits
                if since <= at <= until
            }
        )

    def make_changed_limits(
        self, product_id: int, price: Measured | None, at: datetime
    ) -> dict[str, Measured]:
        """Return where the price of that time stands against the limits from then on."""
        values = {} if price is None else {Subject.PRICE.value: price}
        made = self.make_values(product_id, values, at)
        of_limits = {each.key for each in self._series if each.subject is Subject.PRICE_LIMITS}
        return {key: each._replace(at=at) for key, each in made.items() if key in of_limits}

    def _find_limits(
        self, team: int, product_id: int, values: Values, at: datetime
    ) -> Measured | None:
        price = values.get(Subject.PRICE.value)
        if price is None or not isinstance(price.value, int):
            return None
        floor = ceiling = None
        for since, lowest, highest in self._limits.get((team, product_id), ()):
            if since <= at:
                floor, ceiling = lowest, highest
        state = PriceLimits.WITHIN
        if floor is not None and price.value < floor:
            state = PriceLimits.BELOW_FLOOR
        elif ceiling is not None and price.value > ceiling:
            state = PriceLimits.ABOVE_CEILING
        return Measured(state.value, price.at)

    def _find_owner(self, team: int, product_id: int, values: Values) -> Measured | None:
        found = [each for key in (SELLER_ID, SELLER_NAME) if (each := values.get(key)) is not None]
        if not found:
            return None
        at = max(each.at for each in found)
        number, name = (
            str(each.value) if each is not None and each.at == at else None
            for each in (values.get(SELLER_ID), values.get(SELLER_NAME))
        )
        is_own = is_own_seller(self._sellers[team], self._marketplaces[product_id], number, name)
        if is_own is None:
            return None
        return Measured((BuyBoxOwner.OWN if is_own else BuyBoxOwner.OTHER).value, at)


def _list_teams(series: Iterable[Series], subject: Subject) -> list[int]:
    found = {each.team_id for each in series if each.subject is subject}
    return sorted(each for each in found if each is not None)


def _read_limits(
    session: Session, teams: Collection[int], product_ids: Collection[int]
) -> dict[tuple[int, int], Limits]:
    """Return the price limits of products, by team and product."""
    rows = driver_connection(session).execute(
        "SELECT team_id, product_id, changed_at, floor, ceiling FROM price_cap_change "
        "WHERE team_id = ANY(%s) AND product_id = ANY(%s) ORDER BY changed_at",
        [list(teams), list(product_ids)],
    )
    found: dict[tuple[int, int], list[tuple[datetime, int | None, int | None]]] = defaultdict(list)
    for team, product, *limits in rows:
        found[team, product].append((limits[0], limits[1], limits[2]))
    return dict(found)


# Edits of listings


def read_listing_edits(
    session: Session, plan: ReadingPlan, until: Mapping[int, datetime | None]
) -> dict[int, list[tuple[str, Measured]]]:
    """Return whether each listing version follows what a team approved, by product, oldest first.

    Each value stands beside the key of its series. `until`: the last moment of each product; None:
    all. A version is compared with the last one that was explained, so that an edit that is
    taken back is over. A product's first version is no edit.
    """
    edits = [each for each in plan.of_teams if each.subject is Subject.LISTING_EDIT]
    if not edits or not until:
        return {}
    versions = _read_versions(session, until)
    found: dict[int, list[tuple[str, Measured]]] = defaultdict(list)
    for each in edits:
        assert each.team_id is not None
        expected = read_expected_values(session, each.team_id, versions)
        since = plan.edits_since.get(each.team_id)
        for product_id, rows in versions.items():
            for measured in explain_versions(rows, expected.get(product_id, []), since):
                found[product_id].append((each.key, measured))
    return found


def _read_versions(
    session: Session, until: Mapping[int, datetime | None]
) -> dict[int, list[ListingVersion]]:
    """Return the versions of listings that changed, oldest first."""
    ends = [each for each in until.values() if each is not None]
    first = None if len(ends) < len(until) else min(ends) - EDITS_LOOK_BACK
    statement = select(ListingVersion).where(ListingVersion.product_id.in_(list(until)))
    if first is not None:
        statement = statement.where(ListingVersion.last_seen_at >= first)
    found: dict[int, list[ListingVersion]] = defaultdict(list)
    order = (ListingVersion.product_id, ListingVersion.first_seen_at, ListingVersion.id)
    for row in session.scalars(statement.order_by(*order)):
        end = until[row.product_id]
        if end is None or row.first_seen_at <= end:
            found[row.product_id].append(row)
    return {product_id: rows for product_id, rows in found.items() if len(rows) > 1}


def explain_versions(
    rows: Sequence[ListingVersion], expected: Sequence[ExpectedValue], since: datetime | None
) -> list[Measured]:
    """Return for each version after the first whether it follows what was approved.

    What was shown before `since` counts as approved.
    """
    trusted, made = as_listing(rows[0]), list[Measured]()
    for row in rows[1:]:
        listing, at = as_listing(row), row.first_seen_at
        explanations = set(explain_listing(expected, trusted, listing, at).values())
        if since is not None and at < since:
            edit, trusted = ListingEdit.EXPLAINED, listing
        elif Explanation.UNEXPLAINED in explanations:
            edit = ListingEdit.UNEXPLAINED
        elif Explanation.DRIFT in explanations:
            edit = ListingEdit.DRIFT
        else:
            edit, trusted = ListingEdit.EXPLAINED, listing
        made.append(Measured(edit.value, at))
    return made
