"""The optional parameters of a question to a model server, and their substitutes.

Some compatible servers refuse parameters that others require. A refusal names the parameter;
the question is then sent with a substitute. The accepted parameters are remembered for the
server and the model while the process runs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Format = Literal["json_schema", "json_object", "none"]


@dataclass(frozen=True, slots=True)
class RequestParameters:
    """The parameters sent besides model and messages."""

    limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    reply_format: Format = "json_schema"
    has_temperature: bool = True

    def build_values(
        self, reply_tokens: int, temperature: float | None, schema: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the parameters with their values."""
        sent: dict[str, Any] = {self.limit: reply_tokens}
        if self.reply_format == "json_schema":
            named = {"name": "advice", "schema": dict(schema), "strict": True}
            sent["response_format"] = {"type": "json_schema", "json_schema": named}
        elif self.reply_format == "json_object":
            sent["response_format"] = {"type": "json_object"}
        if temperature is not None and self.has_temperature:
            sent["temperature"] = temperature
        return sent

    def build_messages(
        self, messages: tuple[dict[str, str], ...], schema: Mapping[str, Any]
    ) -> list[dict[str, str]]:
        """Return the messages, with the schema in the first if no parameter carries it."""
        if self.reply_format == "json_schema" or not messages:
            return list(messages)
        first, *rest = messages
        content = f"{first['content']}\n\nThe schema of your answer:\n{json.dumps(schema)}"
        return [{**first, "content": content}, *rest]

    def find_substitute(self, refusal: str) -> "RequestParameters | None":
        """Return the parameters to send after a refusal; None if it names no parameter."""
        if self.limit in refusal:
            other: Literal["max_completion_tokens", "max_tokens"] = (
                "max_tokens" if self.limit == "max_completion_tokens" else "max_completion_tokens"
            )
            return replace(self, limit=other)
        if self.has_temperature and "temperature" in refusal:
            return replace(self, has_temperature=False)
        return self._simpler() if _is_about_format(refusal) else None

    def _simpler(self) -> "RequestParameters | None":
        if self.reply_format == "json_schema":
            return replace(self, reply_format="json_object")
        return replace(self, reply_format="none") if self.reply_format == "json_object" else None


def _is_about_format(refusal: str) -> bool:
    return any(
        word in refusal
        for word in ("response_format", "json_schema", "json_object", "structured output")
    )


_accepted: dict[tuple[str, str], RequestParameters] = {}


def get_accepted_parameters(base_url: str, model: str) -> RequestParameters:
    """Return the parameters a server last accepted for a model; the defaults if none."""
    return _accepted.get((base_url, model), RequestParameters())


def remember_parameters(base_url: str, model: str, parameters: RequestParameters) -> None:
    """Keep the parameters that a server accepts for a model."""
    _accepted[base_url, model] = parameters
