"""A list's filter as SQL: tables, conditions, values. No queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.accounts.access.permissions import Principal
from core.thresholds import PRICE_CHANGE, RANK_CHANGE
from core.tracking.change_sentiment import NOT_A_PROBLEM, OPPORTUNITIES
from core.tracking.list_filter import RANK_WORSE_PERCENT, ListFilter, ListScope, State
from core.tracking.lists.search import Search, read_search
from core.tracking.lists.team_thresholds import default_percent

# Changes of products that were not checked for longer don't count.
RECENT_HOURS = 48

_JOINS = {
    "p": "JOIN product p ON p.id = t.product_id",
    "l": "JOIN product_latest l ON l.product_id = t.product_id",
    "x": "JOIN product_text x ON x.product_id = t.product_id",
    "c": "JOIN product_change c ON c.product_id = t.product_id",
}
_IS_RECENT = f"l.captured_at >= now() - interval '{RECENT_HOURS} hours'"

# The user's own threshold for a product, else the team's, which is read once.
PRICE_PERCENT = f"coalesce(t.price_change_percent, {default_percent(PRICE_CHANGE, '%(team)s')})"
RANK_PERCENT = f"coalesce(t.rank_change_percent, {default_percent(RANK_CHANGE, '%(team)s')})"
# Changes below the thresholds don't count. Ranks are compared by their ratio: halving counts as
# much as doubling.
_IS_PRICE_ENOUGH = f"abs(l.price - c.day_price) * 100 >= {PRICE_PERCENT} * c.day_price"
_IS_RANK_ENOUGH = f"""
greatest(l.bsr, c.day_bsr) * 100.0 >= least(l.bsr, c.day_bsr) * (100 + {RANK_PERCENT})
"""
IS_ENOUGH = f"""
(c.attention_kind <> 'price_moved' OR {_IS_PRICE_ENOUGH})
AND (c.attention_kind NOT IN ('rank_worsened', 'rank_improved') OR {_IS_RANK_ENOUGH})
"""

# A change that the team made itself, and a check verified, needs no attention: a price while it
# is the one that was set, a listing unless the price changed enough as well.
# A test compares the constant with its original.
LISTING_CHANGES = (
    "update_title",
    "update_bullets",
    "update_description",
    "add_images",
    "update_brand",
    "update_category",
)
_PRICE_SET = "a.change = 'update_price' AND (coalesce(a.edited, a.proposed) ->> 'price')::bigint"
_IS_VERIFIED = f"""
EXISTS (SELECT 1 FROM suggestion g JOIN suggestion_action a ON a.suggestion_id = g.id
    WHERE g.team_id = t.team_id AND g.product_id = t.product_id AND a.state = 'verified'
    AND a.verified_at >= now() - interval '{RECENT_HOURS} hours' AND {{what}})
"""
_IS_OWN_CHANGE = f"""
(t.role = 'own' AND (
    c.attention_kind = 'price_moved' AND {_IS_VERIFIED.format(what=f"{_PRICE_SET} = l.price")}
    OR c.attention_kind = 'listing_changed'
    AND coalesce(abs(l.price - c.day_price) * 100 < {PRICE_PERCENT} * c.day_price, true)
    AND {_IS_VERIFIED.format(what=f"a.change IN {LISTING_CHANGES}")}))
"""

# The kept change is the worst by the smallest thresholds of any user. Where it is a rank that is
# not far enough for this one, a price may have moved far enough, which is kept nowhere.
_IS_PRICE_INSTEAD = f"""
(c.attention_kind = 'rank_worsened' AND NOT {_IS_RANK_ENOUGH}
    AND c.day_price_change IS NOT NULL AND {_IS_PRICE_ENOUGH}
    AND (t.role || ':price_moved') <> ALL(%(calm)s)
    AND NOT (t.role = 'own' AND {_IS_VERIFIED.format(what=f"{_PRICE_SET} = l.price")}))
"""

# The columns of a change over so many days begin so.
PERIODS = {1: "day", 7: "week", 30: "month"}

# The built-in rule keeps the issue open until an own seller has the Buy Box again.
HAS_LOST_BUY_BOX = """
EXISTS (SELECT 1 FROM incident i JOIN alert_rule r ON r.id = i.rule_id
    WHERE i.product_id = t.product_id AND i.team_id = t.team_id
    AND i.state IN ('firing', 'flapping') AND r.code = 'buy_box_lost')
"""

# Numbers as stored in `product_latest.availability`; a test compares them with the enum.
IS_THERE = "l.availability IS DISTINCT FROM 8"
_STATES = {
    State.ATTENTION: f"(c.attention > 0 AND {_IS_RECENT} "
    f"AND ((t.role || ':' || c.attention_kind) <> ALL(%(calm)s) AND {IS_ENOUGH} "
    f"AND NOT {_IS_OWN_CHANGE} OR {_IS_PRICE_INSTEAD}))",
    State.OPPORTUNITY: f"(c.attention > 0 AND {_IS_RECENT} "
    f"AND (t.role || ':' || c.attention_kind) = ANY(%(opportunities)s) AND {IS_ENOUGH})",
    State.IN_STOCK: "l.availability IN (1, 2)",
    State.OUT_OF_STOCK: "l.availability IN (6, 7)",
    State.SUPPRESSED: "l.availability = 5",
    State.BUY_BOX_LOST: HAS_LOST_BUY_BOX,
    State.GONE: "l.availability = 8",
    State.UNKNOWN: "l.availability IS NULL",
    State.FLAGGED: "l.flags <> 0",
    State.PAUSED: "t.paused_at IS NOT NULL",
}
_OF_LATEST = frozenset(State) - {State.PAUSED, State.BUY_BOX_LOST}
_OF_CHANGE = frozenset((State.ATTENTION, State.OPPORTUNITY))


_OF_IMPORT = """
t.product_id IN (SELECT r.product_id FROM import_row r JOIN import_run i ON i.id = r.import_run_id
    WHERE i.id = %(import)s AND i.team_id = %(team)s AND r.verdict IN ('added', 'stored'))
