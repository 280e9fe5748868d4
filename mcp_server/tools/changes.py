"""Changes of tracked products since a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import get_marketplace
from core.database.session import read_scope
from core.errors import InvalidInputError
from core.history.changes import listing_diff
from core.history.changes import text as change_wording
from core.history.changes.change_query import (
    ChangeOrder,
    ChangeQuery,
    ChangesPage,
    find_first_start,
    start_of_changes,
)
from core.history.changes.comparison import ChangedProduct, ValueChange
from core.history.changes.feed import find_changes
from core.history.changes.listing_changes import listing_diffs
from core.history.changes.listing_diff import ListingPartDiff
from core.history.expected.queries import read_expected_values
from core.history.expected.rules import (
    ExpectedField,
    ExpectedValue,
    Explanation,
    explain_change,
)
from core.history.periods import queries
from core.history.periods.change_detection import ChangeKind
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import list_change_counts, list_index_days
from core.text.numbers import format_capped_count
from core.tracking.change_sentiment import Sentiment
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import CursorText, Roles, Scope
from mcp_server.results.base import (
    ListResult,
    Moment,
    Number,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    UntrustedTexts,
    format_moment,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.cursors import hash_request, page_fields, read_cursor
from mcp_server.results.period import convert_stored

MAX_PARTS = 12  # of a listing in one result
_EXPLANATION = Described(
    description="Of own prices and listings: explained: an approved change; unexplained: none; "
    "drift: the page no longer shows what was approved and verified."
)


class Moved(ResultPart):
    """A changed value."""

    what: Literal["price", "rank", "rating", "ratings_count"]
    before: Number
    after: Number
    unit: str
    change: Annotated[
        str,
        Described(
            description="Ranks: ▲ improved or ▼ worsened, places, percent.",
            examples=["▼ 110 (+110 %)"],
        ),
    ]
    explanation: Annotated[Explanation | None, _EXPLANATION]


class Piece(ResultPart):
    """Words of a listing; … marks omitted text."""

    mark: Literal["same", "added", "removed"]
    text: Untrusted


class ListingPart(ResultPart):
    """A changed part of a listing, in reading order."""

    part: Annotated[str, Described(examples=["Title", "Bullet 2"])]
    pieces: list[Piece]
    explanation: Annotated[Explanation | None, _EXPLANATION]


class ChangeRow(ProductRef):
    """A changed product: its worst change, and all changed values."""

    title: Untrusted | None
    role: Annotated[Role, Described(description="The product's role for the team.")]
    tags: UntrustedTexts
    kind: Annotated[
        ChangeKind | None,
        Described(description="The worst change; null: values differ, below alert thresholds."),
    ]
    what: Annotated[str, Described(examples=["BSR worsened"])]
    from_to: Untrusted
    mood: Annotated[
        Sentiment, Described(description="Good or bad for the team, by the product's role.")
    ]
    compared_with: Annotated[
        str,
        Described(
            description="The marketplace day whose closing values are the values before.",
            examples=["2026-03-01"],
        ),
    ]
    looked_at: Moment
    moved: list[Moved]
    listing: Annotated[list[ListingPart], Described(description="Empty: unchanged.")]
    listing_parts_left_out: Annotated[int, Described(description="Further changed parts.")]
    is_demo: bool


class ChangeList(ListResult):
    """A page of changes."""

    since: Annotated[Moment, Described(description="With `period`: its earliest midnight.")]
    time_zone: Literal["UTC"] = "UTC"
    changes: list[ChangeRow]


_UNITS = {
    "rank": "place in its category, 1 is the best",
    "rating": "stars, 1 to 5",
    "ratings_count": "ratings",
}


@tool(Permission.READ, "What changed")
def list_changes(
    call: Call,
    since: Annotated[
        datetime | None,
        Described(
            description="Up to 92 days ago; default: one.",
        ),
    ] = None,
    whose: Scope = ListScope.TEAM,
    roles: Roles = (),
    kinds: Annotated[
        tuple[ChangeKind, ...],
        Described(max_length=10, description="Any of these."),
    ] = (),
    period: Annotated[
        ChangePeriod | None,
        Described(
            description="Instead of `since`: compare with the close of yesterday, 7 or 30 days "
            "ago, by each marketplace's clock.",
        ),
    ] = None,
    order: Annotated[
        ChangeOrder,
        Described(description="By one value's change: with `period`, without `kinds`."),
    ] = ChangeOrder.WORST,
    descending: Annotated[
        bool,
        Described(description="By a value: largest increase first. An increased rank is worse."),
    ] = True,
    limit: Annotated[int, Described(ge=1, le=100)] = 20,
    cursor: CursorText = None,
) -> ChangeList:
    """List tracked products that changed since a time: stock, Buy Box, price, rank, ratings,
    listing word by word. Start a daily briefing here.

    If `since` is within a day, values are compared with the previous day's close; otherwise,
    and for products checked several times a day, with the day before `since`. Changes below
    alert thresholds are left out, unless `order` is a value's.
    """
    mark = hash_request("changes", since, whose, roles, kinds, order, limit, period, descending)
    place = read_cursor(cursor, mark)
    began, is_last_day = _read_anchor(place.anchor) or _find_start(since, period, call.now)
    asked = ChangeQuery(began, is_last_day, whose, roles, kinds, order, period, descending)
    page, rows = _read_page(call, asked, place.offset, limit)
    here = replace(place, anchor=_make_anchor(began, is_last_day))
    return ChangeList(
        **page_fields(page.total, here, limit, mark),
        since=format_moment(began),
        changes=rows,
        summary=_summarize(page, format_moment(began)),
    )


def _read_page(
    call: Call, asked: ChangeQuery, offset: int, limit: int
) -> tuple[ChangesPage, list[ChangeRow]]:
    """Return the changes from `offset` on, and their rows in results."""

    def report(done: int, total: int) -> None:
        call.report(done, total, f"Compared {done:,} of at most {total:,} products.")

    with read_scope() as session:
        page = find_changes(session, call.principal, asked, offset, limit, report)
        diffs = listing_diffs(session, call.principal, asked, page.rows)
        own = [row.product_id for row in page.rows if row.role is Role.OWN]
        expected = read_expected_values(session, call.principal.team_id, own) if own else {}
    return page, [
        _make_row(each, diffs.get(each.product_id, ()), expected.get(each.product_id, ()))
        for each in page.rows
    ]


def _find_start(
    since: datetime | None, period: ChangePeriod | None, now: datetime
) -> tuple[datetime, bool]:
    """Return the start of the list, and whether it includes the last day's changes."""
    if period is None:
        return start_of_changes(since, now)
    if since is not None:
        raise InvalidInputError("Use either `since` or `period`.")
    return find_first_start(period, now), False


