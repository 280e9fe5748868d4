"""A server without tokens, for a conformance suite, which sends none: on loopback, for a test.

    python -m tests.mcp_server.open_endpoint PORT

Every caller acts as the first administrator of the environment's database. Besides what
there is, it has the tools, resources and prompts that the suite asks for by name, declared
as all others are: so the suite tries how they are run, answered and refused.
"""

import sys
from time import sleep
from typing import Annotated

import uvicorn
from pydantic import Field

from core.accounts.access.permissions import Permission
from core.accounts.people.membership import get_owner_principal
from core.database.session import read_scope
from core.errors import InvalidInputError
from core.settings.environment import get_settings
from mcp_server.http import make_app
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.prompts import Instruction, prompt
from mcp_server.protocol.resources import resource
from mcp_server.protocol.tools import tool
from mcp_server.results.base import Result, ResultPart
from tests.mcp_server.fixed_caller import FixedCaller

Word = Annotated[str, Field(max_length=100, description="A word.")]


class WordResult(Result):
    """An answer of one word."""

    word: str


class Datum(ResultPart):
    """A part of one word."""

    id: str


@tool(Permission.READ, "Simple text")
def test_simple_text(call: Call) -> WordResult:
    """Answer a message."""
    return WordResult(word="text", summary="This is a simple text response for testing.")


@tool(Permission.READ, "Error")
def test_error_handling(call: Call) -> WordResult:
    """Refuse."""
    raise InvalidInputError("This tool intentionally returns an error for testing")


@tool(Permission.READ, "Progress")
def test_tool_with_progress(call: Call) -> WordResult:
    """Report the progress."""
    for done in (0, 50, 100):
        call.report(done, 100, f"{done} of 100")
        sleep(0.05)
    return WordResult(word="done", summary="Done.")


@resource("test://static-text", Permission.READ, "Text")
def static_text(call: Call) -> Datum:
    """Something to read."""
    return Datum(id="text")


@resource("test://template/{id}/data", Permission.READ, "Data")
def data(call: Call, id: str) -> Datum:
    """Something to read of an id."""
    return Datum(id=id)


@prompt("Simple")
def test_simple_prompt(call: Call) -> Instruction:
    """Ask for nothing."""
    return Instruction("This is a simple prompt for testing.", (), "nothing")


@prompt("With arguments")
def test_prompt_with_arguments(call: Call, arg1: Word, arg2: Word) -> Instruction:
    """Ask for two words."""
    return Instruction(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'", (), "nothing")


def main() -> None:
    """Serve until a signal comes; AMAZCOPE_MCP_PORT has to be the port."""
    with read_scope() as session:
        owner = get_owner_principal(session)
    app = make_app(get_settings(), FixedCaller(owner))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
