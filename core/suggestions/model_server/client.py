"""The only module that calls the model server. Returns plain values; knows no tables.

It uses chat completions with structured output, which OpenAI and many compatible servers
offer. It checks whether there is a reply; `reply_parser` checks its content.

An answered question is paid for. Therefore a time-out or a lost answer is not repeated here;
a temporary refusal (429, 5xx) is, within the question's timeout.

The client library is imported on first use: that takes half a second.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInputError, OutsideServiceError
from core.runtime.outbound import reject_unsafe_host
from core.suggestions.model_server.reply_json import read_content_text
from core.suggestions.model_server.request_parameters import (
    RequestParameters,
    get_accepted_parameters,
    remember_parameters,
)
from core.suggestions.model_server.server_errors import find_error, read_codes, read_message

if TYPE_CHECKING:
    import openai

Messages = Sequence[Mapping[str, str]]

LARGEST_ANSWER = 1_000_000  # bytes of a whole answer; a reply of 4,000 tokens has 20,000
_ATTEMPTS = 3
_USUAL_WAIT = 1.0  # seconds, if the server names none
_LONGEST_NAME = 100
_LONGEST_REFUSAL = 300  # characters kept of a model's refusal
_LONGEST_KEPT = 4_000  # characters kept of an unreadable answer


class KeyRefusedError(OutsideServiceError):
    """The model server does not accept the key."""


class NoCreditError(OutsideServiceError):
    """The account at the model server has no credit left."""


class RefusedError(OutsideServiceError):
    """The server refuses this question and would refuse it again."""


class BusyError(OutsideServiceError):
    """The server is overloaded or fails, and may be asked again later."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait  # seconds that the server asks to wait; None: it names none


class NoAnswerError(OutsideServiceError):
    """No answer arrived. It may have been paid for."""


class UnusableAnswerError(NoAnswerError):
    """The answer can't be read. It was paid for, and a repetition would give the same."""

    def __init__(self, message: str, body_start: str = "") -> None:
        super().__init__(message)
        self.body_start = body_start


class _ParameterRefusedError(RefusedError):
    """The server refuses a parameter; it may accept `instead`."""

    def __init__(self, message: str, instead: RequestParameters) -> None:
        super().__init__(message)
        self.instead = instead


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """How to reach a model."""

    key: str = field(repr=False)
    base_url: str
    model: str
    temperature: float | None = None  # None: the server's default
    timeout: float = 60.0  # seconds for one question, attempts and waits included
    reply_tokens: int = 4000


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of a question. None: the server did not report them."""

    prompt_tokens: int | None = None
    reply_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's reply. `problem`: why it has no text to read, None if it has."""

    text: str
    model: str  # as the server names it
    usage: Usage
    problem: str | None = None


class Model:
    """A thin wrapper of the client. One may serve many threads."""

    def __init__(self, access: ModelAccess) -> None:
        self.access = access
        self._client = _client(access.key, access.base_url)

    def ask(self, messages: Messages, schema: Mapping[str, Any]) -> Reply:
        """Ask once and return the reply, whatever its content.

        Raises KeyRefusedError, NoCreditError, RefusedError, BusyError (nothing was paid),
        NoAnswerError (it may have been paid) or UnusableAnswerError (it was paid).
        """
        deadline = time.monotonic() + self.access.timeout
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._with_known_parameters(messages, schema, deadline)
            except BusyError as error:
                wait = error.wait if error.wait is not None else _USUAL_WAIT * attempt
                if attempt == _ATTEMPTS or time.monotonic() + wait >= deadline:
                    raise
                time.sleep(wait)
        raise AssertionError("every attempt returns or raises")

    def list_models(self) -> list[str]:
        """Return the names of the server's models, which costs nothing.

        Raises KeyRefusedError, RefusedError, BusyError or NoAnswerError.
        """
        deadline = time.monotonic() + self.access.timeout
        with _plain_errors(RequestParameters()):
            streaming = self._client.models.with_streaming_response
            with streaming.list(timeout=self.access.timeout) as answer:
                body = _read_body(answer.iter_bytes(), deadline)
        listed = _object(body).get("data")
        if not isinstance(listed, list):
            raise UnusableAnswerError("The server's answer is no list of models.")
        return [each["id"] for each in listed if isinstance(each, dict) and "id" in each]

    def _with_known_parameters(
        self, messages: Messages, schema: Mapping[str, Any], deadline: float
    ) -> Reply:
        """Ask, and again with a substitute for each refused parameter. A refusal costs nothing."""
        place = self.access.base_url, self.access.model
        parameters = known = get_accepted_parameters(*place)
        tried = {parameters}
        while True:
            try:
                reply = self._once(messages, schema, deadline, parameters)
            except _ParameterRefusedError as error:
                parameters = error.instead
                if parameters in tried:
                    raise
                tried.add(parameters)
                continue
            if parameters != known:
                remember_parameters(*place, parameters)
            return reply

    def _once(
        self,
        messages: Messages,
        schema: Mapping[str, Any],
        deadline: float,
        parameters: RequestParameters,
    ) -> Reply:
        question = _question(self.access, messages, schema, parameters)
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoAnswerError(_TOO_SLOW)
        with _plain_errors(parameters):
            body = self._body(question, left, deadline)
        return _read(body, self.access.model)

    def _body(self, question: dict[str, Any], left: float, deadline: float) -> bytes:
        """Return the answer's bytes, within the limits of size and time."""
        streaming = self._client.chat.completions.with_streaming_response
        with streaming.create(**question, timeout=left) as answer:
            return _read_body(answer.iter_bytes(), deadline)


