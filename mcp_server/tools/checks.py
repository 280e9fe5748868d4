"""Why values are missing or old, and when the next check is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.database.session import read_scope
from core.history.current import missing_values
from core.history.labels import outcome_sentence
from core.history.observation import Outcome
from core.history.product_summary import ProductSummary
from core.scraping.runs.status import (
    CurrentSchedule,
    ProductRun,
    find_current_schedule,
    list_product_runs,
)
from core.settings.environment import get_settings
from core.text.numbers import format_capped_count, format_count
from core.text.times import format_age
from core.tracking.list_filter import COUNT_CAP, ListScope
from core.tracking.lists.freshness import Freshness, measure_freshness
from core.upkeep.fetch_blockers import find_blockers
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import ProductName
from mcp_server.results.base import (
    Moment,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    format_moment,
    format_moment_or_none,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.product_lookup import find_product


class Run(ResultPart):
    """A run that requested the product."""

    run: int
    actor: str
    state: Annotated[
        str,
        Described(
            description="intended → running → finished (at the provider) → collected (stored), "
            "or failed."
        ),
    ]
    began_at: Moment
    ended_at: Annotated[Moment | None, Described(description="Null: still running.")]
    outcome: Annotated[str | None, Described(description="For this product; null: no result yet.")]
    in_words: str | None
    detail: Untrusted | None
    error: Untrusted | None


class ProductStatus(ProductRef):
    """The state of one product's checks."""

    title: Untrusted | None
    is_followed: Annotated[bool, Described(description="By any user of the team.")]
    is_paused: Annotated[
        bool | None, Described(description="By the user who tracks it; null: not tracked.")
    ]
    cadence: Annotated[
        str | None,
        Described(description="hourly, 6h, daily or weekly; null: not tracked."),
    ]
    last_seen_at: Annotated[
        Moment | None, Described(description="Observation time of the newest values; null: never.")
    ]
    due_at: Annotated[Moment | None, Described(description="Null: not scheduled.")]
    being_fetched_until: Annotated[
        Moment | None,
        Described(description="When it is tried again without a result; null: not being checked."),
    ]
    asked_for_at: Annotated[
        Moment | None,
        Described(description="When a user or agent requested a check."),
    ]
    failures_in_a_row: int
    last_outcome: str | None
    last_outcome_in_words: str | None
    next_step: Annotated[str, Described(examples=["next check in 5 h"])]
    trouble: Annotated[
        str | None, Described(description="Why the last check failed; null: it did not.")
    ]
    why_nothing_is_known: Annotated[str | None, Described(description="Null: there are values.")]
    runs: Annotated[list[Run], Described(description="The last 5, newest first.")]


class TeamStatus(ResultPart):
    """The state of the checks of all products that the team tracks."""

    followed: Annotated[int, Described(description="10,000 means 10,000 or more.")]
    expected_a_day: Annotated[
        int,
        Described(
            description="Neither paused nor weekly: checked daily or more often; up to 10,000."
        ),
    ]
    looked_at_in_24_hours: Annotated[
        int, Described(description="Of the expected ones; up to 10,000.")
    ]
    last_look_at: Annotated[Moment | None, Described(description="Null: never.")]
    due_now: int
    being_fetched: int
    last_fetch_failed: int
    not_scheduled: Annotated[int, Described(description="Tracked by no user who has it running.")]
    next_due_at: Annotated[Moment | None, Described(description="Null: nothing is scheduled.")]


class FetchStatus(Result):
    """Why values are missing or old, and when the next check is due."""

    as_of: Moment
    time_zone: Literal["UTC"] = "UTC"
    product: Annotated[
        ProductStatus | None, Described(description="Null: the call was about the team.")
    ]
    team: Annotated[
        TeamStatus | None, Described(description="Null: the call was about one product.")
    ]
    hindrances: Annotated[
        list[str],
        Described(
            description="What prevents checks at this installation, and how to fix it; empty: "
            "nothing."
        ),
    ]


@tool(Permission.READ, "Fetch status")
def get_fetch_status(
    call: Call,
    product: Annotated[
        ProductName | None, Described(description="Default: all that the team tracks.")
    ] = None,
) -> FetchStatus:
    """Explain why values are missing or old, and when the next check is due: one product's
    schedule, failures and recent runs, or without a product how fresh the team's data is."""
    with read_scope() as session:
        blockers = find_blockers(session, call.principal, get_settings(), call.now)
        if product is None:
            fresh = measure_freshness(session, call.principal, ListScope.TEAM)
            return _make_team_status(
                fresh, find_current_schedule(session, call.principal, call.now), blockers, call.now
            )
        head = find_product(session, call.principal, product)
        runs = list_product_runs(session, call.principal, head)
    return _make_product_status(head, runs, blockers, call.now)


