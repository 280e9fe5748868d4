"""The fake Apify server on a free port of this machine, for tests with a real client."""

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from core.demo.fake_apify.server import DEMO_TOKEN, FakeApify, ItemSource, create_fake_apify
from core.demo.market.market import Market

TOKEN = DEMO_TOKEN


@dataclass(frozen=True)
class RunningFakeApify:
    """A fake Apify server that answers: where it is, and the strings a test can pull."""

    url: str  # give it to ApifyClient(api_url=…)
    token: str
    app: FakeApify

    def fail_next(self, kind: str, **details: Any) -> None:
        """Script a fault, such as `fail_next("http_429", operation="start_run", times=2)`."""
        self._post("/control/faults", {"kind": kind, **details})

    def reset(self) -> None:
        """Forget all runs, counts and faults."""
        self._post("/control/reset", {})

    def stats(self) -> dict[str, Any]:
        """Return counts: `requests`, `operations`, `runs_by_input`, `runs_started`."""
        with urllib.request.urlopen(self.url + "/control/stats", timeout=120) as response:
            return dict(json.load(response))

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body, default=sorted).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120):
            pass


@contextmanager
def running_fake_apify(
    market: ItemSource | None = None, *, run_seconds: float = 0.1, **options: Any
) -> Iterator[RunningFakeApify]:
    """Serve in a thread of this process until the block ends. Options: those of create_stand_in."""
    app = create_fake_apify(market or Market(seed=1), run_seconds=run_seconds, **options)
    config = uvicorn.Config(app, log_level="error", lifespan="off", proxy_headers=False)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        _wait_until(lambda: server.started)
        port = listener.getsockname()[1]
        yield RunningFakeApify(f"http://127.0.0.1:{port}", app.token, app)
    finally:
        server.should_exit = True
        server.force_exit = True  # a request held by a fault must not hold the test
        thread.join(timeout=120)
        listener.close()


def _wait_until(is_so: Any, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError("The fake Apify server did not start.")
        time.sleep(0.01)
