"""The one place that talks to the model server. Returns plain values; knows no tables.

Chat completions with structured output, which OpenAI and its many compatible servers
speak. What a reply says is not looked at here (see `replies`), only whether there is one.

A question is paid for once it was answered: a time-out or a lost answer is therefore not
asked again here. What was refused for now (429, 5xx) is, within the question's own time.

The client is brought in by its first use: it takes half a second.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.errors import OutsideServiceError
from core.suggestions.llm.reply_json import text_of_content
from core.suggestions.llm.request_parameters import (
    RequestParameters,
    accepted_by,
    remember_parameters,
)
from core.suggestions.llm.server_errors import codes_of, error_of, words_of

if TYPE_CHECKING:
    import openai

Messages = Sequence[Mapping[str, str]]

LARGEST_ANSWER = 1_000_000  # bytes of a whole answer; a reply of 4,000 tokens has 20,000
_ATTEMPTS = 3
_USUAL_WAIT = 1.0  # seconds, where the server names none
_LONGEST_NAME = 100
_LONGEST_WORD = 300  # characters that are kept of a model's refusal
_LONGEST_KEPT = 4_000  # characters of an answer that can't be read


class KeyRefusedError(OutsideServiceError):
    """The model server does not accept the key."""


class NoCreditError(OutsideServiceError):
    """The account at the model server has no credit left."""


class RefusedError(OutsideServiceError):
    """The server refuses this question, and would refuse it again."""


class BusyError(OutsideServiceError):
    """The server is overloaded or out of order for now."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait  # seconds that it asks for; None: it names none


class NoAnswerError(OutsideServiceError):
    """No answer came: it may have been paid for all the same."""


class UnusableAnswerError(NoAnswerError):
    """An answer came that can't be read. It was paid for, and would come again."""

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said  # how it begins


class _ParameterRefusedError(RefusedError):
    """The server does not take a parameter; `instead` may be taken."""

    def __init__(self, message: str, instead: RequestParameters) -> None:
        super().__init__(message)
        self.instead = instead


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """How a model is reached."""

    key: str
    base_url: str
    model: str
    temperature: float | None = None  # None: as the server does
    timeout: float = 60.0  # seconds for one question, attempts and waits included
    reply_tokens: int = 4000


@dataclass(frozen=True, slots=True)
class Usage:
    """What a question took. None: the server did not say."""

    prompt_tokens: int | None = None
    reply_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said. `trouble`: why there is nothing to read in it, None when there is."""

    text: str
    model: str  # as the server names it
    usage: Usage
    trouble: str | None = None


class Model:
    """A thin face of the real client. One may serve many threads."""

    def __init__(self, access: ModelAccess) -> None:
        self.access = access
        self._client = _client(access.key, access.base_url)

    def ask(self, messages: Messages, schema: Mapping[str, Any]) -> Reply:
        """Ask once and return the reply, whatever it says.

        Raises KeyRefusedError, NoCreditError, RefusedError, BusyError (nothing was paid for)
        NoAnswerError (it may have been) or UnusableAnswerError (it was).
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

    def _with_known_parameters(
        self, messages: Messages, schema: Mapping[str, Any], deadline: float
    ) -> Reply:
        """Ask; ask again without a parameter that is refused: a refusal costs nothing."""
        place = self.access.base_url, self.access.model
        parameters = known = accepted_by(*place)
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
        """Return the answer's bytes, no more and for no longer than is allowed."""
        streaming = self._client.chat.completions.with_streaming_response
        body = bytearray()
        with streaming.create(**question, timeout=left) as answer:
            for part in answer.iter_bytes():
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise UnusableAnswerError(_TOO_LARGE, _begin(body))
                if time.monotonic() > deadline:
                    raise NoAnswerError(_TOO_SLOW)
        return bytes(body)


@lru_cache(maxsize=4)
def _client(key: str, base_url: str) -> "openai.OpenAI":
    """Return the client of a server: its connections are shared by all questions."""
    import openai  # late: see above

    # No retries by the client: it would repeat time-outs too, which may have been paid for.
    return openai.OpenAI(api_key=key, base_url=base_url, max_retries=0)


def _question(
    access: ModelAccess,
    messages: Messages,
    schema: Mapping[str, Any],
    parameters: RequestParameters,
) -> dict[str, Any]:
    plain = tuple(dict(message) for message in messages)
    return {
        "model": access.model,
        "messages": parameters.messages(plain, schema),
        **parameters.values(access.reply_tokens, access.temperature, schema),
    }


# Reading an answer


def _read(body: bytes, asked: str) -> Reply:
    """Return the first choice's text, or a reply whose `trouble` says why there is none."""
    answer = _object(body)
    if (error := error_of(answer)) is not None:
        raise _meaning(None, error)
    usage, model = _usage(answer.get("usage")), _name(answer.get("model"), asked)
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return Reply("", model, usage, "The reply holds no choice.")
    message = choice.get("message")
    spoken = message if isinstance(message, dict) else {}
    said = text_of_content(spoken.get("content"))
    return Reply(said, model, usage, _trouble(choice.get("finish_reason"), spoken, said))


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnusableAnswerError(_UNREADABLE, _begin(body)) from error
    if not isinstance(answer, dict):
        raise UnusableAnswerError(_UNREADABLE, _begin(body))
    return answer


