"""Which optional parameters a question to a model server carries, and what to send instead.

Servers that call themselves compatible refuse parameters that others require. A refusal
names the parameter; the question is asked again with its substitute, and what was accepted
then is remembered for the server and the model, as long as the process runs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Format = Literal["json_schema", "json_object", "none"]


@dataclass(frozen=True, slots=True)
class RequestParameters:
    """What is sent besides model and messages."""

    limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    form: Format = "json_schema"
    has_temperature: bool = True

    def values(
        self, reply_tokens: int, temperature: float | None, schema: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the parameters with their values."""
        sent: dict[str, Any] = {self.limit: reply_tokens}
        if self.form == "json_schema":
            named = {"name": "advice", "schema": dict(schema), "strict": True}
            sent["response_format"] = {"type": "json_schema", "json_schema": named}
        elif self.form == "json_object":
            sent["response_format"] = {"type": "json_object"}
        if temperature is not None and self.has_temperature:
            sent["temperature"] = temperature
        return sent

    def messages(
        self, messages: tuple[dict[str, str], ...], schema: Mapping[str, Any]
    ) -> list[dict[str, str]]:
        """Return the messages; the schema is told in words where no parameter carries it."""
        if self.form == "json_schema" or not messages:
            return list(messages)
        first, *rest = messages
        told = f"{first['content']}\n\nThe schema of your answer:\n{json.dumps(schema)}"
        return [{**first, "content": told}, *rest]

    def instead_of(self, refusal: str) -> "RequestParameters | None":
        """Return what to send after a refusal in these words; None: it names no parameter."""
        if self.limit in refusal:
            other: Literal["max_completion_tokens", "max_tokens"] = (
                "max_tokens" if self.limit == "max_completion_tokens" else "max_completion_tokens"
            )
            return replace(self, limit=other)
        if self.has_temperature and "temperature" in refusal:
            return replace(self, has_temperature=False)
        return self._simpler() if _is_about_format(refusal) else None

    def _simpler(self) -> "RequestParameters | None":
        if self.form == "json_schema":
            return replace(self, form="json_object")
        return replace(self, form="none") if self.form == "json_object" else None


def _is_about_format(refusal: str) -> bool:
    return any(
        word in refusal
        for word in ("response_format", "json_schema", "json_object", "structured output")
    )


_accepted: dict[tuple[str, str], RequestParameters] = {}


def accepted_by(base_url: str, model: str) -> RequestParameters:
    """Return the parameters that a server took for a model last; the usual ones at first."""
    return _accepted.get((base_url, model), RequestParameters())


def remember_parameters(base_url: str, model: str, parameters: RequestParameters) -> None:
    """Keep which parameters a server takes for a model."""
    _accepted[base_url, model] = parameters
