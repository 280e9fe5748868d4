"""The import screen's parts: what to add, what was recognised, what to confirm."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from app import data, keys
from app.auth import session
from app.commands import imports
from app.components import data_table
from app.web import error_boundary, url_parameters
from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import MARKETPLACES
from core.importing.column_text import columns_summary, unreadable_share
from core.importing.cost_estimate import estimate_dollars_per_day
from core.importing.queries import ImportView
from core.importing.service import Confirmation
from core.importing.values.rows import KIND_LABELS, LISTS, DayOrder, FileKind
from core.importing.values.timestamps import describe_zone
from core.settings.environment import get_settings
from core.text.escaping import escape_markdown
from core.text.numbers import format_counted, format_dollars, format_file_size
from core.text.times import format_moment
from core.tracking.list_filter import ListScope
from core.tracking.rules import Cadence, Role
from core.upkeep.health import WITHOUT_A_KEY

IMPORT = "import"  # as in /add?import=12
TEXT = "pasted"
FILE = "file"
MARKETPLACE = "import_marketplace"
CAPTURED = "import_captured_at"
DAY_ORDER = "import_day_order"
ZONE = "import_zone"
ROLE = "import_role"
TAGS = "import_tags"
FETCH = "import_fetch"
_LONG_PREVIEW = 12  # rows; more scroll within
_PREVIEW_HEIGHT = 440  # pixels
_UPLOAD = "_upload_number"  # a new one empties the uploader
_ERROR = "_import_error"
_TYPES = ["csv", "tsv", "xlsx", "json", "jsonl", "ndjson", "gz", "txt"]
_DAY_ORDERS = {
    DayOrder.DAY_FIRST: "03/04 is 3 April: the day first",
    DayOrder.MONTH_FIRST: "03/04 is March 4: the month first",
}
_ROLES = {Role.OWN: "Own", Role.COMPETITOR: "Competitors", Role.WATCHED: "Watched"}
_FIRST_COLUMNS = (
    "line", "verdict", "text", "marketplace", "asin", "ASIN", "title", "captured_at", "price",
)  # fmt: skip


def import_asked() -> int | None:
    """Return the import that the address names, None when it names none."""
    return url_parameters.read_number(IMPORT)


def kind_label(kind: str) -> str:
    """Name the kind of a file."""
    return KIND_LABELS[FileKind(kind)]


# What to add


def add_button(text: str) -> None:
    """Offer to add a product, to who may: the screen opens with what it is to be told."""
    if session.principal().may(Permission.TRACK) and st.button(
        "Add it", icon=":material/add:", key="to_add_it"
    ):
        st.session_state[TEXT] = text
        st.switch_page(f"../pages/{keys.ADD}.py")


def source_form() -> None:
    """Show where to paste and where to drop a file."""
    number = st.session_state.get(_UPLOAD, 0)
    with st.container(border=True):
        paste, upload = st.columns([3, 2], gap="medium")
        paste.text_area(
            "Paste links, ASINs or a whole email",
            key=TEXT,
            height=180,
            placeholder="https://www.amazon.de/dp/…\nB0… DE\nB0… on amazon.co.jp",
        )
        upload.file_uploader(
            "Or choose a file",
            type=_TYPES,
            key=f"{FILE}_{number}",
            max_upload_size=get_settings().amazcope_upload_mb,
            help="Lists of products, Keepa exports and API answers, Apify data sets, "
            "history tables. Also gzipped.",
        )
        st.button(
            "Preview",
            type="primary",
            icon=":material/search:",
            on_click=_offer,
            key="recognise",
        )
        _tell_error()
    st.caption(
        ":material/lock: Nothing is stored of it before you have seen what it is and confirmed it."
    )


def _offer() -> None:
    """Offer what was given, the file first, and go on with it."""
    number = st.session_state.get(_UPLOAD, 0)
    file = st.session_state.get(f"{FILE}_{number}")
    try:
        if file is not None:
            run_id = imports.offer_file(file.name, file)
        else:
            run_id = imports.offer_text(st.session_state.get(TEXT) or "")
    except error_boundary.EXPECTED_ERRORS as error:
        st.session_state[_ERROR] = error_boundary.get_message(error)
        return
    st.session_state[_UPLOAD] = number + 1
    st.session_state[TEXT] = ""
    show_import(run_id)


def show_import(run_id: int | None) -> None:
    """Make the address name an import, or none."""
    if run_id is None:
        st.query_params.pop(IMPORT, None)
    else:
        st.query_params[IMPORT] = str(run_id)


def _tell_error() -> None:
    error = st.session_state.pop(_ERROR, None)
    if error:
        st.error(error, icon=":material/error:")


# What was recognised


def recognised(view: ImportView) -> None:
    """Say what a file is, by what that was told, and what is wrong with it."""
    st.subheader(kind_label(view.kind), anchor=False)
    said = [escape_markdown(view.name), format_file_size(view.file_bytes)]
    if view.kind != FileKind.PASTED_TEXT:
        said.append(_rows(view.rows_estimated))
    if view.products_estimated is not None:
        said.append(f"{format_counted(view.products_estimated, 'product')} to track")
    st.caption(" · ".join([*said, view.reason or ""]))
    for problem in view.problems:
        st.warning(escape_markdown(problem), icon=":material/warning:")


def _rows(number: int | None) -> str:
    return "rows not counted yet" if number is None else f"about {format_counted(number, 'row')}"


def preview(view: ImportView) -> None:
    """Show the first rows of a file."""
    if view.preview:
        frame = _ordered(pd.DataFrame(view.preview).fillna("").astype(str))
        data_table.show(
            frame,
            "preview",
            height="content" if len(frame) <= _LONG_PREVIEW else _PREVIEW_HEIGHT,
            alt=f"The first {len(frame)} rows of the file",
        )


def columns(view: ImportView) -> None:
    """Say what each column is taken for, and how many of its cells can't be read."""
    if not view.columns:
        return
    unused = sum(use["meaning"] is None for use in view.columns)
    unreadable = sum(use["unreadable"] > 0 for use in view.columns)
    with st.expander(
        columns_summary(len(view.columns), unused, unreadable), expanded=unreadable > 0
    ):
        data_table.show(
            pd.DataFrame(
                {
                    "Column": [use["column"] for use in view.columns],
                    "Taken as": [use["meaning"] or "Not used" for use in view.columns],
                    "Unreadable": [
                        unreadable_share(use["unreadable"], use["rows"]) for use in view.columns
                    ],
                }
            ),
            "columns",
            height="content",
            alt="What each column of the file is taken as",
        )


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns with what names a product first, what says most about it next."""
    first = [name for name in _FIRST_COLUMNS if name in frame.columns]
    return frame[first + [name for name in frame.columns if name not in first]]


# What to confirm


def confirmation(view: ImportView) -> None:
    """Ask for what the file doesn't say, and confirm or let it go."""
    with st.container(border=True):
        st.markdown("**Confirm**")
        _time(view)
        with st.grid(min_column_width=240):
            if view.needs_marketplace or FileKind(view.kind) in LISTS:
                _marketplace(view)
            if view.needs_day_order:
                _day_order()
            _role()
            _tags()
        _fetch(view)
        _tell_error()
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


