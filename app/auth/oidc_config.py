"""Streamlit's configuration for single sign-on. Imports no Streamlit.

The process passes it to Streamlit, so that the checkout has no file of secrets.
"""

from typing import Any

from core.accounts.access.credentials import derive_key
from core.accounts.login.single_sign_on import parse_group_roles
from core.errors import ConfigurationError
from core.settings.environment import Settings
from core.settings.secret_key import get_secret_key


def build_streamlit_secrets(settings: Settings) -> dict[str, Any] | None:
    """Return Streamlit's secrets for the provider, None when none is configured.

    Raises ConfigurationError when a setting is missing or can't be parsed.
    """
    configured = (
        settings.amazcope_oidc_issuer,
        settings.amazcope_oidc_client_id,
        settings.amazcope_oidc_client_secret,
    )
    if not any(configured):
        return None
    issuer, client_id, client_secret = configured
    if issuer is None or client_id is None or client_secret is None:
        raise ConfigurationError(
            "Single sign-on needs all three of AMAZCOPE_OIDC_ISSUER, AMAZCOPE_OIDC_CLIENT_ID and "
            "AMAZCOPE_OIDC_CLIENT_SECRET."
        )
    parse_group_roles(settings.amazcope_oidc_groups)
    key = derive_key(get_secret_key(settings), "single sign-on")
    return {
        "auth": {
            "redirect_uri": f"{settings.public_url}/oauth2callback",
            "cookie_secret": key.hex(),
            "client_id": client_id,
            "client_secret": client_secret.get_secret_value(),
            "server_metadata_url": f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            "client_kwargs": {"scope": settings.amazcope_oidc_scope},
        }
    }
