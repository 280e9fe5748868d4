"""`python -m app`: serve the pages on the address of the settings, until stopped."""

import os
import sys

from core.config import ROOT, Settings, get_settings
from core.errors import AmazcopeError
from core.log import configure


def options(settings: Settings) -> dict[str, str]:
    """Return what Streamlit must know before it is imported, as environment variables."""
    return {
        "STREAMLIT_SERVER_ADDRESS": settings.amazcope_host,
        "STREAMLIT_SERVER_PORT": str(settings.amazcope_port),
        "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": str(settings.amazcope_upload_mb),
        "STREAMLIT_LOGGER_LEVEL": settings.amazcope_log_level.lower(),
    }


def main() -> int:
    """Serve until a signal comes; return the exit code."""
    try:
        settings = get_settings()
        configure("web")
    except AmazcopeError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    os.chdir(ROOT)  # where Streamlit looks for .streamlit/config.toml
    os.environ.update(options(settings))
    import uvicorn  # after the environment: Streamlit reads it once

    # uvloop also turns off Nagle's delay, which holds back the end of every page.
    uvicorn.run(
        "app.asgi:app",
        host=settings.amazcope_host,
        port=settings.amazcope_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",  # uvicorn tells each opened page otherwise
        ws_max_size=settings.amazcope_upload_mb * 1024 * 1024,
        timeout_graceful_shutdown=5,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
