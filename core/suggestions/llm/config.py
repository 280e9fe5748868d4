"""The model's settings as one value: the connection, prices and limits."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from core.connections.resolve import Origin, Resolved, resolve_model
from core.connections.values import ModelServer
from core.settings.environment import Settings
from core.suggestions.llm.costs import CostRange, Price, estimate_cost_range, read_prices
from core.suggestions.model_server.client import ModelAccess

_FREE = CostRange(Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class ModelSetup:
    """How to ask the model. `access` None: it is not asked, for the reason in `missing`."""

    access: ModelAccess | None
    price: Price
    dollars_per_day: Decimal
    parallel_calls: int = 8
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Which model is asked on which server, for display. Contains no secret."""

    model: str | None
    server: str | None  # its host
    dollars_per_day: Decimal
    missing: str | None  # why no model is asked; None: one is
    question: CostRange = _FREE  # the largest cost of one


def read_model_address(settings: Settings) -> ModelAddress:
    """Return which model is asked on which server, or why none is."""
    found = resolve_model(settings)
    setup = _make_setup(found, settings)
    return ModelAddress(
        model=found.values.model if found.values else settings.amazcope_model,
        server=urlsplit(found.values.base_url if found.values else "").hostname,
        dollars_per_day=setup.dollars_per_day,
        missing=setup.missing,
        question=estimate_cost_range(setup.price, settings.amazcope_model_reply_tokens),
    )


def get_setup(settings: Settings) -> ModelSetup:
    """Return the model's setup: the environment's, else the stored one."""
    return _make_setup(resolve_model(settings), settings)


def _make_setup(found: Resolved[ModelServer], settings: Settings) -> ModelSetup:
    price, missing = _find_price(found, settings), found.missing
    if found.values is not None and price is None:
        missing = (
            f"No model is asked: the price of {found.values.model} is not in "
            "AMAZCOPE_MODEL_PRICES, so its cost can't be counted."
        )
    return ModelSetup(
        access=None if missing or found.values is None else _access(found.values, settings),
        price=price or Price(Decimal(0), Decimal(0)),
        dollars_per_day=settings.amazcope_model_dollars_per_day,
        parallel_calls=settings.amazcope_model_parallel_calls,
        missing=missing,
    )


def _find_price(found: Resolved[ModelServer], settings: Settings) -> Price | None:
    """Return the model's price by the settings, else the one stored with the connection."""
    if found.values is None:
        return None
    price = read_prices(settings.amazcope_model_prices).get(found.values.model)
    if price is None and found.origin is Origin.STORED:
        return Price(Decimal(found.values.prompt_price), Decimal(found.values.reply_price))
    return price


def _access(values: ModelServer, settings: Settings) -> ModelAccess:
    return ModelAccess(
        key=values.key,
        base_url=values.base_url,
        model=values.model,
        temperature=settings.amazcope_model_temperature,
        timeout=settings.amazcope_model_timeout,
        reply_tokens=settings.amazcope_model_reply_tokens,
    )
