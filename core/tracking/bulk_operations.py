"""Operations on lists of product references, with a result for each. None commits.

An invalid reference has a result too and raises nothing: one of two hundred must not stop
the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, require_permission
from core.catalog.asin import MentionVerdict
from core.catalog.marketplaces import get_by_name
from core.errors import InvalidInputError, NotFoundError
from core.tracking.list_filter import ListScope
from core.tracking.product_reference import REFERENCE_HELP, parse_reference, resolve_product
from core.tracking.rules import Cadence, Role
from core.tracking.service import (
    NewTracking,
    TrackResult,
    clean_tags,
    pause,
    request_checks,
    resume,
    track,
)
from core.tracking.settings import SettingsChange, TrackingPatch, patch_settings
from core.tracking.tracking_status import Key, TrackingStatus, find_tracking_status


class Verdict(StrEnum):
    """The result of one reference in a list."""

    ADDED = "added"
    ALREADY_TRACKED = "already_tracked"
    NEEDS_MARKETPLACE = "needs_marketplace"
    QUEUED = "queued"
    BEING_FETCHED = "being_fetched"
    PAUSED = "paused"
    RESUMED = "resumed"
    UNCHANGED = "unchanged"
    NOT_TRACKED = "not_tracked"
    INVALID = "invalid"


Result = tuple[Verdict, str | None]  # of one product, with a reason


@dataclass(frozen=True, slots=True)
class NamedResult:
    """A reference and its result, with a reason where needed."""

    asked: str
    verdict: Verdict
    key: Key | None = None  # None: it means no product
    product_id: int | None = None  # None: no known product
    why: str | None = None


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """How to track products. None: the default."""

    role: Role | None = None
    cadence: Cadence | None = None
    tags: tuple[str, ...] = ()
    marketplace: str | None = None  # of ASINs without one


_NOT_YOURS = "You do not track this product. Track it first."
_NOT_THE_TEAMS = "No one in your team tracks this product. Track it first."
_IS_PAUSED = "It is paused. Resume it to have it checked."


@requires(Permission.TRACK)
def track_named(
    session: Session, principal: Principal, names: Sequence[str], options: TrackingOptions
) -> list[NamedResult]:
    """Track the referenced products; return one result per reference, in order.

    Products that the user tracks already keep their settings. Raises NotFoundError for an
    unknown marketplace, InvalidInputError for a tag that is too long.
    """
    default = get_by_name(options.marketplace).code if options.marketplace else None
    tags = tuple(clean_tags(options.tags))
    read = [_read_reference(name, default) for name in names]
    requests = [
        NewTracking(*each.key, options.role, options.cadence, tags) for each in read if each.key
    ]
    tracked = track(session, principal, requests, keep=True, is_recorded=False)
    added = [each.product_id for each in tracked if each.is_new]
    new = {
        "role": options.role or Role.WATCHED,
        "cadence": options.cadence or Cadence.DAILY,
        "tags": tags,
    }
    audit.record_bulk(session, principal, "followed", "product", added, new)
    outcomes = iter(tracked)
    return [_mark_tracked(each, next(outcomes)) if each.key else each for each in read]


def _mark_tracked(read: NamedResult, tracked: TrackResult) -> NamedResult:
    if tracked.is_new:
        return read
    why = _IS_PAUSED if tracked.is_paused else None
    return replace(read, verdict=Verdict.ALREADY_TRACKED, why=why)


def _read_reference(name: str, default: str | None) -> NamedResult:
    """Return a reference's product as added, or why it means none."""
    try:
        mention = parse_reference(name, default)
    except InvalidInputError as error:
        return NamedResult(name, Verdict.INVALID, why=str(error))
    if mention.marketplace and mention.asin:
        return NamedResult(name, Verdict.ADDED, (mention.marketplace, mention.asin))
    if mention.verdict is MentionVerdict.NEEDS_MARKETPLACE:
        why = f"Give its marketplace, such as US:{mention.asin}, or one marketplace for all."
        return NamedResult(name, Verdict.NEEDS_MARKETPLACE, why=why)
    return NamedResult(name, Verdict.INVALID, why=f"{mention.detail} {REFERENCE_HELP}")


@requires(Permission.TRACK)
def refresh_named(
    session: Session, principal: Principal, names: Sequence[str]
) -> list[NamedResult]:
    """Request a check of the referenced products; return one result per reference, in order."""

    def request_one(status: TrackingStatus) -> Result:
        if not status.is_tracked(ListScope.TEAM):
            return Verdict.NOT_TRACKED, _NOT_THE_TEAMS
        requested = request_checks(session, principal, [status.product_id])
        return (Verdict.QUEUED if requested else Verdict.BEING_FETCHED), None

    return _each(session, principal, names, request_one, _NOT_THE_TEAMS)


@requires(Permission.TRACK)
def set_running_named(
    session: Session, principal: Principal, names: Sequence[str], runs: bool, scope: ListScope
) -> list[NamedResult]:
    """Pause or resume the referenced products, for the user or for the team.

    A product that is paused (resumed) already has the result "unchanged".
    """
    if scope is ListScope.TEAM:
        require_permission(principal, Permission.TRACK_TEAM)
    missing = _NOT_YOURS if scope is ListScope.MINE else _NOT_THE_TEAMS
    operation, done = (resume, Verdict.RESUMED) if runs else (pause, Verdict.PAUSED)

    def set_one(status: TrackingStatus) -> Result:
        if not status.is_tracked(scope):
            return Verdict.NOT_TRACKED, missing
        changed = operation(session, principal, [status.product_id], scope)
        return (done if changed else Verdict.UNCHANGED), None

    return _each(session, principal, names, set_one, missing)


@requires(Permission.TRACK)
def change_named(
    session: Session, principal: Principal, name: str, changes: TrackingPatch, scope: ListScope
) -> tuple[Key, SettingsChange]:
    """Change some settings of the referenced product; return the product and the change.

    Raises InvalidInputError for a reference to no product, NotFoundError for a product that
    is not tracked.
    """
    key = resolve_product(session, principal, name)
    status = find_tracking_status(session, principal, [key]).get(key)
    if status is None or not status.is_tracked(scope):
        missing = _NOT_YOURS if scope is ListScope.MINE else _NOT_THE_TEAMS
        raise NotFoundError(missing)
    return key, patch_settings(session, principal, status.product_id, changes, scope)


def _each(
    session: Session,
    principal: Principal,
    names: Sequence[str],
    operate: Callable[[TrackingStatus], Result],
    missing: str,
) -> list[NamedResult]:
    """Apply an operation to each referenced product once; return a result per reference."""
    read = [_resolve(session, principal, name) for name in names]
    keys = [each.key for each in read if each.key]
    statuses = find_tracking_status(session, principal, keys)
    # The same order in all calls, so that two of them never deadlock.
    ordered = sorted(statuses.items(), key=lambda item: item[1].product_id)
    done = {key: (operate(status), status.product_id) for key, status in ordered}
    unknown = ((Verdict.NOT_TRACKED, missing), None)
    return [_with_result(each, *done.get(each.key, unknown)) if each.key else each for each in read]


def _with_result(read: NamedResult, result: Result, product_id: int | None) -> NamedResult:
    verdict, why = result
    return replace(read, verdict=verdict, why=why, product_id=product_id)


def _resolve(session: Session, principal: Principal, name: str) -> NamedResult:
    try:
        return NamedResult(name, Verdict.UNCHANGED, resolve_product(session, principal, name))
    except InvalidInputError as error:
        return NamedResult(name, Verdict.INVALID, why=str(error))