def _make_team_status(
    fresh: Freshness, schedule: CurrentSchedule, blockers: list[str], now: datetime
) -> FetchStatus:
    team = TeamStatus(
        followed=min(fresh.tracked, COUNT_CAP),
        expected_a_day=min(fresh.expected, COUNT_CAP),
        looked_at_in_24_hours=min(fresh.checked, COUNT_CAP),
        last_look_at=format_moment_or_none(fresh.last_observed_at),
        due_now=schedule.due,
        being_fetched=schedule.being_fetched,
        last_fetch_failed=schedule.failing,
        not_scheduled=schedule.not_scheduled,
        next_due_at=format_moment_or_none(schedule.next_due_at),
    )
    checked = f"{format_capped_count(fresh.checked)} of {format_capped_count(fresh.expected)}"
    last = "never" if fresh.last_observed_at is None else format_age(fresh.last_observed_at, now)
    return FetchStatus(
        as_of=format_moment(now),
        product=None,
        team=team,
        hindrances=blockers,
        summary=f"{format_capped_count(fresh.tracked)} products are tracked; {checked} that are "
        f"due every day were checked in the last 24 hours, the last one {last}. "
        f"{format_count(schedule.due)} are due now, "
        f"{format_count(schedule.failing)} failed last time. {_summarize_blockers(blockers)}",
    )


def _summarize_blockers(blockers: Sequence[str]) -> str:
    return " ".join(blockers) or "Nothing prevents checks."


def _make_product_status(
    head: ProductSummary, runs: Sequence[ProductRun], blockers: list[str], now: datetime
) -> FetchStatus:
    never = (
        missing_values.never_observed_text(head.fetching, now) if head.captured_at is None else None
    )
    status = ProductStatus(
        product=format_product_name(head.marketplace, head.asin),
        marketplace=head.marketplace,
        asin=head.asin,
        title=mark_untrusted(head.title),
        last_seen_at=format_moment_or_none(head.captured_at),
        why_nothing_is_known=never,
        next_step=missing_values.next_fetch_text(head.fetching, now),
        trouble=missing_values.fetch_problem(head.fetching, now),
        runs=[_make_run(each) for each in runs],
        **_tracking_fields(head),
        **_schedule_fields(head),
    )
    seen = never or f"last seen {format_age(head.captured_at, now)}"
    ended = None if status.last_outcome == Outcome.OK else status.last_outcome_in_words
    trouble = f" {reason}" if (reason := status.trouble or ended) else ""
    name = f"{format_product_name(head.marketplace, head.asin)} {quote_text(head.title)}"
    return FetchStatus(
        as_of=format_moment(now),
        product=status,
        team=None,
        hindrances=blockers,
        summary=f"{name}: {seen}; {status.next_step}.{trouble} {_summarize_blockers(blockers)}",
    )


def _tracking_fields(head: ProductSummary) -> dict[str, bool | str | None]:
    tracking = head.tracking
    return {
        "is_followed": tracking is not None,
        "is_paused": None if tracking is None else tracking.paused_at is not None,
        "cadence": None if tracking is None else tracking.settings.cadence.value,
    }


def _schedule_fields(head: ProductSummary) -> dict[str, int | str | None]:
    fetching = head.fetching
    if fetching is None:
        return dict.fromkeys(_SCHEDULE_FIELDS) | {"failures_in_a_row": 0}
    ended = fetching.last_outcome
    return {
        "due_at": format_moment(fetching.due_at),
        "being_fetched_until": format_moment_or_none(fetching.leased_until),
        "asked_for_at": format_moment_or_none(fetching.requested_at),
        "failures_in_a_row": fetching.failures,
        "last_outcome": None if ended is None else ended.value,
        "last_outcome_in_words": None if ended is None else outcome_sentence(ended),
    }


_SCHEDULE_FIELDS = (
    "due_at",
    "being_fetched_until",
    "asked_for_at",
    "last_outcome",
    "last_outcome_in_words",
)


def _make_run(each: ProductRun) -> Run:
    return Run(
        run=each.run_id,
        actor=each.actor,
        state=each.state,
        began_at=format_moment(each.began_at),
        ended_at=format_moment_or_none(each.ended_at),
        outcome=None if each.outcome is None else each.outcome.value,
        in_words=None if each.outcome is None else outcome_sentence(each.outcome),
        detail=mark_untrusted(each.detail),
        error=mark_untrusted(each.error),
    )