@lru_cache(maxsize=4)
def _client(key: str, base_url: str) -> "openai.OpenAI":
    """Return the client of a server; all questions share its connections."""
    import httpx2  # late: see above
    import openai

    def reject_unsafe(request: httpx2.Request) -> None:  # also of each redirect
        reject_unsafe_host(request.url.host, request.url.port)

    hooks = {"request": [reject_unsafe]}
    # The client must not retry: it would repeat time-outs too, which may have been paid for.
    return openai.OpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(event_hooks=hooks),
    )


def _question(
    access: ModelAccess,
    messages: Messages,
    schema: Mapping[str, Any],
    parameters: RequestParameters,
) -> dict[str, Any]:
    plain = tuple(dict(message) for message in messages)
    return {
        "model": access.model,
        "messages": parameters.build_messages(plain, schema),
        **parameters.build_values(access.reply_tokens, access.temperature, schema),
    }


# Reading an answer


def _read_body(parts: Iterable[bytes], deadline: float) -> bytes:
    """Return an answer's bytes, within the limits of size and time."""
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > LARGEST_ANSWER:
            raise UnusableAnswerError(_TOO_LARGE, _read_start(body))
        if time.monotonic() > deadline:
            raise NoAnswerError(_TOO_SLOW)
    return bytes(body)


def _read(body: bytes, requested: str) -> Reply:
    """Return the first choice as a reply; `problem` says why it has no text."""
    answer = _object(body)
    if (error := find_error(answer)) is not None:
        raise _classify_error(None, error)
    usage, model = _usage(answer.get("usage")), _name(answer.get("model"), requested)
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return Reply("", model, usage, "The reply has no choice.")
    message = choice.get("message")
    parts = message if isinstance(message, dict) else {}
    text = read_content_text(parts.get("content"))
    return Reply(text, model, usage, _find_problem(choice.get("finish_reason"), parts, text))


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnusableAnswerError(_UNREADABLE, _read_start(body)) from error
    if not isinstance(answer, dict):
        raise UnusableAnswerError(_UNREADABLE, _read_start(body))
    return answer


def _read_start(body: bytes | bytearray) -> str:
    """Return the start of an answer, for the log."""
    return body[:_LONGEST_KEPT].decode("utf-8", "replace")


def _find_problem(finish: object, message: Mapping[str, Any], text: str) -> str | None:
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return f"The model refused: {refusal[:_LONGEST_REFUSAL]}"
    if finish == "length":
        return "The reply was cut off: it is longer than AMAZCOPE_MODEL_REPLY_TOKENS allows."
    if finish == "content_filter":
        return "The server's content filter withheld the reply."
    if not text.strip():
        return "The reply has no text."
    return None


def _usage(value: object) -> Usage:
    if not isinstance(value, dict):
        return Usage()
    return Usage(_count(value.get("prompt_tokens")), _count(value.get("completion_tokens")))


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**8
    return value if is_count else None  # type: ignore[return-value]  # is_count checks the type


def _name(value: object, requested: str) -> str:
    """Return the model's name as the server gives it; the requested one if it gives none."""
    is_name = isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST_NAME
    return value if is_name else requested  # type: ignore[return-value]  # is_name checks the type


# Errors

