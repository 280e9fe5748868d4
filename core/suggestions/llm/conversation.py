"""A question to the model and its replies: each is checked, and asked anew once with the reasons.

No transaction may be open. Knows no tables.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from core.errors import OutsideServiceError
from core.suggestions.llm import prompt
from core.suggestions.llm.call_log import CallState
from core.suggestions.llm.costs import MOST_REPLIES, Price
from core.suggestions.llm.reply_parser import clean_reply
from core.suggestions.model_server.client import (
    Model,
    NoAnswerError,
    Reply,
    UnusableAnswerError,
    Usage,
)

LONGEST_KEPT: Final = 4_000  # characters of a rejected reply
_LONGEST_REASON: Final = 400

Content = TypeVar("Content")
Checked = tuple[Content | None, tuple[str, ...]]  # the content, or why the reply is rejected


class Conversation(Generic[Content]):
    """A question and its replies, two at most. `content` None: no reply was accepted."""

    def __init__(
        self,
        model: Model,
        messages: Sequence[prompt.Message],
        schema: Mapping[str, Any],
        check: Callable[[str], Checked[Content]],
    ) -> None:
        self.model, self.messages = model, list(messages)
        self._schema, self._check = schema, check
        self.content: Content | None = None
        self.reasons: list[str] = []
        self.rejected: list[str] = []
        self.received: list[Reply] = []
        self.failure: OutsideServiceError | None = None

    def run(self) -> None:
        """Ask until a reply is accepted, `MOST_REPLIES` times at most."""
        for number in range(1, MOST_REPLIES + 1):
            try:
                reply = self.model.ask(self.messages, self._schema)
            except OutsideServiceError as error:
                self._fail(number, error)
                return
            self.received.append(reply)
            self.content, reasons = self._read(reply)
            if not reasons:
                return
            self._reject(number, reply, reasons)

    def _read(self, reply: Reply) -> Checked[Content]:
        if reply.problem is not None:
            return None, (clean_reply(reply.problem, _LONGEST_REASON),)
        return self._check(reply.text)

    def _fail(self, number: int, error: OutsideServiceError) -> None:
        self.failure = error
        self.reasons.append(f"Question {number}: {clean_reply(str(error), _LONGEST_REASON)}")
        if isinstance(error, UnusableAnswerError):
            self.rejected.append(clean_reply(error.body_start, LONGEST_KEPT))

    def _reject(self, number: int, reply: Reply, reasons: tuple[str, ...]) -> None:
        text = clean_reply(reply.text, LONGEST_KEPT)
        self.rejected.append(text)
        self.reasons += [f"Reply {number}: {reason}" for reason in reasons]
        self.messages = prompt.build_retry_messages(self.messages, text, reasons)

    @property
    def state(self) -> CallState:
        """Return how the question ended."""
        if self.content is not None:
            return CallState.OK
        if self.failure is None or isinstance(self.failure, UnusableAnswerError):
            return CallState.REJECTED  # paid for; the same question would get the same answer
        return CallState.FAILED

    @property
    def model_name(self) -> str:
        """Return the model's name as the server gives it, or as it was asked for."""
        return self.received[-1].model if self.received else self.model.access.model

    @property
    def usage(self) -> Usage:
        """Return the tokens of all replies together; None if one does not report them."""
        usages = [reply.usage for reply in self.received]
        prompts, answers = [u.prompt_tokens for u in usages], [u.reply_tokens for u in usages]
        return Usage(_sum_known(prompts), _sum_known(answers))

    def calculate_cost(self, price: Price, largest_cost: Decimal) -> Decimal:
        """Return the cost of the replies; the largest possible one if the usage is not reported."""
        usage = self.usage
        if isinstance(self.failure, NoAnswerError):
            return largest_cost
        if not self.received:
            return Decimal(0)
        if usage.prompt_tokens is None or usage.reply_tokens is None:
            return largest_cost
        return price.calculate_cost(usage.prompt_tokens, usage.reply_tokens)


def _sum_known(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None