class ChangeCount(ResultPart):
    """How many products had this as their worst change on a marketplace's day."""

    day: str
    marketplace: str
    role: Role
    kind: ChangeKind
    products: int


class IndexDay(ResultPart):
    """The index of prices and ranks at a day's close; 100 before the first day.

    Each day's median change of the products that are compared, chained. Null: of fewer than 5.
    """

    day: str
    role: Role
    price_index: Number | None
    price_products: int
    rank_index: Annotated[Number | None, Described(description="Higher is worse.")]
    rank_products: int


class ChangeTrend(Result):
    """The team's changes by closed day."""

    since: Annotated[str, Described(description="The first day, of each marketplace.")]
    counts: list[ChangeCount]
    indexes: list[IndexDay]


@tool(Permission.READ, "Trend of changes")
def get_change_trend(
    call: Call,
    days: Annotated[int, Described(ge=1, le=92, description="How many days back.")] = 30,
) -> ChangeTrend:
    """Count the team's changed products by day, kind and marketplace, and index the prices and
    ranks of own products and of competitors.
    """
    since = call.now.date() - timedelta(days=days)
    with read_scope() as session:
        counts = list_change_counts(session, call.principal, since)
        indexes = list_index_days(session, call.principal, since)
    return ChangeTrend(
        since=since.isoformat(),
        counts=[
            ChangeCount(
                day=each.day.isoformat(),
                marketplace=each.marketplace,
                role=each.role,
                kind=each.kind,
                products=each.products,
            )
            for each in counts
        ],
        indexes=[
            IndexDay(
                day=each.day.isoformat(),
                role=each.role,
                price_index=_round_index(each.price_index),
                price_products=each.price_products,
                rank_index=_round_index(each.rank_index),
                rank_products=each.rank_products,
            )
            for each in indexes
        ],
        summary=_summarize_trend(counts, indexes, since.isoformat()),
    )


