"""Protocol errors for resources, prompts and completions, which have no result to refuse in."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, INVALID_REQUEST

from core.accounts.access.permissions import Permission, require_permission
from core.database import outages
from core.errors import AmazcopeError, NotAllowedError
from core.text import locale
from mcp_server.protocol.call_log import RETRY_LATER, Call, TooOftenError, logged_call

log = logging.getLogger(__name__)

R = TypeVar("R")


def run_for_protocol(call: Call, permission: Permission, work: Callable[..., R], **given: Any) -> R:
    """Run a call's work in the current thread, log it, and return its result.

    Raises MCPError: invalid request for a missing permission, invalid parameters for other
    refusals, RETRY_LATER over the rate limit and where the database is unavailable.
    """
    locale.use_formats(locale.FOR_PROGRAMS)  # for this call only: the thread has its own context
    try:
        with logged_call(call):
            require_permission(call.principal, permission)
            return work(call, **given)
    except TooOftenError as error:
        raise MCPError(code=RETRY_LATER, message=str(error)) from error
    except NotAllowedError as error:
        raise MCPError(code=INVALID_REQUEST, message=str(error)) from error
    except AmazcopeError as error:
        raise invalid_params(str(error)) from error
    except outages.ERRORS as error:
        message = outages.describe_outage(error)
        if message is None:
            raise
        log.warning("%s found the database unavailable: %s", call.asked.name, error)
        raise MCPError(code=RETRY_LATER, message=message) from error


def invalid_params(message: str) -> MCPError:
    """Return the error for parameters that are unknown or can't be read."""
    return MCPError(code=INVALID_PARAMS, message=message)
