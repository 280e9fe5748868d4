"""What pages can do to products. Each verb writes, and returns what came of it in words."""

from collections.abc import Callable, Sequence

import streamlit as st

from app import data
from app.data import products
from app.web import error_boundary
from core.accounts.access.confirmation import ConfirmationNeededError
from core.database.session import read_scope, write_scope
from core.demo import seed
from core.text.escaping import escape_markdown
from core.text.numbers import format_count
from core.tracking import service
from core.tracking.list_filter import ListScope
from core.tracking.lists import freshness
from jobs.tasks.wake import wake_for_fetches

Ids = Sequence[int]


def tell(verb: Callable[..., str], *given: object) -> None:
    """Do something and show its answer as a toast; for `on_click`."""
    try:
        answer = verb(*given)
    except ConfirmationNeededError:
        raise  # not the end of it: whoever can ask for the confirmation does
    except error_boundary.EXPECTED_ERRORS as error:
        st.toast(error_boundary.get_message(error), icon=":material/error:")
        return
    products.forget()
    st.toast(answer, icon=":material/check:")


def refresh(ids: Ids) -> str:
    """Ask for products to be fetched now."""
    with write_scope() as session:
        queued = service.request_refresh(session, data.principal(), ids)
    with read_scope() as session:
        ahead = freshness.requests_waiting(session, list(ids))
    sentences = [_queued(queued, ahead)] if queued else []
    if running := len(ids) - queued:
        sentences.append(f"{_products(running)} already being fetched.")
    if queued and not wake_for_fetches():
        sentences.append("The worker can't be reached now: it fetches them when it is back.")
    return " ".join(sentences)


def _queued(number: int, ahead: int) -> str:
    if not ahead:
        return f"{_products(number)} queued, next in line."
    others = "1 other" if ahead == 1 else f"{format_count(ahead)} others"
    return f"{_products(number)} queued behind {others}."


def pause(ids: Ids, whose: ListScope = ListScope.MINE) -> str:
    """Stop fetching products for this person, or for the team."""
    with write_scope() as session:
        changed = service.pause(session, data.principal(), ids, whose)
    return f"{_products(changed)} paused." if changed else "They were paused already."


def resume(ids: Ids, whose: ListScope = ListScope.MINE) -> str:
    """Fetch paused products again."""
    with write_scope() as session:
        changed = service.resume(session, data.principal(), ids, whose)
    return f"{_products(changed)} resumed." if changed else "None of them was paused."


def add_tag(ids: Ids, tag: str, whose: ListScope = ListScope.MINE) -> str:
    """Add one tag."""
    cleaned = service.clean_tags([tag])
    if not cleaned:
        return "Type a tag first."
    with write_scope() as session:
        changed = service.add_tags(session, data.principal(), ids, cleaned, whose)
    return f"“{escape_markdown(cleaned[0])}” added to {_products(changed)}."


def remove(ids: Ids, whose: ListScope = ListScope.MINE) -> str:
    """Take products off this person's list, or off everybody's."""
    with write_scope() as session:
        removed = service.stop_tracking(session, data.principal(), ids, whose)
    return f"{_products(removed)} removed; the history stays."


def follow(marketplace: str, asin: str) -> str:
    """Put a product that is known already on this person's list."""
    with write_scope() as session:
        service.track(session, data.principal(), [service.NewTracking(marketplace, asin)])
    return "You follow this product now."


def remove_demo() -> str:
    """Delete the invented products and their history."""
    with write_scope() as session:
        removed = seed.remove_demo(session, data.principal())
    data.has_demo.clear()
    return f"{_products(removed)} of the demo market deleted."


def _products(number: int) -> str:
    return f"{format_count(number)} {'product' if number == 1 else 'products'}"
