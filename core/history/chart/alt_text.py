"""Sentences that say what the product's chart shows, and what it lacks."""

from core.catalog.money import format_price
from core.history.buy_box.holders import HolderState
from core.history.chart import extra_lines
from core.history.chart.content import ChartContent, Series
from core.history.observation import Availability
from core.history.timeline import axes, series
from core.text.numbers import format_counted, format_rank


def describe_chart(content: ChartContent) -> str:
    """Return the findings of a chart: price, rank, Buy Box, stock, deals."""
    timeline = content.timeline
    price = axes.find_span(timeline.get_line(series.PRICE))
    rank = axes.find_span(timeline.get_line(series.RANK))
    sentences = ["By day."] if timeline.is_by_day else []
    sentences += [_describe_price(price, content.marketplace), _describe_rank(rank)]
    sentences += [each for each in (_describe_holders(content), _describe_stock(content)) if each]
    if content.deals and Series.DEALS in content.shown:
        sentences.append(f"{format_counted(len(content.deals), 'deal')}.")
    return " ".join(sentences)


def _describe_price(span: axes.LineSpan | None, marketplace: str) -> str:
    if span is None:
        return "No price is known in this period."
    first, last, low, high = (
        format_price(amount, marketplace) for amount in (span.first, span.last, span.low, span.high)
    )
    if span.low == span.high:
        return f"Price stays at {last}."
    return f"Price from {first} to {last}, between {low} and {high}."


def _describe_rank(span: axes.LineSpan | None) -> str:
    if span is None:
        return "No rank is known in this period."
    last, best = format_rank(span.last), format_rank(span.low)
    if span.last == span.first:
        return f"Rank is {last} at the start and at the end, best {best}."
    verb = "improves" if span.last < span.first else "worsens"
    return f"Rank {verb} from {format_rank(span.first)} to {last}, best {best}."


def _describe_holders(content: ChartContent) -> str:
    sellers = {
        each.holder.label for each in content.holders if each.holder.state is HolderState.SELLER
    }
    return f"{format_counted(len(sellers), 'seller')} held the Buy Box." if sellers else ""


def _describe_stock(content: ChartContent) -> str:
    out = (Availability.UNAVAILABLE, Availability.NO_OFFERS)
    runs = [each for each in content.timeline.find_states() if each[2] in out]
    return f"Out of stock {format_counted(len(runs), 'time')}." if runs else ""


def list_missing(content: ChartContent) -> list[str]:
    """Return sentences on what was chosen and has nothing to draw. Names are from outside."""
    extras, shown = content.extras, content.shown
    lines: dict[Series, bool] = {}
    if extras is not None:
        for each, field in ((Series.NEW, series.NEW_PRICE), (Series.USED, series.USED_PRICE)):
            lines[each] = each in shown and extras.get_line(field).is_empty
        lines[Series.COUPONS] = (
            Series.COUPONS in shown and extra_lines.apply_coupons(extras).is_empty
        )
        lines[Series.SUB_RANKS] = Series.SUB_RANKS in shown and not content.sub_ranks
    absent = [each.value for each, is_absent in lines.items() if is_absent]
    sentences = [f"None in this period: {', '.join(absent)}."] if absent else []
    others = [each.name for each in content.competitors if each.ranks.is_empty]
    if others:
        sentences.append(f"Rank not drawn, unknown or of another category: {', '.join(others)}.")
    return sentences
