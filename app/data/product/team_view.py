"""What a team adds to a product's chart, which changes without the product's data."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from app.data import get_principal
from app.data.cache import cached_read
from app.data.products import get_cache_token
from core.accounts.access.permissions import Principal
from core.alerts.charts.alert_marks import list_alert_marks
from core.database.session import read_scope
from core.history.chart.content import EventMark, Series
from core.history.notes.queries import list_notes
from core.suggestions.review.queries import list_applied_changes
from core.tracking.sellers.queries import read_own_sellers
from core.tracking.sellers.rules import OwnSeller

ALERTS_SINCE: Final = timedelta(days=366)  # older ones are not marked


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team's own sellers in the product's marketplace, and its events of a product."""

    own_sellers: tuple[OwnSeller, ...]
    events: tuple[EventMark, ...]


def read_team_view(marketplace: str, product_id: int, shown: frozenset[Series]) -> TeamView:
    """Return what the user's team adds to a chart of these series.

    As of half a minute ago at most; a user's own actions show at once.
    """
    return _read_team_view(get_principal(), marketplace, product_id, shown, get_cache_token())


@cached_read(seconds=30, entries=1000)
def _read_team_view(
    who: Principal, marketplace: str, product_id: int, shown: frozenset[Series], token: str
) -> TeamView:
    del token  # part of the key
    events: list[EventMark] = []
    with read_scope() as session:
        own = read_own_sellers(session, who.team_id).get(marketplace, ())
        if Series.NOTES in shown:
            events += [
                EventMark(note.noted_at, "N", f"{note.body} ({note.author})")
                for note in list_notes(session, who, product_id)
            ]
        if Series.SUGGESTIONS in shown:
            events += [
                EventMark(at, "S", f"Applied: {title}")
                for at, title in list_applied_changes(session, who, product_id)
            ]
        if Series.ALERTS in shown:
            now = datetime.now(UTC)
            events += list_alert_marks(session, who, product_id, (now - ALERTS_SINCE, now), now)
    return TeamView(tuple(own), tuple(events))