def _begin(body: bytes | bytearray) -> str:
    """Return how an answer begins, to be kept."""
    return body[:_LONGEST_KEPT].decode("utf-8", "replace")


def _trouble(finish: object, message: Mapping[str, Any], said: str) -> str | None:
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return f"The model refused: {refusal[:_LONGEST_WORD]}"
    if finish == "length":
        return "The reply was cut off: it is longer than AMAZCOPE_MODEL_REPLY_TOKENS allows."
    if finish == "content_filter":
        return "The server's content filter withheld the reply."
    if not said.strip():
        return "The reply holds no text."
    return None


def _usage(told: object) -> Usage:
    if not isinstance(told, dict):
        return Usage()
    return Usage(_count(told.get("prompt_tokens")), _count(told.get("completion_tokens")))


def _count(told: object) -> int | None:
    is_count = isinstance(told, int) and not isinstance(told, bool) and 0 <= told < 10**8
    return told if is_count else None  # type: ignore[return-value]  # told by is_count


def _name(told: object, asked: str) -> str:
    """Return the model as its server names it, where that is a name."""
    is_name = isinstance(told, str) and told.isprintable() and 0 < len(told) <= _LONGEST_NAME
    return told if is_name else asked  # type: ignore[return-value]  # told by is_name


# Errors

_UNSENDABLE = "OPENAI_BASE_URL or OPENAI_API_KEY holds characters that can't be sent."
_UNREADABLE = "The model server's answer could not be read."
_TOO_LARGE = "The model server's answer is larger than any reply is."
_TOO_SLOW = "The model did not answer in time. AMAZCOPE_MODEL_TIMEOUT sets how long it may take."


@contextmanager
def _plain_errors(parameters: RequestParameters) -> Iterator[None]:
    """Turn the client's errors into this module's, with a sentence that says what to do.

    `parameters`: those that were sent.
    """
    import httpx2  # late: see above
    import openai

    try:
        yield
    except (openai.APITimeoutError, httpx2.TimeoutException) as error:
        raise NoAnswerError(_TOO_SLOW) from error
    except openai.APIStatusError as error:
        raise _refusal(error, parameters) from error
    except openai.APIConnectionError as error:
        raise _lost(error) from error
    except (openai.OpenAIError, httpx2.HTTPError) as error:
        raise NoAnswerError(_UNREADABLE) from error
    except (httpx2.InvalidURL, UnicodeEncodeError) as error:
        raise RefusedError(_UNSENDABLE) from error


def _lost(error: "openai.APIConnectionError") -> OutsideServiceError:
    """Return what a broken connection means: whether the question was sent at all."""
    import httpx2  # late: see above

    if isinstance(error.__cause__, httpx2.ConnectError):
        return RefusedError(
            "The model server can't be reached. Check OPENAI_BASE_URL and that it runs."
        )
    if isinstance(error.__cause__, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol):
        return RefusedError(_UNSENDABLE)
    return NoAnswerError("The model server ended the connection without an answer.")


def _refusal(error: "openai.APIStatusError", parameters: RequestParameters) -> OutsideServiceError:
    """Return what an answer with an error's status means."""
    if error.status_code in (400, 422):
        instead = parameters.instead_of(error.response.text[:_LONGEST_KEPT].lower())
        if instead is not None:
            return _ParameterRefusedError(
                f"The model server refused the question ({error.status_code}): "
                f"{words_of(error.body)}",
                instead,
            )
    return _meaning(error.status_code, error.body, _wait(error))


_KEY_CODES = frozenset({"401", "403", "invalid_api_key", "authentication_error"})
_CREDIT_CODES = frozenset({"402", "insufficient_quota", "billing_hard_limit_reached"})
_PACE_CODES = frozenset({"429", "rate_limit_exceeded", "rate_limit_error", "too_many_requests"})
_UNKNOWN_CODES = frozenset({"404", "model_not_found", "not_found_error"})
_REFUSED_CODES = frozenset(
    {"400", "413", "422", "invalid_request_error", "context_length_exceeded"}
)


def _meaning(status: int | None, body: Any, wait: float | None = None) -> OutsideServiceError:
    """Return what an error means by its status, or by its codes in an answer with status 200.

    `status` None: the status says that all is well. What names no code is busy then: it was
    not answered, and nothing says that it never will be.
    """
    said, told = words_of(body), codes_of(body)
    codes = told if status is None else {str(status)}
    shown = ", ".join(sorted(told)) or "no code" if status is None else str(status)
    if codes & _KEY_CODES:
        return KeyRefusedError("The model server does not accept the key. Check OPENAI_API_KEY.")
    if (codes | told) & _CREDIT_CODES:
        return NoCreditError("The account at the model server has no credit left.")
    if codes & _PACE_CODES:
        return BusyError("The model server asks for fewer questions (429).", wait)
    if codes & _UNKNOWN_CODES:
        return RefusedError(f"The model server does not know this model or address (404): {said}")
    is_refused = codes & _REFUSED_CODES if status is None else 400 <= status < 500
    if is_refused and not codes & {"408", "409"}:
        return RefusedError(f"The model server refused the question ({shown}): {said}")
    return BusyError(f"The model server is out of order ({shown}): {said}", wait)


def _wait(error: "openai.APIStatusError") -> float | None:
    """Return the seconds of retry-after, None where it names none that can be read."""
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None  # a date: our usual wait does
    return seconds if 0 <= seconds < 10**6 else None
