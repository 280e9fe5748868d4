"""`python -m mcp_server`: over stdio; `--http`: over HTTP on the address of the settings.

`--list` prints what there is, `--document` writes it into docs/AGENTS.md.
"""

import argparse
import sys

from core.errors import AmazcopeError, ConfigurationError
from core.runtime.log import configure_logging
from core.settings.environment import Settings, get_settings, reject_public_demo


def main() -> int:
    """Serve until the client is gone, or a signal comes; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m mcp_server", description="Amazcope's MCP server, for agents."
    )
    parser.add_argument(
        "--http", action="store_true", help="serve HTTP on AMAZCOPE_MCP_PORT instead of stdio"
    )
    parser.add_argument(
        "--list", action="store_true", help="print tools, resources and prompts, and end"
    )
    parser.add_argument(
        "--document", action="store_true", help="write them into docs/AGENTS.md, and end"
    )
    asked = parser.parse_args()
    if asked.list or asked.document:
        return tell(is_to_write=asked.document)
    try:
        settings = get_settings()
        configure_logging("mcp")
        serve_http(settings) if asked.http else serve_stdio(settings)
    except AmazcopeError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def tell(*, is_to_write: bool) -> int:
    """Print what the server has, or write it into its document; opens nothing."""
    import mcp_server.server  # noqa: F401 - declares all of it
    from mcp_server.docs_tables import DOCUMENT, format_tables, write_document

    if is_to_write:
        is_new = write_document()
        sys.stdout.write(f"{DOCUMENT.name}: {'written anew' if is_new else 'was right'}\n")
    else:
        sys.stdout.write(format_tables() + "\n")
    return 0


def serve_http(settings: Settings) -> None:
    """Serve over HTTP. Raises ConfigurationError for a demo that others could reach."""
    from core.database.connections import ConnectionShare
    from core.database.session import set_connection_share
    from mcp_server.http import serve

    set_connection_share(ConnectionShare.AGENTS)
    reject_public_demo(settings)
    serve(settings)


def serve_stdio(settings: Settings) -> None:
    """Serve one client over stdin and stdout.

    Raises ConfigurationError when no token says for whom.
    """
    from mcp_server.protocol.authentication import NOBODY, EnvironmentToken
    from mcp_server.server import make_server

    token = settings.amazcope_token
    if token is None or not _is_known(token.get_secret_value()):
        raise ConfigurationError(NOBODY)
    make_server(EnvironmentToken(token.get_secret_value())).run("stdio")


def _is_known(token: str) -> bool:
    """True for a token that holds. Raises ConfigurationError where nobody can say."""
    from core.database import outages
    from mcp_server.protocol.authentication import known_bearer

    try:
        return known_bearer(token, None) is not None
    except outages.ERRORS as error:
        raise ConfigurationError(
            "The database does not answer. Start Amazcope with `make run`, or see whether "
            "DATABASE_URL is right; then start the client again."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