"""


@dataclass(frozen=True, slots=True)
class FilterSql:
    """A filter for a statement over `tracking t`."""

    conditions: str
    values: dict[str, Any]
    needs: frozenset[str]  # the aliases of further tables in the conditions: p, l, x, c
    is_search: bool  # by words or an ASIN, which have an index
    scope: ListScope
    is_whole: bool  # the whole list of a user or a team

    def from_tables(self, *more: str, keep_all: bool = False) -> str:
        """Return the FROM list; `keep_all` includes products without a text."""
        needed = self.needs | set(more)
        joins = [_JOINS[name] for name in _JOINS if name in needed]
        if keep_all and "x" not in self.needs:
            joins = [f"LEFT {join}" if join == _JOINS["x"] else join for join in joins]
        return " ".join(["tracking t", *joins])


# One row for each product, even if several users track it.
SCOPES = {
    ListScope.MINE: "t.person_id = %(person)s",
    ListScope.TEAM: "t.team_id = %(team)s AND t.is_first",
}


def scope_values(principal: Principal) -> dict[str, int]:
    """Return the parameters of the conditions in `SCOPES`."""
    return {"person": principal.person_id, "team": principal.team_id}


def make_filter_sql(principal: Principal, list_filter: ListFilter) -> FilterSql:
    """Return the filter as SQL over the products that the user, or the team, tracks."""
    return make_filter_of(principal.person_id, principal.team_id, list_filter)


def make_filter_of(person_id: int, team_id: int, list_filter: ListFilter) -> FilterSql:
    """Return the filter as SQL over the products that a person of a team, or the team, tracks."""
    search = read_search(list_filter.search)
    conditions = [SCOPES[list_filter.scope], *_conditions(list_filter), *_search_conditions(search)]
    values: dict[str, Any] = {
        "person": person_id,
        "team": team_id,
        "marketplaces": list(list_filter.marketplaces),
        "roles": [role.value for role in list_filter.roles],
        "tags": list(list_filter.tags),
        "rank_worse": 1 + RANK_WORSE_PERCENT / 100,
        "calm": list(NOT_A_PROBLEM),
        "opportunities": list(OPPORTUNITIES),
        "import": list_filter.import_id,
        "words": search.words,
        "pairs": list(search.pairs),
        "asin": f"{search.asin_prefix}%",
    }
    if list_filter.search.strip() and search.is_empty:
        conditions.append("false")  # only punctuation was typed: no title matches
    needs = frozenset(_needed_tables(list_filter, search))
    return FilterSql(
        " AND ".join(conditions),
        values,
        needs,
        not search.is_empty,
        list_filter.scope,
        list_filter.is_empty,
    )


def _conditions(list_filter: ListFilter) -> Iterator[str]:
    if list_filter.marketplaces:
        yield "p.marketplace = ANY(%(marketplaces)s)"
    if list_filter.roles:
        yield "t.role = ANY(%(roles)s)"
    if list_filter.tags:
        yield "t.tags && %(tags)s::text[]"
    if list_filter.is_paused is not None:
        yield f"t.paused_at IS {'NOT NULL' if list_filter.is_paused else 'NULL'}"
    if list_filter.rank_worse_days is not None:
        period = PERIODS[list_filter.rank_worse_days]
        yield f"c.{period}_rank_change >= ln(%(rank_worse)s::float8)"
    if list_filter.import_id is not None:
        yield _OF_IMPORT
    if list_filter.states:
        yield "(" + " OR ".join(_STATES[state] for state in list_filter.states) + ")"


def _search_conditions(search: Search) -> Iterator[str]:
    by_text = []
    if search.words is not None:
        by_text.append("words @@ to_tsquery('simple', %(words)s)")
    if search.pairs:
        by_text.append("pairs @> %(pairs)s::text[]")
    if search.asin_prefix is not None and not by_text:
        yield "p.asin LIKE %(asin)s"
        return
    ways = []
    if by_text:
        ways.append("SELECT product_id FROM product_text WHERE " + " AND ".join(by_text))
    if search.asin_prefix is not None:
        ways.append("SELECT id FROM product WHERE asin LIKE %(asin)s")
    if ways:
        yield "t.product_id IN (" + " UNION ALL ".join(ways) + ")"


def _needed_tables(list_filter: ListFilter, search: Search) -> Iterator[str]:
    if list_filter.marketplaces or search.asin_prefix is not None:
        yield "p"
    if _OF_LATEST.intersection(list_filter.states):
        yield "l"
    if _OF_CHANGE.intersection(list_filter.states) or list_filter.rank_worse_days is not None:
        yield "c"
