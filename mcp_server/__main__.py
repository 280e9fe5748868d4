"""`python -m mcp_server` serves over stdio, with `--http` over HTTP.

`--list` prints tools, resources and prompts; `--document` writes them into docs/AGENTS.md.
"""

import argparse
import sys

from core.errors import AmazcopeError, ConfigurationError
from core.runtime.log import configure_logging
from core.settings.environment import Settings, get_settings, reject_public_demo


def main() -> int:
    """Serve until the client disconnects or a signal arrives; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m mcp_server", description="The MCP server of Amazcope."
    )
    parser.add_argument(
        "--http", action="store_true", help="serve HTTP on AMAZCOPE_MCP_PORT instead of stdio"
    )
    parser.add_argument(
        "--list", action="store_true", help="print tools, resources and prompts, and exit"
    )
    parser.add_argument(
        "--document", action="store_true", help="write them into docs/AGENTS.md, and exit"
    )
    options = parser.parse_args()
    if options.list or options.document:
        return write_tables(to_document=options.document)
    try:
        settings = get_settings()
        configure_logging("mcp")
        serve_http(settings) if options.http else serve_stdio(settings)
    except AmazcopeError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def write_tables(*, to_document: bool) -> int:
    """Print the tables of docs/AGENTS.md or write them into it. Opens nothing."""
    import mcp_server.server  # noqa: F401 - declares tools, resources and prompts
    from mcp_server.docs_tables import DOCUMENT, format_tables, write_document

    if to_document:
        has_changed = write_document()
        sys.stdout.write(f"{DOCUMENT.name}: {'updated' if has_changed else 'already up to date'}\n")
    else:
        sys.stdout.write(format_tables() + "\n")
    return 0


def serve_http(settings: Settings) -> None:
    """Serve over HTTP. Raises ConfigurationError for a demo that is reachable from outside."""
    from core.database.connections import ConnectionShare
    from core.database.session import set_connection_share
    from mcp_server.http import serve

    set_connection_share(ConnectionShare.AGENTS)
    reject_public_demo(settings)
    serve(settings)


def serve_stdio(settings: Settings) -> None:
    """Serve one client over stdin and stdout.

    Raises ConfigurationError without a valid token.
    """
    from mcp_server.protocol.authentication import UNAUTHENTICATED, EnvironmentToken

    token = settings.amazcope_token
    if token is None or not _is_valid(token.get_secret_value()):
        raise ConfigurationError(UNAUTHENTICATED)
    from mcp_server.server import make_server  # takes longer than a refusal needs

    make_server(EnvironmentToken(token.get_secret_value())).run("stdio")


def _is_valid(token: str) -> bool:
    """True for a valid token. Raises ConfigurationError where the database is unavailable."""
    from core.database import outages
    from mcp_server.protocol.authentication import find_valid_bearer

    try:
        return find_valid_bearer(token, None) is not None
    except outages.ERRORS as error:
        raise ConfigurationError(
            "The database does not answer. Start Amazcope with `make run`, or check "
            "DATABASE_URL; then restart the client."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
