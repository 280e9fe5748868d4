"""A list's filter as SQL: which tables it needs, which conditions, which values. No queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.accounts.access.permissions import Principal
from core.tracking.change_sentiment import NOT_A_PROBLEM, OPPORTUNITIES
from core.tracking.list_filter import ListFilter, ListScope, State
from core.tracking.lists.search import Search, read_search

# Findings of a product that was not looked at for longer are no news.
RECENT_HOURS = 48

_JOINS = {
    "p": "JOIN product p ON p.id = t.product_id",
    "l": "JOIN product_latest l ON l.product_id = t.product_id",
    "x": "JOIN product_text x ON x.product_id = t.product_id",
}
_IS_RECENT = f"l.captured_at >= now() - interval '{RECENT_HOURS} hours'"

# A person's own thresholds keep smaller changes from being news to them. Ranks are
# compared by their ratio: half as far is as much as twice as far.
IS_ENOUGH = """
(l.attention_kind <> 'price_moved' OR t.price_change_percent IS NULL
    OR abs(l.price - l.prior_price) * 100 >= t.price_change_percent * l.prior_price)
AND (l.attention_kind NOT IN ('rank_worsened', 'rank_improved') OR t.rank_change_percent IS NULL
    OR greatest(l.bsr, l.prior_bsr) * 100.0
       >= least(l.bsr, l.prior_bsr) * (100 + t.rank_change_percent))
"""

# A change that the team itself made and a check confirmed asks for no attention: of the price
# while it is the one that was set, of the listing unless the price moved besides by far enough.
# A test compares both constants with what they repeat.
SMALL_MOVE = 0.05  # of a price: below it a move is no finding
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
    l.attention_kind = 'price_moved' AND {_IS_VERIFIED.format(what=f"{_PRICE_SET} = l.price")}
    OR l.attention_kind = 'listing_changed'
    AND coalesce(abs(l.price - l.prior_price) < {SMALL_MOVE} * l.prior_price, true)
    AND {_IS_VERIFIED.format(what=f"a.change IN {LISTING_CHANGES}")}))
"""

# Numbers as stored in `product_latest.availability`; a test compares them with the enum.
IS_THERE = "l.availability IS DISTINCT FROM 8"
_STATES = {
    State.ATTENTION: f"(l.attention > 0 AND {_IS_RECENT} "
    f"AND (t.role || ':' || l.attention_kind) <> ALL(%(calm)s) AND {IS_ENOUGH} "
    f"AND NOT {_IS_OWN_CHANGE})",
    State.OPPORTUNITY: f"(l.attention > 0 AND {_IS_RECENT} "
    f"AND (t.role || ':' || l.attention_kind) = ANY(%(opportunities)s) AND {IS_ENOUGH})",
    State.IN_STOCK: "l.availability IN (1, 2)",
    State.OUT_OF_STOCK: "l.availability IN (6, 7)",
    State.SUPPRESSED: "l.availability = 5",
    State.GONE: "l.availability = 8",
    State.UNKNOWN: "l.availability IS NULL",
    State.FLAGGED: "l.flags <> 0",
    State.PAUSED: "t.paused_at IS NOT NULL",
}
_OF_LATEST = frozenset(State) - {State.PAUSED}


@dataclass(frozen=True, slots=True)
class FilterSql:
    """A filter, ready to be put into a statement over `tracking t`."""

    conditions: str
    values: dict[str, Any]
    needs: frozenset[str]  # the further tables that the conditions name: p, l, x
    is_search: bool  # by words or an ASIN: an index finds the hits

    def tables(self, *more: str, keep_all: bool = False) -> str:
        """Return the FROM list; `keep_all` keeps products that have no text yet."""
        needed = self.needs | set(more)
        joins = [_JOINS[name] for name in ("p", "l", "x") if name in needed]
        if keep_all and "x" not in self.needs:
            joins = [f"LEFT {join}" if join == _JOINS["x"] else join for join in joins]
        return " ".join(["tracking t", *joins])


# One row for each product, whoever of several follows it.
SCOPES = {
    ListScope.MINE: "t.person_id = %(person)s",
    ListScope.TEAM: "t.team_id = %(team)s AND t.is_first",
}


def scope_values(principal: Principal) -> dict[str, int]:
    """Return the values that the conditions of `SCOPES` name."""
    return {"person": principal.person_id, "team": principal.team_id}


def filter_sql(principal: Principal, asked: ListFilter) -> FilterSql:
    """Return the filter as SQL over what the person, or the team, follows."""
    search = read_search(asked.search)
    conditions = [SCOPES[asked.whose], *_conditions(asked), *_search_conditions(search)]
    values: dict[str, Any] = {
        **scope_values(principal),
        "marketplaces": list(asked.marketplaces),
        "roles": [role.value for role in asked.roles],
        "tags": list(asked.tags),
        "calm": list(NOT_A_PROBLEM),
        "opportunities": list(OPPORTUNITIES),
        "words": search.words,
        "pairs": list(search.pairs),
        "asin": f"{search.asin_prefix}%",
    }
    if asked.search.strip() and search.is_empty:
        conditions.append("false")  # only signs were typed: no title consists of signs
    needs = frozenset(_needs(asked, search))
    return FilterSql(" AND ".join(conditions), values, needs, not search.is_empty)


def _conditions(asked: ListFilter) -> Iterator[str]:
    if asked.marketplaces:
        yield "p.marketplace = ANY(%(marketplaces)s)"
    if asked.roles:
        yield "t.role = ANY(%(roles)s)"
    if asked.tags:
        yield "t.tags && %(tags)s::text[]"
    if asked.is_paused is not None:
        yield f"t.paused_at IS {'NOT NULL' if asked.is_paused else 'NULL'}"
    if asked.states:
        yield "(" + " OR ".join(_STATES[state] for state in asked.states) + ")"


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


def _needs(asked: ListFilter, search: Search) -> Iterator[str]:
    if asked.marketplaces or search.asin_prefix is not None:
        yield "p"
    if _OF_LATEST.intersection(asked.states):
        yield "l"