_UNSENDABLE = (
    "The base URL or key of the model server contains characters that can't be sent "
    "(OPENAI_BASE_URL, OPENAI_API_KEY)."
)
_UNREADABLE = "The model server's answer could not be read."
_TOO_LARGE = "The model server's answer is larger than any reply can be."
_TOO_SLOW = "The model did not answer in time. AMAZCOPE_MODEL_TIMEOUT sets how long it may take."


@contextmanager
def _plain_errors(parameters: RequestParameters) -> Iterator[None]:
    """Turn the client's errors into this module's, with a message that says what to do.

    `parameters`: those that were sent.
    """
    import httpx2  # late: see above
    import openai

    try:
        yield
    except (openai.APITimeoutError, httpx2.TimeoutException) as error:
        raise NoAnswerError(_TOO_SLOW) from error
    except openai.APIStatusError as error:
        raise _classify_status_error(error, parameters) from error
    except openai.APIConnectionError as error:
        raise _classify_lost_connection(error) from error
    except (openai.OpenAIError, httpx2.HTTPError) as error:
        raise NoAnswerError(_UNREADABLE) from error
    except (httpx2.InvalidURL, UnicodeEncodeError) as error:
        raise RefusedError(_UNSENDABLE) from error


def _classify_lost_connection(error: "openai.APIConnectionError") -> OutsideServiceError:
    """Return the error of a broken connection, by whether the question was sent."""
    import httpx2  # late: see above

    if isinstance(error.__cause__, InvalidInputError):  # of `reject_unsafe`
        return RefusedError(str(error.__cause__))
    if isinstance(error.__cause__, httpx2.ConnectError):
        return RefusedError(
            "The model server can't be reached. Check its base URL (OPENAI_BASE_URL) and that "
            "it runs."
        )
    if isinstance(error.__cause__, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol):
        return RefusedError(_UNSENDABLE)
    return NoAnswerError("The model server ended the connection without an answer.")


def _classify_status_error(
    error: "openai.APIStatusError", parameters: RequestParameters
) -> OutsideServiceError:
    """Return the error of an answer with an error status."""
    if error.status_code in (400, 422):
        instead = parameters.find_substitute(error.response.text[:_LONGEST_KEPT].lower())
        if instead is not None:
            return _ParameterRefusedError(
                f"The model server refused the question ({error.status_code}): "
                f"{read_message(error.body)}",
                instead,
            )
    return _classify_error(error.status_code, error.body, _wait(error))


_KEY_CODES = frozenset({"401", "403", "invalid_api_key", "authentication_error"})
_CREDIT_CODES = frozenset({"402", "insufficient_quota", "billing_hard_limit_reached"})
_PACE_CODES = frozenset({"429", "rate_limit_exceeded", "rate_limit_error", "too_many_requests"})
_UNKNOWN_CODES = frozenset({"404", "model_not_found", "not_found_error"})
_REFUSED_CODES = frozenset(
    {"400", "413", "422", "invalid_request_error", "context_length_exceeded"}
)


def _classify_error(
    status: int | None, body: Any, wait: float | None = None
) -> OutsideServiceError:
    """Return the error by its status, or by its codes in an answer with status 200.

    `status` None: the answer had status 200. Without a code it is a BusyError then: the
    question was not answered, but may be later.
    """
    message, body_codes = read_message(body), read_codes(body)
    codes = body_codes if status is None else {str(status)}
    shown = ", ".join(sorted(body_codes)) or "no code" if status is None else str(status)
    if codes & _KEY_CODES:
        return KeyRefusedError(
            "The model server does not accept the key (OPENAI_API_KEY, or the one at Connections)."
        )
    if (codes | body_codes) & _CREDIT_CODES:
        return NoCreditError("The account at the model server has no credit left.")
    if codes & _PACE_CODES:
        return BusyError("The model server limits the number of requests (429).", wait)
    if codes & _UNKNOWN_CODES:
        return RefusedError(
            f"The model server does not know this model or address (404): {message}"
        )
    is_refused = codes & _REFUSED_CODES if status is None else 400 <= status < 500
    if is_refused and not codes & {"408", "409"}:
        return RefusedError(f"The model server refused the question ({shown}): {message}")
    return BusyError(f"The model server fails ({shown}): {message}", wait)


def _wait(error: "openai.APIStatusError") -> float | None:
    """Return the seconds of the retry-after header, None if it has no readable number."""
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None  # a date, or no header: the usual wait is enough
    return seconds if 0 <= seconds < 10**6 else None
