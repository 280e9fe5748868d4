"""Commands of the suggestion pages: each writes and returns a message for the user."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.data import get_principal
from core.database.session import shared_time, write_scope
from core.errors import InvalidInputError
from core.suggestions.advice_queue import service as advising
from core.suggestions.changes.add_competitor import parse_competitor
from core.suggestions.execution import apply
from core.suggestions.review import service
from core.suggestions.review.service import Decision
from core.text.escaping import escape_markdown
from core.text.numbers import format_count, format_counted
from core.tracking.competitors import service as competitors
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.price_caps.service import set_price_cap
from core.tracking.rules import Role
from core.tracking.service import NewTracking, track
from jobs.tasks.wake import wake_for_advice, wake_for_alerts, wake_for_approvals


def approve_action(action_id: int, edited: dict[str, Any] | None = None, reason: str = "") -> str:
    """Approve an action as proposed, or with edited values."""
    with write_scope() as session:
        done = service.approve(
            session, get_principal(), action_id, _now(), edited=edited, reason=reason or None
        )
    return _approved([done])


def approve_suggestion(suggestion_id: int, reason: str = "") -> str:
    """Approve all pending actions of a suggestion."""
    with write_scope() as session:
        done = service.approve_all(
            session, get_principal(), suggestion_id, _now(), reason=reason or None
        )
    return _approved(done)


def approve_tracking(suggestion_ids: Sequence[int]) -> str:
    """Approve several suggestions about tracking."""
    with write_scope() as session:
        done = service.approve_many(session, get_principal(), suggestion_ids, _now())
    return _approved(done)


def decline_action(action_id: int, reason: str) -> str:
    """Decline an action."""
    with write_scope() as session:
        done = service.decline(session, get_principal(), action_id, _now(), reason)
    return _declined([done])


def decline_suggestion(suggestion_id: int, reason: str) -> str:
    """Decline all pending actions of a suggestion."""
    with write_scope() as session:
        done = service.decline_all(session, get_principal(), suggestion_id, _now(), reason)
    return _declined(done)


def decline_tracking(suggestion_ids: Sequence[int], reason: str) -> str:
    """Decline several suggestions about tracking."""
    with write_scope() as session:
        done = service.decline_many(session, get_principal(), suggestion_ids, _now(), reason)
    return _declined(done)


def _approved(done: Sequence[Decision]) -> str:
    if any(decision.did for decision in done):
        wake_for_approvals()
    return _decision_message(done, "approved", "The worker goes on within a minute.")


def _declined(done: Sequence[Decision]) -> str:
    return _decision_message(done, "declined", "")


def _decision_message(done: Sequence[Decision], verb: str, then: str) -> str:
    """Return how many actions were decided, and why others were not."""
    number = sum(decision.did for decision in done)
    reasons = list(dict.fromkeys(each.why for each in done if not each.did and each.why))
    changes = format_counted(number, "change")
    sentences = [f"{changes} {verb}. {then}".strip()] if number else []
    sentences += [escape_markdown(reason) for reason in reasons]
    return " ".join(sentences) or "Nothing was left to decide."


def undo_action(action_id: int) -> str:
    """Undo an applied action."""
    with write_scope() as session:
        apply.undo(session, get_principal(), action_id, _now())
    return "Undone. For a listing or a price, the change set now holds the old value."


def request_advice(product_ids: Sequence[int]) -> str:
    """Request advice on own products now."""
    with write_scope() as session:
        queued = advising.request_advice(session, get_principal(), product_ids, _now())
    if not queued:
        raise InvalidInputError("Only own products get advice: set the role in its settings.")
    message = f"Asked about {format_counted(queued, 'product')}."
    return message if wake_for_advice() else f"{message} The worker can't be reached now."


def set_second_approver(is_on: bool) -> str:
    """Set whether another user than the requester must approve suggestions."""
    with write_scope() as session:
        service.set_second_approver(session, get_principal(), is_on)
    if is_on:
        return "The user who requests a suggestion can't approve it."
    return "The user who requests a suggestion may approve it."


# Competitors and caps


def add_competitor(product_id: int, marketplace: str, text: str) -> str:
    """Add a competitor by its URL or ASIN, and track it."""
    place, asin = parse_competitor(text, marketplace)
    if place != marketplace:
        raise InvalidInputError(
            f"This product is sold in {place}. Ranks and prices compare only within {marketplace}."
        )
    with write_scope() as session:
        [tracked] = track(session, get_principal(), [NewTracking(place, asin, Role.COMPETITOR)])
        is_new = competitors.add_competitor(
            session, get_principal(), product_id, tracked.product_id, _now()
        )
    return f"{asin} is a competitor now." if is_new else f"{asin} was a competitor already."


def set_competitors(product_id: int, competitor_ids: Sequence[int]) -> str:
    """Set products as competitors of an own product: all of them, or none on an error."""
    with write_scope() as session:
        added = [
            competitors.add_competitor(session, get_principal(), product_id, each, _now())
            for each in sorted(competitor_ids)
        ]
    new = sum(added)
    sentences = [f"{format_count(new)} set as competitors."] if new else []
    if len(added) > new:
        sentences.append(f"{format_count(len(added) - new)} set already.")
    return " ".join(sentences)


def remove_competitor(product_id: int, competitor_id: int) -> str:
    """Remove a competitor; it stays tracked."""
    with write_scope() as session:
        competitors.remove_competitor(session, get_principal(), product_id, competitor_id)
    return "No competitor any more. It stays on the list of products."


def set_price_caps(product_id: int, caps: PriceCaps) -> str:
    """Set a product's price caps."""
    with write_scope() as session:
        set_price_cap(session, get_principal(), product_id, caps)
    wake_for_alerts()  # without the queue, the worker's next round counts them
    return "Price caps saved."


def _now() -> datetime:
    return shared_time()
