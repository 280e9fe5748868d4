"""Calls to the model server, and the error for each of its failures."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from core.errors import OutsideServiceError
from core.suggestions.llm import prompt, reply_parser
from core.suggestions.model_server import client
from core.suggestions.model_server.client import (
    BusyError,
    KeyRefusedError,
    Model,
    ModelAccess,
    NoAnswerError,
    NoCreditError,
    RefusedError,
    Reply,
    UnusableAnswerError,
    Usage,
)
from tests.core.suggestions.model_facts import lamp_facts
from tests.model_stand_in import KEY, MODEL, SPOKEN, ModelStandIn
from tests.real_data import real_data_path


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds between attempts, which pass at once."""
    seconds: list[float] = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=seconds.append)
    monkeypatch.setattr(client, "time", clock)
    return seconds


def access(stand_in: ModelStandIn, **values: Any) -> ModelAccess:
    return replace(ModelAccess(KEY, stand_in.url, MODEL, timeout=120), **values)


def ask(stand_in: ModelStandIn, **values: Any) -> Reply:
    model = Model(access(stand_in, **values))
    return model.ask(prompt.build_first_messages(lamp_facts()), reply_parser.get_reply_schema())


def test_a_question_requests_structured_output(stand_in: ModelStandIn) -> None:
    reply = ask(stand_in, temperature=0.2)
    assert reply.model == SPOKEN
    assert reply.usage == Usage(1200, 300)
    assert reply_parser.check_reply(reply.text, lamp_facts()).reasons == ()
    body = stand_in.asked[0].body
    assert body["model"] == MODEL
    assert body["temperature"] == 0.2
    assert body["max_completion_tokens"] == 4000
    requested = body["response_format"]["json_schema"]
    assert (requested["strict"], requested["schema"]) == (True, reply_parser.get_reply_schema())


def test_a_temperature_that_is_not_set_is_not_sent(stand_in: ModelStandIn) -> None:
    ask(stand_in)
    assert "temperature" not in stand_in.asked[0].body


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("truncated", "cut off"),
        ("refusal", "The model refused: I can't help with that."),
        ("no_choice", "no choice"),
    ],
)
def test_a_reply_without_text_has_a_problem(
    stand_in: ModelStandIn, kind: str, problem: str
) -> None:
    stand_in.answer_next(kind)
    reply = ask(stand_in)
    assert reply.problem is not None
    assert problem in reply.problem
    assert reply.usage == Usage(1200, 300)  # it was paid for nevertheless


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("http_400", RefusedError, r"\(400\): The question is longer"),
        ("http_401", KeyRefusedError, "OPENAI_API_KEY"),
        ("http_404", RefusedError, "does not know this model"),
        ("no_credit", NoCreditError, "no credit left"),
        ("http_429_long", BusyError, "limits the number of requests"),
        ("no_json", UnusableAnswerError, "could not be read"),
        ("huge", UnusableAnswerError, "larger than any reply"),
    ],
)
def test_a_permanent_failure_has_its_error_and_is_not_retried(
    stand_in: ModelStandIn, kind: str, error: type[OutsideServiceError], words: str
) -> None:
    stand_in.answer_next(kind)
    with pytest.raises(error, match=words):
        ask(stand_in)
    assert len(stand_in.asked) == 1


@pytest.mark.parametrize("kind", ["http_429", "http_500"])
@pytest.mark.usefixtures("waits")
def test_a_server_that_is_busy_is_asked_again(stand_in: ModelStandIn, kind: str) -> None:
    stand_in.answer_next(kind)
    assert ask(stand_in).problem is None
    assert len(stand_in.asked) == 2


def test_the_retry_after_time_is_waited(stand_in: ModelStandIn, waits: list[float]) -> None:
    stand_in.answer_next("http_429", "http_429")
    ask(stand_in)
    assert waits == [0.2, 0.2]


@pytest.mark.usefixtures("waits")
def test_a_server_that_stays_busy_is_asked_three_times(stand_in: ModelStandIn) -> None:
    stand_in.answer_next(*["http_429"] * 5)
    with pytest.raises(BusyError):
        ask(stand_in)
    assert len(stand_in.asked) == 3


def test_a_hang_ends_in_time_and_is_not_asked_twice(stand_in: ModelStandIn) -> None:
    stand_in.answer_next("hang")
    with pytest.raises(NoAnswerError, match="AMAZCOPE_MODEL_TIMEOUT"):
        ask(stand_in, timeout=0.5)
    assert len(stand_in.asked) == 1


def test_a_refused_key_is_reported(stand_in: ModelStandIn) -> None:
    with pytest.raises(KeyRefusedError):
        ask(stand_in, key="wrong")


def test_an_unreachable_server_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    model = Model(ModelAccess(KEY, f"http://127.0.0.1:{port}/v1", MODEL))
    with pytest.raises(RefusedError, match="OPENAI_BASE_URL"):
        model.ask(prompt.build_first_messages(lamp_facts()), reply_parser.get_reply_schema())


def test_a_key_that_no_header_can_carry_is_reported(stand_in: ModelStandIn) -> None:
    for key in ("kéy\u2014", "key\nwith: a line"):
        with pytest.raises(OutsideServiceError, match="OPENAI_API_KEY"):
            ask(stand_in, key=key)


