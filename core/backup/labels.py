"""What waits after a restore, in words. Pure."""

from collections.abc import Iterator

from core.backup.pause import PausedWork, RestorePause, TokenInForce
from core.text.numbers import format_counted, format_dollars
from core.text.times import format_day, format_moment
from core.upkeep.health import name_provider


def describe_pause(pause: RestorePause, time_zone: str) -> str:
    """Return since when what is paused, and why."""
    made = format_moment(pause.made_at, time_zone)
    return (
        f"Checks, notifications and approved changes are paused: a backup of {made} was restored "
        f"on {format_moment(pause.restored_at, time_zone)}."
    )


def describe_paused_work(work: PausedWork) -> Iterator[str]:
    """Yield what begins when the pause ends, a sentence each."""
    for each in work.products:
        cost = f", for about {format_dollars(each.dollars)}" if each.dollars else ""
        if each.products:
            products = format_counted(each.products, "product")
            yield f"{name_provider(each.provider)}: {products} due to be checked{cost}."
    if work.open_runs:
        yield f"{format_counted(work.open_runs, 'run')} of then to be read, not started again."
    if work.approved_actions:
        changes = format_counted(work.approved_actions, "approved change")
        yield f"{changes} to be applied: the suggestions list shows them."
    yield (
        "Alerts, reports and notices from before the backup are not sent. All users sign in again."
    )


def describe_token(token: TokenInForce) -> str:
    """Return an API token in one line."""
    until = "" if token.expires_at is None else f", until {format_day(token.expires_at.date())}"
    return f"{token.name} ({token.hint}…) of {token.owner}{until}"