def _time(view: ImportView) -> None:
    """Say which time the rows will carry; ask for it where the file has none."""
    zone = data.principal().time_zone
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
    where.selectbox("Time zone", _zones(zone), key=ZONE)


def _zones(own: str) -> list[str]:
    others = sorted({each.time_zone for each in MARKETPLACES.values()})
    return list(dict.fromkeys([own, "UTC", *others]))


def _marketplace(view: ImportView) -> None:
    codes = list(MARKETPLACES)
    st.selectbox(
        "Marketplace" if view.needs_marketplace else "Marketplace of rows that name none",
        codes,
        index=codes.index(view.marketplace) if view.marketplace in codes else None,
        format_func=lambda code: f"{code} · {MARKETPLACES[code].domain}",
        placeholder="Choose" if view.needs_marketplace else "None",
        key=MARKETPLACE,
    )


def _day_order() -> None:
    st.selectbox(
        "Dates in the file",
        [str(order) for order in DayOrder],
        index=None,
        format_func=lambda order: _DAY_ORDERS[DayOrder(order)],
        placeholder="Choose",
        key=DAY_ORDER,
        help="No date in the file has a day above 12, so it can't tell which comes first.",
    )


def _role() -> None:
    st.segmented_control(
        "Role",
        [str(role) for role in Role],
        default=str(Role.WATCHED),
        required=True,
        format_func=lambda role: _ROLES[Role(role)],
        key=ROLE,
    )


def _tags() -> None:
    from app.data import products as lists

    st.multiselect(
        "Tags",
        lists.tags(ListScope.MINE),
        key=TAGS,
        accept_new_options=True,
        placeholder="Choose or type",
    )


def _fetch(view: ImportView) -> None:
    """Ask whether the products are fetched from now on, and say what that costs."""
    st.toggle(
        "Check them every day",
        value=view.is_fetched,
        key=FETCH,
        help="Off: the products are listed with the history they have, paused.",
    )
    st.caption(cost_sentence(view))
    if get_settings().apify_token is None:
        st.caption(f":material/key_off: {WITHOUT_A_KEY}")


def cost_sentence(view: ImportView) -> str:
    """Say what fetching costs a day, as far as that can be told before reading it all."""
    settings = get_settings()
    each = settings.amazcope_dollars_per_product
    limit = format_dollars(settings.amazcope_dollars_per_day)
    if view.products_estimated == 0:
        return "Nothing in it can be tracked, so nothing is fetched."
    if view.products_estimated is None:
        said = (
            f"Fetching costs about {format_dollars(each)} per product and day; "
            f"the limit is {limit} a day in all."
        )
        return said.replace("$", "\\$")
    cost = estimate_dollars_per_day(view.products_estimated, Cadence.DAILY, each)
    products = format_counted(view.products_estimated, "product")
    return (
        f"Fetching {products} once a day at "
        f"{format_dollars(each)} costs up to {format_dollars(cost)} a day; "
        f"the limit is {limit} a day in all."
    ).replace("$", "\\$")


def _confirm(view: ImportView) -> None:
    try:
        imports.confirm(view.id, _confirmed())
    except error_boundary.EXPECTED_ERRORS as error:
        st.session_state[_ERROR] = error_boundary.get_message(error)


def _confirmed() -> Confirmation:
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
    """Return an aware time from one that a person wrote by the clock of a zone."""
    return None if local is None else local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _discard(run_id: int) -> None:
    try:
        imports.discard(run_id)
    except error_boundary.EXPECTED_ERRORS as error:
        st.session_state[_ERROR] = error_boundary.get_message(error)
    else:
        show_import(None)
