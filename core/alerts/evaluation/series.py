"""Which series of values rules need: what to read of snapshots, and under which key it is kept.

A series is a subject, for a rank with the name of its category, and the team where each team has
values of its own. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from core.alerts.rules.rule import LISTING_PARTS, AlertRule, Condition, Subject

TEAM_SUBJECTS = frozenset(
    {
        Subject.BUY_BOX_OWNER,
        Subject.CHEAPEST_COMPETITOR,
        Subject.PRICE_LIMITS,
        Subject.LISTING_EDIT,
    }
)
# What a team's own values are made from.
_MADE_FROM: Mapping[Subject, Subject] = {
    Subject.CHEAPEST_COMPETITOR: Subject.PRICE,
    Subject.PRICE_LIMITS: Subject.PRICE,
}

# Keys of what `BUY_BOX_OWNER` is made from; they are read, and not kept.
SELLER_ID = "seller.id"
SELLER_NAME = "seller.name"


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a product's values. `days`: compared with so many days before; 0: none."""

    subject: Subject
    category: str | None = None  # of a rank, by its name; None: the main category
    team_id: int | None = None  # None: the same for all teams
    days: int = 0
    key: str = field(init=False)  # under which a value is kept; the same for all `days`

    def __post_init__(self) -> None:
        key = self.subject.value
        if self.category is not None:
            key += f":{self.category}"
        if self.team_id is not None:
            key += f"@{self.team_id}"
        object.__setattr__(self, "key", key)


def find_series(condition: Condition, team_id: int) -> Series:
    """Return the series that a team's condition watches."""
    subject = condition.subject
    return Series(
        subject,
        condition.category if subject is Subject.RANK else None,
        team_id if subject in TEAM_SUBJECTS else None,
        condition.days if condition.needs_days else 0,
    )


def list_series(rule: AlertRule, team_id: int) -> tuple[Series, ...]:
    """Return the series of a team's rule, by condition."""
    return tuple(find_series(condition, team_id) for condition in rule.conditions)


class ReadingPlan:
    """What to read for some rules.

    `edits_since`: by team, from when on its products' listings are held against what it approved;
    what was shown before counts as approved. A team without an entry: always.
    """

    def __init__(
        self, series: Iterable[Series], edits_since: Mapping[int, datetime] | None = None
    ) -> None:
        self.edits_since = edits_since or {}
        wanted = sorted(set(series), key=lambda each: (each.key, each.days))
        self.of_days = tuple(each for each in wanted if each.days)
        self.of_teams = tuple({each.key: each for each in wanted if each.team_id}.values())
        base = {each.key: each for each in wanted if each.team_id is None}
        for each in self.of_teams:
            if each.subject in _MADE_FROM:
                source = Series(_MADE_FROM[each.subject])
                base.setdefault(source.key, source)
        self.of_listings = tuple(each for each in base.values() if each.subject in LISTING_PARTS)
        self.of_snapshots = tuple(
            each for each in base.values() if each.subject not in LISTING_PARTS
        )

    @cached_property
    def is_one_series(self) -> bool:
        """Return whether all there is to read is one series of snapshots."""
        others = self.of_days or self.of_teams or self.of_listings
        return len(self.of_snapshots) == 1 and not others

    @cached_property
    def needs_seller(self) -> bool:
        """Return whether the seller's id and name are needed, each by itself."""
        return any(each.subject is Subject.BUY_BOX_OWNER for each in self.of_teams)

    @cached_property
    def keys(self) -> frozenset[str]:
        """Return the keys of all series."""
        return frozenset(
            each.key for each in (*self.of_snapshots, *self.of_listings, *self.of_teams)
        )
