"""Starting, pausing and resuming tracking, and checking products now."""

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
from mcp_server.results.base import (
    ResultPart,
    Untrusted,
    WriteResult,
    format_product_name,
    quote_text,
)

_MAX_SHOWN = 60  # characters of a name repeated in the result


class ProductVerdict(ResultPart):
    """The result for one name."""

    asked: Annotated[Untrusted, Described(description="The given name, shortened.")]
    product: Annotated[
        str | None, Described(description="Marketplace and ASIN; null: not a product.")
    ]
    verdict: Verdict
    why: Annotated[str | None, Described(description="Reason and remedy; null: none.")] = None


class WrittenList(WriteResult):
    """The result of a write for each product, in the order of the arguments."""

    products: list[ProductVerdict]

    def count(self, verdict: Verdict) -> int:
        """Return the number of names with a verdict."""
        return sum(each.verdict is verdict for each in self.products)

    def describe_write(self) -> str:
        """Return the number of names per verdict, and the first reason."""
        counts = {verdict: self.count(verdict) for verdict in Verdict}
        parts = [
            f"{format_count(number)} {verdict.value.replace('_', ' ')}"
            for verdict, number in counts.items()
            if number
        ]
        first = next((each for each in self.products if each.why), None)
        why = f" {quote_text(first.asked.untrusted)}: {first.why}" if first else ""
        return f"{', '.join(parts)}.{self.describe_effect()}{why}"

    def describe_effect(self) -> str:
        """Return the effect on the products that were changed, after a space; empty: none."""
        return ""


def make_verdicts(named: list[NamedResult]) -> list[ProductVerdict]:
    """Return the result for each name."""
    return [
        ProductVerdict(
            asked=Untrusted(untrusted=shorten(" ".join(each.asked.split()), _MAX_SHOWN)),
            product=None if each.key is None else format_product_name(*each.key),
            verdict=each.verdict,
            why=each.why,
        )
        for each in named
    ]


Hindrances = Annotated[
    tuple[str, ...],
    Described(description="What prevents checks now; empty: nothing."),
]


def find_hindrances(
    session: Session, named: Sequence[NamedResult], verdict: Verdict, now: datetime
) -> tuple[str, ...]:
    """Return what prevents checks of the products with a verdict; empty without such products."""
    if not any(each.verdict is verdict for each in named):
        return ()
    return tuple(find_known_blockers(session, get_settings(), now))


class Tracked(WrittenList):
    """The result of tracking products."""

    role: Annotated[Role, Described(description="Of the added products.")]
    cadence: Annotated[Cadence, Described(description="How often the added products are checked.")]
    tags: Annotated[list[str], Described(description="Of the added products.")]
    hindrances: Hindrances = ()

    def describe_effect(self) -> str:
        """Return when the added products are checked, and what prevents it."""
        if not self.count(Verdict.ADDED):
            return ""
        return " ".join([" The first check of the added products is due now.", *self.hindrances])


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
        blockers = find_hindrances(session, named, Verdict.ADDED, call.now)
        return Tracked(
            products=make_verdicts(named),
            role=role,
            cadence=cadence,
            tags=kept,
            hindrances=blockers,
        )

    return run_write(call, WriteOptions(dry_run, idempotency_key), Tracked, work)


class RefreshRequested(WrittenList):
    """The products that are checked ahead of their schedule."""

    ahead: Annotated[
        int, Described(description="Number of requested products queued before these.")
    ]
    is_worker_reached: Annotated[
        bool | None,
        Described(
            description="False: the worker can't be reached and checks them when it is back; "
            "null: it was not called."
        ),
    ] = None
    hindrances: Hindrances = ()

    def wake_worker(self) -> Self:
        """Wake the worker if products were queued; return the result with its reachability."""
        if self.dry_run or not self.count(Verdict.QUEUED):
            return self
        return self.model_copy(update={"is_worker_reached": wake_for_fetches()})

    def describe_effect(self) -> str:
        """Return how many products are queued before, and whether the worker was reached."""
        place = (
            f" {format_capped_count(self.ahead)} others are queued before them."
            if self.count(Verdict.QUEUED)
            else ""
        )
        away = (
            " The worker can't be reached now: it checks them when it is back."
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
) -> RefreshRequested:
    """Check tracked products now, ahead of their schedule. Returns how many others are queued
    before, and which are being checked already.

    A check may cost money and takes a minute or more. A paused product is checked once and
    stays paused.
    """

    def work(session: Session) -> RefreshRequested:
        named = bulk_operations.refresh_named(session, call.principal, products)
        ids = [each.product_id for each in named if each.product_id]
        ahead = freshness.count_pending_requests(session, ids)
        blockers = find_hindrances(session, named, Verdict.QUEUED, call.now)
        return RefreshRequested(products=make_verdicts(named), ahead=ahead, hindrances=blockers)

    return run_write(
        call, WriteOptions(dry_run, idempotency_key), RefreshRequested, work
    ).wake_worker()


class Target(StrEnum):
    """The state of tracking after the call."""

    PAUSED = "paused"
    RUNNING = "running"


class Toggled(WrittenList):
    """The products that were paused or resumed."""

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
        return Toggled(products=make_verdicts(named), target=target, whose=whose)

    return run_write(call, WriteOptions(dry_run, idempotency_key), Toggled, work)
