"""Requesting advice now, and the advisors' progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from app.commands import products as actions
from app.commands import suggestions
from app.components import fragments
from app.data import get_principal, health
from app.data import products as lists
from app.data import suggestions as data
from core.accounts.access.permissions import Permission
from core.suggestions.advice_queue import labels as answer_labels
from core.suggestions.advice_queue.queries import AdviceProgress, AdvisorAnswer
from core.suggestions.llm import labels as model_words
from core.text.escaping import escape_markdown
from core.text.numbers import format_count, format_counted
from core.upkeep.health import worker_outage_text

_REQUEST = "_advice_request"
_SECOND_APPROVER = "second_approver"
_MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class _AdviceRequest:
    products: tuple[int, ...]
    at: datetime


def show_button_for_all(key: str) -> None:
    """Show the button that requests advice on all own products, to users who may track."""
    _show_button(key, None, "Check all own products now, before the daily run.")


def show_button(product_id: int) -> None:
    """Show the button that requests advice on a product, to users who may track."""
    _show_button("ask_one", product_id, "Check this product now, before the daily run.")


def _show_button(key: str, product_id: int | None, about: str) -> None:
    if not get_principal().may(Permission.TRACK):
        return
    st.button(
        "Ask for suggestions",
        icon=":material/lightbulb:",
        key=key,
        on_click=_request,
        args=(product_id,),
        help=about,
        disabled=_REQUEST in st.session_state,
    )


def show_settings() -> None:
    """Show administrators the setting of a second approver."""
    if not get_principal().may(Permission.ADMIN):
        return
    with st.popover("Settings", icon=":material/tune:"):
        st.toggle(
            "Require a second approver",
            data.requires_second_approver(),
            key=_SECOND_APPROVER,
            on_change=_set_second_approver,
            help="The person who requested a suggestion can't approve it.",
        )


def _set_second_approver() -> None:
    actions.run_with_toast(
        suggestions.set_second_approver, bool(st.session_state[_SECOND_APPROVER])
    )


def _request(product_id: int | None) -> None:
    at = datetime.now(UTC)
    products = data.list_own_product_ids() if product_id is None else [product_id]
    if not products:
        st.toast(
            "No product is marked as your own: set its role in its settings.",
            icon=":material/help:",
        )
        return
    actions.run_with_toast(suggestions.request_advice, products)
    st.session_state[_REQUEST] = _AdviceRequest(tuple(products), at)


def show_progress() -> None:
    """Show the advisors' progress on this session's request until the user closes it."""
    if _REQUEST in st.session_state:
        _show_request()


@fragments.fragment(run_every=1.0)
def _show_request() -> None:
    request: _AdviceRequest | None = st.session_state.get(_REQUEST)
    if request is None:
        return
    progress = data.read_advice_progress(request.products, request.at)
    total = len(request.products)
    with st.container(border=True, gap="small"):
        if progress.pending:
            st.markdown(f"**{_progress_sentence(total, progress.pending)}**")
            st.progress((total - progress.pending) / total)
        else:
            _show_result(total, progress, data.list_advisor_answers(request.products, request.at))


def _progress_sentence(total: int, left: int) -> str:
    """Return how far the advisors are, or what they wait for."""
    if outage := worker_outage_text(health.find_last_worker_activity(), datetime.now(UTC)):
        return outage
    if total == 1:
        return "The advisors are checking this product"
    return f"The advisors have checked {format_count(total - left)} of {format_count(total)}"


def _show_result(total: int, progress: AdviceProgress, answers: Sequence[AdvisorAnswer]) -> None:
    """Show the number of new suggestions, and why there are none or fewer."""
    made = progress.made
    products = format_counted(total, "product")
    new = format_counted(made, "new suggestion")
    st.markdown(f":material/task_alt: **{products} checked: {new if made else 'nothing new'}**")
    if progress.postponed:
        st.caption(
            f"{format_count(progress.postponed)} failed and will be tried again within the hour."
        )
    elif not made:
        st.caption(
            "The same facts are not asked twice, and declined or pending suggestions are not "
            "repeated."
        )
    for reason in _reasons(answers):
        st.caption(escape_markdown(reason))
    if why_not := model_words.explain_pause(data.get_model_address(), data.read_model_day()):
        st.caption(why_not)
    if st.button("Show", key="asked_read", icon=":material/check:"):
        st.session_state.pop(_REQUEST, None)
        lists.clear_lists()
        st.rerun()


def _reasons(answers: Sequence[AdvisorAnswer]) -> list[str]:
    """Return the reasons of advisors without a result, each once."""
    reasons = [
        f"{answer_labels.answer_text(answer)}: {' '.join(answer.reasons[:2])}"
        for answer in answers
        if answer.state not in ("ok", "nothing")
    ]
    return list(dict.fromkeys(reasons))[:_MOST_REASONS]
