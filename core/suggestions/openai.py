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

if TYPE_CHECKING:
    import openai

Messages = Sequence[Mapping[str, str]]

LARGEST_ANSWER = 1_000_000  # bytes of a whole answer; a reply of 4,000 tokens has 20,000
_ATTEMPTS = 3
_USUAL_WAIT = 1.0  # seconds, where the server names none
_LONGEST_NAME = 100
_LONGEST_WORD = 300  # characters that are kept of what a server says


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
    """No answer came, or none that can be read: it may have been paid for all the same."""


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
        or NoAnswerError (it may have been).
        """
        deadline = time.monotonic() + self.access.timeout
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._once(messages, schema, deadline)
            except BusyError as error:
                wait = error.wait if error.wait is not None else _USUAL_WAIT * attempt
                if attempt == _ATTEMPTS or time.monotonic() + wait >= deadline:
                    raise
                time.sleep(wait)
        raise AssertionError("every attempt returns or raises")

    def _once(self, messages: Messages, schema: Mapping[str, Any], deadline: float) -> Reply:
        left = deadline - time.monotonic()
        with _plain_errors():
            body = self._body(_question(self.access, messages, schema), left, deadline)
        return _read(body, self.access.model)

    def _body(self, question: dict[str, Any], left: float, deadline: float) -> bytes:
        """Return the answer's bytes, no more and for no longer than is allowed."""
        streaming = self._client.chat.completions.with_streaming_response
        body = bytearray()
        with streaming.create(**question, timeout=left) as answer:
            for part in answer.iter_bytes():
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise NoAnswerError("The model server's answer is larger than any reply is.")
                if time.monotonic() > deadline:
                    raise NoAnswerError(_TOO_SLOW)
        return bytes(body)


@lru_cache(maxsize=4)
def _client(key: str, base_url: str) -> "openai.OpenAI":
    """Return the client of a server: its connections are shared by all questions."""
    import openai  # late: see above

    # No retries by the client: it would repeat time-outs too, which may have been paid for.
    return openai.OpenAI(api_key=key, base_url=base_url, max_retries=0)


def _question(access: ModelAccess, messages: Messages, schema: Mapping[str, Any]) -> dict[str, Any]:
    named = {"name": "advice", "schema": dict(schema), "strict": True}
    question: dict[str, Any] = {
        "model": access.model,
        "messages": [dict(message) for message in messages],
        "response_format": {"type": "json_schema", "json_schema": named},
        "max_completion_tokens": access.reply_tokens,
    }
    if access.temperature is not None:
        question["temperature"] = access.temperature
    return question


# Reading an answer


def _read(body: bytes, asked: str) -> Reply:
    """Return the first choice's text, or a reply whose `trouble` says why there is none."""
    answer = _object(body)
    usage, model = _usage(answer.get("usage")), _name(answer.get("model"), asked)
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return Reply("", model, usage, "The reply holds no choice.")
    message = choice.get("message")
    spoken = message if isinstance(message, dict) else {}
    content = spoken.get("content")
    said = content if isinstance(content, str) else ""
    return Reply(said, model, usage, _trouble(choice.get("finish_reason"), spoken, said))


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoAnswerError("The model server's answer could not be read.") from error
    if not isinstance(answer, dict):
        raise NoAnswerError("The model server's answer could not be read.")
    return answer


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
_TOO_SLOW = "The model did not answer in time. AMAZCOPE_MODEL_TIMEOUT sets how long it may take."


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn the client's errors into this module's, with a sentence that says what to do."""
    import httpx2  # late: see above
    import openai

    try:
        yield
    except (openai.APITimeoutError, httpx2.TimeoutException) as error:
        raise NoAnswerError(_TOO_SLOW) from error
    except openai.APIStatusError as error:
        raise _refusal(error) from error
    except openai.APIConnectionError as error:
        raise _lost(error) from error
    except (openai.OpenAIError, httpx2.HTTPError) as error:
        raise NoAnswerError("The model server's answer could not be read.") from error
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


def _refusal(error: "openai.APIStatusError") -> OutsideServiceError:
    """Return what an answer with an error's status means."""
    status, said = error.status_code, _told(error)
    if status in (401, 403):
        return KeyRefusedError("The model server does not accept the key. Check OPENAI_API_KEY.")
    if status == 402 or error.code in ("insufficient_quota", "billing_hard_limit_reached"):
        return NoCreditError("The account at the model server has no credit left.")
    if status == 429:
        return BusyError("The model server asks for fewer questions (429).", _wait(error))
    if status == 404:
        return RefusedError(f"The model server does not know this model or address (404): {said}")
    if status >= 500 or status in (408, 409):
        return BusyError(f"The model server is out of order ({status}): {said}", _wait(error))
    return RefusedError(f"The model server refused the question ({status}): {said}")


def _told(error: "openai.APIStatusError") -> str:
    """Return the server's own words, short and in one line."""
    words = error.body.get("message") if isinstance(error.body, dict) else None
    text = " ".join(str(words or "it did not say why").split())
    return "".join(each for each in text if each.isprintable())[:_LONGEST_WORD]


def _wait(error: "openai.APIStatusError") -> float | None:
    """Return the seconds of retry-after, None where it names none that can be read."""
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None  # a date: our usual wait does
    return seconds if 0 <= seconds < 10**6 else None
