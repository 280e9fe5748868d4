"""Every table, imported once, so that `Base.metadata` is complete."""

from core.accounts import models as accounts
from core.agents import models as agents
from core.alerts import models as alerts
from core.alerts.notifications import models as notifications
from core.catalog import models as catalog
from core.catalog.images import models as images
from core.connections import models as connections
from core.database import leases
from core.database.session import Base
from core.delivery import models as delivery
from core.history import models as history
from core.history.expected import models as expected
from core.history.notes import models as notes
from core.importing import models as importing
from core.reports import models as reports
from core.scraping.runs import models as scraping
from core.suggestions import models as suggestions
from core.tracking import models as tracking
from core.tracking.competitors import models as competitors
from core.tracking.price_caps import models as price_caps
from core.tracking.sellers import models as sellers
from core.tracking.views import models as views
from core.upkeep import models as upkeep

__all__ = [
    "accounts",
    "agents",
    "alerts",
    "catalog",
    "competitors",
    "connections",
    "delivery",
    "expected",
    "history",
    "images",
    "importing",
    "leases",
    "metadata",
    "notes",
    "notifications",
    "price_caps",
    "reports",
    "scraping",
    "sellers",
    "suggestions",
    "tracking",
    "upkeep",
    "views",
]

metadata = Base.metadata
