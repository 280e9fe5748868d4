"""An alert rule as data: what it watches, when that is an incident, and for how long. Pure.

Money is in minor units of the marketplace's currency, a rating in tenths of a star. Ranks are
compared by their ratio: 200 after 100 is as far as 50. A rule decides on accepted values only.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.history.observation import Availability

Value = int | str


class Subject(StrEnum):
    """What a condition watches. Stored as text."""

    # Amounts. None was reported: there is no such price now.
    PRICE = "price"
    LIST_PRICE = "list_price"
    BUY_BOX_PRICE = "buy_box_price"
    AMAZON_PRICE = "amazon_price"
    NEW_PRICE = "new_price"
    NEW_FBA_PRICE = "new_fba_price"
    USED_PRICE = "used_price"
    # 0: reported, and there was none.
    DEAL_PRICE = "deal_price"
    COUPON_AMOUNT = "coupon_amount"
    COUPON_PERCENT = "coupon_percent"
    RANK = "rank"  # in the main category, or in the condition's; another category starts anew
    RATING = "rating"  # tenths of a star
    RATINGS_COUNT = "ratings_count"
    STOCK_LEFT = "stock_left"
    OFFERS_NEW = "offers_new"
    OFFERS_USED = "offers_used"
    AVAILABILITY = "availability"  # a number of Availability
    SELLER = "seller"  # who holds the Buy Box: the id, or the name where there is none
    BUY_BOX_OWNER = "buy_box_owner"  # of BuyBoxOwner; needs the team's own sellers
    CHEAPEST_COMPETITOR = "cheapest_competitor"  # its price, in tenths of a percent of the own one
    PRICE_LIMITS = "price_limits"  # of PriceLimits; needs the product's price caps
    # Parts of the listing: a hash of their content.
    TITLE = "title"
    BULLETS = "bullets"
    DESCRIPTION = "description"
    IMAGES = "images"
    CATEGORY = "category"
    LISTING_EDIT = "listing_edit"  # of ListingEdit


AMOUNTS = frozenset(
    {
        Subject.PRICE,
        Subject.LIST_PRICE,
        Subject.BUY_BOX_PRICE,
        Subject.AMAZON_PRICE,
        Subject.NEW_PRICE,
        Subject.NEW_FBA_PRICE,
        Subject.USED_PRICE,
        Subject.DEAL_PRICE,
        Subject.COUPON_AMOUNT,
    }
)
# Of these the days are kept: others have no average, lowest or highest value of days.
DAY_SUBJECTS = frozenset(
    {
        Subject.PRICE,
        Subject.LIST_PRICE,
        Subject.RANK,
        Subject.RATING,
        Subject.RATINGS_COUNT,
    }
)
LISTING_PARTS = frozenset(
    {Subject.TITLE, Subject.BULLETS, Subject.DESCRIPTION, Subject.IMAGES, Subject.CATEGORY}
)


class BuyBoxOwner(StrEnum):
    """Who holds the Buy Box, for a team that named its own sellers. Stored as text."""

    OWN = "own"
    OTHER = "other"


class PriceLimits(StrEnum):
    """Where a price stands against the product's caps. Stored as text."""

    WITHIN = "within"
    BELOW_FLOOR = "below_floor"
    ABOVE_CEILING = "above_ceiling"


class ListingEdit(StrEnum):
    """Whether a change of the listing follows what the team approved. Stored as text."""

    EXPLAINED = "explained"
    UNEXPLAINED = "unexplained"
    DRIFT = "drift"  # the page no longer shows what was approved and verified


class Comparison(StrEnum):
    """How a value is compared. Stored as text."""

    CHANGED = "changed"  # by at least `amount` or `percent` against the reference
    BELOW = "below"  # a target
    ABOVE = "above"  # a target
    LOWEST = "lowest"  # below every value of the last `days` days
    HIGHEST = "highest"  # above every value of the last `days` days
    IS = "is"  # a state, such as out of stock; with `before`, only where it came from those
    BECAME = "became"  # a state, from another, such as back in stock
    DIFFERS = "differs"  # from the value before: a seller, a title
    FIRST = "first"  # not seen in the last `days` days: a new seller


class Reference(StrEnum):
    """What a change is measured against. Stored as text."""

    PREVIOUS = "previous"  # the accepted value before
    NOTIFIED = "notified"  # the value of the last incident, at first the first value
    AVERAGE = "average"  # of the `days` days before, each day's close counting once


class Direction(StrEnum):
    """Which changes count. Of ranks, up is a larger number: worse. Stored as text."""

    ANY = "any"
    UP = "up"
    DOWN = "down"


_LASTING = (Comparison.BELOW, Comparison.ABOVE, Comparison.IS)
_OF_STATES = (Comparison.IS, Comparison.BECAME)
_OF_DAYS = (Comparison.LOWEST, Comparison.HIGHEST, Comparison.FIRST)


