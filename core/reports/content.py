"""What a report says: figures, changes, issues, movers, suggestions, health, cost. Pure.

Values are kept in the stored units, and written in the formats of the report's reader. Only
sentences about issues are kept as text. None is unknown; a reason stands beside it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import PlainSerializer

from core.alerts.rules.rule import Severity
from core.history.accepted_values import AcceptedValues
from core.history.periods.change_detection import ChangeKind
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role

CHANGES_SHOWN: Final = 20
ISSUES_SHOWN: Final = 20
MOVERS_SHOWN: Final = 4  # to each side
SUGGESTIONS_SHOWN: Final = 5
LINE_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class ReportProduct:
    """A product that a report names. The title is text from outside."""

    product_id: int
    marketplace: str
    asin: str
    title: str | None
    role: Role


@dataclass(frozen=True, slots=True)
class ReportDay:
    """A marketplace's day that a report is of, and the day whose close it compares with."""

    marketplace: str
    day: date
    then_day: date
    products: int
    checked: int  # products that were checked after `then_day`, on `day` at the latest


class FigureKind(StrEnum):
    """A figure at the top of a report."""

    RANK = "rank"  # the median change, relative
    PRICE = "price"  # the median change, relative
    BUY_BOX = "buy_box"  # the share that the team won
    IN_STOCK = "in_stock"  # the share of products
    RATING = "rating"  # the mean, in tenths of a star


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure at the close of the day. `change`: of a share or a mean, since `then_day`.

    `products`: of how many it is known. `reason`: why the value is unknown.
    """

    kind: FigureKind
    value: float | None
    change: float | None
    products: int
    reason: str | None = None


# Kept by name: a report is read again after a value was added.
KeptValues = Annotated[AcceptedValues, PlainSerializer(AcceptedValues._asdict)]


@dataclass(frozen=True, slots=True)
class ReportChange:
    """A product's worst change between the two closes."""

    product: ReportProduct
    kind: ChangeKind
    bsr_category: str | None
    then: KeptValues
    now: KeptValues


@dataclass(frozen=True, slots=True)
class ReportMover:
    """A product whose rank, price or count of ratings moved far.

    `line`: the value at each close of `LINE_DAYS` days, the report's day last; None: unknown.
    """

    product: ReportProduct
    value: MovedValue
    before: int
    after: int
    line: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportIssue:
    """An issue that was open when the report was made. `text`: what happened, as a sentence."""

    incident_id: int
    product: ReportProduct
    severity: Severity
    text: str
    next_step: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class ReportIssues:
    """The open issues: how many, by severity, and the worst. `total` is exact up to 1,000."""

    total: int
    severities: tuple[tuple[Severity, int], ...] = ()
    worst: tuple[ReportIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportSuggestion:
    """A pending suggestion of the team. Its titles may hold text from outside."""

    suggestion_id: int
    title: str
    product_title: str | None
    marketplace: str
    priority: int


@dataclass(frozen=True, slots=True)
class ReportSuggestions:
    """The team's pending suggestions: how many by priority, and the first of them."""

    priorities: tuple[tuple[int, int], ...] = ()
    first: tuple[ReportSuggestion, ...] = ()

    @property
    def total(self) -> int:
        """Return how many are pending."""
        return sum(count for _, count in self.priorities)


@dataclass(frozen=True, slots=True)
class ReportHealth:
    """How complete the data is. Checks are those of the whole installation in 24 hours."""

    without_values: int  # of the report's products: nothing is known at the close
    checks: int
    failed: int
    worker_seen_at: datetime | None  # None: never
    blocked: tuple[str, ...] = ()  # "Germany", where Amazon blocks an actor


@dataclass(frozen=True, slots=True)
class ReportCost:
    """What checks cost the installation, in US dollars, with expected costs where none is reported.

    Of UTC days from `first` to `last`. Amazcope counts no other costs.
    """

    first: date
    last: date
    dollars: Decimal
    month_dollars: Decimal  # from the first of the month of `last` on


@dataclass(frozen=True, slots=True)
class ReportParagraph:
    """A paragraph by a model, each number of which is of the report.

    `text` None: there is none, for the `reason`. `model`: as its server names it; None: not asked.
    """

    text: str | None
    model: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A report over a day, a week or a month. `changed`: products with a change, also those
    beyond the listed ones. `left_out`: products beyond the most that one report is made of."""

    period: ChangePeriod
    scope: ListScope
    made_at: datetime
    time_zone: str  # of the reader, in which issues are described
    days: tuple[ReportDay, ...]
    figures: tuple[ReportFigure, ...]
    changed: int
    change_counts: tuple[tuple[ChangeKind, int], ...]
    changes: tuple[ReportChange, ...]
    issues: ReportIssues
    movers: tuple[ReportMover, ...]
    suggestions: ReportSuggestions
    health: ReportHealth
    cost: ReportCost
    left_out: int = 0
    paragraph: ReportParagraph | None = None  # None: its reader wants none

    @property
    def products(self) -> int:
        """Return of how many products the report is."""
        return sum(each.products for each in self.days)

    @property
    def checked(self) -> int:
        """Return how many of them were checked in the period."""
        return sum(each.checked for each in self.days)

    def find_day(self, marketplace: str) -> ReportDay:
        """Return the day of a marketplace that the report has products in."""
        return next(each for each in self.days if each.marketplace == marketplace)

    def list_movers(self, value: MovedValue) -> list[ReportMover]:
        """Return the movers of one value, the largest rise first."""
        return [each for each in self.movers if each.value is value]
