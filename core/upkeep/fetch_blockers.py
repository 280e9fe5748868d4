"""What keeps products from being fetched just now, in sentences. SELECTs only."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.errors import ConfigurationError
from core.scraping.runs.models import ProviderState
from core.scraping.runs.providers import get_provider, provider_names
from core.settings.environment import Settings
from core.upkeep.health import sentence_of_provider, sentence_of_worker
from core.upkeep.heartbeat import last_sign_of_worker


@requires(Permission.READ)
def hindrances(
    session: Session, _acting: Principal, settings: Settings, now: datetime
) -> list[str]:
    """Return what keeps products from being fetched and how it is mended; empty: nothing does."""
    return known_hindrances(session, settings, now)


def known_hindrances(session: Session, settings: Settings, now: datetime) -> list[str]:
    """Return what `hindrances` does, within a verb that checked another right."""
    found = [sentence_of_worker(last_sign_of_worker(session), now)]
    found += [_of_provider(session, name, settings) for name in provider_names(settings)]
    return [each for each in found if each is not None]


def _of_provider(session: Session, name: str, settings: Settings) -> str | None:
    try:
        if get_provider(name, settings).missing:
            return sentence_of_provider(name, "no_token")
    except ConfigurationError:
        return sentence_of_provider(name, "misconfigured")
    known = session.get(ProviderState, name, populate_existing=True)
    return None if known is None else sentence_of_provider(name, known.state)
