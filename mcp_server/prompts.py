"""The prompts: work that sellers do again and again, as instructions for an agent."""

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

Hours = Annotated[int, Described(ge=1, le=168, description="How many hours back: 1 to 168.")]
PeriodDays = Annotated[int, Described(ge=7, le=400, description="How many days back: 7 to 400.")]
List = Annotated[
    ListScope | None,
    Described(description="mine or team; left out: a seller's own products, else the team's."),
]


@prompt("Daily briefing")
def daily_briefing(call: Call, hours: Hours = 24, whose: List = None) -> Instruction:
    """Tell what moved since yesterday and what waits for a decision."""
    since = format_moment(call.now - timedelta(hours=hours))
    mine = whose or default_list_scope(call.principal)
    return Instruction(
        goal=f"Write a briefing for a seller of what happened to {_WHOSE[mine]} since {since}.",
        steps=(
            PromptStep(
                "list_changes",
                f"what moved since {since}, worst first. Follow `next_cursor` as long as there "
                "is more that matters.",
                {"since": since, "whose": mine.value},
            ),
            PromptStep(
                "get_price_history",
                "for each of the three worst changes of price, 30 days: is it new, or the usual?",
            ),
            PromptStep(
                "get_bsr_history",
                "for each of the three worst changes of rank, 30 days: the same question.",
            ),
            PromptStep(
                "get_fetch_status",
                "without a product: was everything checked? If not, `search_products` with sort "
                "`last_look` shows the oldest first; then this tool for each of them: why, and "
                "when next?",
            ),
            PromptStep("list_suggestions", "those that wait for a decision, most urgent first."),
        ),
        report="at most ten lines. First what needs a person today, then what moved, then what "
        "waits for a manager, then what is unknown and why. Nothing moved is an answer.",
    )


@prompt("Diagnose a rank drop")
def diagnose_rank_drop(call: Call, product: ProductName, days: PeriodDays = 30) -> Instruction:
    """Find out when a product's rank worsened, what else changed then, and what explains it."""
    name = _known(call, product)
    about, period = {"product": name}, {"product": name, "days": days}
    return Instruction(
        goal=f"Find out why the Best Sellers Rank of {name} worsened in the last {days} days, if "
        "it did.",
        steps=(
            PromptStep("get_product_details", "what is known now, and how old it is.", about),
            PromptStep(
                "get_bsr_history",
                "when it worsened, how far as a ratio, and whether the category changed: then "
                "the line breaks there and nothing is compared across.",
                period,
            ),
            PromptStep(
                "get_price_history",
                "did its price move before that? In a stretch of null it was not for sale, had no "
                "Buy Box, or nobody looked: `explain_value` of `availability`, with a time in the "
                "stretch as `at`, says which.",
                period,
            ),
            PromptStep(
                "get_rating_history", "did rating or count of ratings move before that?", period
            ),
            PromptStep(
                "get_statistics",
                "what part of the time was it in stock, and how often was it checked? A hole "
                "explains nothing.",
                period,
            ),
            PromptStep(
                "get_competitor_analysis", "who its competitors are, and how they stand.", about
            ),
            PromptStep(
                "compare_products",
                f"it and its competitors of the same category, {days} days: did their ranks move "
                "too? Then it is the market. Without competitors this can't be known.",
            ),
            PromptStep(
                "explain_value",
                "which source said the worst rank? Hand its time over as `at`.",
                {**about, "value": "rank"},
            ),
        ),
        report="whether the rank worsened, since when and by which ratio; then each possible "
        "cause with the figures for and against it, the likeliest first; then what can't be "
        "known from here. What came before is not yet the cause: say how sure you are.",
    )


@prompt("Prepare a listing review")
def prepare_listing_review(call: Call, product: ProductName) -> Instruction:
    """Compare a product's listing with its competitors' and draft improvements for a manager."""
    name = _known(call, product)
    about = {"product": name}
    return Instruction(
        goal=f"Prepare a review of the listing of {name} for the manager who decides on it.",
        steps=(
            PromptStep("get_product_details", "price, rank, rating and availability now.", about),
            PromptStep(
                "get_suggestion_evidence",
                "its listing as it stands, its competitors, and every figure that a proposal may "
                "cite, by its key.",
                about,
            ),
            PromptStep("get_competitor_analysis", "how it compares with its competitors.", about),
            PromptStep(
                "get_rating_history",
                "is it rated better or worse than before?",
                {**about, "days": 90},
            ),
            PromptStep(
                "list_suggestions",
                "what was proposed for it before, in any state; `get_suggestion` says what came of "
                "one.",
                {**about, "state": "any"},
            ),
            PromptStep(
                "propose_content_improvement",
                "your draft, first as a dry run. Keep to what the listing and the evidence say: "
                "invent no property, no figure, no claim. Mend what is refused and try again.",
                {**about, "dry_run": True},
            ),
            PromptStep(
                "propose_content_improvement",
                "the same without the dry run, with an idempotency key, once nothing is refused "
                "and the person you work for agrees.",
                about,
            ),
        ),
        report="what is weak in the listing, with the words it concerns in quotation marks; what "
        "you proposed, old beside new; and the number of the suggestion that waits.",
    )


@prompt("Competitor watch")
def competitor_watch(call: Call, product: ProductName, days: PeriodDays = 30) -> Instruction:
    """Tell what competitors of a product did, and whether an answer is worth proposing."""
    name = _known(call, product)
    about, period = {"product": name}, {"product": name, "days": days}
    return Instruction(
        goal=f"Tell what the competitors of {name} did in the last {days} days, and whether to "
        "answer.",
        steps=(
            PromptStep(
                "get_competitor_analysis",
                "who they are, and how they stand. Where none is chosen, say so, and take those "
                "that `search_products` finds in the same marketplace with role `competitor`.",
                about,
            ),
            PromptStep(
                "compare_products",
                f"it and up to four competitors of the same marketplace, {days} days.",
            ),
            PromptStep("get_price_history", "of whoever moved most: how often, and back again?"),
            PromptStep("get_statistics", "what is usual for the product itself.", period),
            PromptStep(
                "get_suggestion_evidence",
                "every figure that a proposal may cite, by its key, and the limits of its price.",
                about,
            ),
            PromptStep(
                "propose_price_optimization",
                "only where the figures carry it: first as a dry run, which also says whether the "
                "price caps allow it.",
                {**about, "dry_run": True},
            ),
        ),
        report="one line per competitor with price, rank and availability, each with its time; "
        "then what they changed; then whether to answer and how, or why not to.",
    )


_WHOSE = {
    ListScope.MINE: "the products that they track",
    ListScope.TEAM: "the products that their team tracks",
}


def _known(call: Call, product: str) -> str:
    """Return how tools name a product. Raises NotFoundError for one that is not known here."""
    with read_scope() as session:
        head = find_product(session, call.principal, product)
    return format_product_name(head.marketplace, head.asin)
