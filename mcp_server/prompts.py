"""The prompts: recurring work of sellers, as instructions for an agent."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field as Described

from core.database.session import read_scope
from core.tracking.list_filter import ListScope, default_list_scope
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.prompts import Instruction, PromptStep, prompt
from mcp_server.results.arguments import ProductName
from mcp_server.results.base import format_moment, format_product_name
from mcp_server.results.product_lookup import find_product

Hours = Annotated[int, Described(ge=1, le=168, description="Hours to look back: 1 to 168.")]
PeriodDays = Annotated[int, Described(ge=7, le=400, description="Days to look back: 7 to 400.")]
List = Annotated[
    ListScope | None,
    Described(
        description="mine or team. Default: a seller's own products, the team's for other roles."
    ),
]


@prompt("Daily briefing")
def daily_briefing(call: Call, hours: Hours = 24, whose: List = None) -> Instruction:
    """Summarize what changed since yesterday and which suggestions are pending."""
    since = format_moment(call.now - timedelta(hours=hours))
    scope = whose or default_list_scope(call.principal)
    return Instruction(
        goal=f"Write a briefing for a seller about the changes of {_SCOPES[scope]} since {since}.",
        steps=(
            PromptStep(
                "list_changes",
                f"changes since {since}, worst first. Read further pages with `next_cursor` while "
                "they matter.",
                {"since": since, "whose": scope.value},
            ),
            PromptStep(
                "get_price_history",
                "for each of the three worst price changes, 30 days: is the change unusual for "
                "this product?",
            ),
            PromptStep(
                "get_bsr_history",
                "for each of the three worst rank changes, 30 days: is the change unusual for this "
                "product?",
            ),
            PromptStep(
                "get_fetch_status",
                "without a product: were all products checked? If not, `search_products` with sort "
                "`last_look` lists the oldest checks first; call this tool for each of them to "
                "find the reason and the next check.",
            ),
            PromptStep("list_suggestions", "pending suggestions, highest priority first."),
        ),
        report="at most ten lines. First what needs a user's action today, then the changes, then "
        "the pending suggestions, then what is unknown and why. If nothing changed, say so.",
    )


@prompt("Diagnose a rank drop")
def diagnose_rank_drop(call: Call, product: ProductName, days: PeriodDays = 30) -> Instruction:
    """Find when a product's rank worsened, what else changed, and the likely causes."""
    name = _find_product_name(call, product)
    about, period = {"product": name}, {"product": name, "days": days}
    return Instruction(
        goal=f"Find out whether the Best Sellers Rank of {name} worsened in the last {days} days, "
        "and why.",
        steps=(
            PromptStep("get_product_details", "current values and their age.", about),
            PromptStep(
                "get_bsr_history",
                "when the rank worsened and by which ratio. If the category changed, the series "
                "breaks there: don't compare ranks across the break.",
                period,
            ),
            PromptStep(
                "get_price_history",
                "whether the price changed before that. Where the price is null, the product was "
                "not for sale, had no Buy Box, or was not checked: `explain_value` of "
                "`availability`, with a time in that period as `at`, returns which.",
                period,
            ),
            PromptStep(
                "get_rating_history", "whether rating or ratings count changed before that.", period
            ),
            PromptStep(
                "get_statistics",
                "the share of time in stock, and how often the product was checked. Missing checks "
                "are no evidence.",
                period,
            ),
            PromptStep(
                "get_competitor_analysis", "its competitors and their current values.", about
            ),
            PromptStep(
                "compare_products",
                f"the product and its competitors of the same category, {days} days: whether their "
                "ranks worsened too, which suggests a cause in the market. Without competitors, "
                "report that this is unknown.",
            ),
            PromptStep(
                "explain_value",
                "the source of the worst rank; pass its time as `at`.",
                {**about, "value": "rank"},
            ),
        ),
        report="whether the rank worsened, since when and by which ratio; then each possible "
        "cause with the figures for and against it, the likeliest first; then what the data can't "
        "show. An earlier change is not necessarily the cause: state your confidence.",
    )


@prompt("Prepare a listing review")
def prepare_listing_review(call: Call, product: ProductName) -> Instruction:
    """Compare a product's listing with its competitors' and draft improvements for a manager."""
    name = _find_product_name(call, product)
    about = {"product": name}
    return Instruction(
        goal=f"Prepare a review of the listing of {name} for the manager who approves changes.",
        steps=(
            PromptStep(
                "get_product_details", "current price, rank, rating and availability.", about
            ),
            PromptStep(
                "get_suggestion_evidence",
                "the current listing, the competitors, and every figure that a proposal may cite, "
                "by its key.",
                about,
            ),
            PromptStep(
                "get_competitor_analysis", "how the product compares with its competitors.", about
            ),
            PromptStep(
                "get_rating_history",
                "whether the rating improved or worsened.",
                {**about, "days": 90},
            ),
            PromptStep(
                "list_suggestions",
                "earlier suggestions for this product, in any state; `get_suggestion` returns one "
                "with its history.",
                {**about, "state": "any"},
            ),
            PromptStep(
                "propose_content_improvement",
                "your draft, first as a dry run. Use only facts from the listing and the evidence: "
                "invent no property, figure or claim. Correct what is refused and try again.",
                {**about, "dry_run": True},
            ),
            PromptStep(
                "propose_content_improvement",
                "the same without the dry run and with an idempotency key, once nothing is refused "
                "and the user agrees.",
                about,
            ),
        ),
        report="the weaknesses of the listing, quoting the words concerned; your proposal, old "
        "beside new; and the id of the pending suggestion.",
    )


@prompt("Competitor watch")
def competitor_watch(call: Call, product: ProductName, days: PeriodDays = 30) -> Instruction:
    """Report what competitors of a product changed, and whether to propose a response."""
    name = _find_product_name(call, product)
    about, period = {"product": name}, {"product": name, "days": days}
    return Instruction(
        goal=f"Report what the competitors of {name} changed in the last {days} days, and whether "
        "to respond.",
        steps=(
            PromptStep(
                "get_competitor_analysis",
                "the competitors and their current values. If none are chosen, say so, and use the "
                "products that `search_products` finds in the same marketplace with role "
                "`competitor`.",
                about,
            ),
            PromptStep(
                "compare_products",
                f"the product and up to four competitors of the same marketplace, {days} days.",
            ),
            PromptStep(
                "get_price_history",
                "for the competitor whose price changed most: how often, and whether it went back.",
            ),
            PromptStep("get_statistics", "the usual values of the product itself.", period),
            PromptStep(
                "get_suggestion_evidence",
                "every figure that a proposal may cite, by its key, and the price limits.",
                about,
            ),
            PromptStep(
                "propose_price_optimization",
                "only if the figures support it: first as a dry run, which also checks the price "
                "caps.",
                {**about, "dry_run": True},
            ),
        ),
        report="one line per competitor with price, rank and availability, each with its time; "
        "then what they changed; then whether to respond and how, or why not.",
    )


_SCOPES = {
    ListScope.MINE: "the products that they track",
    ListScope.TEAM: "the products that their team tracks",
}


def _find_product_name(call: Call, product: str) -> str:
    """Return a product's name for tools. Raises NotFoundError for an unknown product."""
    with read_scope() as session:
        head = find_product(session, call.principal, product)
    return format_product_name(head.marketplace, head.asin)
