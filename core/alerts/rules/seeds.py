"""Gives every team the built-in rules. Never commits."""

import json

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.alerts.rules.builtin import make_new_rules
from core.alerts.rules.rule_json import dump_rule

_ADD = text("""
INSERT INTO alert_rule (team_id, code, definition, active_from)
SELECT t.id, r.code, r.definition, now()
FROM team t
CROSS JOIN jsonb_to_recordset(CAST(:rules AS jsonb))
    AS r (place integer, code text, definition jsonb)
ORDER BY t.id, r.place
ON CONFLICT (team_id, code) DO NOTHING
RETURNING id
""")


def add_missing_rules(session: Session) -> int:
    """Add to every team the built-in rules that it lacks, from now on; return how many."""
    rules = [
        {"place": place, "code": each.code, "definition": dump_rule(each.rule)}
        for place, each in enumerate(make_new_rules())
    ]
    return len(session.execute(_ADD, {"rules": json.dumps(rules)}).all())
