"""The form that confirms an import: time, marketplace, role, tags, daily checks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from app import data
from app.commands import imports
from app.data import health, products
from app.imports import form_error
from app.imports.address import open_import
from core.catalog.marketplaces import MARKETPLACES
from core.importing.cost_estimate import estimate_dollars_per_day
from core.importing.queries import ImportView
from core.importing.service import Confirmation
from core.importing.values.rows import LISTS, DayOrder, FileKind
from core.importing.values.timestamps import describe_zone
from core.settings.environment import get_settings
from core.text.numbers import format_counted, format_dollars
from core.text.times import format_moment
from core.tracking.list_filter import ListScope
from core.tracking.rules import Cadence, Role
from core.upkeep.health import WITHOUT_A_KEY

MARKETPLACE = "import_marketplace"
CAPTURED = "import_captured_at"
DAY_ORDER = "import_day_order"
ZONE = "import_zone"
ROLE = "import_role"
TAGS = "import_tags"
FETCH = "import_fetch"
_DAY_ORDERS = {
    DayOrder.DAY_FIRST: "03/04 is 3 April: the day first",
    DayOrder.MONTH_FIRST: "03/04 is March 4: the month first",
}
_ROLES = {Role.OWN: "Own", Role.COMPETITOR: "Competitors", Role.WATCHED: "Tracked"}


def show_confirmation(view: ImportView) -> None:
    """Show fields for what the file doesn't state, with "Import" and "Cancel"."""
    with st.container(border=True):
        st.markdown("**Confirm**")
        _ask_time(view)
        with st.grid(min_column_width=240):
            if view.needs_marketplace or FileKind(view.kind) in LISTS:
                _ask_marketplace(view)
            if view.needs_day_order:
                _ask_day_order()
            _ask_role()
            _ask_tags()
        _ask_fetch(view)
        form_error.show_kept_error()
        with st.container(horizontal=True):
            st.button(
                "Import",
                type="primary",
                icon=":material/check:",
                key="confirm",
                on_click=_confirm,
                args=(view,),
            )
            st.button("Cancel", key="discard", on_click=_discard, args=(view.id,))


def _ask_time(view: ImportView) -> None:
    """Show the time that the rows will get; ask for it where the file has none."""
    zone = data.get_principal().time_zone
    if not view.needs_time:
        zoned = describe_zone(zone) if FileKind(view.kind) is FileKind.HISTORY_FILE else ""
        st.caption(f":material/schedule: {view.times or ''} {zoned}")
        return
    if view.is_confirmed_before and view.captured_at is not None:
        st.caption(
            ":material/schedule: This file was imported before. It keeps the time that was "
            f"confirmed then: {format_moment(view.captured_at, zone)} ({zone})."
        )
        return
    st.caption(f":material/schedule: {view.times or ''}")
    moment, where = st.columns(2)
    suggested = view.captured_at.astimezone(ZoneInfo(zone)) if view.captured_at else None
    moment.datetime_input(
        "Captured at",
        value=suggested.replace(tzinfo=None) if suggested else None,
        max_value=datetime.now(ZoneInfo(zone)).replace(tzinfo=None, hour=23, minute=59),
        key=CAPTURED,
        step=300,
    )
    where.selectbox("Time zone", _list_zones(zone), key=ZONE)


def _list_zones(own: str) -> list[str]:
    others = sorted({each.time_zone for each in MARKETPLACES.values()})
    return list(dict.fromkeys([own, "UTC", *others]))


def _ask_marketplace(view: ImportView) -> None:
    codes = list(MARKETPLACES)
    st.selectbox(
        "Marketplace" if view.needs_marketplace else "Default marketplace",
        codes,
        index=codes.index(view.marketplace) if view.marketplace in codes else None,
        format_func=lambda code: f"{code} · {MARKETPLACES[code].domain}",
        placeholder="Choose" if view.needs_marketplace else "None",
        key=MARKETPLACE,
    )


def _ask_day_order() -> None:
    st.selectbox(
        "Dates in the file",
        [str(order) for order in DayOrder],
        index=None,
        format_func=lambda order: _DAY_ORDERS[DayOrder(order)],
        placeholder="Choose",
        key=DAY_ORDER,
        help="No date in the file has a day above 12, so it isn't clear which comes first.",
    )


def _ask_role() -> None:
    st.segmented_control(
        "Role",
        [str(role) for role in Role],
        default=str(Role.WATCHED),
        required=True,
        format_func=lambda role: _ROLES[Role(role)],
        key=ROLE,
    )


def _ask_tags() -> None:
    st.multiselect(
        "Tags",
        products.list_tags(ListScope.MINE),
        key=TAGS,
        accept_new_options=True,
        placeholder="Choose or type",
    )


def _ask_fetch(view: ImportView) -> None:
    """Ask whether the products are checked from now on, and show the cost."""
    st.toggle(
        "Check them every day",
        value=view.is_fetched,
        key=FETCH,
        help="Off: products are added as paused; nothing is checked.",
    )
    st.caption(cost_sentence(view))
    if not health.is_apify_connected():
        st.caption(f":material/key_off: {WITHOUT_A_KEY}")


def cost_sentence(view: ImportView) -> str:
    """Return what fetching costs a day, as far as known before all rows are read."""
    settings = get_settings()
    each = settings.amazcope_dollars_per_product
    limit = format_dollars(settings.amazcope_dollars_per_day)
    if view.products_estimated == 0:
        return "Nothing in it can be tracked, so nothing is fetched."
    if view.products_estimated is None:
        sentence = (
            f"Fetching costs about {format_dollars(each)} per product and day; "
            f"the limit is {limit} a day in all."
        )
        return sentence.replace("$", "\\$")
    cost = estimate_dollars_per_day(view.products_estimated, Cadence.DAILY, each)
    products = format_counted(view.products_estimated, "product")
    return (
        f"Fetching {products} once a day at "
        f"{format_dollars(each)} costs up to {format_dollars(cost)} a day; "
        f"the limit is {limit} a day in all."
    ).replace("$", "\\$")


def _confirm(view: ImportView) -> None:
    with form_error.keep_error():
        imports.confirm_import(view.id, _read_confirmation())


def _read_confirmation() -> Confirmation:
    chosen = st.session_state
    return Confirmation(
        marketplace=chosen.get(MARKETPLACE),
        captured_at=_captured_at(chosen.get(CAPTURED), chosen.get(ZONE) or "UTC"),
        day_order=DayOrder(chosen[DAY_ORDER]) if chosen.get(DAY_ORDER) else None,
        role=Role(chosen.get(ROLE) or Role.WATCHED),
        tags=tuple(chosen.get(TAGS) or ()),
        is_fetched=bool(chosen.get(FETCH)),
    )


def _captured_at(local: datetime | None, zone: str) -> datetime | None:
    """Return the time in UTC that a user entered in the chosen time zone."""
    return None if local is None else local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _discard(run_id: int) -> None:
    with form_error.keep_error():
        imports.discard_import(run_id)
        open_import(None)