_CHOICE = {"message": {"content": "hello"}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": None},
        {"choices": {}},
        {"choices": [None]},
        {"choices": ["hello"]},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": "hello"}]},
        {"choices": [{"message": {"content": None}}]},
        {"choices": [{"message": {"content": [7, {"type": "image"}]}}]},
        {"choices": [{"message": {"content": " \n"}}]},
        {"choices": [_CHOICE | {"finish_reason": "length"}]},
        {"choices": [_CHOICE | {"finish_reason": "content_filter"}]},
    ],
)
def test_a_body_of_another_shape_is_a_problem_and_no_crash(
    stand_in: ModelStandIn, body: dict[str, Any]
) -> None:
    stand_in.answer_next(JSONResponse(body))
    reply = ask(stand_in)
    assert reply.problem is not None
    assert reply.usage == Usage()
    assert reply.model == MODEL


@pytest.mark.parametrize("body", ["[]", "null", "1", '"text"', "", "[" * 100_000, "\x00", "{"])
def test_a_body_that_is_no_object_is_no_answer(stand_in: ModelStandIn, body: str) -> None:
    stand_in.answer_next(Response(body, media_type="application/json"))
    with pytest.raises(UnusableAnswerError, match="could not be read") as raised:
        ask(stand_in)
    assert raised.value.body_start == body[:4000]


@pytest.mark.parametrize(
    "usage", [None, "many", {"prompt_tokens": -1}, {"prompt_tokens": True}, []]
)
def test_tokens_that_are_no_count_are_unknown(stand_in: ModelStandIn, usage: Any) -> None:
    stand_in.answer_next(JSONResponse({"choices": [_CHOICE], "usage": usage}))
    assert ask(stand_in).usage == Usage(None, None)


def test_a_servers_model_name_is_used_only_if_it_is_a_name(
    stand_in: ModelStandIn,
) -> None:
    for name in (7, "", "a\nb", "\x00", "x" * 101, None):
        stand_in.answer_next(JSONResponse({"choices": [_CHOICE], "model": name}))
        assert ask(stand_in).model == MODEL


def _recorded(name: str) -> Iterator[tuple[int, Any]]:
    for exchange in json.loads(real_data_path(f"api_bodies/{name}.json").read_text()):
        answer = exchange["response"]
        yield answer["status"], answer["body"]


def _answer(status: int, body: Any) -> Response:
    if isinstance(body, str):
        return Response(body, status, media_type="text/event-stream")
    return JSONResponse(body, status)


def _replies(stand_in: ModelStandIn, name: str) -> list[Reply]:
    found = []
    for status, body in _recorded(name):
        stand_in.answer_next(_answer(status, body))
        found.append(ask(stand_in))
    return found


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("openai_chat_200_json_object", ["no text", "does not match the schema"]),
        ("openai_chat_200_json_schema_after_tool", ["no text", "does not match the schema"]),
        ("openai_chat_200_text", ["not JSON"]),
        ("openai_chat_200_tool_calls", ["no text", "no text"]),
        ("openai_responses_200_text", ["no choice"]),
        ("openai_responses_200_json_schema", ["no choice", "no choice"]),
    ],
)
def test_recorded_replies_to_other_questions_are_rejected_with_a_reason(
    stand_in: ModelStandIn, name: str, reasons: list[str]
) -> None:
    found = _replies(stand_in, name)
    for reply, reason in zip(found, reasons, strict=True):
        found_reason = reply.problem or "\n".join(
            reply_parser.check_reply(reply.text, lamp_facts()).reasons
        )
        assert reason in found_reason


def test_recorded_usage_and_models_are_read(stand_in: ModelStandIn) -> None:
    (reply,) = _replies(stand_in, "openai_chat_200_text")
    assert reply.model.startswith("gpt-4o-")
    assert reply.usage == Usage(14, 7)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("openai_chat_400_unsupported", RefusedError, r"\(400\)"),
        ("openai_chat_404_model_not_found", RefusedError, r"\(404\)"),
        ("openai_responses_400_http_error", RefusedError, r"\(400\)"),
        ("openai_responses_4xx_model_not_found", RefusedError, r"\(4\d\d\)"),
        ("openai_embeddings_error", RefusedError, r"\(404\)"),
        ("openai_chat_200_stream_sse", NoAnswerError, "could not be read"),
    ],
)
def test_recorded_failures_have_their_errors(
    stand_in: ModelStandIn, name: str, error: type[OutsideServiceError], words: str
) -> None:
    for status, body in _recorded(name):
        stand_in.answer_next(*[_answer(status, body)] * 3)  # also without a refused parameter
        with pytest.raises(error, match=words):
            ask(stand_in)
        stand_in.next.clear()


def test_a_drip_of_bytes_ends_in_time(stand_in: ModelStandIn) -> None:
    from starlette.responses import StreamingResponse

    async def drip() -> Any:
        import asyncio

        while True:
            yield b" "
            await asyncio.sleep(0.1)

    stand_in.answer_next(StreamingResponse(drip(), media_type="application/json"))
    with pytest.raises(NoAnswerError, match="in time"):
        ask(stand_in, timeout=1)


def _lost(act: Callable[[socket.socket], None]) -> str:
    """Serve one connection that `act` ends; return its address."""
    import threading

    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        connection.recv(100_000)
        act(connection)
        connection.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", b"no HTTP at all\r\n\r\n"]
)
def test_a_lost_answer_may_have_been_paid_for(sent: bytes) -> None:
    url = _lost(lambda connection: connection.sendall(sent))
    with pytest.raises(NoAnswerError):
        Model(ModelAccess(KEY, url, MODEL, timeout=3)).ask(
            prompt.build_first_messages(lamp_facts()), reply_parser.get_reply_schema()
        )
