"""Argument types that tools share, with limits and descriptions for the schema."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from core.errors import InvalidInputError
from core.tracking.list_filter import ListScope, SortBy, State
from core.tracking.rules import LONGEST_TAG, Role
from core.tracking.settings import Unset

ProductName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="`US:B0ABCDEFGH`, Amazon URL, or unambiguous ASIN.",
    ),
]
ProductNames = Annotated[list[ProductName], Field(min_length=1, max_length=50)]
Days = Annotated[int, Field(ge=1, le=3650, description="Length of the period.")]
Until = Annotated[
    datetime | None,
    Field(description="End of the period; default: now."),
]
MostPoints = Annotated[
    int,
    Field(
        ge=10,
        le=2000,
        description="Longer series are thinned, keeping extremes.",
    ),
]
PageSize = Annotated[int, Field(ge=1, le=200)]
CursorText = Annotated[
    str | None,
    Field(max_length=500, description="The previous `next_cursor`."),
]
Marketplaces = Annotated[
    tuple[Annotated[str, Field(max_length=40)], ...],
    Field(max_length=30, description="Any of these codes, such as US."),
]
Roles = Annotated[
    tuple[Role, ...],
    Field(max_length=3, description="Any of these."),
]
States = Annotated[
    tuple[State, ...],
    Field(
        max_length=9,
        description="Any of these. `attention`: worse or notable change since the day before; "
        "`opportunity`: better; `unknown`: availability; `doubtful`: flagged value.",
    ),
]
Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]
Tags = Annotated[
    tuple[Tag, ...],
    Field(max_length=20, description="Any of these."),
]
Order = Annotated[
    SortBy,
    Field(
        description="`attention`: worst change first, ignores `descending`; `price`: use within "
        "one currency; `last_look`: oldest check first."
    ),
]
Descending = Annotated[
    bool,
    Field(description="Largest first. The best rank is the smallest."),
]
Scope = Annotated[
    ListScope,
    Field(description="Tracked by you or by anyone in the team."),
]
DryRun = Annotated[bool, Field(description="Preview only.")]
IdempotencyKey = Annotated[
    str | None,
    Field(
        max_length=100,
        pattern="^[!-~]+$",
        description="A repeat within 7 days writes nothing, returns the first result.",
    ),
]

NewProductNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=2000)]],
    Field(
        min_length=1,
        max_length=200,
        description="Each as marketplace:ASIN or Amazon URL. An ASIN alone needs `marketplace`.",
        examples=[["US:B0ABCDEFGH", "https://www.amazon.de/dp/B0ABCDEFGH"]],
    ),
]


def drop_default(schema: dict[str, Any]) -> None:
    """Remove a default from a schema: an argument that is not given leaves the value as it is."""
    schema.pop("default", None)


Kept = SkipJsonSchema[Unset]  # the value of an argument that was not given


_MIN_YEAR, _MAX_YEAR = 1995, 2100


def resolve_period(days: int, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return a period's start and end, both with a time zone.

    Raises InvalidInputError for an end outside the years 1996 to 2099.
    """
    end = now if until is None else until
    if not _MIN_YEAR < end.year < _MAX_YEAR:
        raise InvalidInputError("`until` is out of range. Leave it out for the period until now.")
    end = ensure_time_zone(end)
    return end - timedelta(days=days), end


def ensure_time_zone(at: datetime) -> datetime:
    """Return a time with a time zone; UTC where it has none."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
