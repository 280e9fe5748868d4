"""What moved since a time, of all that is followed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import get_marketplace
from core.database.session import read_scope
from core.history.changes import listing_diff
from core.history.changes import text as change_wording
from core.history.changes.comparison import ChangedProduct, ValueChange
from core.history.changes.feed import (
    ChangeOrder,
    ChangeQuery,
    ChangesPage,
    find_changes,
    start_of_changes,
)
from core.history.changes.listing_changes import listing_diffs
from core.history.changes.listing_diff import ListingChange
from core.history.ingest.change_detection import ChangeKind
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
    ResultPart,
    Untrusted,
    UntrustedTexts,
    format_moment,
    format_product_name,
    quoted,
    untrusted,
)
from mcp_server.results.cursors import hash_question, page_fields, read_cursor
from mcp_server.results.period import told_move

MOST_PARTS = 12  # of a listing that are told in full


class Moved(ResultPart):
    """One value that differs."""

    what: Literal["price", "rank", "rating", "ratings_count"]
    before: Number
    after: Number
    unit: str
    change: Annotated[
        str,
        Described(
            description="Of a rank the ratio of both, in percent below ×2.",
            examples=["worsened ×2.1"],
        ),
    ]


class Piece(ResultPart):
    """Words of a listing that stayed, came or went; … stands for what was left out."""

    mark: Literal["same", "added", "removed"]
    text: Untrusted


class ListingPart(ResultPart):
    """A part of a listing that differs, in reading order."""

    part: Annotated[str, Described(examples=["Title", "Bullet 2"])]
    pieces: list[Piece]


class ChangeRow(ProductRef):
    """A product that changed: the worst of what happened, and every value that differs."""

    title: Untrusted | None
    role: Annotated[Role, Described(description="What the product is to those who track it.")]
    tags: UntrustedTexts
    kind: Annotated[ChangeKind, Described(description="The worst of what happened.")]
    what: Annotated[str, Described(examples=["Rank worsened"])]
    from_to: Untrusted
    mood: Annotated[
        Sentiment, Described(description="Better or worse for the one who tracks it, by the role.")
    ]
    compared_with: Annotated[
        str,
        Described(
            description="The day, by the marketplace's clock, at whose close the values before "
            "were true.",
            examples=["2026-03-01"],
        ),
    ]
    looked_at: Moment
    moved: list[Moved]
    listing: Annotated[list[ListingPart], Described(description="Empty: it did not change.")]
    listing_parts_left_out: Annotated[int, Described(description="More parts that changed.")]
    is_demo: bool


class ChangeList(ListResult):
    """A page of changes."""

    since: Moment
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
    order: ChangeOrder = ChangeOrder.WORST,
    limit: Annotated[int, Described(ge=1, le=100)] = 20,
    cursor: CursorText = None,
) -> ChangeList:
    """List tracked products that changed since a time: stock, Buy Box, price, rank, ratings,
    listing word by word. Start a daily briefing here.

    If `since` is within a day, values are compared with the previous day's close; otherwise,
    and for products checked several times a day, with the day before `since`. Changes below
    alert thresholds are left out.
    """
    mark = hash_question("changes", since, whose, roles, kinds, order, limit)
    place = read_cursor(cursor, mark)
    began, is_last_day = _settled(place.anchor) or start_of_changes(since, call.now)
    asked = ChangeQuery(began, is_last_day, whose, roles, kinds, order)

    def report(done: int, total: int) -> None:
        call.report(done, total, f"Compared {done:,} of at most {total:,} products.")

    with read_scope() as session:
        page = find_changes(session, call.principal, asked, place.offset, limit, report)
        diffs = listing_diffs(session, call.principal, asked, page.rows)
    here = replace(place, anchor=_anchor(began, is_last_day))
    return ChangeList(
        **page_fields(page.total, here, limit, mark),
        since=format_moment(began),
        changes=[_row(each, diffs.get(each.product_id, ())) for each in page.rows],
        summary=_summarize(page, format_moment(began)),
    )


def _anchor(began: datetime, is_last_day: bool) -> int:
    """Return what the first page settled as a number: later pages are of the same list."""
    return int(began.timestamp()) * 2 + is_last_day


def _settled(anchor: int) -> tuple[datetime, bool] | None:
    """Return what the first page settled, None on the first page."""
    if not anchor:
        return None
    return datetime.fromtimestamp(anchor // 2, UTC), bool(anchor % 2)


def _row(each: ChangedProduct, listing: Sequence[ListingChange]) -> ChangeRow:
    return ChangeRow(
        product=format_product_name(each.marketplace, each.asin),
        marketplace=each.marketplace,
        asin=each.asin,
        title=untrusted(each.title),
        role=each.role,
        tags=UntrustedTexts(untrusted=list(each.tags)),
        kind=each.kind,
        what=change_wording.change_label(each.kind),
        from_to=Untrusted(untrusted=each.format_change()),
        mood=each.sentiment,
        compared_with=each.then_day.isoformat(),
        looked_at=format_moment(each.captured_at),
        moved=[_moved(move, each.marketplace) for move in each.list_value_changes()],
        listing=[_part(part) for part in listing[:MOST_PARTS]],
        listing_parts_left_out=len(listing[MOST_PARTS:]),
        is_demo=each.is_demo,
    )


def _moved(move: ValueChange, marketplace: str) -> Moved:
    return Moved(
        what=move.field,
        before=told_move(move.field, move.before, marketplace),
        after=told_move(move.field, move.after, marketplace),
        unit=_UNITS.get(move.field) or get_marketplace(marketplace).currency,
        change=move.text,
    )


def _part(change: ListingChange) -> ListingPart:
    return ListingPart(
        part=change.part,
        pieces=[
            Piece(mark=piece.mark, text=Untrusted(untrusted=piece.text))
            for piece in listing_diff.shorten_diff(change.pieces)
        ],
    )


def _summarize(page: ChangesPage, since: str) -> str:
    rows = page.rows
    if not rows:
        return (
            f"No notable changes since {since}. `get_fetch_status` reports whether all products "
            "were checked."
        )
    shown = "; ".join(
        f"{format_product_name(each.marketplace, each.asin)} {quoted(each.title, 40)} "
        f"({each.role}, {each.sentiment}) {change_wording.change_label(each.kind)}: "
        f"{quoted(each.format_change())}"
        for each in rows[:5]
    )
    return (
        f"{format_capped_count(page.total)} changed, checked since {since} and compared with the "
        f"close of the day in `compared_with`; {len(rows)} shown, each with its role and whether "
        f"the change is good or bad for the team: {shown}."
    )
