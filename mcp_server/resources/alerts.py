"""Open issues of the team."""

from core.accounts.access.permissions import Permission
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.resources import resource
from mcp_server.tools.alerts import OpenIssues, list_open_issues

LIST_SIZE = 50


@resource("alerts://active", Permission.READ, "Active alerts")
def active_alerts(call: Call) -> OpenIssues:
    """Return the first 50 open issues of the team, worst first. If truncated, continue with
    `list_open_issues`: pass `next_cursor` and `limit` 50.
    """
    return list_open_issues(call, limit=LIST_SIZE)
