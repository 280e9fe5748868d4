"""`python -m app`: serve the pages at the configured address until stopped."""

import os
import sys

from app.auth import oidc_config
from core.accounts.access.credentials import derive_key
from core.errors import AmazcopeError
from core.runtime.log import configure_logging
from core.runtime.slow_clients import cut_slow_clients
from core.settings.environment import ROOT, Settings, get_settings, reject_public_demo
from core.settings.secret_key import get_secret_key


def streamlit_options(settings: Settings) -> dict[str, str]:
    """Return Streamlit's configuration as environment variables; it reads them on import."""
    return {
        "STREAMLIT_SERVER_ADDRESS": settings.amazcope_host,
        "STREAMLIT_SERVER_PORT": str(settings.amazcope_port),
        "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": str(settings.amazcope_upload_mb),
        "STREAMLIT_LOGGER_LEVEL": settings.amazcope_log_level.lower(),
    }


def cookie_secret(settings: Settings) -> str:
    """Return the key that Streamlit signs cookies with: the same in every web process.

    Raises ConfigurationError for a secret key that is too short.
    """
    return derive_key(get_secret_key(settings), "streamlit cookies").hex()


def main() -> int:
    """Serve until a signal; return the exit code."""
    try:
        settings = get_settings()
        reject_public_demo(settings)
        secret = cookie_secret(settings)
        oidc_config.build_streamlit_secrets(settings)
        configure_logging("web")
    except AmazcopeError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    os.chdir(ROOT)  # where Streamlit looks for .streamlit/config.toml
    os.environ.update(streamlit_options(settings))
    os.environ["STREAMLIT_SERVER_COOKIE_SECRET"] = secret
    serve(settings)
    return 0


def serve(settings: Settings) -> None:
    """Serve until a signal."""
    import uvicorn  # after the environment: Streamlit reads it once
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    from app.web.anonymous_sockets import LONGEST_ANONYMOUS_MESSAGE, BoundedSocket

    # uvloop also turns off Nagle's algorithm, which delays the end of every page.
    uvicorn.run(
        "app.asgi:app",
        host=settings.amazcope_host,
        port=settings.amazcope_port,
        loop="uvloop",
        http=cut_slow_clients(HttpToolsProtocol),
        ws=BoundedSocket,
        access_log=False,
        server_header=False,
        log_level="warning",  # otherwise uvicorn logs each opened page
        ws_max_size=LONGEST_ANONYMOUS_MESSAGE,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    sys.exit(main())
