"""Reads of the user's channels, choices and messages. Nothing is cached: they are few."""

from collections.abc import Mapping

from app.data import get_principal
from core.alerts.delivery import channels, delivery_log
from core.alerts.delivery.channels import ListedChannel
from core.alerts.delivery.delivery_log import LoggedMessage
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.notifications import preferences
from core.alerts.notifications.policy import DeliverySettings, Mode
from core.connections.resolve import resolve_mail
from core.database.session import read_scope
from core.settings.environment import get_settings


def list_channels() -> list[ListedChannel]:
    """Return the user's channels."""
    with read_scope() as session:
        return channels.list_channels(session, get_principal())


def get_delivery_settings() -> DeliverySettings:
    """Return when and of what the user is notified."""
    with read_scope() as session:
        return preferences.get_delivery_settings(session, get_principal())


def list_modes() -> Mapping[int, Mapping[IncidentKind, Mode]]:
    """Return by channel and kind of alert when the user gets it."""
    with read_scope() as session:
        return preferences.list_modes(session, get_principal())


def list_messages(below: int | None) -> list[LoggedMessage]:
    """Return a page of the user's messages, and one more if there are older ones."""
    with read_scope() as session:
        size = delivery_log.PAGE_SIZE + 1
        return delivery_log.list_messages(session, get_principal(), below, size)


def has_mail_server() -> bool:
    """Return whether a mail server is connected."""
    return resolve_mail(get_settings()).values is not None


def list_rule_modes(rule_id: int) -> Mapping[int, Mode]:
    """Return by channel what the user chose for one rule; missing: as its kind."""
    with read_scope() as session:
        return preferences.list_rule_modes(session, get_principal(), rule_id)
