"""Health's figures of the day: worker, queue, checks, cost."""

from app import data
from app.components import cards
from core.text.numbers import format_capped_count, format_count, format_dollars
from core.text.times import format_age, format_moment
from core.upkeep.health import Health, is_worker_alive


def show_figures(health: Health) -> None:
    """Show the figures of the day, with units and age."""
    due = sum(each.schedule.due for each in health.providers)
    overdue = sum(each.schedule.overdue for each in health.providers)
    leased = sum(each.schedule.leased for each in health.providers)
    counted = format_moment(health.as_of, data.get_principal().time_zone)
    cards.show_metrics(
        [
            _worker_card(health),
            cards.Card(
                "Due now",
                format_capped_count(due),
                note=f"{format_capped_count(overdue)} overdue",
                about="Products whose time has come; overdue for more than an hour. "
                f"Counted {counted}.",
            ),
            cards.Card(
                "Being fetched",
                format_capped_count(leased),
                note="in open runs",
                about=f"Counted {counted}.",
            ),
            _checks_card(health),
            _cost_card(health),
        ]
    )


def _worker_card(health: Health) -> cards.Card:
    is_alive = is_worker_alive(health.worker_seen_at, health.as_of)
    seen = health.worker_seen_at
    return cards.Card(
        "Worker",
        "Running" if is_alive else "Silent" if seen else "Never ran",
        note="no sign of life yet" if seen is None else f"seen {format_age(seen, health.as_of)}",
        about="It gives a sign of life every minute; after three it counts as silent.",
    )


def _checks_card(health: Health) -> cards.Card:
    checks = health.checks
    return cards.Card(
        "Checks (24 h)",
        format_count(checks.total),
        note=f"{format_count(checks.failed)} failed",
        about="Products asked for in the newest fetch runs that have ended.",
    )


def _cost_card(health: Health) -> cards.Card:
    paid = [each for each in health.providers if each.is_paid]
    if not paid:
        return cards.Card("Cost today", "none", note="no paid provider is used")
    first = paid[0]
    return cards.Card(
        "Cost today (UTC)",
        format_dollars(first.dollars_today),
        note=f"of {format_dollars(first.dollars_per_day)} a day",
        about="What runs cost as Apify reports it; expected costs where it has not reported yet. "
        f"This month: {format_dollars(first.dollars_this_month)}.".replace("$", "\\$"),
    )
