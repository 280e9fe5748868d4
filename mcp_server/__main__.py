"""`python -m mcp_server`: over stdio; `--http`: over HTTP on the address of the settings."""

import argparse
import sys

from core.config import Settings, get_settings, refuse_public_demo
from core.errors import AmazcopeError, ConfigurationError
from core.log import configure


def main() -> int:
    """Serve until the client is gone, or a signal comes; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m mcp_server", description="Amazcope's MCP server, for agents."
    )
    parser.add_argument(
        "--http", action="store_true", help="serve HTTP on AMAZCOPE_MCP_PORT instead of stdio"
    )
    over_http = parser.parse_args().http
    try:
        settings = get_settings()
        configure("mcp")
        serve_http(settings) if over_http else serve_stdio(settings)
    except AmazcopeError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def serve_http(settings: Settings) -> None:
    """Serve over HTTP. Raises ConfigurationError for a demo that others could reach."""
    from mcp_server.http import serve

    refuse_public_demo(settings)
    serve(settings)


def serve_stdio(settings: Settings) -> None:
    """Serve one client over stdin and stdout.

    Raises ConfigurationError when no token says for whom.
    """
    from mcp_server.callers import NOBODY, OfEnvironment, known_bearer
    from mcp_server.server import make_server

    token = settings.amazcope_token
    if token is None or known_bearer(token.get_secret_value(), None) is None:
        raise ConfigurationError(NOBODY)
    make_server(OfEnvironment(token.get_secret_value())).run("stdio")


if __name__ == "__main__":
    sys.exit(main())
