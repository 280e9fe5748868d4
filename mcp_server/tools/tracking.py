"""Following products: adding, pausing, and having them looked at now."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field as Described
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission
from core.settings.environment import get_settings
from core.text.escaping import shorten
from core.text.numbers import format_capped_count, format_count
from core.tracking import bulk_operations
from core.tracking.bulk_operations import NamedResult, TrackingOptions, Verdict
from core.tracking.list_filter import ListScope
from core.tracking.lists import freshness
from core.tracking.rules import Cadence, Role
from core.tracking.service import clean_tags
from core.upkeep.fetch_blockers import find_known_blockers
from jobs.tasks.wake import wake_for_fetches
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import WriteOptions, run_write, tool
from mcp_server.results.arguments import (
    DryRun,
    IdempotencyKey,
    NewProductNames,
    ProductNames,
    Scope,
    Tag,
)
from mcp_server.results.base import ResultPart, Untrusted, WriteResult, format_product_name, quoted

_SHOWN = 60  # characters of a name that an answer repeats


class ProductVerdict(ResultPart):
    """What became of one name."""

    asked: Annotated[Untrusted, Described(description="The name as it was given, shortened.")]
    product: Annotated[
        str | None, Described(description="Marketplace and ASIN; null: it names no product.")
    ]
    verdict: Verdict
    why: Annotated[str | None, Described(description="What to do; null: nothing.")] = None


class WrittenList(WriteResult):
    """What a write did to each of several products, in the order they were named."""

    products: list[ProductVerdict]

    def count(self, verdict: Verdict) -> int:
        """Return how many names came to a verdict."""
        return sum(each.verdict is verdict for each in self.products)

    def describe_write(self) -> str:
        """Return how many names came to what, and why the first of the others did not."""
        counts_of = {verdict: self.count(verdict) for verdict in Verdict}
        parts = [
            f"{format_count(number)} {verdict.value.replace('_', ' ')}"
            for verdict, number in counts_of.items()
            if number
        ]
        first = next((each for each in self.products if each.why), None)
        why = f" {quoted(first.asked.untrusted)}: {first.why}" if first else ""
        return f"{', '.join(parts)}.{self.besides()}{why}"

    def besides(self) -> str:
        """Return what is to be said besides of those that came through, after a space."""
        return ""


def verdicts(named: list[NamedResult]) -> list[ProductVerdict]:
    """Return what became of each name."""
    return [
        ProductVerdict(
            asked=Untrusted(untrusted=shorten(" ".join(each.asked.split()), _SHOWN)),
            product=None if each.key is None else format_product_name(*each.key),
            verdict=each.verdict,
            why=each.why,
        )
        for each in named
    ]


Hindrances = Annotated[
    tuple[str, ...],
    Described(description="What keeps anything from being fetched now; empty: nothing does."),
]


def hindered(
    session: Session, named: Sequence[NamedResult], verdict: Verdict, now: datetime
) -> tuple[str, ...]:
    """Return what keeps those of a verdict from being fetched, as somebody has to mend it."""
    if not any(each.verdict is verdict for each in named):
        return ()
    return tuple(find_known_blockers(session, get_settings(), now))


class Tracked(WrittenList):
    """What became of each product that was to be followed."""

    role: Annotated[Role, Described(description="Of those added.")]
    cadence: Annotated[Cadence, Described(description="How often those added are checked.")]
    tags: Annotated[list[str], Described(description="Of those added.")]
    hindrances: Hindrances = ()

    def besides(self) -> str:
        """Return when those added are looked at, and what keeps them from it."""
        if not self.count(Verdict.ADDED):
            return ""
        return " ".join([" The first check of what is added is due now.", *self.hindrances])


@tool(Permission.TRACK, "Track products", is_open_world=True)
def track_products(
    call: Call,
    products: NewProductNames,
    role: Role = Role.WATCHED,
    cadence: Annotated[Cadence, Described(description="A check may cost money.")] = Cadence.DAILY,
    tags: Annotated[tuple[Tag, ...], Described(max_length=20)] = (),
    marketplace: Annotated[
        str | None,
        Described(
            max_length=10,
            description="Code, such as US, of the marketplace of ASINs given alone.",
        ),
    ] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Tracked:
    """Track products for the token's owner from now on; each gets a verdict: added,
    already_tracked, needs_marketplace, or invalid with the reason.

    Those tracked already keep their settings: see `update_tracking_settings`.
    """
    how = TrackingOptions(role, cadence, tags, marketplace)

    def work(session: Session) -> Tracked:
        named = bulk_operations.track_named(session, call.principal, products, how)
        kept = clean_tags(tags)
        hinders = hindered(session, named, Verdict.ADDED, call.now)
        return Tracked(
            products=verdicts(named), role=role, cadence=cadence, tags=kept, hindrances=hinders
        )

    return run_write(call, WriteOptions(dry_run, idempotency_key), Tracked, work)


class RefreshAsked(WrittenList):
    """Which products are looked at out of turn."""

    ahead: Annotated[
        int, Described(description="How many products that were asked for wait before these.")
    ]
    is_worker_reached: Annotated[
        bool | None,
        Described(
            description="False: the worker can't be reached now and fetches them when it is back; "
            "null: it was not called."
        ),
    ] = None
    hindrances: Hindrances = ()

    def rung(self) -> Self:
        """Return the answer after the worker was called, where there is something to fetch."""
        if self.dry_run or not self.count(Verdict.QUEUED):
            return self
        return self.model_copy(update={"is_worker_reached": wake_for_fetches()})

    def besides(self) -> str:
        """Return how many wait before them, and whether the worker knows."""
        place = (
            f" Before them wait {format_capped_count(self.ahead)} others."
            if self.count(Verdict.QUEUED)
            else ""
        )
        away = (
            " The worker can't be reached now: it fetches them when it is back."
            if self.is_worker_reached is False
            else ""
        )
        return " ".join([f"{place}{away}", *self.hindrances])


@tool(Permission.TRACK, "Refresh products now", is_idempotent=False, is_open_world=True)
def trigger_product_refresh(
    call: Call,
    products: ProductNames,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> RefreshAsked:
    """Check tracked products now, ahead of their schedule. Returns how many others are queued
    before, and which are being checked already.

    A check may cost money and takes a minute or more. A paused product is checked once and
    stays paused.
    """

    def work(session: Session) -> RefreshAsked:
        named = bulk_operations.refresh_named(session, call.principal, products)
        ids = [each.product_id for each in named if each.product_id]
        ahead = freshness.count_pending_requests(session, ids)
        hinders = hindered(session, named, Verdict.QUEUED, call.now)
        return RefreshAsked(products=verdicts(named), ahead=ahead, hindrances=hinders)

    return run_write(call, WriteOptions(dry_run, idempotency_key), RefreshAsked, work).rung()


class Target(StrEnum):
    """What tracking is to be."""

    PAUSED = "paused"
    RUNNING = "running"


class Toggled(WrittenList):
    """Which products were paused or resumed."""

    target: Target
    whose: ListScope


@tool(Permission.TRACK, "Pause or resume tracking")
def toggle_product_tracking(
    call: Call,
    products: ProductNames,
    target: Annotated[Target, Described(description="The state afterwards.")],
    whose: Scope = ListScope.MINE,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Toggled:
    """Pause products or resume them; the history stays. `team` does it for everyone in the team
    who tracks them, and needs a manager.

    A product is checked while anyone has it running.
    """

    def work(session: Session) -> Toggled:
        runs = target is Target.RUNNING
        named = bulk_operations.set_running_named(session, call.principal, products, runs, whose)
        return Toggled(products=verdicts(named), target=target, whose=whose)

    return run_write(call, WriteOptions(dry_run, idempotency_key), Toggled, work)
