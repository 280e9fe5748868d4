"""How a provider's answer becomes an attempt, the same for all channels."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from core.delivery.outcome import Attempt, Outcome
from core.runtime.guarded_http import (
    NotSentError,
    Reach,
    RefusedAddressError,
    Reply,
    UnansweredError,
    find_pause,
    send_request,
)

LONGEST_ANSWER = 500  # characters
_TRY_AGAIN = frozenset({408, 425, 429})
_REDIRECTED = "The address leads elsewhere, which isn't followed. Enter the address it leads to."
_PAUSE_LIMIT = timedelta(days=1)


def post_json(
    url: str,
    content: Any,
    reach: Reach,
    *,
    secrets: Sequence[str],
    headers: dict[str, str] | None = None,
) -> tuple[Attempt, Reply | None]:
    """Send JSON and return the attempt by its status, with the answer if there was one."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)
    return post_bytes(url, body.encode("utf-8", "replace"), reach, secrets=secrets, headers=headers)


def post_bytes(
    url: str,
    body: bytes,
    reach: Reach,
    *,
    secrets: Sequence[str],
    headers: dict[str, str] | None = None,
) -> tuple[Attempt, Reply | None]:
    """Send JSON that is encoded already, as `post_json`."""
    sent = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    try:
        reply = send_request("POST", url, reach, headers=sent, body=body)
    except RefusedAddressError as error:
        return Attempt(Outcome.REFUSED, clean_answer(str(error), secrets)), None
    except NotSentError as error:
        return Attempt(Outcome.LATER, clean_answer(str(error), secrets)), None
    except UnansweredError as error:
        return Attempt(Outcome.UNKNOWN, clean_answer(str(error), secrets)), None
    return judge_status(reply, secrets), reply


def judge_status(reply: Reply, secrets: Sequence[str]) -> Attempt:
    """Return the attempt that follows from the status alone."""
    status = reply.status
    words = clean_answer(f"{status} {decode_body(reply)}", secrets)
    if 200 <= status < 300:
        return Attempt(Outcome.SENT, words)
    if 300 <= status < 400:
        return Attempt(Outcome.REFUSED, f"{status} {_REDIRECTED}")
    if status in _TRY_AGAIN or status >= 500:
        pause = find_pause(reply.headers.get("retry-after"), datetime.now(UTC))
        return Attempt(Outcome.LATER, words, pause)
    return Attempt(Outcome.REFUSED, words)


def decode_body(reply: Reply) -> str:
    """Return the text of an answer."""
    return reply.body.decode("utf-8", "replace")


def read_object(reply: Reply) -> dict[str, Any]:
    """Return the JSON object of an answer, an empty one if it is none."""
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_pause(seconds: object) -> timedelta | None:
    """Return a pause that an answer's JSON gives in seconds, at most a day."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
        return None
    # The limit first: JSON holds whole numbers that no float can be.
    return timedelta(seconds=float(min(max(seconds, 1), _PAUSE_LIMIT.total_seconds())))


def clean_answer(text: str, secrets: Sequence[str]) -> str:
    """Return a provider's words: one printable line without secrets, at most 500 characters."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        forms = {secret, quote(secret), quote(secret, safe=""), secret.replace("/", r"\/")}
        text = re.sub("|".join(map(re.escape, forms)), "…", text, flags=re.IGNORECASE)
    line = re.sub(r"\s+", " ", text)
    return "".join(sign for sign in line if sign.isprintable()).strip()[:LONGEST_ANSWER]
