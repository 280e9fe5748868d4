"""The part of Apify's REST API v2 that Amazcope's client uses, served from a simulated market.

HTTP only: runs are in `run_store`, faults in `faults`, JSON shapes in `responses`. The state
is in memory and lost with the process.
"""

import asyncio
import json
import time
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.demo.fake_apify import responses
from core.demo.fake_apify.actor_input import RequestedPage
from core.demo.fake_apify.faults import Fault, FaultKind, FaultScript, read_fault
from core.demo.fake_apify.item_faults import apply_faults
from core.demo.fake_apify.run_store import Clock, FakeRun, RunStore
from core.errors import InvalidInputError
from core.runtime import hosts
from core.settings.environment import FAKE_APIFY_TOKEN

DEMO_TOKEN: Final = FAKE_APIFY_TOKEN
NO_CREDIT_TOKEN: Final = "no-credit"  # noqa: S105 - answered with 402
_LARGEST_BODY: Final = 10 * 1024 * 1024  # bytes, unpacked; Apify's own limit is 9 MB
_LONGEST_WAIT: Final = 60.0  # seconds; Apify's limit of waitForFinish
_NO_LIMIT: Final = 999_999_999_999  # Apify's header for a request without a limit
_MOST_LISTED: Final = 1_000
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_UNKNOWN_HOST: Final = "The fake Apify server answers to localhost and IP addresses only."


class ItemSource(Protocol):
    """A source of items: the demo market, or a benchmark's own products."""

    def make_item(self, marketplace: str, asin: str, at: datetime) -> dict[str, Any] | None:
        """Return axesso's item of a product at a time; None if it has no page."""
        ...

    def make_junglee_item(self, marketplace: str, asin: str, at: datetime) -> dict[str, Any] | None:
        """Return junglee's item of the same product."""
        ...


