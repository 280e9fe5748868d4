"""Dialogs of the Product screen: settings, data source of a figure."""

from datetime import datetime

import streamlit as st

from app.commands import products
from app.components import downloads, fragments
from app.components.thresholds import ThresholdInputs
from app.data import get_principal
from app.data import products as lists
from app.data import provenance as origins
from app.product import price_caps
from app.web import error_boundary
from core.accounts.access.permissions import Permission
from core.history.product_summary import ProductSummary, TrackingState
from core.history.provenance import text
from core.history.provenance.provenance import Provenance
from core.settings.environment import get_settings
from core.text.escaping import escape_markdown
from core.text.times import format_cadence
from core.tracking.list_filter import ListScope
from core.tracking.rules import LONGEST_NOTE, Cadence, Role
from core.tracking.settings import TrackingSettings

_ROLES = {
    Role.OWN: "My own product",
    Role.COMPETITOR: "A competitor",
    Role.WATCHED: "Tracked",
}
_CADENCES = {cadence: format_cadence(cadence.value).capitalize() for cadence in Cadence}


@fragments.dialog("Settings", icon=":material/tune:")
def show_settings(head: ProductSummary) -> None:
    """Show the product's tracking settings, with "Pause" and "Remove".

    For a manager who doesn't track the product these are a teammate's settings.
    """
    tracking = head.tracking
    if tracking is None:
        return
    whose = ListScope.MINE if tracking.is_mine else ListScope.TEAM
    if whose is ListScope.TEAM:
        st.caption(":material/group: These are a teammate's settings.")
    with st.form("product_settings", border=False):
        form = SettingsForm(tracking.settings)
        is_saved = st.form_submit_button("Save", type="primary", icon=":material/check:")
    if is_saved:
        try:
            message = products.change_settings(head.product_id, form.values(), whose)
        except error_boundary.EXPECTED_ERRORS as error:
            st.error(error_boundary.get_message(error), icon=":material/error:")
            return
        st.toast(message, icon=":material/check:")
        st.rerun()
    if get_principal().may(Permission.TEAM):
        price_caps.show_price_caps_form(head)
    _show_pause_and_remove(head, tracking, whose)


class SettingsForm:
    """The inputs of the settings form, and what was typed."""

    def __init__(self, settings: TrackingSettings) -> None:
        left, right = st.columns(2)
        self.role = left.selectbox(
            "Role",
            list(Role),
            index=list(Role).index(settings.role),
            format_func=lambda role: _ROLES[role],
        )
        self.cadence = right.selectbox(
            "Check frequency",
            list(Cadence),
            index=list(Cadence).index(settings.cadence),
            format_func=lambda cadence: _CADENCES[cadence],
        )
        self.thresholds = ThresholdInputs(
            settings.price_change_percent,
            settings.rank_change_percent,
            lists.read_team_thresholds(),
            "Changes below these values are not listed.",
        )
        self.tags = st.multiselect(
            "Tags",
            list(settings.tags),
            list(settings.tags),
            accept_new_options=True,
            placeholder="Type a tag",
        )
        self.note = st.text_area("Note", settings.note or "", max_chars=LONGEST_NOTE)
        self.is_primary = st.toggle("Primary product", settings.is_primary)

    def values(self) -> TrackingSettings:
        """Return what was typed. Raises InvalidInputError for an invalid percentage."""
        return TrackingSettings(
            role=self.role or Role.WATCHED,
            cadence=self.cadence or Cadence.DAILY,
            tags=tuple(self.tags),
            note=self.note or None,
            is_primary=self.is_primary,
            price_change_percent=self.thresholds.price(),
            rank_change_percent=self.thresholds.rank(),
        )


def _show_pause_and_remove(head: ProductSummary, tracking: TrackingState, whose: ListScope) -> None:
    with st.container(horizontal=True):
        if tracking.paused_at is None:
            command, label, icon = products.pause_products, "Pause", ":material/pause:"
        else:
            command, label, icon = products.resume_products, "Resume", ":material/play_arrow:"
        if st.button(label, icon=icon, key="pause_or_resume"):
            products.run_with_toast(command, [head.product_id], whose)
            st.rerun()
        if st.button("Remove", icon=":material/delete:", key="remove", help="The history stays."):
            products.run_with_toast(products.remove_products, [head.product_id], whose)
            st.rerun()


@fragments.dialog("Data source", width="medium", icon=":material/history:")
def show_provenance_dialog(
    head: ProductSummary, column: str, label: str, snapshot: tuple[datetime, int] | None = None
) -> None:
    """Show the provenance of a figure: in a snapshot (time, source), else of the newest value."""
    st.caption(f"{label} · {head.marketplace} · {head.asin}")
    show_provenance(head, origins.find_provenance(head, column, snapshot))


def show_provenance(head: ProductSummary, origin: Provenance | None) -> None:
    """Show provenance as a table, and the raw response while it is stored."""
    if origin is None:
        st.info("No source is stored for this value.", icon=":material/help:")
        return
    lines = text.provenance_lines(
        origin, head.marketplace, get_principal().time_zone, get_settings().amazcope_raw_item_days
    )
    rows = [f"| {name} | {escape_markdown(words)} |" for name, words in lines]
    st.markdown("\n".join([rows[0], "|:--|:--|", *rows[1:]]))
    _show_raw_item_button(head, origin)


def _show_raw_item_button(head: ProductSummary, origin: Provenance) -> None:
    """Show the download button of the raw response while it is stored."""
    fetch = origin.fetch
    if fetch is None or not fetch.is_original_kept:
        return
    downloads.show_download_button(
        "Original item (JSON)",
        f"{head.marketplace}-{head.asin}-run-{fetch.run_id}.json",
        downloads.JSON,
        lambda _who: origins.get_raw_item_json(head.product_id, fetch.run_id, origin.captured_at),
    )
