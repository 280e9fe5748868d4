"""Compatible servers that differ: text around a reply, refused parameters, forms of errors."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from core.errors import OutsideServiceError
from core.suggestions.llm import reply_parser
from core.suggestions.model_server import client
from core.suggestions.model_server.client import (
    BusyError,
    KeyRefusedError,
    NoCreditError,
    RefusedError,
)
from core.suggestions.model_server.reply_json import find_json
from core.suggestions.model_server.server_errors import read_codes, read_message
from tests.core.suggestions.model_facts import lamp_facts
from tests.core.suggestions.model_server.test_client import ask
from tests.hypothesis_runs import examples
from tests.model_stand_in import ModelStandIn, completion, facts_of, good, running_model, written


@pytest.fixture
def server() -> Iterator[ModelStandIn]:
    """Run a server per test: accepted parameters are remembered by its address."""
    with running_model() as running:
        yield running


DRAFT = '{"suggestions": []}'
WRAPPED = {
    "as it is": "{}",
    "thoughts": "<think>Less? Yes.</think>{}",
    "thoughts with attributes": '<think depth="2" lang=de>\nHm {{"a": 1}}.\n</think>\n\n{}',
    "thoughts twice": "<think>One</think> <Thinking>Two</Thinking>\n{}",
    "thoughts that hold a draft": "<think>" + DRAFT + " no, better:</think>{}",
    "thoughts without a beginning": "It could be " + DRAFT + "\n</think>\n{}",
    "thoughts without an end": "<think>I begin with " + DRAFT + " and end with\n{}",
    "a fence": "```json\n{}\n```",
    "a fence without a language": "```\n{}\n```",
    "a fence on one line": "```{}```",
    "a fence of tildes": "~~~JSON\r\n{}\r\n~~~",
    "a fence amid words": "Sure! Here it is:\n\n```json\n{}\n```\nI hope that this helps {{:-)",
    "a fence that does not end": "```json\n{}\n",
    "a fence behind thoughts": "<think>\n```json\n" + DRAFT + "\n```\n</think>\n```json\n{}\n```",
    "two fences": "First:\n```json\n" + DRAFT + "\n```\nThen:\n```json\n{}\n```",
    "words around it": "Here you are: {} Anything else?",
    "a mark of the byte order": "\ufeff{}",
    "blank tails": "\n\n \u00a0{}\r\n\t \u200b\u3000\u2060\x00" + "\n" * 30_000,
    "tokens of its own": "{}<|im_end|></s>",
}


def wrapped(way: str, reply: str) -> str:
    before, _, after = WRAPPED[way].replace("{{", "\x01").partition("{}")
    return (before + reply + after).replace("\x01", "{")


@pytest.mark.parametrize("way", WRAPPED)
def test_a_reply_is_read_whatever_text_is_around_it(server: ModelStandIn, way: str) -> None:
    facts = facts_for(server)
    server.answer_next(JSONResponse(completion(wrapped(way, written(good(facts))))))
    reply = ask(server)
    checked = reply_parser.check_reply(reply.text, lamp_facts())
    assert (checked.reasons, len(checked.advice)) == ((), 1)


def facts_for(server: ModelStandIn) -> dict[str, Any]:
    """Return the facts that a question to the server contains."""
    ask(server)
    return facts_of(server.asked.pop().body)


PARTS: dict[str, Any] = {
    "texts": lambda text: [
        {"type": "text", "text": text[:40]},
        {"type": "text", "text": text[40:]},
    ],
    "thoughts beside them": lambda text: [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Less?"}]},
        {"type": "reasoning", "text": DRAFT},
        {"type": "text", "text": text},
    ],
    "values": lambda text: [{"type": "text", "text": {"value": text, "annotations": []}}],
    "answers' parts": lambda text: [{"type": "output_text", "text": text}],
    "plain texts": lambda text: [text[:7], text[7:]],
    "one part": lambda text: {"type": "text", "text": text},
    "parts of nothing": lambda text: [None, 7, {"type": "text"}, {"type": "text", "text": text}],
}


@pytest.mark.parametrize("shape", PARTS)
def test_a_reply_in_parts_is_read(server: ModelStandIn, shape: str) -> None:
    text = written(good(facts_for(server)))
    server.answer_next(JSONResponse(completion(PARTS[shape](text))))
    assert reply_parser.check_reply(ask(server).text, lamp_facts()).reasons == ()


def test_a_thinking_tag_within_a_reply_stays() -> None:
    whole = '{"suggestions": [], "x": "</think> ```json {\\"suggestions\\": 1} ``` <think>"}'
    assert find_json(whole) == whole
    assert find_json("<think>Hm</think>" + whole) == whole


def test_thoughts_alone_are_no_reply() -> None:
    for text in (f"<think>{DRAFT}</think>", f"<think>{DRAFT}</think>\nI can't.", ""):
        assert "not JSON" in reply_parser.check_reply(text, lamp_facts()).reasons[0]


@settings(max_examples=examples(25))
@given(st.text(alphabet='{}[]"\\<>/`~think:suggestions \n\ufeff1', max_size=200))
def test_whatever_a_model_writes_is_read_or_rejected(text: str) -> None:
    found = find_json(text)
    assert found in text
    reply_parser.check_reply(text, lamp_facts())


@pytest.mark.parametrize(
    "text",
    ['{"suggestions":' * 60_000, "<think>" * 100_000, "<think>a</think>" * 60_000, "`" * 900_000],
    ids=["nested", "begun", "thoughts", "fences"],
)
def test_a_reply_of_a_megabyte_is_no_burden(text: str) -> None:
    assert reply_parser.check_reply(text, lamp_facts()).reasons


# Parameters


class Picky:
    """A server that refuses some parameters by name, with the status and body of its kind."""

    def __init__(self, server: ModelStandIn, *refused: str, status: int = 400) -> None:
        self.refused, self.status = refused, status
        server.before = self

    def __call__(self, body: dict[str, Any]) -> Response | None:
        form = (body.get("response_format") or {}).get("type")
        for name in self.refused:
            if name in body or name == form:
                return JSONResponse(self.refusal(name), self.status)
        return None

    def refusal(self, name: str) -> Any:
        if self.status == 422:
            loc = ["body", name]
            return {"detail": [{"loc": loc, "msg": "Extra inputs are not permitted"}]}
        other = "max_tokens" if name == "max_completion_tokens" else "max_completion_tokens"
        hint = f" Use '{other}' instead." if "max" in name else ""
        return {"error": {"message": f"Unsupported parameter: '{name}'.{hint}", "param": name}}


@pytest.mark.parametrize(
    ("refused", "questions"),
    [
        (["max_completion_tokens"], 2),
        (["temperature"], 2),
        (["json_schema"], 2),
        (["response_format"], 3),
        (["max_completion_tokens", "temperature", "response_format"], 5),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_parameter_is_replaced_once_and_remembered(
    server: ModelStandIn, refused: list[str], questions: int, status: int
) -> None:
    Picky(server, *refused, status=status)
    assert ask(server, temperature=0.2).problem is None
    assert len(server.asked) == questions
    last = server.asked[-1].body
    assert last.get("max_tokens" if "max_completion_tokens" in refused else "model") is not None
    assert ("temperature" in last) == ("temperature" not in refused)
    if {"json_schema", "response_format"} & set(refused):
        assert json.dumps(reply_parser.get_reply_schema()) in last["messages"][0]["content"]
    assert ask(server, temperature=0.2).problem is None
    assert len(server.asked) == questions + 1


def test_a_server_that_accepts_neither_limit_is_asked_twice(server: ModelStandIn) -> None:
    Picky(server, "max_completion_tokens", "max_tokens")
    with pytest.raises(RefusedError, match=r"\(400\): Unsupported parameter"):
        ask(server)
    assert len(server.asked) == 2


# Errors


ERROR_BODIES: dict[str, tuple[Any, str]] = {
    "an object": ({"error": {"message": "Too long."}}, "Too long."),
    "a text": ({"error": "Too long."}, "Too long."),
    "a message alone": ({"message": "Too long.", "object": "error"}, "Too long."),
    "a detail": ({"detail": "Too long."}, "Too long."),
    "faults": (
        {"detail": [{"loc": ["body", "messages"], "msg": "Too long.", "type": "value"}]},
        "body.messages: Too long.",
    ),
    "a list": ([{"error": {"message": "Too long."}}, "Shorten it."], "Too long.; Shorten it."),
    "errors": ({"errors": [{"message": "Too long."}]}, "Too long."),
    "an error in an error": ({"error": {"error": {"message": "Too long."}}}, "Too long."),
    "a number": ({"error": 7}, "no reason given"),
    "nothing": ({}, "no reason given"),
    "null": (None, "no reason given"),
    "lines": ({"error": "Too\r\nlong.\x00\u202e"}, "Too long."),
    "a page": (
        "<!DOCTYPE html><html><head><title>413 Too &amp; long</title><style>a{}</style></head>"
        "<body><h1>No</h1></body></html>",
        "413 Too & long",
    ),
    "a page without a title": ("<html><body><h1>Too long</h1><p>Sorry.</body>", "Too long Sorry."),
}


@pytest.mark.parametrize("shape", ERROR_BODIES)
def test_the_message_of_a_refusal_is_found_in_every_form(server: ModelStandIn, shape: str) -> None:
    body, words = ERROR_BODIES[shape]
    page = isinstance(body, str)
    server.answer_next(HTMLResponse(body, 413) if page else JSONResponse(body, 413))
    with pytest.raises(RefusedError) as raised:
        ask(server)
    assert str(raised.value) == f"The model server refused the question (413): {words}"


@pytest.mark.parametrize("body", ["", "  ", "Too long."])
def test_a_refusal_without_json_is_reported_as_its_text(server: ModelStandIn, body: str) -> None:
    server.answer_next(PlainTextResponse(body, 400))
    with pytest.raises(RefusedError, match="no reason given" if not body.strip() else body):
        ask(server)


BUSY = {"message": "Overloaded."}
IN_AN_ANSWER: dict[str, tuple[Any, type[OutsideServiceError]]] = {
    "no code": ({"error": BUSY}, BusyError),
    "a text": ({"error": "Overloaded."}, BusyError),
    "429": ({"error": BUSY | {"code": 429}}, BusyError),
    "503 in words": ({"error": BUSY | {"code": "503"}}, BusyError),
    "a name": ({"error": BUSY | {"type": "overloaded_error"}}, BusyError),
    "in a choice": (
        {"choices": [{"error": BUSY | {"code": 502}, "finish_reason": "error"}]},
        BusyError,
    ),
    "of an object": ({"object": "error", "message": "Overloaded.", "code": 500}, BusyError),
    "a key": ({"error": {"message": "Bad key.", "code": "invalid_api_key"}}, KeyRefusedError),
    "a forbidden key": ({"error": {"message": "Bad key.", "code": 403}}, KeyRefusedError),
    "no credit": ({"error": BUSY | {"code": "insufficient_quota"}}, NoCreditError),
    "no credit by number": ({"error": BUSY | {"code": 402}}, NoCreditError),
    "a bad question": ({"error": {"message": "Bad.", "code": 400}}, RefusedError),
    "an unknown model": ({"error": {"message": "No.", "code": "model_not_found"}}, RefusedError),
}


@pytest.mark.parametrize("shape", IN_AN_ANSWER)
def test_an_error_in_an_answer_is_raised_by_its_code(
    server: ModelStandIn, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_ATTEMPTS", 1)
    body, error = IN_AN_ANSWER[shape]
    server.answer_next(JSONResponse(body))
    with pytest.raises(error):
        ask(server)
    assert len(server.asked) == 1


def test_a_busy_answer_is_asked_again(server: ModelStandIn) -> None:
    server.answer_next(JSONResponse({"error": BUSY | {"code": 429}}))
    assert ask(server, timeout=120).problem is None
    assert len(server.asked) == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["error", "message", "detail", "msg", "loc", "code", "type"]), inner
        )
    ),
)


@settings(max_examples=examples(25))
@given(json_values)
def test_every_message_of_a_server_is_one_short_line(body: Any) -> None:
    words = read_message(body)
    assert words
    assert len(words) <= 300
    assert words.isprintable()
    assert all(code == code.lower() for code in read_codes(body))
