"""A model server on a free port of this machine that answers well, or wrongly on demand.

Speaks the part of chat completions that the real client uses. No tests here.
"""

import asyncio
import json
import re
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MODEL = "stand-in-1"
SPOKEN = "stand-in-1-2026-11"  # as the server names it
KEY = "stand-in-key"
HANG = 3600  # s, longer than any test
PROMPT_TOKENS, REPLY_TOKENS = 1200, 300

Facts = dict[str, Any]
Suggestion = dict[str, Any]


@dataclass
class Asked:
    """A question that reached the server."""

    product: str
    body: dict[str, Any]

    @property
    def facts(self) -> Facts:
        return facts_of(self.body)


def facts_of(body: dict[str, Any]) -> Facts:
    """Return the data of a question, found as a model finds it: between its marks."""
    found = re.search(
        r"^<untrusted-data>\n(.*)\n</untrusted-data>$", body["messages"][1]["content"], re.M
    )
    assert found is not None, body
    return dict(json.loads(found.group(1)))


# Replies


def good(facts: Facts) -> Suggestion:
    """Return the answer of a careful model: five percent off, with its figure."""
    price, unit, *_ = facts["figures"]["price_now"]
    assert unit == f"{facts['currency']} minor"
    cheaper = price * 95 // 100
    return {
        "product": f"{facts['marketplace']}/{facts['asin']}",
        "title": "Lower the price a little to win back rank",
        "reasoning": f"The price is {price / 100:.2f} now, and the rank has room to improve.",
        "priority": 2,
        "confidence": 0.6,
        "metric": "bsr",
        "direction": "improves",
        "window_days": 14,
        "evidence": [{"key": "price_now", "value": price}],
        "actions": [action("update_price", amount=cheaper, reason="A small step down.")],
    }


def action(change: str, **values: Any) -> dict[str, Any]:
    """Return an action with nothing but what is given."""
    empty = dict.fromkeys(("amount", "percent", "text", "texts", "count"))
    return {"change": change, **empty, "reason": "It is worth a try.", **values}


def with_price(price: Callable[[int], int]) -> Callable[[Facts], Suggestion]:
    """Return a reply that proposes another price."""

    def reply(facts: Facts) -> Suggestion:
        now = facts["figures"]["price_now"][0]
        return good(facts) | {"actions": [action("update_price", amount=price(now))]}

    return reply


def saying(**words: Any) -> Callable[[Facts], Suggestion]:
    """Return a good reply with other words."""
    return lambda facts: good(facts) | words


def with_title(text: str) -> Callable[[Facts], Suggestion]:
    """Return a reply that proposes a title."""

    def reply(facts: Facts) -> Suggestion:
        return good(facts) | {"actions": [action("update_title", text=text)]}

    return reply


def obedient(facts: Facts) -> Suggestion:
    """Return the answer of a model that obeys a listing's title."""
    title = facts["listing"]["title"]
    return good(facts) | {"title": title[:120], "reasoning": title}


def approving(facts: Facts) -> Suggestion:
    """Return the answer of a model that tries to do more than to propose."""
    return good(facts) | {"state": "approved", "approve": True}


GERMAN = "Der Preis ist im Vergleich zu den anderen Angeboten und der Nachfrage zu hoch."
CONTENTS: dict[str, Callable[[Facts], Suggestion]] = {
    "good": good,
    "made_up_figure": saying(reasoning="The rank fell by 4,711 places within a single night."),
    "made_up_evidence": saying(evidence=[{"key": "profit_now", "value": 1}]),
    "wrong_value": saying(evidence=[{"key": "price_now", "value": 1}]),
    "price_zero": with_price(lambda _now: 0),
    "price_hundredfold": with_price(lambda now: now * 100),
    "other_product": saying(product="US/B0OTHER001"),
    "obedient": obedient,
    "approving": approving,
    "html": saying(reasoning="See <img src=x onerror=alert(1)> for what to do with the price."),
    "link": saying(reasoning="All is explained at https://evil.example/login for the price."),
    "other_language": saying(title="Preis senken und den Rang verbessern", reasoning=GERMAN),
    "bad_title": with_title("Best Seller!!! " + "Reading lamp " * 8),
}


def completion(content: Any, **changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "refusal": changes.pop("refusal", None)}
    finish = changes.pop("finish_reason", "stop")
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": SPOKEN,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": REPLY_TOKENS,
            "total_tokens": PROMPT_TOKENS + REPLY_TOKENS,
        },
        **changes,
    }


def written(*suggestions: Suggestion) -> str:
    return json.dumps({"suggestions": list(suggestions)}, ensure_ascii=False)


