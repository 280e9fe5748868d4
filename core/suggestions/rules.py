"""The parts of a suggestion, its states and the allowed transitions. Pure.

Amounts are integers in the marketplace's minor unit; times are aware and in UTC. Text from a
listing or a model is data: nothing here interprets it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.errors import AmazcopeError
from core.tracking.price_caps.rules import PriceCaps


class Kind(StrEnum):
    """The subject of a suggestion."""

    PRICING = "pricing"
    CONTENT = "content"
    TRACKING = "tracking"


class Change(StrEnum):
    """What one action changes, with its kind. `core.suggestions.changes` has the rest."""

    kind: Kind

    def __new__(cls, code: str, kind: Kind | None = None) -> "Change":
        if kind is None:  # optional only for the type of Change("a code")
            raise TypeError(f"{code} has no kind")
        made = str.__new__(cls, code)
        made._value_ = code
        made.kind = kind
        return made

    # The comments show the values of an action's `current` and `proposed`.
    UPDATE_PRICE = "update_price", Kind.PRICING  # {"price": minor}
    SET_COUPON = "set_coupon", Kind.PRICING  # {"percent": 5} or {"amount": minor}
    UPDATE_TITLE = "update_title", Kind.CONTENT  # {"title": text}
    UPDATE_BULLETS = "update_bullets", Kind.CONTENT  # {"bullets": [text, …]}
    UPDATE_DESCRIPTION = "update_description", Kind.CONTENT  # {"description": text}
    UPDATE_SEARCH_TERMS = "update_search_terms", Kind.CONTENT  # {"search_terms": text}
    ADD_IMAGES = "add_images", Kind.CONTENT  # {"count": at least so many}
    UPDATE_BRAND = "update_brand", Kind.CONTENT  # {"brand": text}
    UPDATE_CATEGORY = "update_category", Kind.CONTENT  # {"category_path": [text, …]}
    SET_PRICE_THRESHOLD = "set_price_threshold", Kind.TRACKING  # {"percent": "7.5"}
    SET_RANK_THRESHOLD = "set_rank_threshold", Kind.TRACKING  # {"percent": "60"}
    SET_CADENCE = "set_cadence", Kind.TRACKING  # {"cadence": "hourly"}
    ADD_COMPETITOR = "add_competitor", Kind.TRACKING  # {"marketplace": "US", "asin": "B0…"}
    PAUSE_TRACKING = "pause_tracking", Kind.TRACKING  # {}

    @property
    def is_setting(self) -> bool:
        """Return whether it changes a tracking setting here and nothing on Amazon."""
        return self.kind is Kind.TRACKING


class Metric(StrEnum):
    """The figure that a suggestion is expected to move."""

    BSR = "bsr"
    PRICE = "price"
    RATING = "rating"
    RATINGS_COUNT = "ratings_count"
    IN_STOCK_SHARE = "in_stock_share"
    ALERTS = "alerts"  # how often a product triggers an alert


class Direction(StrEnum):
    """The expected direction of the metric. A rank improves or worsens."""

    IMPROVES = "improves"
    WORSENS = "worsens"
    RISES = "rises"
    FALLS = "falls"


class Advisor(StrEnum):
    """Who proposed a suggestion."""

    RULES = "rules"
    MODEL = "model"
    PERSON = "person"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """The stored observation that a value was frozen from."""

    product_id: int
    captured_at: datetime
    source: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One figure that a suggestion rests on, frozen with the observations it came from."""

    key: str  # how reasoning cites it: "price_now", "competitor_1_bsr"
    figure: str  # its label: "Buy Box price now"
    value: int | float | str
    unit: str  # "USD minor", "rank", "stars/10", "%", "days", "characters", "text"
    period: str | None = None  # "last 30 days"; None: one moment
    snapshots: tuple[SnapshotKey, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedAction:
    """One change that an advisor proposes for a product."""

    change: Change
    current: Mapping[str, Any]
    proposed: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A proposal that is not stored yet.

    Raises ValueError for a confidence or priority out of range, which could not be sorted or
    shown correctly.
    """

    title: str
    reasoning: str
    priority: int  # 1 urgent … 3 minor
    confidence: float  # 0–1
    metric: Metric
    direction: Direction
    window_days: int
    evidence: tuple[Evidence, ...]
    actions: tuple[ProposedAction, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1 or self.priority not in (1, 2, 3):
            raise ValueError(f"confidence {self.confidence}, priority {self.priority}")

    @property
    def kind(self) -> Kind:
        return self.actions[0].change.kind


# States


class SuggestionState(StrEnum):
    """The state of a suggestion; it follows from its actions."""

    PENDING = "pending"
    APPROVED = "approved"
    PARTLY_APPROVED = "partly_approved"
    DECLINED = "declined"
    EXPIRED = "expired"


class ActionState(StrEnum):
    """The state of one action."""

    PENDING = "pending"
    APPROVED = "approved"
    APPLIED = "applied"
    VERIFIED = "verified"
    UNSEEN = "unseen"  # applied, and not seen on the page within its days
    DECLINED = "declined"
    STALE = "stale"  # the current value is no longer the one that was reviewed
    FAILED = "failed"
    UNDONE = "undone"
    EXPIRED = "expired"


TRANSITIONS: Mapping[ActionState, frozenset[ActionState]] = {
    ActionState.PENDING: frozenset(
        {ActionState.APPROVED, ActionState.DECLINED, ActionState.STALE, ActionState.EXPIRED}
    ),
    ActionState.APPROVED: frozenset({ActionState.APPLIED, ActionState.STALE, ActionState.FAILED}),
    ActionState.APPLIED: frozenset({ActionState.VERIFIED, ActionState.UNSEEN, ActionState.UNDONE}),
    ActionState.UNSEEN: frozenset({ActionState.VERIFIED, ActionState.UNDONE}),
    ActionState.VERIFIED: frozenset({ActionState.UNDONE}),
    ActionState.FAILED: frozenset({ActionState.APPROVED, ActionState.DECLINED}),
    ActionState.STALE: frozenset({ActionState.DECLINED}),
    ActionState.DECLINED: frozenset(),
    ActionState.UNDONE: frozenset(),
    ActionState.EXPIRED: frozenset(),
}
"""The states that may follow each state. Only approved leads to applied."""


class InvalidTransitionError(AmazcopeError):
    """A transition is not allowed: the action was changed before, or its state is final."""


def require_transition(now: ActionState, then: ActionState) -> None:
    """Raise InvalidTransitionError with the current state, unless `then` may follow `now`."""
    if then not in TRANSITIONS[now]:
        raise InvalidTransitionError(
            f"This is {now.value} already and can't become {then.value}. Reload the page."
        )


_REFUSED = {ActionState.DECLINED, ActionState.STALE, ActionState.EXPIRED}


def derive_suggestion_state(actions: Iterable[ActionState]) -> SuggestionState:
    """Return the state of a suggestion from the states of its actions (at least one)."""
    states = list(actions)
    if any(state is ActionState.PENDING for state in states):
        return SuggestionState.PENDING
    refused = [state in _REFUSED for state in states]
    if all(state is ActionState.EXPIRED for state in states):
        return SuggestionState.EXPIRED
    if all(refused):
        return SuggestionState.DECLINED
    return SuggestionState.PARTLY_APPROVED if any(refused) else SuggestionState.APPROVED


# Limits of a proposed price


# Facts for an advisor


class ListingPart(StrEnum):
    """The part of a listing that a policy is about."""

    TITLE = "title"
    BULLETS = "bullets"
    DESCRIPTION = "description"
    SEARCH_TERMS = "search_terms"
    ITEM_HIGHLIGHTS = "item_highlights"


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """A listing's current text; None: not reported by any source."""

    title: str | None = None
    brand: str | None = None
    bullets: tuple[str, ...] | None = None
    description: str | None = None
    category_path: tuple[str, ...] | None = None
    image_count: int | None = None


@dataclass(frozen=True, slots=True)
class CompetitorFacts:
    """The facts of one chosen competitor."""

    product_id: int
    asin: str
    price: int | None
    bsr: int | None
    bsr_category_id: int | None
    rating: int | None
    ratings_count: int | None
    listing: ListingFacts


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one own product for an advisor: the same for rules and models."""

    product_id: int
    marketplace: str
    asin: str
    as_of: datetime
    currency: str
    price: int | None
    bsr: int | None
    bsr_category: str | None
    bsr_category_id: int | None
    rating: int | None
    ratings_count: int | None
    availability: int | None
    listing: ListingFacts
    price_change_percent: float | None  # set for this product; None: the user's or the default
    rank_change_percent: float | None
    cadence: str
    caps: PriceCaps = field(default_factory=PriceCaps)
    competitors: tuple[CompetitorFacts, ...] = ()
    evidence: tuple[Evidence, ...] = ()  # every figure that may be cited, by key
    declined: frozenset[str] = field(default_factory=frozenset)  # hashes of declined changes


def format_product_name(facts: Facts) -> str:
    """Return the name of a product in prompts and replies: "US/B0TEST0001"."""
    return f"{facts.marketplace}/{facts.asin}"


def read_evidence(kept: Mapping[str, Any]) -> Evidence:
    """Return a figure from its stored form in a suggestion."""
    return Evidence(
        key=kept["key"],
        figure=kept["figure"],
        value=kept["value"],
        unit=kept["unit"],
        period=kept.get("period"),
        snapshots=tuple(map(_key, kept.get("snapshots") or ())),
    )


def _key(kept: Mapping[str, Any]) -> SnapshotKey:
    at = datetime.fromisoformat(kept["captured_at"])
    return SnapshotKey(kept["product_id"], at, kept["source"])
