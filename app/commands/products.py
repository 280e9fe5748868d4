"""Commands of the product pages: each writes and returns a message for the user."""

from collections.abc import Callable, Sequence

import streamlit as st

from app import data
from app.data import products
from app.web import error_boundary
from core.accounts.access.confirmation import ConfirmationNeededError
from core.database.session import read_scope, write_scope
from core.demo import seed
from core.text.escaping import escape_markdown
from core.text.numbers import format_count, format_counted
from core.tracking import service, settings
from core.tracking.list_filter import ListScope
from core.tracking.lists import freshness
from core.tracking.settings import TrackingSettings
from jobs.tasks.wake import wake_for_fetches

Ids = Sequence[int]


def run_with_toast(command: Callable[..., str], *given: object) -> None:
    """Run a command and show its message, or its error, as a toast; for `on_click`.

    Raises ConfirmationNeededError: `app.commands.account` asks for the confirmation.
    """
    try:
        message = command(*given)
    except ConfirmationNeededError:
        raise
    except error_boundary.EXPECTED_ERRORS as error:
        st.toast(error_boundary.get_message(error), icon=":material/error:")
        return
    products.clear_lists()
    st.toast(message, icon=":material/check:")


def run_in_dialog(
    command: Callable[..., str], *given: object, on_success: Callable[[], None] | None = None
) -> None:
    """Run a command of a dialog or an editor: show its error there, or its message and rerun.

    `on_success`: called before the rerun, such as to leave the editor.
    """
    try:
        message = command(*given)
    except error_boundary.EXPECTED_ERRORS as error:
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return
    if on_success is not None:
        on_success()
    products.clear_lists()
    st.toast(message, icon=":material/check:")
    st.rerun()


def request_checks(ids: Ids) -> str:
    """Request a check of products now."""
    with write_scope() as session:
        queued = service.request_checks(session, data.get_principal(), ids)
    with read_scope() as session:
        ahead = freshness.count_pending_requests(session, list(ids))
    sentences = [_queue_sentence(queued, ahead)] if queued else []
    if running := len(ids) - queued:
        sentences.append(f"{_format_products(running)} already being fetched.")
    if queued and not wake_for_fetches():
        sentences.append("The worker can't be reached now: it fetches them when it is back.")
    return " ".join(sentences)


def _queue_sentence(number: int, ahead: int) -> str:
    if not ahead:
        return f"{_format_products(number)} queued, next in line."
    others = "1 other" if ahead == 1 else f"{format_count(ahead)} others"
    return f"{_format_products(number)} queued behind {others}."


def pause_products(ids: Ids, whose: ListScope = ListScope.MINE) -> str:
    """Pause the checks of products, for the user or for the team."""
    with write_scope() as session:
        changed = service.pause(session, data.get_principal(), ids, whose)
    return f"{_format_products(changed)} paused." if changed else "They were paused already."


def resume_products(ids: Ids, whose: ListScope = ListScope.MINE) -> str:
    """Resume the checks of paused products."""
    with write_scope() as session:
        changed = service.resume(session, data.get_principal(), ids, whose)
    return f"{_format_products(changed)} resumed." if changed else "None of them was paused."


def add_tag(ids: Ids, tag: str, whose: ListScope = ListScope.MINE) -> str:
    """Add one tag to products."""
    cleaned = service.clean_tags([tag])
    if not cleaned:
        return "Type a tag first."
    with write_scope() as session:
        changed = service.add_tags(session, data.get_principal(), ids, cleaned, whose)
    return f"“{escape_markdown(cleaned[0])}” added to {_format_products(changed)}."


def remove_products(ids: Ids, whose: ListScope = ListScope.MINE) -> str:
    """Remove products from the user's list, or from every list of the team."""
    with write_scope() as session:
        removed = service.stop_tracking(session, data.get_principal(), ids, whose)
    return f"{_format_products(removed)} removed; the history stays."


def track_product(marketplace: str, asin: str) -> str:
    """Add a stored product to the user's list."""
    with write_scope() as session:
        service.track(session, data.get_principal(), [service.NewTracking(marketplace, asin)])
    return "You track this product now."


def change_settings(
    product_id: int, wanted: TrackingSettings, whose: ListScope = ListScope.MINE
) -> str:
    """Replace the settings of a tracked product."""
    with write_scope() as session:
        settings.change_settings(session, data.get_principal(), product_id, wanted, whose)
    return "Settings saved."


def remove_demo() -> str:
    """Delete the demo's products and their history."""
    with write_scope() as session:
        removed = seed.remove_demo(session, data.get_principal())
    data.has_demo.forget()
    return f"{_format_products(removed)} of the demo market deleted."


def _format_products(number: int) -> str:
    return format_counted(number, "product")