def _error(status: int, message: str, code: str | None = None, **headers: str) -> Response:
    body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return JSONResponse(body, status, {name.replace("_", "-"): v for name, v in headers.items()})


def _body(kind: str, facts: Facts) -> Response:
    """Return the answer of a kind that `fail_next` names."""
    if kind in CONTENTS:
        return JSONResponse(completion(written(CONTENTS[kind](facts))))
    whole = written(good(facts)) if "asin" in facts else '{"paragraph": ""}'
    answers: dict[str, Callable[[], Response]] = {
        "nothing": lambda: JSONResponse(completion(written())),
        "invalid_json": lambda: JSONResponse(completion("Sure! " + whole[1:])),
        "wrong_shape": lambda: JSONResponse(completion('{"advice": ["lower the price"]}')),
        "truncated": lambda: JSONResponse(completion(whole[:90], finish_reason="length")),
        "refusal": lambda: JSONResponse(completion(None, refusal="I can't help with that.")),
        "no_choice": lambda: JSONResponse(completion(whole, choices=[])),
        "no_usage": lambda: JSONResponse(completion(whole, usage=None)),
        "long": lambda: JSONResponse(completion("a" * 100_000)),
        "huge": lambda: Response(b" " * 3_000_000, media_type="application/json"),
        "no_json": lambda: Response("<html>Bad gateway</html>", media_type="text/html"),
        "nul": lambda: JSONResponse(completion('{"suggestions": "\\u0000\\ud800"}\x00')),
        "http_429": lambda: _error(429, "Slow down.", retry_after="0.2"),
        "http_429_long": lambda: _error(429, "Slow down.", retry_after="3600"),
        "no_credit": lambda: _error(429, "You exceeded your quota.", "insufficient_quota"),
        "http_400": lambda: _error(400, "The question is longer than the model can read."),
        "http_401": lambda: _error(401, "Incorrect API key provided."),
        "http_404": lambda: _error(404, "The model does not exist.", "model_not_found"),
        "http_500": lambda: _error(500, "The server had an error."),
    }
    return answers[kind]()


# The server


@dataclass
class ModelStandIn:
    """A server that answers: where it is, what it was asked, and what it answers next."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)  # by product
    seconds: float = 0.0  # that every answer takes
    next: deque[str | Response] = field(default_factory=deque)
    models_answer: Response | None = None  # to a request for the list of models
    before: Callable[[dict[str, Any]], Response | None] | None = None  # what it may refuse
    at_once: int = 0
    most_at_once: int = 0

    def answer_next(self, *kinds: str | Response) -> None:
        """Have the next questions answered so; those after them well."""
        self.next.extend(kinds)

    @property
    def counts(self) -> Counter[str]:
        """How often each product was asked about."""
        return Counter(each.product for each in self.asked)

    async def __call__(self, request: Request) -> Response:
        body = await request.json()
        facts = facts_of(body)
        # A question for a text is about a report.
        product = f"{facts['marketplace']}/{facts['asin']}" if "asin" in facts else "report"
        self.asked.append(Asked(product, body))
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _body("http_401", facts)
        if self.before is not None and (refusal := self.before(body)) is not None:
            return refusal
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(facts, product)
        finally:
            self.at_once -= 1

    async def _answer(self, facts: Facts, product: str) -> Response:
        kind = self.next.popleft() if self.next else "good"
        await asyncio.sleep(HANG if kind == "hang" else self.seconds)
        self.answered[product] += 1
        return kind if isinstance(kind, Response) else _body(kind, facts)


@contextmanager
def running_model() -> Iterator[ModelStandIn]:
    """Serve in a thread of this process until the block ends."""
    model = ModelStandIn()

    async def completions(request: Request) -> Response:
        return await model(request)

    async def models(request: Request) -> Response:
        if model.models_answer is not None:
            return model.models_answer
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _error(401, "Incorrect API key provided.")
        return JSONResponse({"object": "list", "data": [{"id": MODEL}, {"id": "stand-in-0"}]})

    app = Starlette(
        routes=[
            Route("/v1/chat/completions", completions, methods=["POST"]),
            Route("/v1/models", models),
        ]
    )
    config = uvicorn.Config(app, log_level="error", lifespan="off", proxy_headers=False)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 120
        while not server.started:
            assert time.monotonic() < until, "The model stand-in did not start."
            time.sleep(0.01)
        model.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        yield model
    finally:
        server.should_exit = True
        server.force_exit = True  # a question that hangs must not hold the test
        # Its thread closes the socket and ends by itself, a fifth of a second later.