@dataclass(frozen=True, slots=True)
class Condition:
    """When a value counts. Only what the comparison needs is set.

    Raises ValueError where that is missing.
    """

    subject: Subject
    comparison: Comparison
    target: int | None = None  # BELOW, ABOVE
    clear_at: int | None = None  # where BELOW and ABOVE end; None: at the target
    percent: float | None = None  # CHANGED
    amount: int | None = None  # CHANGED, besides or instead of `percent`
    clear_percent: float | None = None  # where CHANGED from the average ends; None: at `percent`
    reference: Reference = Reference.PREVIOUS
    direction: Direction = Direction.ANY
    days: int = 30  # AVERAGE, LOWEST, HIGHEST, FIRST
    states: frozenset[Value] = frozenset()  # IS, BECAME
    before: frozenset[Value] = frozenset()  # IS, BECAME; empty: any other state
    category: str | None = None  # of a rank, by its name; None: the main category

    def __post_init__(self) -> None:
        needed: dict[Comparison, object] = {
            Comparison.BELOW: self.target,
            Comparison.ABOVE: self.target,
            Comparison.CHANGED: self.percent or self.amount,
            Comparison.IS: self.states,
            Comparison.BECAME: self.states,
        }
        value = needed.get(self.comparison, True)
        is_target = self.comparison in (Comparison.BELOW, Comparison.ABOVE)  # which may be 0
        if value is None or value == frozenset() or (value == 0 and not is_target):
            raise ValueError(f"a condition of {self.comparison.value} lacks its value")
        if self.states & self.before:
            raise ValueError("a state can't be entered from itself")
        if not 1 <= self.days <= 366:
            raise ValueError("a condition looks back 1 to 366 days")

    @property
    def lasts(self) -> bool:
        """Return whether the condition goes on holding, not for one moment."""
        return self.comparison in _LASTING or (
            self.comparison is Comparison.CHANGED and self.reference is Reference.AVERAGE
        )

    @property
    def needs_days(self) -> bool:
        """Return whether the condition compares with the days before."""
        return self.comparison in _OF_DAYS or (
            self.comparison is Comparison.CHANGED and self.reference is Reference.AVERAGE
        )


class Combination(StrEnum):
    """How a rule's conditions are combined. Stored as text."""

    ALL = "all"
    ANY = "any"


class Severity(StrEnum):
    """How urgent an incident is. Stored as text."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a condition must hold, and how soon it counts again."""

    pending_observations: int = 1  # accepted ones in a row
    pending_for: timedelta = timedelta(0)
    rearm_after: timedelta = timedelta(0)  # from one incident of a product to the next
    flap_openings: int = 4  # so many within `flap_within` are flapping
    flap_within: timedelta = timedelta(days=1)


class ScopeKind(StrEnum):
    """Which of the team's tracked products a rule is for. Stored as text."""

    PRODUCT = "product"
    TAG = "tag"
    OWN = "own"
    COMPETITORS = "competitors"
    TRACKED = "tracked"  # all of them
    VIEW = "view"  # those that a saved view lists when the rule is evaluated


@dataclass(frozen=True, slots=True)
class RuleScope:
    """Which products a rule is for. The other fields are set for their kinds alone."""

    kind: ScopeKind = ScopeKind.OWN
    product_id: int | None = None
    tag: str | None = None
    view_id: int | None = None

    def __post_init__(self) -> None:
        if (self.kind is ScopeKind.PRODUCT) is (self.product_id is None):
            raise ValueError("a scope names its product, and no other scope one")
        if (self.kind is ScopeKind.TAG) is (self.tag is None):
            raise ValueError("a scope names its tag, and no other scope one")
        if (self.kind is ScopeKind.VIEW) is (self.view_id is None):
            raise ValueError("a scope names its view, and no other scope one")


LARGEST_RULE = 5  # conditions


@dataclass(frozen=True, slots=True)
class AlertRule:
    """What is watched, and when that is an incident. An incident lasts if all conditions do."""

    conditions: tuple[Condition, ...]
    combination: Combination = Combination.ALL
    scope: RuleScope = RuleScope()
    timing: Timing = Timing()
    severity: Severity = Severity.WARNING

    def __post_init__(self) -> None:
        if not 1 <= len(self.conditions) <= LARGEST_RULE:
            raise ValueError(f"a rule has 1 to {LARGEST_RULE} conditions")

    @property
    def lasts(self) -> bool:
        """Return whether an incident lasts until the rule clears, not for one moment."""
        return all(condition.lasts for condition in self.conditions)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Return what the conditions watch, in their order."""
        return tuple(condition.subject for condition in self.conditions)


FOR_SALE = frozenset(
    map(int, (Availability.IN_STOCK, Availability.LIMITED, Availability.PRE_ORDER,
              Availability.BACK_ORDER))
)  # fmt: skip
NOT_FOR_SALE = frozenset({int(Availability.NO_OFFERS), int(Availability.UNAVAILABLE)})
REMOVED = frozenset({int(Availability.GONE)})
SUPPRESSED = frozenset({int(Availability.BUY_BOX_SUPPRESSED)})