class _RefusedError(Exception):
    """The request is answered with an error body."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.response = JSONResponse(responses.make_error_body(kind, message), status)


Handler = Callable[["FakeApify", Request, list[Fault]], Awaitable[Response]]


class FakeApify(Starlette):
    """The application. `runs` and `script` are public for tests in its process."""

    def __init__(self, market: ItemSource, *, token: str, run_seconds: float, clock: Clock) -> None:
        guard = Middleware(hosts.HostGuard, names=(), url=None, refusal=_UNKNOWN_HOST)
        super().__init__(routes=_routes(self), middleware=[guard])
        self.market = market
        self.token = token
        self.runs = RunStore(clock, run_seconds)
        self.script = FaultScript()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Before Starlette wraps `send`: only the server's own one knows the connection.
        scope["amazcope.server"] = send
        await super().__call__(scope, receive, send)


def create_fake_apify(
    market: ItemSource,
    *,
    token: str = DEMO_TOKEN,
    run_seconds: float = 2.0,
    clock: Clock = lambda: datetime.now(UTC),
) -> FakeApify:
    """Build the server's ASGI application.

    A run takes `run_seconds` by `clock`, and its items show the market at the
    time it finished. `token` is the only one accepted.
    """
    return FakeApify(market, token=token, run_seconds=run_seconds, clock=clock)


# Runs


async def _start_run(app: FakeApify, request: Request, faults: list[Fault]) -> Response:
    body = await _unpacked_body(request)
    kind = request.headers.get("content-type", "application/json")
    agent = request.headers.get("user-agent", "")
    try:
        run = app.runs.start_run(request.path_params["actor"], body, kind, agent, faults)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(400, "invalid-input", f"Invalid input: {error}") from error
    await _wait_for_finish(app, run, request)
    return _data(responses.make_run_body(run, app.runs.clock()), 201)


async def _get_run(app: FakeApify, request: Request, _faults: list[Fault]) -> Response:
    run = _run_of(app, request)
    await _wait_for_finish(app, run, request)
    return _data(responses.make_run_body(run, app.runs.clock()))


async def _list_runs(app: FakeApify, request: Request, _faults: list[Fault]) -> Response:
    statuses = [word for word in request.query_params.get("status", "").split(",") if word]
    runs = app.runs.list_runs(request.path_params.get("actor"), statuses)
    offset, limit = _number(request, "offset", 0), _number(request, "limit", _MOST_LISTED)
    limit, desc = min(limit or _MOST_LISTED, _MOST_LISTED), _asks_for(request, "desc")
    ordered = runs[::-1] if desc else runs
    body = responses.make_runs_body(
        ordered[offset : offset + limit],
        total=len(runs),
        offset=offset,
        limit=limit,
        desc=desc,
        now=app.runs.clock(),
    )
    return _data(body)


async def _abort_run(app: FakeApify, request: Request, _faults: list[Fault]) -> Response:
    run = _run_of(app, request)
    app.runs.abort_run(run)
    return _data(responses.make_run_body(run, app.runs.clock()))


# Storages


async def _get_dataset(app: FakeApify, request: Request, _faults: list[Fault]) -> Response:
    return _data(responses.make_dataset_body(_run_of(app, request), app.runs.clock()))


async def _list_items(app: FakeApify, request: Request, _faults: list[Fault]) -> Response:
    run, now = _run_of(app, request), app.runs.clock()
    pages = run.delivered_pages(now)
    offset, asked_limit = _number(request, "offset", 0), _number(request, "limit", 0)
    desc = _asks_for(request, "desc")
    ordered = pages[::-1] if desc else pages
    chosen = ordered[offset : offset + (asked_limit or _NO_LIMIT)]
    at = run.finished_at(now) or now
    # In a thread: a thousand items take a while, and other requests must not wait.
    items = await asyncio.to_thread(lambda: [_item(app, run, page, at) for page in chosen])
    headers = {
        "x-apify-pagination-total": str(len(pages)),
        "x-apify-pagination-offset": str(offset),
        "x-apify-pagination-count": str(len(items)),
        "x-apify-pagination-limit": str(asked_limit or _NO_LIMIT),
        "x-apify-pagination-desc": str(desc).lower(),
    }
    return _as_format(items, request.query_params.get("format", "json"), headers)


def _item(app: FakeApify, run: FakeRun, page: RequestedPage, at: datetime) -> dict[str, Any]:
    is_junglee = run.actor.startswith("junglee")
    make_item = app.market.make_junglee_item if is_junglee else app.market.make_item
    known = page.marketplace is not None and page.asin is not None
    item = make_item(page.marketplace or "", page.asin or "", at) if known else None
    return apply_faults(item, page, run.faults, is_junglee=is_junglee)


def _as_format(items: list[dict[str, Any]], wanted: str, headers: dict[str, str]) -> Response:
    if wanted == "json":
        return JSONResponse(items, headers=headers)
    if wanted == "jsonl":
        lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
        return Response(lines, headers=headers, media_type="application/jsonl")
    raise _RefusedError(400, "invalid-parameter", "The fake server supports json and jsonl.")


async def _get_record(app: FakeApify, request: Request, _faults: list[Fault]) -> Response:
    run = _run_of(app, request)
    if request.path_params["key"] != "INPUT":
        raise _RefusedError(404, "record-not-found", "The record was not found.")
    return Response(run.input_body, headers={"content-type": run.input_type})


# Account


async def _get_user(_app: FakeApify, _request: Request, _faults: list[Fault]) -> Response:
    return _data(responses.make_user_body())


async def _get_limits(app: FakeApify, _request: Request, _faults: list[Fault]) -> Response:
    now, runs = app.runs.clock(), app.runs.list_runs(None)
    spent = sum((run.cost_at(now) for run in runs), Decimal(0))
    running = sum(not run.has_ended(now) for run in runs)
    return _data(responses.make_limits_body(spent, running, now))


async def _get_actor(app: FakeApify, request: Request, _faults: list[Fault]) -> Response:
    return _data(responses.make_actor_body(request.path_params["actor"], app.runs.clock()))


# For tests


async def _stats(app: FakeApify, _request: Request) -> Response:
    runs = app.runs
    return JSONResponse(
        {
            "requests": runs.requests,
            "operations": runs.operations,
            "runs_by_input": runs.runs_by_input,
            "runs_started": runs.runs_by_input.total(),
        }
    )


async def _add_faults(app: FakeApify, request: Request) -> Response:
    try:
        body = await request.json()
        for wanted in body if isinstance(body, list) else [body]:
            app.script.add_fault(read_fault(wanted))
    except (ValueError, TypeError, InvalidInputError) as error:
        return JSONResponse(responses.make_error_body("invalid-input", str(error)), 400)
    return JSONResponse({"ok": True})


async def _reset(app: FakeApify, _request: Request) -> Response:
    app.runs.clear_runs()
    app.script.clear_faults()
    return JSONResponse({"ok": True})


# Every request


def _routes(app: FakeApify) -> list[Route]:
    def api(path: str, operation: str, handler: Handler, method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            return await _answer(app, request, operation, handler)

        return Route("/v2" + path, endpoint, methods=[method])

    def control(path: str, verb: Callable[[FakeApify, Request], Awaitable[Response]]) -> Route:
        async def endpoint(request: Request) -> Response:
            if request.client is None or request.client.host not in _LOOPBACK:
                message = "Faults can be scripted only from the machine that runs the server."
                return JSONResponse(responses.make_error_body("forbidden", message), 403)
            return await verb(app, request)

        method = "GET" if verb is _stats else "POST"
        return Route("/control" + path, endpoint, methods=[method])

    return [
        api("/actors/{actor}/runs", "start_run", _start_run, "POST"),
        api("/actors/{actor}/runs", "list_runs", _list_runs),
        api("/actors/{actor}", "get_actor", _get_actor),
        api("/actor-runs", "list_runs", _list_runs),
        api("/actor-runs/{run}", "get_run", _get_run),
        api("/actor-runs/{run}/abort", "abort_run", _abort_run, "POST"),
        api("/actor-runs/{run}/dataset/items", "list_items", _list_items),
        api("/actor-runs/{run}/key-value-store/records/{key}", "get_record", _get_record),
        api("/datasets/{dataset}", "get_dataset", _get_dataset),
        api("/datasets/{dataset}/items", "list_items", _list_items),
        api("/key-value-stores/{store}/records/{key}", "get_record", _get_record),
        api("/users/me", "get_user", _get_user),
        api("/users/me/limits", "get_limits", _get_limits),
        control("/stats", _stats),
        control("/faults", _add_faults),
        control("/reset", _reset),
    ]


async def _answer(app: FakeApify, request: Request, operation: str, handler: Handler) -> Response:
    """Answer one request: check the token, apply the scripted faults, call the handler."""
    app.runs.requests[f"{request.method} {request.url.path}"] += 1
    app.runs.operations[operation] += 1
    try:
        _check_token(app, request)
        faults = {fault.kind: fault for fault in app.script.take_faults(operation)}
        if FaultKind.SLOW in faults:
            await asyncio.sleep(faults[FaultKind.SLOW].seconds)
        if FaultKind.DROP_CONNECTION in faults:
            return await _hang_up(request)
        _refuse_where_scripted(faults)
        response = await handler(app, request, list(faults.values()))
    except _RefusedError as refusal:
        return refusal.response
    if FaultKind.LOST_ANSWER in faults:
        return await _hang_up(request)
    if FaultKind.GARBAGE_JSON in faults:
        response.body = b'{"data": {"id": "cut off in the mid'
        response.headers["content-length"] = str(len(response.body))
    return response


def _refuse_where_scripted(faults: dict[FaultKind, Fault]) -> None:
    if FaultKind.HTTP_429 in faults:
        refusal = _RefusedError(429, "rate-limit-exceeded", "You have exceeded the rate limit.")
        refusal.response.headers["retry-after"] = str(faults[FaultKind.HTTP_429].retry_after)
        raise refusal
    if FaultKind.HTTP_500 in faults:
        raise _RefusedError(500, "internal-server-error", "An internal error occurred.")
    if FaultKind.NO_CREDIT in faults:
        raise _no_credit()


def _check_token(app: FakeApify, request: Request) -> None:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token == NO_CREDIT_TOKEN:
        raise _no_credit()
    if token != app.token:
        message = "User was not found or authentication token is not valid"
        raise _RefusedError(401, "user-or-token-not-found", message)


def _no_credit() -> _RefusedError:
    message = "By launching this job you will exceed your remaining usage."
    return _RefusedError(402, "not-enough-usage-to-run-paid-actor", message)


async def _hang_up(request: Request) -> Response:
    """Close the connection without an answer; the returned response is not sent.

    ASGI can't do this, so it uses the transport of uvicorn's request, to which the
    server's `send` is bound.
    """
    cycle = getattr(request.scope["amazcope.server"], "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is None:
        raise RuntimeError("A connection can be dropped only under uvicorn.")
    transport.abort()
    while (await request.receive())["type"] != "http.disconnect":
        continue
    return Response(status_code=500)


async def _wait_for_finish(app: FakeApify, run: FakeRun, request: Request) -> None:
    """Delay the answer while the run is open, up to `waitForFinish` seconds."""
    wait = min(_number(request, "waitForFinish", 0), _LONGEST_WAIT)
    until = time.monotonic() + wait
    while not run.has_ended(app.runs.clock()) and time.monotonic() < until:
        await asyncio.sleep(0.02)


async def _unpacked_body(request: Request) -> bytes:
    packed = await request.body()
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return packed
    if encoding != "gzip":
        message = f'Content-Encoding "{encoding}" is not supported.'
        raise _RefusedError(415, "unsupported-content-encoding", message)
    return _gunzipped(packed)


def _gunzipped(packed: bytes) -> bytes:
    """Unpack a body up to the limit: a few kilobytes may contain gigabytes."""
    opener = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        body = opener.decompress(packed, _LARGEST_BODY)
    except zlib.error as error:
        raise _RefusedError(400, "invalid-input", f"The body is no gzip: {error}") from error
    if opener.unconsumed_tail:
        raise _RefusedError(413, "request-too-large", "The body is too large (limit: 10 MB).")
    return body


def _run_of(app: FakeApify, request: Request) -> FakeRun:
    names, runs = request.path_params, app.runs
    if "dataset" in names:
        run = runs.find_by_dataset(names["dataset"])
    elif "store" in names:
        run = runs.find_by_store(names["store"])
    else:
        run = runs.find_run(names["run"])
    if run is None:
        raise _RefusedError(404, "record-not-found", "The requested resource was not found.")
    return run


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise _RefusedError(400, "invalid-parameter", f'"{name}" must be a whole number.')
    return int(text)


def _asks_for(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in ("1", "true")


def _data(body: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse({"data": body}, status)