def _round_index(index: float | None) -> float | None:
    return None if index is None else round(index, 2)


def _summarize_trend(
    counts: Sequence[queries.ChangeCount], indexes: Sequence[queries.IndexDay], since: str
) -> str:
    if not counts and not indexes:
        return f"No closed day since {since} is counted yet. Days are counted at midnight."
    total = sum(each.products for each in counts)
    days = len({each.day for each in counts} | {each.day for each in indexes})
    newest = {each.role: each for each in indexes}
    shown = "; ".join(
        f"{role}: price index {_format_index(each.price_index)}, "
        f"rank index {_format_index(each.rank_index)} on {each.day.isoformat()}"
        for role, each in newest.items()
    )
    return f"{total} changes on {days} days since {since}. {shown}".strip()


def _format_index(index: float | None) -> str:
    return "unknown" if index is None else f"{index:.1f}"


def _make_anchor(began: datetime, is_last_day: bool) -> int:
    """Return the start of the list as a number, so that later pages use the same start."""
    return int(began.timestamp()) * 2 + is_last_day


def _read_anchor(anchor: int) -> tuple[datetime, bool] | None:
    """Return the start that the first page set; None on the first page."""
    if not anchor:
        return None
    return datetime.fromtimestamp(anchor // 2, UTC), bool(anchor % 2)


def _make_row(
    each: ChangedProduct, listing: Sequence[ListingPartDiff], expected: Sequence[ExpectedValue]
) -> ChangeRow:
    return ChangeRow(
        product=format_product_name(each.marketplace, each.asin),
        marketplace=each.marketplace,
        asin=each.asin,
        title=mark_untrusted(each.title),
        role=each.role,
        tags=UntrustedTexts(untrusted=list(each.tags)),
        kind=each.kind,
        what=_label(each),
        from_to=Untrusted(untrusted=each.format_change()),
        mood=each.sentiment,
        compared_with=each.then_day.isoformat(),
        looked_at=format_moment(each.captured_at),
        moved=[_make_move(move, each, expected) for move in each.list_value_changes()],
        listing=[_make_part(part) for part in listing[:MAX_PARTS]],
        listing_parts_left_out=len(listing[MAX_PARTS:]),
        is_demo=each.is_demo,
    )


def _label(each: ChangedProduct) -> str:
    return "Values differ" if each.kind is None else change_wording.change_label(each.kind)


def _quote_change(each: ChangedProduct) -> str:
    """Return the worst change, or without one all of them, as text from outside."""
    moves = "; ".join(f"{move.field} {move.text}" for move in each.list_value_changes())
    return quote_text(each.format_change() or moves)


def _make_move(
    move: ValueChange, product: ChangedProduct, expected: Sequence[ExpectedValue]
) -> Moved:
    marketplace = product.marketplace
    is_own_price = move.field == "price" and product.role is Role.OWN
    return Moved(
        what=move.field,
        before=convert_stored(move.field, move.before, marketplace),
        after=convert_stored(move.field, move.after, marketplace),
        unit=_UNITS.get(move.field) or get_marketplace(marketplace).currency,
        change=move.text,
        explanation=explain_change(
            expected, ExpectedField.PRICE, move.before, move.after, product.captured_at
        )
        if is_own_price
        else None,
    )


def _make_part(change: ListingPartDiff) -> ListingPart:
    return ListingPart(
        part=change.part,
        pieces=[
            Piece(mark=piece.mark, text=Untrusted(untrusted=piece.text))
            for piece in listing_diff.shorten_diff(change.pieces)
        ],
        explanation=change.explanation,
    )


def _summarize(page: ChangesPage, since: str) -> str:
    rows = page.rows
    if not rows:
        return (
            f"No notable changes since {since}. `get_fetch_status` reports whether all products "
            "were checked."
        )
    shown = "; ".join(
        f"{format_product_name(each.marketplace, each.asin)} {quote_text(each.title, 40)} "
        f"({each.role}, {each.sentiment}) {_label(each)}: {_quote_change(each)}"
        for each in rows[:5]
    )
    return (
        f"{format_capped_count(page.total)} changed, checked since {since} and compared with the "
        f"close of the day in `compared_with`; {len(rows)} shown, each with its role and whether "
        f"the change is good or bad for the team: {shown}."
    )
