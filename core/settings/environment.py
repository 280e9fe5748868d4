"""All settings with defaults and descriptions. Reads the environment and `.env`; opens nothing."""

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
_AGE_KEY = re.compile(r"age1[0-9a-z]{58}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", re.ASCII)
CONNECTORS = ("off", "dry-run")  # those of core/suggestions/execution/connectors.py
FAKE_APIFY_TOKEN = "apify-demo-token"  # noqa: S105 - opens only the demo's fake Apify server
# The address on this machine of a server that listens on all addresses.
_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


class Settings(BaseSettings):
    """The operator's settings. Names in `.env` are the field names in upper case.

    Fields named `amazcope_*` are Amazcope's own; other software uses the other names with
    the same meaning.
    """

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    # Storage
    amazcope_data_dir: Path = Field(ROOT / "var", description="Data, secrets and logs.")
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL 15 or newer. Unset: a private embedded server."
    )
    amazcope_database_connections: int | None = Field(
        None,
        ge=10,
        description="Most connections of all processes together. Unset: the server's own limit.",
    )
    redis_url: SecretStr | None = Field(
        None, description="Redis for the queue. Unset: the queue is kept in PostgreSQL."
    )

    # Addresses
    amazcope_host: str = Field("127.0.0.1", description="Address the web pages listen on.")
    amazcope_port: int = Field(8501, ge=1, le=65535, description="Port of the web pages.")
    amazcope_stand_in_port: int = Field(
        8502, ge=1, le=65535, description="Port of the demo's fake Apify server."
    )

    amazcope_mcp_port: int = Field(
        8503, ge=1, le=65535, description="Port of the MCP server, on the address of the web pages."
    )
    amazcope_mcp_url: str | None = Field(
        None, description="Public address of the MCP server, if it differs."
    )

    amazcope_url: str | None = Field(
        None, description="Public address of the web pages, for links in emails."
    )

    amazcope_hsts_subdomains: bool = Field(
        False, description="With https: browsers use https only for subdomains, too."
    )

    amazcope_metrics_token: SecretStr | None = Field(
        None, description="Lets other machines read /metrics. Unset: this computer only."
    )

    # Accounts
    amazcope_secret_key: SecretStr | None = Field(
        None, description="32 or more random characters. Unset: generated once and kept."
    )
    amazcope_admin_mail: str | None = Field(
        None, description="Email address of the first administrator, created on the first start."
    )
    amazcope_admin_password: SecretStr | None = Field(
        None, description="Password of the first administrator. Unset: a set-up link is printed."
    )
    amazcope_registration: str = Field(
        "invitation", description="Who may register: invitation, open or closed."
    )
    amazcope_sign_in_attempts: int = Field(
        5, ge=1, le=1000, description="Failed sign-ins of a user in the window."
    )
    amazcope_sign_in_attempts_address: int = Field(
        20, ge=1, le=10_000, description="Failed sign-ins of a network address in the window."
    )
    amazcope_sign_in_window: int = Field(
        15, ge=1, le=1440, description="Minutes in which failed sign-ins are counted."
    )
    amazcope_session_idle_hours: int = Field(
        12, ge=1, le=720, description="Hours after which an unused session ends."
    )
    amazcope_session_days: int = Field(
        14, ge=1, le=365, description="Days after which every session ends."
    )
    amazcope_oidc_issuer: str | None = Field(
        None, description="Single sign-on: the issuer exactly as the provider states it."
    )
    amazcope_oidc_client_id: str | None = Field(None, description="Client id of Amazcope there.")
    amazcope_oidc_client_secret: SecretStr | None = Field(
        None, description="Client secret of Amazcope there."
    )
    amazcope_oidc_scope: str = Field("openid email profile", description="Requested scopes.")
    amazcope_oidc_groups: str = Field(
        "",
        description="Groups that set the role at sign-on: group=role, …; others can't sign in.",
    )
    amazcope_smtp_url: SecretStr | None = Field(
        None, description="Mail server, such as smtp://user:password@host:587. Unset: no emails."
    )
    amazcope_mail_from: str = Field(
        "Amazcope <amazcope@localhost>", description="Sender of emails."
    )

    # Scraping
    amazcope_demo: bool = Field(
        True,
        description="Load the demo data on the first start; fetch it from the fake Apify server.",
    )
    amazcope_demo_origin: AwareDatetime = Field(
        datetime(2020, 1, 1, tzinfo=UTC),
        description="Start of the simulated market, which depends on the hours since then.",
    )
    apify_token: SecretStr | None = Field(None, description="Token of an Apify account.")
    apify_api_url: str | None = Field(
        None, description="Address of Apify's API, if it is not Apify's own."
    )
    amazcope_actor: str = Field(
        "axesso_data/amazon-product-details-scraper",
        description="Actor that fetches product details; determines how items are parsed.",
    )
    amazcope_products_per_run: int = Field(100, ge=1, le=1000, description="Products in a run.")
    amazcope_parallel_runs: int = Field(2, ge=1, le=50, description="Apify runs at the same time.")
    amazcope_dollars_per_day: Decimal = Field(
        Decimal("5.00"),
        ge=0,
        description="Budget per day (UTC); no run is started once it is spent.",
    )
    amazcope_dollars_per_product: Decimal = Field(
        Decimal("0.005"),
        ge=0,
        description="Expected price of a product, counted until Apify reports the real cost.",
    )

    # Thumbnails
    amazcope_thumbnails: bool = Field(
        True,
        description="Fetch product images from Amazon's image hosts, and show their thumbnails.",
    )
    amazcope_thumbnail_mb: int = Field(
        300, ge=10, le=100_000, description="Most megabytes of thumbnails that are stored."
    )

    # Suggestions
    openai_base_url: str | None = Field(
        None, description="Address of a server with OpenAI's chat completions API. Unset: no model."
    )
    openai_api_key: SecretStr | None = Field(
        None, description="Key of the model server. Without it no model is asked."
    )
    amazcope_model: str | None = Field(None, description="Name of the model.")
    amazcope_model_temperature: float | None = Field(
        None, ge=0, le=2, description="Temperature of the model. Unset: the server's default."
    )
    amazcope_model_timeout: float = Field(
        60, ge=1, le=600, description="Timeout of one model call in seconds, retries included."
    )
    amazcope_model_reply_tokens: int = Field(
        4000, ge=200, le=100_000, description="Most tokens of one reply, reasoning included."
    )
    amazcope_model_parallel_calls: int = Field(
        8, ge=1, le=32, description="Model calls at the same time, in one process."
    )
    amazcope_model_dollars_per_day: Decimal = Field(
        Decimal("1.00"),
        ge=0,
        description="Budget per day (UTC); no model is asked once it is spent.",
    )
    amazcope_model_prices: str = Field(
        "", description="model=prompt/reply in dollars per million tokens, separated by commas."
    )
    amazcope_applier: str = Field(
        "off",
        description="Pushes approved listing and price changes: off or dry-run.",
    )

    # Notifications
    amazcope_private_hosts: str = Field(
        "",
        description="Hosts in private networks that notifications may be sent to, with commas.",
    )

    # Agents
    amazcope_token: SecretStr | None = Field(
        None, description="API token that the MCP server uses over stdio."
    )
    amazcope_mcp_calls_per_minute: int = Field(
        600, ge=1, le=1_000_000, description="Calls of one token per minute in the long run."
    )
    amazcope_mcp_calls_at_once: int = Field(
        120, ge=1, le=1_000_000, description="Calls of one token in one burst."
    )

    # Retention
    amazcope_raw_item_days: int = Field(30, ge=1, description="Days a raw response is kept.")
    amazcope_retention_months: int | None = Field(
        None, ge=2, description="Months that scraped snapshots are kept. Unset: for ever."
    )

    # Backups
    amazcope_backup_to: Path | None = Field(
        None, description="Folder that gets a backup of the database every day. Unset: none does."
    )
    amazcope_backup_recipient: str | None = Field(
        None, description="Public key of age (age1…) that backups are encrypted for. Unset: none."
    )

    # Importing
    amazcope_upload_mb: int = Field(200, ge=1, description="Largest file that can be imported.")

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

    @field_validator("amazcope_private_hosts")
    @classmethod
    def _plain_hosts(cls, value: str) -> str:
        hosts = [host.strip().strip("[]") for host in value.split(",") if host.strip()]
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise ValueError("must be hosts without port or path, such as ntfy.lan, 10.0.0.7")
        return ",".join(hosts)

    @field_validator("amazcope_applier")
    @classmethod
    def _known_applier(cls, value: str) -> str:
        if value.lower() not in CONNECTORS:
            raise ValueError(f"must be {' or '.join(CONNECTORS)}")
        return value.lower()

    @field_validator("amazcope_backup_to")
    @classmethod
    def _whole_path(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():  # processes have folders of their own
            raise ValueError("must be a whole path, which begins with /")
        return value

    @field_validator("amazcope_backup_recipient")
    @classmethod
    def _public_key(cls, value: str | None) -> str | None:
        if value is not None and not _AGE_KEY.fullmatch(value):
            raise ValueError("must be a public key of age: age1 and 58 more characters")
        return value

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
        """Return the URL of the pages, without a final slash."""
        host = _REACHABLE.get(self.amazcope_host, self.amazcope_host)
        own = f"http://{bracket_ipv6(host)}:{self.amazcope_port}"
        return (self.amazcope_url or own).rstrip("/")

    @property
    def mcp_url(self) -> str:
        """Return the URL of the MCP server."""
        host = _REACHABLE.get(self.amazcope_host, self.amazcope_host)
        own = f"http://{bracket_ipv6(host)}:{self.amazcope_mcp_port}/mcp"
        return (self.amazcope_mcp_url or own).rstrip("/")

    def hostnames(self, url: str | None) -> frozenset[str]:
        """Return the host names that a server answers to: its address's and `url`'s.

        It also answers to localhost and IP addresses (core/runtime/hosts.py).
        """
        named = urlsplit(url).hostname if url else None
        return frozenset(filter(None, (self.amazcope_host, named)))

    @property
    def private_hosts(self) -> frozenset[str]:
        """Return the hosts that notifications may be sent to in private networks, lower case."""
        return frozenset(filter(None, self.amazcope_private_hosts.lower().split(",")))

    @property
    def is_https(self) -> bool:
        """Return whether the public URL is https: cookies are then sent over https only."""
        return self.public_url.startswith("https://")

    @property
    def is_for_this_machine(self) -> bool:
        """Return whether only this machine can reach the pages."""
        return _is_loopback(self.amazcope_host) and _is_loopback(urlsplit(self.public_url).hostname)

    @property
    def is_embedded(self) -> bool:
        """Return whether Amazcope runs its own PostgreSQL."""
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
    """Return a host as written in a URL: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process, which are read once.

    Raises ConfigurationError with every invalid setting.
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
    """Raise ConfigurationError if other machines could use the demo's public passwords."""
    if settings.amazcope_demo and not settings.is_for_this_machine:
        raise ConfigurationError(
            "The demo's passwords are public, so it listens on this computer only. "
            "Set AMAZCOPE_DEMO=false to accept other machines, or AMAZCOPE_HOST=127.0.0.1 "
            "and no AMAZCOPE_URL to keep the demo."
        )
