"""Cached reads of the Overview, as of a minute ago at most.

The session's token is part of each cache key, as with the lists of products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.data import get_principal
from app.data.cache import cached_read
from app.data.products import get_cache_token
from core.accounts.access.permissions import Permission, Principal
from core.accounts.people.membership import count_members
from core.alerts.incidents import queries as incidents
from core.alerts.incidents.incident_filter import IncidentFilter
from core.alerts.incidents.queries import IncidentPage
from core.database.session import read_scope
from core.history.changes.change_query import ChangeQuery, find_first_start
from core.history.changes.comparison import ChangedProduct
from core.history.changes.movers import Mover, list_extreme_movers
from core.history.changes.period_changes import list_worst_changes
from core.history.periods import figures
from core.history.periods.change_period import ChangePeriod
from core.history.periods.charts import Cell, make_cells
from core.history.periods.figures import DayFigures, PeriodFigures
from core.history.periods.queries import (
    IndexDay,
    MovedValue,
    list_change_counts,
    list_index_days,
)
from core.scraping.runs.providers import has_access
from core.settings.environment import get_settings
from core.suggestions.review import queries as suggestions
from core.suggestions.review.views import VerifiedAction
from core.tracking.list_filter import ListFilter, ListScope
from core.tracking.lists import freshness
from core.tracking.lists.queries import read_sparklines
from core.tracking.rules import Role
from core.tracking.sellers.queries import read_own_sellers

ISSUES_SHOWN: Final = 5
MOVERS_SHOWN: Final = 4  # to each side
MOVES_SHOWN: Final = 6
VERIFIED_SHOWN: Final = 3
FEWEST_DAYS: Final = 7  # of lines and indexes
HEAT_DAYS: Final = 30
MOST_COMPARED: Final = 1_000  # competitors; of more, those that changed since yesterday
CANDIDATES: Final = 200


@dataclass(frozen=True, slots=True)
class OverviewChoice:
    """What the Overview shows. Empty: all."""

    period: ChangePeriod
    scope: ListScope
    roles: tuple[Role, ...]
    marketplaces: tuple[str, ...]

    @property
    def list_filter(self) -> ListFilter:
        """Return the products that figures are of."""
        return ListFilter(marketplaces=self.marketplaces, roles=self.roles, scope=self.scope)

    @property
    def line_days(self) -> int:
        """Return how many days lines and indexes show."""
        return max(self.period.days, FEWEST_DAYS)


@dataclass(frozen=True, slots=True)
class CountedDays:
    """How many there were at each of the last days, oldest first; the last is now."""

    counts: tuple[int, ...]
    period: ChangePeriod

    @property
    def now(self) -> int:
        """Return how many there are."""
        return self.counts[-1]

    @property
    def change(self) -> int:
        """Return how many more there are than when the period began."""
        return self.counts[-1] - self.counts[-1 - self.period.days]


@dataclass(frozen=True, slots=True)
class CompetitorMoves:
    """The worst changes of competitors. `is_complete`: False if not all were compared."""

    rows: list[ChangedProduct]
    competitors: int  # at most MOST_COMPARED + 1
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the Overview shows but its movers."""

    as_of: datetime
    has_own_products: bool
    figures: PeriodFigures
    days: list[DayFigures]
    issues: IncidentPage
    issue_days: CountedDays
    rank_lines: dict[int, list[float | None]]  # closes of 30 days, by product of an issue
    pending: dict[int, int]  # by priority
    pending_days: CountedDays
    verified: list[VerifiedAction]
    index_days: list[IndexDay]
    moves: CompetitorMoves
    cells: list[Cell]


def read_overview(choice: OverviewChoice) -> Overview:
    """Return the Overview of a choice."""
    return _read_overview(get_principal(), choice, get_cache_token())


