"""Ready-made rules to create rules from: a code, a title, a rule with usual values. Pure."""

from dataclasses import dataclass
from typing import Final

from core.alerts.rules.rule import (
    FOR_SALE,
    NOT_FOR_SALE,
    REMOVED,
    AlertRule,
    BuyBoxOwner,
    Combination,
    Comparison,
    Condition,
    Direction,
    Reference,
    Severity,
    Subject,
    Timing,
)
from core.alerts.rules.subject_text import LISTED


@dataclass(frozen=True, slots=True)
class RuleTemplate:
    """A rule to begin from. Its thresholds, times and scope are there to be changed."""

    code: str
    title: str
    rule: AlertRule
    needs_category: bool = False  # of the BSR, by its name


def _changes(
    subject: Subject,
    direction: Direction,
    *,
    percent: float | None = None,
    amount: int | None = None,
    reference: Reference = Reference.PREVIOUS,
    days: int = 30,
) -> Condition:
    return Condition(
        subject,
        Comparison.CHANGED,
        percent=percent,
        amount=amount,
        reference=reference,
        direction=direction,
        days=days,
    )


def _differs(subject: Subject) -> Condition:
    return Condition(subject, Comparison.DIFFERS)


def _one(code: str, title: str, condition: Condition, severity: Severity) -> RuleTemplate:
    return RuleTemplate(code, title, AlertRule((condition,), severity=severity))


_WARNING, _INFO = Severity.WARNING, Severity.INFO
_OFFERS = (Subject.DEAL_PRICE, Subject.COUPON_AMOUNT, Subject.COUPON_PERCENT)
_OWN = frozenset({BuyBoxOwner.OWN.value})
_OTHER = frozenset({BuyBoxOwner.OTHER.value})

TEMPLATES: Final = (
    # Against the price of the last alert: small steps add up, and no step counts twice.
    _one(
        "price_drop",
        "Price drop",
        _changes(Subject.PRICE, Direction.DOWN, percent=10, reference=Reference.NOTIFIED),
        _WARNING,
    ),
    _one(
        "price_rise",
        "Price rise",
        _changes(Subject.PRICE, Direction.UP, percent=10, reference=Reference.NOTIFIED),
        _INFO,
    ),
    RuleTemplate(
        "price_below_target",
        "Price below a target",
        AlertRule((Condition(Subject.PRICE, Comparison.BELOW, target=2000),)),
    ),
    _one(
        "undercut",
        "Undercut by a competitor",
        Condition(Subject.CHEAPEST_COMPETITOR, Comparison.BELOW, target=950, clear_at=980),
        _WARNING,
    ),
    _one(
        "lowest_price",
        "Lowest price in 90 days",
        Condition(Subject.PRICE, Comparison.LOWEST, days=90),
        _INFO,
    ),
    RuleTemplate(
        "category_rank",
        "BSR in a category",
        # Of a rank in a category no days are kept, so it has no average.
        AlertRule(
            (_changes(Subject.RANK, Direction.UP, percent=50),),
            timing=Timing(pending_observations=2),
        ),
        needs_category=True,
    ),
    _one(
        "rating_drop",
        "Rating drop",
        _changes(Subject.RATING, Direction.DOWN, amount=1),
        _WARNING,
    ),
    RuleTemplate(
        "rating_below_target",
        "Rating below a target",
        AlertRule((Condition(Subject.RATING, Comparison.BELOW, target=40),)),
    ),
    _one(
        "ratings_lost",
        "Ratings lost",
        _changes(Subject.RATINGS_COUNT, Direction.DOWN, percent=5),
        _WARNING,
    ),
    RuleTemplate(
        "ratings_burst",
        "Burst of ratings",
        AlertRule(
            (
                _changes(
                    Subject.RATINGS_COUNT,
                    Direction.UP,
                    percent=10,
                    reference=Reference.AVERAGE,
                    days=7,
                ),
                _changes(
                    Subject.RATINGS_COUNT,
                    Direction.UP,
                    amount=20,
                    reference=Reference.AVERAGE,
                    days=7,
                ),
            )
        ),
    ),
    _one(
        "stock_low",
        "Stock low",
        Condition(Subject.STOCK_LEFT, Comparison.BELOW, target=6, clear_at=11),
        _WARNING,
    ),
    _one(
        "offers_up",
        "More offers",
        _changes(Subject.OFFERS_NEW, Direction.UP, amount=1),
        _INFO,
    ),
    _one(
        "out_of_stock",
        "Out of stock",
        Condition(Subject.AVAILABILITY, Comparison.IS, states=NOT_FOR_SALE),
        Severity.CRITICAL,
    ),
    _one(
        "back_in_stock",
        "Back in stock",
        Condition(Subject.AVAILABILITY, Comparison.BECAME, states=FOR_SALE, before=NOT_FOR_SALE),
        _INFO,
    ),
    _one(
        "buy_box_won",
        "Buy Box won",
        Condition(Subject.BUY_BOX_OWNER, Comparison.BECAME, states=_OWN, before=_OTHER),
        _INFO,
    ),
    _one("buy_box_moved", "Buy Box moved", _differs(Subject.SELLER), _WARNING),
    _one(
        "new_seller",
        "New seller in the Buy Box",
        Condition(Subject.SELLER, Comparison.FIRST, days=90),
        _WARNING,
    ),
    _one("title_changed", "Title changed", _differs(Subject.TITLE), _INFO),
    _one("bullets_changed", "Bullets changed", _differs(Subject.BULLETS), _INFO),
    _one("images_changed", "Images changed", _differs(Subject.IMAGES), _INFO),
    _one("category_changed", "Category changed", _differs(Subject.CATEGORY), _WARNING),
    RuleTemplate(
        "offer_started",
        "Deal or coupon started",
        AlertRule(
            tuple(Condition(each, Comparison.ABOVE, target=0) for each in _OFFERS),
            Combination.ANY,
            severity=_INFO,
        ),
    ),
    RuleTemplate(
        "offer_ended",
        "Deal or coupon ended",
        AlertRule(
            tuple(Condition(each, Comparison.BECAME, states=frozenset({0})) for each in _OFFERS),
            Combination.ANY,
            severity=_INFO,
        ),
    ),
    RuleTemplate(
        "listing_restored",
        "Listing restored",
        AlertRule(
            (Condition(Subject.AVAILABILITY, Comparison.BECAME, states=LISTED, before=REMOVED),),
            severity=_INFO,
        ),
    ),
)
