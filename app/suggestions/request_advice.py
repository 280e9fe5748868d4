"""Asking the advisors now, and how far they are."""

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
from core.text.numbers import format_count
from core.text.times import format_age
from core.upkeep.health import is_worker_alive

_ASKED = "_asked_for_advice"
_FOUR_EYES = "four_eyes"
_MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class _Asked:
    products: tuple[int, ...]
    at: datetime


def show_button_for_all(key: str) -> None:
    """Offer to ask about all own products, to who may."""
    _button(key, None, "Check all own products now, before the daily run.")


def show_button(product_id: int) -> None:
    """Offer to ask about one product, to who may."""
    _button("ask_one", product_id, "Check this product now, before the daily run.")


def _button(key: str, product_id: int | None, about: str) -> None:
    if not get_principal().may(Permission.TRACK):
        return
    st.button(
        "Ask for suggestions",
        icon=":material/lightbulb:",
        key=key,
        on_click=_ask,
        args=(product_id,),
        help=about,
        disabled=_ASKED in st.session_state,
    )


def show_settings() -> None:
    """Let an administrator say who approves."""
    if not get_principal().may(Permission.ADMIN):
        return
    with st.popover("Settings", icon=":material/tune:"):
        st.toggle(
            "Require a second approver",
            data.requires_second_approver(),
            key=_FOUR_EYES,
            on_change=_set_four_eyes,
            help="The person who requested a suggestion can't approve it.",
        )


def _set_four_eyes() -> None:
    actions.run_with_toast(suggestions.set_second_approver, bool(st.session_state[_FOUR_EYES]))


def _ask(product_id: int | None) -> None:
    at = datetime.now(UTC)
    products = data.list_own_product_ids() if product_id is None else [product_id]
    if not products:
        st.toast(
            "No product is marked as your own: set its role in its settings.",
            icon=":material/help:",
        )
        return
    actions.run_with_toast(suggestions.request_advice, products)
    st.session_state[_ASKED] = _Asked(tuple(products), at)


def show_progress() -> None:
    """Show how far the advisors are with what was asked here, until it is read."""
    if _ASKED in st.session_state:
        _progress()


@fragments.fragment(run_every=1.0)
def _progress() -> None:
    asked: _Asked | None = st.session_state.get(_ASKED)
    if asked is None:
        return
    far = data.read_advice_progress(asked.products, asked.at)
    total = len(asked.products)
    with st.container(border=True, gap="small"):
        if far.waiting:
            st.markdown(f"**{_sentence(total, far.waiting)}**")
            st.progress((total - far.waiting) / total)
        else:
            _ended(total, far, data.list_advisor_answers(asked.products, asked.at))


def _sentence(total: int, left: int) -> str:
    """Say how far it is, or what it waits for."""
    seen_at, now = health.find_last_worker_activity(), datetime.now(UTC)
    if not is_worker_alive(seen_at, now):
        seen = "it has never run" if seen_at is None else f"last seen {format_age(seen_at, now)}"
        return f"Waiting for the worker: {seen}. Start it with `make run`."
    if total == 1:
        return "The advisors are looking at this product"
    return f"The advisors have checked {format_count(total - left)} of {format_count(total)}"


def _ended(total: int, far: AdviceProgress, answers: Sequence[AdvisorAnswer]) -> None:
    """Say what came of it, and why nothing did where nothing did."""
    made = far.made
    products = "1 product" if total == 1 else f"{format_count(total)} products"
    new = "1 new suggestion" if made == 1 else f"{format_count(made)} new suggestions"
    st.markdown(f":material/task_alt: **{products} checked: {new if made else 'nothing new'}**")
    if far.put_off:
        st.caption(f"{format_count(far.put_off)} failed and will be tried again within the hour.")
    elif not made:
        st.caption(
            "The same facts are not asked twice, and what was declined or still waits is not "
            "repeated."
        )
    for reason in _reasons(answers):
        st.caption(escape_markdown(reason))
    if why_not := model_words.state(data.get_model_address(), data.read_model_day()):
        st.caption(why_not)
    if st.button("Show", key="asked_read", icon=":material/check:"):
        st.session_state.pop(_ASKED, None)
        lists.clear_lists()
        st.rerun()


def _reasons(answers: Sequence[AdvisorAnswer]) -> list[str]:
    """Return, once each, what advisors that brought nothing said."""
    told = [
        f"{answer_labels.answer_text(answer)}: {' '.join(answer.reasons[:2])}"
        for answer in answers
        if answer.state not in ("ok", "nothing")
    ]
    return list(dict.fromkeys(told))[:_MOST_REASONS]
