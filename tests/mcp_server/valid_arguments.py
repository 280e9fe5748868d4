"""Arguments that each tool answers to, in a world with a lamp of one's own and a kettle."""

from typing import Any

from mcp_server.protocol.tools import TOOLS
from tests.factories.products import KETTLE, LAMP
from tests.mcp_server.tools.test_proposals import WRITES

_LAMP = f"US:{LAMP}"
_SPECIAL: dict[str, dict[str, Any]] = {
    "acknowledge_incidents": {"ids": [1]},
    "compare_products": {"products": [_LAMP, KETTLE]},
    "create_rule": {
        "rule": {"conditions": [{"subject": "price", "comparison": "changed", "percent": 10}]}
    },
    "explain_value": {"value": "price"},
    "get_incident": {"id": 1},
    "preview_rule": {
        "rule": {"conditions": [{"subject": "price", "comparison": "changed", "percent": 10}]}
    },
    "search_products": {},
    "snooze_incidents": {"ids": [1]},
    "track_products": {"products": [_LAMP]},
    "trigger_product_refresh": {"products": [_LAMP]},
    "toggle_product_tracking": {"products": [_LAMP], "target": "paused"},
    "update_tracking_settings": {"note": "kept"},
    "update_alert_thresholds": {"price_change_percent": 10},
    **WRITES,
}


def valid_arguments(tool: str, suggestion_id: int) -> dict[str, Any]:
    """Return what a tool has to be given, and little more; of a write, so that it is undone."""
    declared = TOOLS[tool]
    required = set(declared.arguments) - declared.optional_arguments
    known = {"product": _LAMP, **_SPECIAL.get(tool, {}), "suggestion_id": suggestion_id}
    wanted = required | set(_SPECIAL.get(tool, {}))
    dry = {"dry_run": True} if "dry_run" in declared.optional_arguments else {}
    return {name: each for name, each in known.items() if name in wanted} | dry
