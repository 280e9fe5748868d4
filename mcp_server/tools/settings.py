"""Changing settings of tracked products. Only given arguments change."""

from abc import abstractmethod
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field as Described
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission
from core.database.session import read_scope
from core.thresholds import LARGEST_THRESHOLD, Thresholds
from core.tracking import bulk_operations
from core.tracking.list_filter import ListScope
from core.tracking.lists.team_thresholds import read_team_thresholds
from core.tracking.rules import LONGEST_NOTE, Cadence, Role
from core.tracking.settings import KEEP, SettingsChange, TrackingPatch, TrackingSettings, Unset
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import WriteOptions, run_write, tool
from mcp_server.results.arguments import (
    DryRun,
    IdempotencyKey,
    Kept,
    ProductName,
    Tag,
    drop_default,
)
from mcp_server.results.base import (
    ProductRef,
    ResultPart,
    Untrusted,
    UntrustedTexts,
    WriteResult,
    format_product_name,
    mark_untrusted,
    quote_text,
)

_MAX_SHOWN = 60  # characters of a note repeated in the summary
A = TypeVar("A", bound="SettingsWritten")

WhoseSettings = Annotated[
    ListScope,
    Described(description="team: a teammate's settings where you don't track it; needs a manager."),
]


class SettingsWritten(ProductRef, WriteResult):
    """Settings of a product before and after."""

    is_mine: Annotated[bool, Described(description="False: a teammate's settings.")]
    changed: Annotated[list[str], Described(description="Names of the changed settings.")]

    @abstractmethod
    def describe_changes(self) -> list[str]:
        """Return each changed setting with its value before and after."""

    def describe_write(self) -> str:
        """Return the changed settings."""
        what = "; ".join(self.describe_changes()) if self.changed else "nothing changed"
        return f"{self.product}: {what}."


class TrackingSettingsPart(ResultPart):
    """Tracking settings of a product."""

    role: Role
    cadence: Annotated[Cadence, Described(description="How often it is checked.")]
    tags: UntrustedTexts
    note: Untrusted | None
    is_primary: bool


class TrackingSettingsWritten(SettingsWritten):
    """Tracking settings of a product, before and after."""

    before: TrackingSettingsPart
    after: TrackingSettingsPart

    def describe_changes(self) -> list[str]:
        """Return each changed setting with its value before and after."""
        return [
            f"{name} was {_format(getattr(self.before, name))}, "
            f"is {_format(getattr(self.after, name))}"
            for name in self.changed
        ]


def _format(value: object) -> str:
    if isinstance(value, UntrustedTexts):
        return ", ".join(quote_text(each) for each in value.untrusted) or "none"
    if isinstance(value, Untrusted):
        return quote_text(value.untrusted, _MAX_SHOWN)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


