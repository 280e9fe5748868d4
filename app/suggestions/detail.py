"""The blocks of one suggestion: head, changes with their decisions, preview, time line."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app import keys
from app.commands import products, suggestions
from app.components import diffs, downloads
from app.data import get_principal
from app.data.suggestions import SuggestionDetails
from app.suggestions import dialogs, policies, selection
from core.accounts.access.permissions import Permission
from core.catalog.money import format_price
from core.suggestions.review import diff, edit_parser, labels, listing_preview
from core.suggestions.review.listing_preview import Preview
from core.suggestions.review.views import ActionView, Event, QueueRow, SuggestionView
from core.suggestions.rules import KIND_OF, ActionState, Change, Kind, SuggestionState
from core.text.escaping import escape_markdown, shorten
from core.text.times import format_age, format_moment

LONGEST_TITLE = 70
LONGEST_LINK = 46  # letters of a link in the narrow column; a longer one is cut there
_CAN_BE_UNDONE = {ActionState.APPLIED, ActionState.VERIFIED, ActionState.UNSEEN}
_NOT_TO_COME = {  # what a page shows already, or never will
    ActionState.VERIFIED,
    ActionState.DECLINED,
    ActionState.STALE,
    ActionState.EXPIRED,
    ActionState.UNDONE,
}
_TO_DECIDE = {ActionState.PENDING, ActionState.FAILED}
_COLORS = {
    ActionState.PENDING: "blue",
    ActionState.APPROVED: "blue",
    ActionState.APPLIED: "blue",
    ActionState.VERIFIED: "green",
    ActionState.UNSEEN: "orange",
    ActionState.STALE: "orange",
    ActionState.FAILED: "red",
}


# Head


def show_header(about: SuggestionDetails) -> None:
    """Show which suggestion it is, and what may be done about it."""
    row = about.view.row
    _where(about)
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    ):
        title = escape_markdown(shorten(row.title, 120))
        st.title(title, anchor=False, width="stretch")
        with st.container(horizontal=True, width="content", gap="small"):
            _buttons(about)
    if row.state is SuggestionState.PENDING and not get_principal().may(Permission.TEAM):
        st.caption(
            ":material/lock: A manager decides about suggestions. "
            "You see where this one stands, and why."
        )
    elif row.state is SuggestionState.EXPIRED:
        st.warning("Nobody decided in time. Ask for new suggestions.", icon=":material/timer_off:")


def _where(about: SuggestionDetails) -> None:
    row, place = about.view.row, about.place
    stands = labels.state_label(row)
    if place is not None:
        stands = f"Suggestion {place.number} of {place.total}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        selection.show_queue_link()
        st.caption(f"{stands} · {row.marketplace} · {row.asin}", width="content")
        title = shorten(row.product_title or "no title seen yet", LONGEST_TITLE)
        st.page_link(
            f"../pages/{keys.PRODUCT}.py",
            label=escape_markdown(title),
            icon=":material/monitoring:",
            query_params={keys.MARKETPLACE: row.marketplace, keys.ASIN: row.asin},
        )


def _buttons(about: SuggestionDetails) -> None:
    view = about.view
    waiting = [each for each in view.actions if each.state is ActionState.PENDING]
    if view.row.state is SuggestionState.PENDING and get_principal().may(Permission.TEAM):
        if len(waiting) == 1:
            _decide(about, waiting[0], is_head=True)
        elif waiting:
            if st.button("Decline all", icon=":material/close:", key="decline_all"):
                dialogs.show_decline_all(view)
            if st.button("Approve all", type="primary", icon=":material/check:", key="approve_all"):
                dialogs.show_approve_all(view)
    _to_next(about)


def _to_next(about: SuggestionDetails) -> None:
    """Offer the next suggestion that waits: decided ones are left behind."""
    place = about.place
    following = about.next_waiting if place is None else place.after
    if following is not None and following != about.view.row.id:
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            key="next_suggestion",
            on_click=_open,
            args=(following,),
            help="The next suggestion that waits",
        )


def _open(suggestion_id: int) -> None:
    st.query_params[keys.ID] = str(suggestion_id)


def _decide(about: SuggestionDetails, action: ActionView, *, is_head: bool = False) -> None:
    """Show the three buttons of one action that waits."""
    if st.button("Decline", icon=":material/close:", key=f"decline_{action.id}"):
        dialogs.show_decline(action)
    can_be_edited = action.change not in edit_parser.CAN_NOT_BE_EDITED
    if can_be_edited and st.button("Edit", icon=":material/edit:", key=f"edit_{action.id}"):
        dialogs.show_edit(about, action)
    st.button(
        "Approve",
        type="primary" if is_head else "secondary",
        icon=":material/check:",
        key=f"approve_{action.id}",
        on_click=products.run_with_toast,
        args=(suggestions.approve_action, action.id),
    )


# The changes


def show_actions(about: SuggestionDetails) -> None:
    """Show every action: before and after, its state, what rules say, what may be done."""
    several = sum(each.state is ActionState.PENDING for each in about.view.actions) > 1
    for action in about.view.actions:
        with st.container(border=True):
            _action(about, action, with_buttons=several)


def _action(about: SuggestionDetails, action: ActionView, *, with_buttons: bool) -> None:
    row = about.view.row
    name = labels.CHANGES[action.change]
    color = _COLORS.get(action.state, "gray")
    badge = f":{color}-badge[{labels.action_state(action.change, action.state)}]"
    st.markdown(f"**{name}: before and after** {badge}")
    parts = diff.parts_of(action.change, action.current, action.wanted, row.marketplace)
    for part in parts:
        label = "" if len(parts) == 1 else f":gray[{part.name}:] "
        st.markdown(label + (diffs.format_diff(part.pieces) or ":gray[nothing]"))
    if sizes := diff.count_sizes(action.change, parts):
        st.caption(sizes)
    if action.reason:
        st.markdown(f":gray[{escape_markdown(action.reason)}]")
    _edit_beside(action, row.marketplace)
    if action.state in _TO_DECIDE:
        policies.show_policy_check(about, action, action.wanted)
    _decision(action)
    _action_buttons(about, action, with_buttons=with_buttons)


def _edit_beside(action: ActionView, marketplace: str) -> None:
    """Show what was proposed, where a manager approved something else."""
    if action.edited is None:
        return
    proposed = diff.parts_of(action.change, action.proposed, action.edited, marketplace)
    lines = [diffs.format_diff(part.pieces) for part in proposed if not part.is_same]
    st.markdown(":gray[:material/edit: Edited, from what was proposed:]  \n" + "  \n".join(lines))


def _decision(action: ActionView) -> None:
    """Say who decided, when and why, and what went wrong since."""
    if action.decided_at is not None:
        zone = get_principal().time_zone
        verb = "Declined" if action.state is ActionState.DECLINED else "Approved"
        by = escape_markdown(action.decided_by or "a former user")
        why = "" if not action.decision_reason else f": “{action.decision_reason}”"
        st.markdown(
            f"{verb} by {by}, {format_moment(action.decided_at, zone)}{escape_markdown(why)}"
        )
    if action.seen_at is not None and action.state is ActionState.VERIFIED:
        seen = format_moment(action.seen_at, get_principal().time_zone)
        st.markdown(f":material/visibility: Seen on the page by the look of {seen}")
    if action.trouble:
        st.warning(escape_markdown(action.trouble), icon=":material/sync_problem:")


def _action_buttons(about: SuggestionDetails, action: ActionView, *, with_buttons: bool) -> None:
    if not get_principal().may(Permission.TEAM):
        return
    is_open = about.view.row.state is SuggestionState.PENDING
    with st.container(horizontal=True, gap="small"):
        if action.state is ActionState.PENDING and is_open and with_buttons:
            _decide(about, action)
        elif action.state is ActionState.FAILED:
            st.button(
                "Try again",
                icon=":material/replay:",
                key=f"again_{action.id}",
                on_click=products.run_with_toast,
                args=(suggestions.approve_action, action.id),
            )
        if action.state in (ActionState.FAILED, ActionState.STALE) and st.button(
            "Decline", icon=":material/close:", key=f"decline_{action.id}"
        ):
            dialogs.show_decline(action)
        if action.state in _CAN_BE_UNDONE:
            st.button(
                "Undo",
                icon=":material/undo:",
                key=f"undo_{action.id}",
                on_click=products.run_with_toast,
                args=(suggestions.undo_action, action.id),
            )


# What is to be done on the marketplace


def show_change_set(about: SuggestionDetails) -> None:
    """Show what is to be done by hand as a checklist with texts to copy, and as files."""
    made = about.change_set
    if made is None or not made.checklist:
        return
    with st.container(border=True, gap="small"):
        st.subheader("To do in Seller Central", anchor=False)
        for step in made.checklist:
            st.markdown(f":material/check_box_outline_blank: {escape_markdown(step.instruction)}")
            st.code(step.to_copy, language=None, wrap_lines=True)
        with st.container(horizontal=True, gap="small"):
            _file("CSV", made.csv, "text/csv", about.view)
            _file("XLSX", made.xlsx, _XLSX, about.view)
            _file("JSON", made.json, "application/json", about.view)
        if any(map(labels.is_to_be_seen, about.view.actions)):
            st.caption("The next scrape that shows the new value marks it as verified.")


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _file(label: str, content: bytes, mime: str, view: SuggestionView) -> None:
    name = f"{view.row.marketplace}-{view.row.asin}-suggestion-{view.row.id}.{label.lower()}"
    downloads.show_download_button(label, name, mime, lambda _who: content, key=f"as_{label}")


# The listing as it would be


def show_preview(about: SuggestionDetails) -> None:
    """Show what a buyer would see with all that may still come; nothing for tracking."""
    wanted = [
        (each.change, each.wanted)
        for each in about.view.actions
        if KIND_OF[each.change] is not Kind.TRACKING and each.state not in _NOT_TO_COME
    ]
    if not wanted:
        return
    with st.container(border=True, gap="small"):
        st.caption("The listing with these changes")
        _listing(listing_preview.with_changes(about.before, wanted), about.view.row.marketplace)


def _listing(after: Preview, marketplace: str) -> None:
    shown = after.listing
    if shown.category_path:
        st.caption(escape_markdown(" › ".join(shown.category_path)))
    st.markdown(f"**{escape_markdown(shown.title or 'no title seen yet')}**")
    if shown.brand:
        st.caption(f"Brand: {escape_markdown(shown.brand)}")
    price = format_price(after.price, marketplace)
    coupon = "" if after.coupon is None else _coupon(after, marketplace)
    st.markdown(f"**{escape_markdown(price)}**{coupon}")
    bullets = [f"- {escape_markdown(bullet)}" for bullet in shown.bullets or ()]
    st.markdown("\n".join(bullets) or ":gray[no bullets seen]")
    if shown.description:
        st.markdown(escape_markdown(shorten(shown.description, 600)))
    if shown.image_count is not None:
        images = "image" if shown.image_count == 1 else "images"
        st.caption(f":material/image: {shown.image_count} {images}")


def _coupon(after: Preview, marketplace: str) -> str:
    [(_, words)] = labels.texts(Change.SET_COUPON, after.coupon or {}, marketplace)
    return f" · coupon {escape_markdown(words)}"


# What happened


def show_timeline(about: SuggestionDetails) -> None:
    """Show every step so far, and what is still to come."""
    zone, now = get_principal().time_zone, datetime.now(UTC)
    with st.container(border=True, gap="small"):
        st.subheader("Time line", anchor=False, help=f"Times are those of {zone}.")
        for event in about.events:
            st.markdown(_step(event, about.view.row, now))
        if about.view.row.state is SuggestionState.EXPIRED:
            return
        for step in labels.steps_ahead(about.view.actions):
            st.markdown(f":gray[:material/radio_button_unchecked: {step}]")


def _step(event: Event, row: QueueRow, now: datetime) -> str:
    """Return a step as Markdown: what and who, then when, from where to where, and why."""
    when = f"{format_age(event.at, now)}, {format_moment(event.at, get_principal().time_zone)}"
    led = labels.change_of_state(event)
    details = [" · ".join(each for each in (when, led) if each), labels.event_reason(event)]
    told = "  \n".join(f":gray[{escape_markdown(each)}]" for each in details if each)
    words = escape_markdown(labels.event_text(event, row))
    return f":material/radio_button_checked: {words}  \n{told}"


def show_earlier(rows: Sequence[QueueRow]) -> None:
    """Show what else was suggested for the product, newest first."""
    if not rows:
        return
    now = datetime.now(UTC)
    with st.container(border=True, gap="small"):
        st.subheader("Also suggested for this product", anchor=False)
        for row in rows:
            title = escape_markdown(shorten(row.title, LONGEST_LINK))
            told = escape_markdown(labels.in_short(row, now))
            with st.container(gap=None):
                st.page_link(
                    f"../pages/{keys.SUGGESTION}.py",
                    label=title,
                    query_params={keys.ID: str(row.id)},
                )
                st.caption(told)
