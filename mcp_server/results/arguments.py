"""Types of arguments that tools share, each with its limits and an example in the schema."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from core.errors import InvalidInputError
from core.tracking.list_filter import SortBy, State, Whose
from core.tracking.rules import LONGEST_TAG, Role
from core.tracking.settings import Keep

ProductName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="A product: marketplace and ASIN such as `US:B0ABCDEFGH`, or the address of "
        "its page on Amazon. An ASIN alone does where it is followed on one marketplace only.",
    ),
]
ProductNames = Annotated[
    list[ProductName], Field(min_length=1, max_length=50, examples=[["US:B0ABCDEFGH"]])
]
Days = Annotated[
    int, Field(ge=1, le=3650, description="How many days back from now (or from `until`).")
]
Until = Annotated[
    datetime | None,
    Field(
        description="End of the period, ISO 8601 with a zone; without one it is UTC. Null: now.",
        examples=["2026-03-02T12:00Z"],
    ),
]
MostPoints = Annotated[
    int,
    Field(
        ge=10,
        le=2000,
        description="Most points to return. Thinned to them where there are more; the answer "
        "says so. Prices lose no change until then, ranks keep each stretch's best and worst.",
    ),
]
PageSize = Annotated[int, Field(ge=1, le=200, description="How many to return at a time.")]
CursorText = Annotated[
    str | None,
    Field(max_length=500, description="`next_cursor` of the page before; null: the first page."),
]
Roles = Annotated[
    tuple[Role, ...],
    Field(
        max_length=3,
        description="What the products are to who follows them: own, competitor or watched; "
        "empty: all.",
        examples=[["own"]],
    ),
]
States = Annotated[
    tuple[State, ...],
    Field(
        max_length=9,
        description="Any of these states; empty: all. `attention`: a change for the worse or of "
        "note since the day before; `opportunity`: one for the better; `unknown`: no look says "
        "whether it can be bought.",
        examples=[["attention"]],
    ),
]
Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]
Tags = Annotated[
    tuple[Tag, ...],
    Field(max_length=20, description="Any of these tags; empty: all.", examples=[["sale"]]),
]
Order = Annotated[
    SortBy,
    Field(
        description="By what the list is ordered. `attention`: worst change first, whatever "
        "`descending` says; `price`: tells something within one currency only; `ratings`: number "
        "of ratings; `last_look`: oldest first."
    ),
]
Descending = Annotated[
    bool,
    Field(description="True: largest or newest first. A rank's best is its smallest."),
]
Scope = Annotated[
    Whose,
    Field(description="mine: what the token's owner follows; team: what anybody in the team does."),
]
DryRun = Annotated[
    bool, Field(description="Check everything, say what would happen, change nothing.")
]
IdempotencyKey = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^[\x21-\x7e]+$",
        description="A word of your choice for this one write. Sent again with the same "
        "arguments, nothing is written twice and the first answer comes back. Kept for 7 days.",
        examples=["3f0c1a52-raise-price"],
    ),
]

NewProductNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=2000)]],
    Field(
        min_length=1,
        max_length=200,
        description="Each by marketplace and ASIN or by its page's address, tracking parameters "
        "and all. An ASIN alone needs `marketplace`.",
        examples=[["US:B0ABCDEFGH", "https://www.amazon.de/dp/B0ABCDEFGH"]],
    ),
]


def optional(schema: dict[str, Any]) -> None:
    """Leave a default out of a schema: what is not given is kept, whatever it is."""
    schema.pop("default", None)


Kept = SkipJsonSchema[Keep]  # the value of an argument that is not given


_OLDEST_YEAR, _NEWEST_YEAR = 1995, 2100


def period(days: int, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return a period's start and end, both aware.

    Raises InvalidInputError for an end that no history can have.
    """
    end = now if until is None else until
    if not _OLDEST_YEAR < end.year < _NEWEST_YEAR:
        raise InvalidInputError("`until` lies outside of any history. Leave it out for now.")
    end = aware(end)
    return end - timedelta(days=days), end


def aware(at: datetime) -> datetime:
    """Return a time with its zone; without one it is UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
