"""Run the fake Apify server as a separate process: `python -m core.demo.serve --port 8502`."""

import argparse

import uvicorn

from core.demo.fake_apify.server import DEMO_TOKEN, create_fake_apify
from core.demo.market.applied_changes import read_applied_changes
from core.demo.market.market import Market
from core.settings.environment import get_settings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def main(arguments: list[str] | None = None) -> None:
    """Serve until stopped, on loopback addresses only, since scripting faults needs no token."""
    asked = _parser().parse_args(arguments)
    market = Market(asked.seed, read_applied_changes(), get_settings().amazcope_demo_origin)
    app = create_fake_apify(market, token=asked.token, run_seconds=asked.run_seconds)
    uvicorn.run(
        app,
        host=asked.host,
        port=asked.port,
        log_level="warning",
        proxy_headers=False,
        timeout_graceful_shutdown=2,  # seconds; a client waiting for a run must not delay the end
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A fake Apify server with demo data.")
    parser.add_argument("--host", default="127.0.0.1", choices=_LOOPBACK)
    parser.add_argument("--port", type=int, default=8502)
    parser.add_argument("--seed", type=int, default=1, help="which demo market to serve")
    parser.add_argument("--run-seconds", type=float, default=2.0, help="how long a run takes")
    parser.add_argument("--token", default=DEMO_TOKEN)
    return parser


if __name__ == "__main__":
    main()
