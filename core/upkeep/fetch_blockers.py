"""Sentences on what currently prevents fetches. SELECTs only."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.errors import ConfigurationError
from core.scraping.runs.models import ProviderState
from core.scraping.runs.providers import get_provider, list_provider_names
from core.settings.environment import Settings
from core.upkeep.health import describe_provider, describe_worker
from core.upkeep.heartbeat import find_last_worker_activity


@requires(Permission.READ)
def find_blockers(
    session: Session, _acting: Principal, settings: Settings, now: datetime
) -> list[str]:
    """Return sentences on what prevents fetches and how to fix it; empty if nothing does."""
    return find_known_blockers(session, settings, now)


def find_known_blockers(session: Session, settings: Settings, now: datetime) -> list[str]:
    """Return what `find_blockers` does, for operations that checked another permission."""
    found = [describe_worker(find_last_worker_activity(session), now)]
    found += [
        _describe_provider_problem(session, name, settings)
        for name in list_provider_names(settings)
    ]
    return [each for each in found if each is not None]


def _describe_provider_problem(session: Session, name: str, settings: Settings) -> str | None:
    try:
        if get_provider(name, settings).missing:
            return describe_provider(name, "no_token")
    except ConfigurationError:
        return describe_provider(name, "misconfigured")
    known = session.get(ProviderState, name, populate_existing=True)
    return None if known is None else describe_provider(name, known.state)