@tool(Permission.TRACK, "Change tracking settings", is_destructive=True)
def update_tracking_settings(
    call: Call,
    product: ProductName,
    role: Annotated[
        Role | Kept,
        Described(json_schema_extra=drop_default),
    ] = KEEP,
    cadence: Annotated[
        Cadence | Kept,
        Described(description="How often it is checked.", json_schema_extra=drop_default),
    ] = KEEP,
    tags: Annotated[
        Annotated[tuple[Tag, ...], Described(max_length=20)] | Kept,
        Described(
            description="Replaces all tags.",
            json_schema_extra=drop_default,
        ),
    ] = KEEP,
    note: Annotated[
        Annotated[str, Described(max_length=LONGEST_NOTE)] | Kept,
        Described(description="Replaces the note; empty: none.", json_schema_extra=drop_default),
    ] = KEEP,
    is_primary: Annotated[
        bool | Kept,
        Described(description="One of the main products.", json_schema_extra=drop_default),
    ] = KEEP,
    whose: WhoseSettings = ListScope.MINE,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> TrackingSettingsWritten:
    """Change a tracked product's settings. What is left out stays as it is; the result has the
    values before and after."""
    changes = TrackingPatch(role=role, cadence=cadence, tags=tags, note=note, is_primary=is_primary)

    def make_result(key: tuple[str, str], done: SettingsChange) -> TrackingSettingsWritten:
        before, after = _make_settings(done.before), _make_settings(done.after)
        return TrackingSettingsWritten(
            **_shared_fields(key, done),
            changed=_changed_names(before, after),
            before=before,
            after=after,
        )

    work = _make_work(call, product, changes, whose, make_result)
    return run_write(call, WriteOptions(dry_run, idempotency_key), TrackingSettingsWritten, work)


def _make_settings(settings: TrackingSettings) -> TrackingSettingsPart:
    return TrackingSettingsPart(
        role=settings.role,
        cadence=settings.cadence,
        tags=UntrustedTexts(untrusted=list(settings.tags)),
        note=mark_untrusted(settings.note),
        is_primary=settings.is_primary,
    )


class Threshold(ResultPart):
    """The smallest change that triggers an alert."""

    percent: Annotated[float, Described(description="Of the value before.")]
    is_usual: Annotated[bool, Described(description="Team's default; false: this product's.")]

    def __str__(self) -> str:
        return f"{self.percent:g} %{' (default)' if self.is_usual else ''}"


class AlertThresholds(ResultPart):
    """Alert thresholds of a product."""

    price_change: Threshold
    rank_change: Threshold


class AlertThresholdsWritten(SettingsWritten):
    """Alert thresholds of a product, before and after."""

    before: AlertThresholds
    after: AlertThresholds

    def describe_changes(self) -> list[str]:
        """Return each changed threshold with its value before and after."""
        return [
            f"{name.replace('_', ' ')} was {getattr(self.before, name)}, "
            f"is {getattr(self.after, name)}"
            for name in self.changed
        ]


Percent = Annotated[float, Described(ge=0.01, le=LARGEST_THRESHOLD, allow_inf_nan=False)]


@tool(Permission.TRACK, "Change alert thresholds", is_destructive=True)
def update_alert_thresholds(
    call: Call,
    product: ProductName,
    price_change_percent: Annotated[
        Percent | Literal["usual"] | Kept,
        Described(
            description="Smaller price changes don't trigger alerts. `usual`: the team's default.",
            json_schema_extra=drop_default,
        ),
    ] = KEEP,
    rank_change_percent: Annotated[
        Percent | Literal["usual"] | Kept,
        Described(
            description="The same for rank changes, as a ratio (100 to 150 or back is 50 %).",
            json_schema_extra=drop_default,
        ),
    ] = KEEP,
    whose: WhoseSettings = ListScope.MINE,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> AlertThresholdsWritten:
    """Change from which price or rank change on a product triggers alerts. What is left out
    stays as it is; the result has the values before and after."""
    changes = TrackingPatch(
        price_change_percent=_decimal(price_change_percent),
        rank_change_percent=_decimal(rank_change_percent),
    )

    with read_scope() as session:
        team = read_team_thresholds(session, call.principal.team_id)

    def make_result(key: tuple[str, str], done: SettingsChange) -> AlertThresholdsWritten:
        before, after = _thresholds(done.before, team), _thresholds(done.after, team)
        return AlertThresholdsWritten(
            **_shared_fields(key, done),
            changed=_changed_names(before, after),
            before=before,
            after=after,
        )

    work = _make_work(call, product, changes, whose, make_result)
    return run_write(call, WriteOptions(dry_run, idempotency_key), AlertThresholdsWritten, work)


def _decimal(percent: float | Literal["usual"] | Unset) -> Decimal | Unset | None:
    """Return a threshold as it is stored; None: the default."""
    if percent == "usual":
        return None
    return Decimal(repr(percent)) if isinstance(percent, float) else percent


def _thresholds(settings: TrackingSettings, team: Thresholds) -> AlertThresholds:
    own = settings.price_change_percent, settings.rank_change_percent
    counting = team.with_own(*own)
    price, rank = (
        Threshold(percent=float(percent), is_usual=typed is None)
        for percent, typed in zip((counting.price_percent, counting.rank_percent), own, strict=True)
    )
    return AlertThresholds(price_change=price, rank_change=rank)


def _make_work(
    call: Call,
    product: str,
    changes: TrackingPatch,
    whose: ListScope,
    make_result: Callable[[tuple[str, str], SettingsChange], A],
) -> Callable[[Session], A]:
    """Return the function that changes a product's settings in a session."""

    def work(session: Session) -> A:
        return make_result(
            *bulk_operations.change_named(session, call.principal, product, changes, whose)
        )

    return work


def _shared_fields(key: tuple[str, str], done: SettingsChange) -> dict[str, Any]:
    marketplace, asin = key
    return {
        "product": format_product_name(marketplace, asin),
        "marketplace": marketplace,
        "asin": asin,
        "is_mine": done.is_mine,
    }


def _changed_names(before: ResultPart, after: ResultPart) -> list[str]:
    """Return the names of the changed settings."""
    names = type(before).model_fields
    return [name for name in names if getattr(before, name) != getattr(after, name)]
