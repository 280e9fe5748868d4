"""Verbs on lists of named products, with an answer for every name. None commits.

What a name comes to is in the answer, never an error: one bad name of two hundred
must not keep the others from being done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, require_permission
from core.catalog.asin import MentionVerdict
from core.catalog.marketplaces import marketplace_called
from core.errors import InvalidInputError, NotFoundError
from core.tracking.list_filter import ListScope
from core.tracking.product_reference import REFERENCE_HELP, parse_reference, resolve_product
from core.tracking.rules import Cadence, Role
from core.tracking.service import (
    NewTracking,
    TrackResult,
    clean_tags,
    pause,
    request_refresh,
    resume,
    track,
)
from core.tracking.settings import SettingsChange, TrackingPatch, patch_settings
from core.tracking.tracking_status import Key, TrackingStatus, tracking_status_of


class Verdict(StrEnum):
    """What became of one name of a list."""

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


Came = tuple[Verdict, str | None]  # what came of a name, and why


@dataclass(frozen=True, slots=True)
class NamedResult:
    """A name, what it came to, and why where that needs saying."""

    asked: str
    verdict: Verdict
    key: Key | None = None  # None: it names no product
    product_id: int | None = None  # None: it names none that is known here
    why: str | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How products are to be followed. None: as usual."""

    role: Role | None = None
    cadence: Cadence | None = None
    tags: tuple[str, ...] = ()
    marketplace: str | None = None  # of ASINs that stand alone


_NOT_YOURS = "You do not track this product. Track it first."
_NOT_THE_TEAMS = "No one in your team tracks this product. Track it first."
_IS_PAUSED = "It is paused. Resume it to have it checked."


@requires(Permission.TRACK)
def track_named(
    session: Session, principal: Principal, names: Sequence[str], how: How
) -> list[NamedResult]:
    """Follow the products that names mean; return one answer per name, in order.

    What the person follows already keeps all its settings. Raises NotFoundError when the
    marketplace is none of Amazon's, InvalidInputError for a tag that is too long.
    """
    default = marketplace_called(how.marketplace).code if how.marketplace else None
    tags = tuple(clean_tags(how.tags))
    read = [_to_track(name, default) for name in names]
    wishes = [NewTracking(*each.key, how.role, how.cadence, tags) for each in read if each.key]
    followed = track(session, principal, wishes, keep=True, noted=False)
    added = [each.product_id for each in followed if each.is_new]
    new = {"role": how.role or Role.WATCHED, "cadence": how.cadence or Cadence.DAILY, "tags": tags}
    audit.record_bulk(session, principal, "followed", "product", added, new)
    outcomes = iter(followed)
    return [_tracked(each, next(outcomes)) if each.key else each for each in read]


def _tracked(read: NamedResult, followed: TrackResult) -> NamedResult:
    if followed.is_new:
        return read
    why = _IS_PAUSED if followed.is_paused else None
    return replace(read, verdict=Verdict.ALREADY_TRACKED, why=why)


def _to_track(name: str, default: str | None) -> NamedResult:
    """Return a name's product as one to be added, or why there is none."""
    try:
        mention = parse_reference(name, default)
    except InvalidInputError as error:
        return NamedResult(name, Verdict.INVALID, why=str(error))
    if mention.marketplace and mention.asin:
        return NamedResult(name, Verdict.ADDED, (mention.marketplace, mention.asin))
    if mention.verdict is MentionVerdict.NEEDS_MARKETPLACE:
        why = f"Say which marketplace, such as US:{mention.asin}, or name one for all."
        return NamedResult(name, Verdict.NEEDS_MARKETPLACE, why=why)
    return NamedResult(name, Verdict.INVALID, why=f"{mention.detail} {REFERENCE_HELP}")


@requires(Permission.TRACK)
def refresh_named(
    session: Session, principal: Principal, names: Sequence[str]
) -> list[NamedResult]:
    """Make the products that names mean due now; return one answer per name, in order."""

    def refresh(standing: TrackingStatus) -> Came:
        if not standing.follows(ListScope.TEAM):
            return Verdict.NOT_TRACKED, _NOT_THE_TEAMS
        asked = request_refresh(session, principal, [standing.product_id])
        return (Verdict.QUEUED if asked else Verdict.BEING_FETCHED), None

    return _each(session, principal, names, refresh, _NOT_THE_TEAMS)


@requires(Permission.TRACK)
def set_running_named(
    session: Session, principal: Principal, names: Sequence[str], runs: bool, whose: ListScope
) -> list[NamedResult]:
    """Pause or resume the products that names mean, for the person or for the team.

    What is so already stays so, and the answer says it.
    """
    if whose is ListScope.TEAM:
        require_permission(principal, Permission.TRACK_TEAM)
    missing = _NOT_YOURS if whose is ListScope.MINE else _NOT_THE_TEAMS
    verb_of, done = (resume, Verdict.RESUMED) if runs else (pause, Verdict.PAUSED)

    def turn(standing: TrackingStatus) -> Came:
        if not standing.follows(whose):
            return Verdict.NOT_TRACKED, missing
        did = verb_of(session, principal, [standing.product_id], whose)
        return (done if did else Verdict.UNCHANGED), None

    return _each(session, principal, names, turn, missing)


@requires(Permission.TRACK)
def change_named(
    session: Session, principal: Principal, name: str, changes: TrackingPatch, whose: ListScope
) -> tuple[Key, SettingsChange]:
    """Change some settings of the product that a name means; return which it is, and how.

    Raises InvalidInputError for what names none, NotFoundError for one not followed.
    """
    key = resolve_product(session, principal, name)
    standing = tracking_status_of(session, principal, [key]).get(key)
    if standing is None or not standing.follows(whose):
        missing = _NOT_YOURS if whose is ListScope.MINE else _NOT_THE_TEAMS
        raise NotFoundError(missing)
    return key, patch_settings(session, principal, standing.product_id, changes, whose)


def _each(
    session: Session,
    principal: Principal,
    names: Sequence[str],
    do: Callable[[TrackingStatus], Came],
    missing: str,
) -> list[NamedResult]:
    """Do something with every product named, once for each, in an order all calls share."""
    read = [_known(session, principal, name) for name in names]
    keys = [each.key for each in read if each.key]
    standings = tracking_status_of(session, principal, keys)
    # Two calls over the same products must not wait for each other's rows.
    ordered = sorted(standings.items(), key=lambda item: item[1].product_id)
    done = {key: (do(standing), standing.product_id) for key, standing in ordered}
    unknown = ((Verdict.NOT_TRACKED, missing), None)
    return [_came(each, *done.get(each.key, unknown)) if each.key else each for each in read]


def _came(read: NamedResult, came: Came, product_id: int | None) -> NamedResult:
    verdict, why = came
    return replace(read, verdict=verdict, why=why, product_id=product_id)


def _known(session: Session, principal: Principal, name: str) -> NamedResult:
    try:
        return NamedResult(name, Verdict.UNCHANGED, resolve_product(session, principal, name))
    except InvalidInputError as error:
        return NamedResult(name, Verdict.INVALID, why=str(error))
