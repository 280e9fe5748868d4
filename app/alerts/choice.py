"""Which alert is open: its id in the address, the one before and after it in the list."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import streamlit as st

from app import device, keys
from app.commands import alerts as commands
from app.data import alerts
from app.web import error_boundary, url_parameters
from core.alerts.incidents.queries import IncidentRow


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """The alert that is open. `place`: in the list, from 0; None: it is not in it."""

    row: IncidentRow
    place: int | None
    ids: tuple[int, ...]  # of the list

    def find_neighbour(self, step: int) -> int | None:
        """Return the id of the alert so many places further on; None: there is none."""
        place = (0 if step > 0 else -1) if self.place is None else self.place + step
        return self.ids[place] if 0 <= place < len(self.ids) else None


def choose_alert(
    rows: Sequence[IncidentRow], clicked: IncidentRow | None = None
) -> OpenAlert | None:
    """Return the open alert: the one just clicked, that of the address, else the first one.

    On a phone, where the list and an alert are views of their own, it is that of the address.
    None: there is none to show.
    """
    if clicked is not None:
        st.query_params[keys.ALERT] = str(clicked.id)
    asked = url_parameters.read_number(keys.ALERT)
    ids = tuple(row.id for row in rows)
    if asked in ids:
        place = ids.index(asked)
        return OpenAlert(rows[place], place, ids)
    found = None if asked is None else alerts.find_incident(asked)
    if found is not None:
        return OpenAlert(found, None, ids)
    if not rows or device.is_phone():
        return None
    return OpenAlert(rows[0], 0, ids)


def list_shown(rows: Sequence[IncidentRow], opened: OpenAlert | None) -> list[int]:
    """Return the ids of the alerts of the list and of the open one."""
    return [*(row.id for row in rows), *([] if opened is None else [opened.row.id])]


def mark_as_read(opened: OpenAlert | None, unread: Collection[int]) -> None:
    """Mark the alert that the user opened as read, and count again. `unread`: of those shown.

    The first alert of a list, which is open before the user chose any, stays unread.
    """
    if opened is None or url_parameters.read_number(keys.ALERT) != opened.row.id:
        return
    if opened.row.id not in unread:
        return
    try:
        commands.mark_read([opened.row.id])
    except error_boundary.EXPECTED_ERRORS as error:
        st.warning(error_boundary.get_message(error), icon=":material/error:")
        return
    st.rerun()


def open_alert(incident_id: int | None) -> None:
    """Put an alert into the address, None: take it out; for `on_click`."""
    if incident_id is None:
        st.query_params.pop(keys.ALERT, None)
    else:
        st.query_params[keys.ALERT] = str(incident_id)
