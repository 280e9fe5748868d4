"""The server over stdio: whose token, what is on stdout, when it ends."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from core.accounts.access.api_tokens import create_api_token, list_own_tokens, revoke_own_token
from core.accounts.access.permissions import Via
from core.accounts.models import ApiToken
from core.accounts.people.membership import get_owner_principal, get_principal
from core.database.session import write_scope
from tests.mcp_server.conftest import ALL, active
from tests.mcp_server.processes import (
    INITIALIZE,
    INITIALIZED,
    PATIENCE,
    call_message,
    environment,
    hear,
    over_stdio,
    send_lines,
)


@pytest.fixture
def given(committed_database: str, tmp_path: Path) -> dict[str, str]:
    """The surroundings of a process whose token holds."""
    with write_scope() as session:
        page = active(
            session, get_principal(session, get_owner_principal(session).person_id, Via.PAGE)
        )
        token = create_api_token(session, page, "An agent", ALL, None, datetime.now(UTC))
    return environment(committed_database, tmp_path, AMAZCOPE_TOKEN=token)


@pytest.mark.parametrize("token", [None, "", "amz_wrong"])
def test_without_a_valid_token_it_prints_what_to_do_and_ends(
    given: dict[str, str], token: str | None
) -> None:
    variables = {name: value for name, value in given.items() if name != "AMAZCOPE_TOKEN"}
    variables |= {} if token is None else {"AMAZCOPE_TOKEN": token}
    with over_stdio(variables) as process:
        output, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (1, "")
    assert "No valid API token. Create one at Profile" in error
    assert "Traceback" not in error


def test_nothing_but_the_protocol_is_on_stdout_and_garbage_on_stdin_ends_nothing(
    given: dict[str, str],
) -> None:
    with over_stdio(given) as process:
        send_lines(
            process, "garbage", "", "{", "[1, 2]", "null", '{"jsonrpc": "2.0"}', "\x00\x01", "é" * 9
        )
        send_lines(process, INITIALIZE)
        assert hear(process, 0)["result"]["serverInfo"]["name"] == "amazcope"
        send_lines(process, INITIALIZED, "more garbage", call_message("search_products", 1))
        assert hear(process, 1)["result"]["structuredContent"]["total"] == 0
        send_lines(process, call_message("search_products", 2, limit="many"))
        assert "Wrong arguments" in hear(process, 2)["result"]["content"][0]["text"]
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_a_token_revoked_while_it_runs_opens_nothing_more(given: dict[str, str]) -> None:
    with over_stdio(given) as process:
        send_lines(process, INITIALIZE, INITIALIZED, call_message("search_products", 1))
        assert hear(process, 1)["result"]["isError"] is False
        with write_scope() as session:
            owner = session.scalars(select(ApiToken.person_id)).one()
            page = get_principal(session, owner, Via.PAGE)
            [kept] = list_own_tokens(session, page, datetime.now(UTC))
            revoke_own_token(session, page, kept.id, datetime.now(UTC))
        send_lines(process, call_message("search_products", 2))
        assert "No valid API token" in hear(process, 2)["error"]["message"]


def test_it_ends_with_its_client(given: dict[str, str]) -> None:
    with over_stdio(given) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_an_unreachable_database_is_reported_in_a_sentence(given: dict[str, str]) -> None:
    nowhere = {"DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/none"}
    with over_stdio(given | nowhere) as process:
        output, errors = process.communicate(timeout=PATIENCE)
    assert (output, process.returncode) == ("", 1)
    assert errors.startswith("Error: The database does not answer. Start Amazcope with `make run`")
    assert "Traceback" not in errors
