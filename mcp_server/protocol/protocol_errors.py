"""Errors of the protocol, in words: for what is no tool and has no result to refuse in."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, INVALID_REQUEST

from core.accounts.access.permissions import Permission, require_permission
from core.database import outages
from core.errors import AmazcopeError, NotAllowedError
from core.text import locale
from mcp_server.protocol.call_log import RETRY_LATER, Call

log = logging.getLogger(__name__)

R = TypeVar("R")


def run_for_protocol(call: Call, permission: Permission, work: Callable[..., R], **given: Any) -> R:
    """Do what a call asks for. What is refused on purpose becomes an error that says what to do.

    Not allowed is an invalid request; not there, or not understood, are invalid parameters.
    """
    locale.use(locale.FOR_PROGRAMS)  # for this call: its thread has a context of its own
    try:
        require_permission(call.principal, permission)
        return work(call, **given)
    except NotAllowedError as error:
        raise MCPError(code=INVALID_REQUEST, message=str(error)) from error
    except AmazcopeError as error:
        raise invalid_params(str(error)) from error
    except outages.ERRORS as error:
        sentence = outages.describe_outage(error)
        if sentence is None:
            raise
        log.warning("%s found no database: %s", call.asked.name, error)
        raise MCPError(code=RETRY_LATER, message=sentence) from error


def invalid_params(sentence: str) -> MCPError:
    """Return the error for what is not there, or can't be understood."""
    return MCPError(code=INVALID_PARAMS, message=sentence)
