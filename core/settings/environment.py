"""Every setting, its default and its meaning. Reads the environment and `.env`; opens nothing."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
_PRICE = re.compile(r"[^\s=,]+=\d{1,6}(\.\d{1,6})?/\d{1,6}(\.\d{1,6})?", re.ASCII)
CONNECTORS = ("off", "dry-run")  # those of core/suggestions/execution/connectors.py
FAKE_APIFY_TOKEN = "apify-demo-token"  # noqa: S105 - opens nothing but the demo's stand-in
# Who listens everywhere is reached here.
_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


class Settings(BaseSettings):
    """What an operator may set. Names in `.env` are the field names in upper case.

    A field named `amazcope_*` is Amazcope's own; the rest are names that other
    software uses for the same thing.
    """

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    # Where things are kept
    amazcope_data_dir: Path = Field(ROOT / "var", description="Data, secrets and logs.")
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL 15 or newer. Unset: a private embedded server."
    )
    amazcope_database_connections: int | None = Field(
        None,
        ge=10,
        description="Connections that all processes together may open. Unset: what the server "
        "allows.",
    )
    redis_url: SecretStr | None = Field(
        None, description="Redis for the queue. Unset: the queue lives in PostgreSQL."
    )

    # Addresses
    amazcope_host: str = Field("127.0.0.1", description="Address the web pages listen on.")
    amazcope_port: int = Field(8501, ge=1, le=65535, description="Port of the web pages.")
    amazcope_stand_in_port: int = Field(
        8502, ge=1, le=65535, description="Port of the demo's local Apify stand-in."
    )

    amazcope_mcp_port: int = Field(
        8503, ge=1, le=65535, description="Port of the MCP server, on the address of the pages."
    )
    amazcope_mcp_url: str | None = Field(
        None, description="Address that agents reach the MCP server by, if it is another."
    )

    amazcope_url: str | None = Field(
        None, description="Address that people reach the pages by, for mailed links."
    )

    amazcope_hsts_subdomains: bool = Field(
        False, description="With https: browsers use https alone for hosts below ours, too."
    )

    amazcope_metrics_token: SecretStr | None = Field(
        None, description="Opens /metrics for other machines. Unset: for this machine alone."
    )

    # Accounts
    amazcope_secret_key: SecretStr | None = Field(
        None, description="32 or more random characters. Unset: made once, kept with the secrets."
    )
    amazcope_admin_mail: str | None = Field(
        None, description="Makes the first administrator at the first start, with the password."
    )
    amazcope_admin_password: SecretStr | None = Field(
        None, description="Password of the first administrator. Unset: a set-up link is printed."
    )
    amazcope_registration: str = Field(
        "invitation", description="Who may join: invitation, open or closed."
    )
    amazcope_sign_in_attempts: int = Field(
        5, ge=1, le=1000, description="Failed attempts per person in the window."
    )
    amazcope_sign_in_attempts_address: int = Field(
        20, ge=1, le=10_000, description="Failed attempts per network address in the window."
    )
    amazcope_sign_in_window: int = Field(
        15, ge=1, le=1440, description="Minutes in which failed attempts count."
    )
    amazcope_session_idle_hours: int = Field(
        12, ge=1, le=720, description="Hours after which an unused sign-in ends."
    )
    amazcope_session_days: int = Field(
        14, ge=1, le=365, description="Days after which every sign-in ends."
    )
    amazcope_oidc_issuer: str | None = Field(
        None, description="Single sign-on: the provider's issuer, exactly as it names itself."
    )
    amazcope_oidc_client_id: str | None = Field(None, description="Amazcope's name there.")
    amazcope_oidc_client_secret: SecretStr | None = Field(
        None, description="Amazcope's password there."
    )
    amazcope_oidc_scope: str = Field(
        "openid email profile", description="What the provider is asked for."
    )
    amazcope_oidc_groups: str = Field(
        "", description="Groups that give a role at each sign-on: group=role, …; others stay out."
    )
    amazcope_smtp_url: SecretStr | None = Field(
        None, description="Mail server, such as smtp://user:password@host:587. Unset: no mail."
    )
    amazcope_mail_from: str = Field("Amazcope <amazcope@localhost>", description="Sender of mails.")

    # Scraping
    amazcope_demo: bool = Field(
        True, description="Load the demo market on the first start; fetch it from the stand-in."
    )
    amazcope_demo_origin: AwareDatetime = Field(
        datetime(2020, 1, 1, tzinfo=UTC),
        description="When the demo market began; what happens in it depends on the hours since.",
    )
    apify_token: SecretStr | None = Field(None, description="Token of an Apify account.")
    apify_api_url: str | None = Field(None, description="Another address of Apify's API.")
    amazcope_actor: str = Field(
        "axesso_data/amazon-product-details-scraper",
        description="Actor that fetches product details; decides how its items are read.",
    )
    amazcope_products_per_run: int = Field(100, ge=1, le=1000, description="Products in a run.")
    amazcope_parallel_runs: int = Field(2, ge=1, le=50, description="Apify runs at a time.")
    amazcope_dollars_per_day: Decimal = Field(
        Decimal("5.00"), ge=0, description="No run is started when this much is spent (UTC day)."
    )
    amazcope_dollars_per_product: Decimal = Field(
        Decimal("0.005"),
        ge=0,
        description="Expected price of a product, counted until Apify tells the real one.",
    )

    # Suggestions
    openai_base_url: str | None = Field(
        None, description="Address of a model server that speaks chat completions. Unset: none."
    )
    openai_api_key: SecretStr | None = Field(
        None, description="Key of the model server. Without it no model is asked."
    )
    amazcope_model: str | None = Field(None, description="Name of the model that is asked.")
    amazcope_model_temperature: float | None = Field(
        None, ge=0, le=2, description="How freely the model answers. Unset: as its server does."
    )
    amazcope_model_timeout: float = Field(
        60, ge=1, le=600, description="Seconds that one answer may take, attempts included."
    )
    amazcope_model_reply_tokens: int = Field(
        4000, ge=200, le=100_000, description="Most tokens of one reply, thinking included."
    )
    amazcope_model_parallel_calls: int = Field(
        8, ge=1, le=32, description="Questions to the model at a time, in one process."
    )
    amazcope_model_dollars_per_day: Decimal = Field(
        Decimal("1.00"), ge=0, description="No model is asked when this much is spent (UTC day)."
    )
    amazcope_model_prices: str = Field(
        "", description="model=prompt/reply in dollars per million tokens, with commas between."
    )
    amazcope_applier: str = Field(
        "off",
        description="Pushes approved listing and price changes: off or dry-run.",
    )

    # Agents
    amazcope_token: SecretStr | None = Field(
        None, description="API token by which the MCP server acts over stdio."
    )
    amazcope_mcp_calls_per_minute: int = Field(
        600, ge=1, le=1_000_000, description="Calls of one token a minute in the long run."
    )
    amazcope_mcp_calls_at_once: int = Field(
        120, ge=1, le=1_000_000, description="Calls of one token at once, after a rest."
    )

    # Keeping
    amazcope_raw_item_days: int = Field(30, ge=1, description="Days an original item is kept.")
    amazcope_retention_months: int | None = Field(
        None, ge=2, description="Months scraped snapshots are kept. Unset: for ever."
    )

    # Importing
    amazcope_upload_mb: int = Field(200, ge=1, description="Largest file that may be imported.")

    # Processes
    amazcope_worker_processes: int = Field(2, ge=1, le=32, description="Worker processes.")
    amazcope_log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        return _require_prefix(value, "postgresql://", "postgres://", "postgresql+psycopg://")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        return _require_prefix(value, "redis://", "rediss://", "unix://")

    @field_validator("openai_base_url", "amazcope_url", "amazcope_mcp_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        if value is not None and not _has_host(value):
            raise ValueError("must name a host, and a port from 1 to 65535 where it names one")
        return value

    @field_validator("amazcope_model_prices")
    @classmethod
    def _readable_prices(cls, value: str) -> str:
        entries = [entry.strip() for entry in value.split(",") if entry.strip()]
        if not all(_PRICE.fullmatch(entry) for entry in entries):
            raise ValueError("must look like model=0.15/0.60, other-model=0/0")
        return ",".join(entries)

    @field_validator("amazcope_applier")
    @classmethod
    def _known_applier(cls, value: str) -> str:
        if value.lower() not in CONNECTORS:
            raise ValueError(f"must be {' or '.join(CONNECTORS)}")
        return value.lower()

    @field_validator("amazcope_log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        level = value.upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return level

    @field_validator("amazcope_registration")
    @classmethod
    def _known_registration(cls, value: str) -> str:
        if value.lower() not in {"invitation", "open", "closed"}:
            raise ValueError("must be invitation, open or closed")
        return value.lower()

    @property
    def public_url(self) -> str:
        """Return the address of the pages, without a slash at its end."""
        host = _REACHABLE.get(self.amazcope_host, self.amazcope_host)
        own = f"http://{bracket_ipv6(host)}:{self.amazcope_port}"
        return (self.amazcope_url or own).rstrip("/")

    @property
    def mcp_url(self) -> str:
        """Return where agents reach the MCP server."""
        host = _REACHABLE.get(self.amazcope_host, self.amazcope_host)
        own = f"http://{bracket_ipv6(host)}:{self.amazcope_mcp_port}/mcp"
        return (self.amazcope_mcp_url or own).rstrip("/")

    def hostnames(self, url: str | None) -> frozenset[str]:
        """Return which names a server may be called by: its address's host and `url`'s.

        Besides these it answers to localhost and to IP addresses (core/runtime/hosts.py).
        """
        named = urlsplit(url).hostname if url else None
        return frozenset(filter(None, (self.amazcope_host, named)))

    @property
    def is_https(self) -> bool:
        """True when people reach the pages over https: cookies are then for https alone."""
        return self.public_url.startswith("https://")

    @property
    def is_for_this_machine(self) -> bool:
        """True when the pages listen on this machine alone, and nothing says otherwise."""
        return _is_loopback(self.amazcope_host) and _is_loopback(urlsplit(self.public_url).hostname)

    @property
    def is_embedded(self) -> bool:
        """True when Amazcope runs its own PostgreSQL."""
        return self.database_url is None

    @property
    def secrets_dir(self) -> Path:
        return self.amazcope_data_dir / "secrets"

    @property
    def logs_dir(self) -> Path:
        return self.amazcope_data_dir / "logs"


def _require_prefix(value: SecretStr | None, *beginnings: str) -> SecretStr | None:
    if value is not None and not value.get_secret_value().startswith(beginnings):
        raise ValueError(f"must begin with {beginnings[0]}")
    return value


def bracket_ipv6(host: str) -> str:
    """Return a host as it stands in an address: one of IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process, read once.

    Raises ConfigurationError, which names every setting that can't be read.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigurationError("\n".join(wrong)) from None


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port, or brackets
        return False


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def reject_public_demo(settings: Settings) -> None:
    """Raise ConfigurationError when others could sign in with the demo's known passwords."""
    if settings.amazcope_demo and not settings.is_for_this_machine:
        raise ConfigurationError(
            "The demo's passwords are known to everybody, so it listens on this machine only. "
            "Set AMAZCOPE_DEMO=false to let other machines in, or AMAZCOPE_HOST=127.0.0.1 "
            "and no AMAZCOPE_URL to keep the demo."
        )
