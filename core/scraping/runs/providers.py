"""The providers of fetches: Apify, and the demo's fake Apify server."""

from dataclasses import dataclass
from decimal import Decimal

from core.connections.resolve import resolve_apify
from core.errors import ConfigurationError
from core.scraping.parsers.registry import Actor, get_actor
from core.scraping.runs.apify import ApifyAccess
from core.scraping.runs.budget import Limits
from core.settings.environment import FAKE_APIFY_TOKEN, Settings

APIFY = "apify"
DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's settings. `access` None: it can't be used; `missing` is the reason."""

    name: str
    actor: Actor
    limits: Limits
    access: ApifyAccess | None
    missing: str | None = None


def get_provider(name: str, settings: Settings) -> Provider:
    """Return a provider as configured.

    Raises ConfigurationError if AMAZCOPE_ACTOR names no actor that fetches products.
    """
    if name == DEMO:
        return _make_fake_provider(settings)
    limits = make_limits(settings)
    actor = get_actor(settings.amazcope_actor)
    if not actor.fetches_products:
        raise ConfigurationError(
            f"The actor {actor.id} does not fetch single products. Set AMAZCOPE_ACTOR to one that "
            "fetches product details."
        )
    found = resolve_apify(settings)
    return Provider(APIFY, actor, limits, get_access(APIFY, settings), found.missing)


def get_access(name: str, settings: Settings) -> ApifyAccess | None:
    """Return the access to a provider, None without a token. Reads the stored connection."""
    if name == DEMO:
        address = f"http://127.0.0.1:{settings.amazcope_stand_in_port}"
        return ApifyAccess(FAKE_APIFY_TOKEN, address)
    found = resolve_apify(settings).values
    return None if found is None else ApifyAccess(found.token, settings.apify_api_url)


def make_limits(settings: Settings) -> Limits:
    """Return the operator's limits for Apify."""
    return Limits(
        products_per_run=settings.amazcope_products_per_run,
        parallel_runs=settings.amazcope_parallel_runs,
        dollars_per_day=settings.amazcope_dollars_per_day,
        dollars_per_product=settings.amazcope_dollars_per_product,
    )


def _make_fake_provider(settings: Settings) -> Provider:
    # The fake server's costs are invented like its products, so there is no budget.
    limits = Limits(settings.amazcope_products_per_run, 4, None, Decimal(0))
    actor = get_actor("axesso_data/amazon-product-details-scraper")
    return Provider(DEMO, actor, limits, get_access(DEMO, settings))


def list_provider_names(settings: Settings) -> list[str]:
    """Return the names of the providers that this installation uses."""
    return [APIFY, DEMO] if settings.amazcope_demo else [APIFY]


def list_prices(settings: Settings) -> list[tuple[str, Decimal]]:
    """Return the providers with the expected dollars of a product; 0 where that is not known."""
    found = []
    for name in list_provider_names(settings):
        try:
            price = get_provider(name, settings).limits.dollars_per_product
        except ConfigurationError:  # it can't check anything then
            price = Decimal(0)
        found.append((name, price))
    return found


def has_access(settings: Settings) -> bool:
    """Return whether any provider can be used."""
    return any(get_access(name, settings) is not None for name in list_provider_names(settings))