@cached_read(seconds=60, entries=200)
def _read_overview(who: Principal, choice: OverviewChoice, token: str) -> Overview:
    ids = _list_ids(who, choice.list_filter, token)
    now = datetime.now(UTC)
    moments = [now - timedelta(days=n) for n in range(choice.line_days, -1, -1)]
    since = now.date() - timedelta(days=choice.line_days)
    with read_scope() as session:
        own = read_own_sellers(session, who.team_id)
        first = now.date() - timedelta(days=HEAT_DAYS)
        figure_days = figures.list_figure_days(session, who, choice.list_filter, own, first)
        asked = IncidentFilter(
            scope=choice.scope, roles=choice.roles, marketplaces=choice.marketplaces
        )
        issues = incidents.find_open_issues(
            session, who, asked, now, size=ISSUES_SHOWN, is_by_kind=True
        )
        of_issues = [row.product_id for row in issues.rows]
        ranks = {
            number: ranks for number, (_, ranks) in read_sparklines(session, of_issues).items()
        }
        return Overview(
            as_of=now,
            has_own_products=_has_own_products(session, who, choice, ids),
            figures=figures.read_period_figures(session, who, ids, own, choice.period),
            days=[each for each in figure_days.days if each.day >= since],
            issues=issues,
            issue_days=CountedDays(
                tuple(incidents.count_issues_at(session, who, asked, moments, now)), choice.period
            ),
            rank_lines=ranks,
            pending=suggestions.count_priorities(session, who, now),
            pending_days=CountedDays(
                tuple(suggestions.count_pending_at(session, who, moments)), choice.period
            ),
            verified=suggestions.list_verified(
                session, who, now - timedelta(days=choice.period.days), VERIFIED_SHOWN
            ),
            index_days=list_index_days(session, who, since),
            moves=_read_moves(session, who, choice, now),
            cells=make_cells(
                list_change_counts(session, who, first),
                choice.roles,
                [first + timedelta(days=n) for n in range(HEAT_DAYS)],  # closed ones
                figure_days.observed,
            ),
        )


def _has_own_products(
    session: Session, who: Principal, choice: OverviewChoice, product_ids: Sequence[int]
) -> bool:
    if choice.roles == (Role.OWN,):
        return bool(product_ids)
    own = ListFilter(roles=(Role.OWN,), scope=choice.scope)
    return bool(figures.list_product_ids(session, who, own, 1))


def _make_query(choice: OverviewChoice, now: datetime, roles: tuple[Role, ...] = ()) -> ChangeQuery:
    since = find_first_start(choice.period, now)
    return ChangeQuery(since, False, choice.scope, roles, period=choice.period)


def _read_moves(
    session: Session, who: Principal, choice: OverviewChoice, now: datetime
) -> CompetitorMoves:
    competitors = ListFilter(
        marketplaces=choice.marketplaces, roles=(Role.COMPETITOR,), scope=choice.scope
    )
    ids = figures.list_product_ids(session, who, competitors, MOST_COMPARED + 1)
    count, is_complete = len(ids), len(ids) <= MOST_COMPARED
    if not is_complete:
        ids = figures.list_changed_ids(session, who, competitors, CANDIDATES)
    query = _make_query(choice, now, (Role.COMPETITOR,))
    rows = list_worst_changes(session, who, query, ids, MOVES_SHOWN)
    return CompetitorMoves(rows, count, is_complete)


@cached_read(seconds=60, entries=20)
def _list_ids(who: Principal, list_filter: ListFilter, token: str) -> list[int]:
    del token
    with read_scope() as session:
        return figures.list_product_ids(session, who, list_filter)


def find_last_check(scope: ListScope) -> datetime | None:
    """Return when any product of a list was last observed, None for never."""
    return _find_last_check(get_principal(), scope, get_cache_token())


@cached_read(seconds=60, entries=100)
def _find_last_check(who: Principal, scope: ListScope, token: str) -> datetime | None:
    del token
    with read_scope() as session:
        return freshness.find_last_observed(session, who, scope)


def list_movers(choice: OverviewChoice, value: MovedValue) -> list[Mover]:
    """Return the products whose value moved most, the largest rise first."""
    return _list_movers(get_principal(), choice, value, get_cache_token())


@cached_read(seconds=60, entries=200)
def _list_movers(
    who: Principal, choice: OverviewChoice, value: MovedValue, token: str
) -> list[Mover]:
    query = _make_query(choice, datetime.now(UTC))
    ids = _list_ids(who, choice.list_filter, token)
    with read_scope() as session:
        return list_extreme_movers(session, who, query, ids, value, MOVERS_SHOWN)


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What is done of what a new installation needs before it shows anything."""

    is_connected: bool
    has_products: bool
    has_team: bool


def read_first_steps(has_products: bool) -> FirstSteps:
    """Return what is done of the first steps; never cached."""
    who = get_principal()
    with read_scope() as session:
        return FirstSteps(
            is_connected=has_access(get_settings()),
            has_products=has_products,
            has_team=count_members(session, who) > 1,
        )


def may_invite() -> bool:
    """Return whether the user may invite others and set up connections."""
    return get_principal().may(Permission.ADMIN)
