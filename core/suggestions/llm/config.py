"""The model's settings as one value. Opens nothing."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from core.settings.environment import Settings
from core.suggestions.llm.client import ModelAccess
from core.suggestions.llm.costs import CostRange, Price, estimate_cost_range, read_prices

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
    setup = get_setup(settings)
    return ModelAddress(
        model=settings.amazcope_model,
        server=urlsplit(settings.openai_base_url or "").hostname,
        dollars_per_day=setup.dollars_per_day,
        missing=setup.missing,
        question=estimate_cost_range(setup.price, settings.amazcope_model_reply_tokens),
    )


def get_setup(settings: Settings) -> ModelSetup:
    """Return the model's setup by the settings."""
    missing = _missing(settings)
    prices = read_prices(settings.amazcope_model_prices)
    price = prices.get(settings.amazcope_model or "", Price(Decimal(0), Decimal(0)))
    return ModelSetup(
        access=None if missing else _access(settings),
        price=price,
        dollars_per_day=settings.amazcope_model_dollars_per_day,
        parallel_calls=settings.amazcope_model_parallel_calls,
        missing=missing,
    )


def _missing(settings: Settings) -> str | None:
    """Return why no model can be asked, None if one can."""
    required = {
        "OPENAI_BASE_URL": settings.openai_base_url,
        "OPENAI_API_KEY": settings.openai_api_key,
        "AMAZCOPE_MODEL": settings.amazcope_model,
    }
    unset = [name for name, value in required.items() if value is None]
    if unset:
        verb = "is" if len(unset) == 1 else "are"
        return f"No model is asked: {', '.join(unset)} {verb} not set."
    if settings.amazcope_model not in read_prices(settings.amazcope_model_prices):
        return (
            f"No model is asked: the price of {settings.amazcope_model} is not in "
            "AMAZCOPE_MODEL_PRICES, so its cost can't be counted."
        )
    return None


def _access(settings: Settings) -> ModelAccess:
    key = settings.openai_api_key
    return ModelAccess(
        key=key.get_secret_value() if key else "",
        base_url=settings.openai_base_url or "",
        model=settings.amazcope_model or "",
        temperature=settings.amazcope_model_temperature,
        timeout=settings.amazcope_model_timeout,
        reply_tokens=settings.amazcope_model_reply_tokens,
    )
