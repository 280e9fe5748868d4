"""The operator's commands. Each says what it does and calls the code that does it."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.errors import AmazcopeError
from core.importing.values.rows import DayOrder
from core.tracking.rules import Role

_POLITENESS = 5  # of the worker: the pages go first when both want the processor

commands = typer.Typer(
    help="Amazcope's commands for operators.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> int:
    """Run a command and return its exit code; an expected error becomes one sentence.

    Raises SystemExit for a command line that can't be understood.
    """
    try:
        commands()
    except AmazcopeError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


@commands.command()
def up() -> None:
    """Run Amazcope: its database, the pages, the worker, and the demo's stand-in."""
    from jobs.launcher.up import run_everything  # the other commands need none of it

    raise typer.Exit(run_everything(_say))


@commands.command()
def prepare() -> None:
    """Bring the database to the newest schema; load the demo market on the first start."""
    from jobs.launcher.up import prepare_data

    prepare_data(_say)


@commands.command()
def migrate() -> None:
    """Bring the database and the queue's tables to the newest schema; let somebody in."""
    from jobs.launcher.up import bring_people_in, migrate_database

    _say("Migrated." if migrate_database() else "Nothing to migrate.")
    bring_people_in(_say)


@commands.command()
def worker() -> None:
    """Run the worker: scraping, imports, upkeep."""
    os.nice(_POLITENESS)  # before all that has to be brought in
    from jobs.launcher.worker import run

    run()


@commands.command("import")
def import_(
    path: Path,
    marketplace: Annotated[
        str | None, typer.Option(help="Marketplace of rows that name none, such as DE.")
    ] = None,
    captured_at: Annotated[
        datetime | None,
        typer.Option(help="When the file was captured, in UTC, if it says no time."),
    ] = None,
    dates: Annotated[
        DayOrder | None, typer.Option(help="How 03/04/2026 is read, if the file can't tell.")
    ] = None,
    role: Annotated[Role, typer.Option(help="What the products are to you.")] = Role.WATCHED,
    tag: Annotated[list[str] | None, typer.Option(help="A tag for all products.")] = None,
    fetch: Annotated[bool, typer.Option(help="Also fetch the products from now on.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Import a file: lists, Keepa, Apify data sets, history tables. Shows it first and asks."""
    from core.importing.readers.columns import find_marketplace
    from core.importing.service import Confirmation
    from jobs.commands import by_hand

    offered = by_hand.offer_file(path)
    for line in offered.summary:
        _say(line)
    if not (yes or typer.confirm("Import this?")):
        by_hand.discard_offered(offered.id)
        raise typer.Exit(1)
    confirmed = Confirmation(
        marketplace=find_marketplace(marketplace).code if marketplace else None,
        captured_at=captured_at.replace(tzinfo=UTC) if captured_at else None,
        day_order=dates,
        role=role,
        tags=tuple(tag or ()),
        is_fetched=fetch,
    )
    raise typer.Exit(0 if by_hand.import_offered(offered.id, confirmed, _say) else 1)


@commands.command()
def fetch(
    products: Annotated[
        list[str] | None, typer.Argument(help="Addresses of products. None: all that are due.")
    ] = None,
) -> None:
    """Fetch products now and wait for the result."""
    from jobs.commands import by_hand

    raise typer.Exit(0 if by_hand.fetch_now(products or [], _say) else 1)


@commands.command()
def demo(
    remove: Annotated[bool, typer.Option("--remove", help="Delete it instead.")] = False,
) -> None:
    """Create the demo market of invented products, or remove it."""
    from jobs.commands import by_hand

    (by_hand.drop_demo if remove else by_hand.make_demo)(_say)


@commands.command()
def people(
    setup_link: Annotated[
        bool, typer.Option("--setup-link", help="Print the link that makes the first one.")
    ] = False,
    reset: Annotated[
        str | None, typer.Option(help="Print a link for a new password of this mail address.")
    ] = None,
) -> None:
    """List who is in the team, or print a link by which somebody gets in."""
    from jobs.launcher import accounts_setup as known

    if reset is not None:
        known.print_reset_link(reset, _say)
    elif setup_link:
        raise typer.Exit(0 if known.print_setup_link(_say) else 1)
    else:
        known.list_people(_say)


@commands.command()
def audit(
    head: Annotated[
        str | None, typer.Option(help="A head that was printed earlier, to be found again.")
    ] = None,
) -> None:
    """Verify the audit's chain; the exit code is 1 when an event is missing or altered."""
    from jobs.tasks.maintenance import verify_audit

    raise typer.Exit(0 if verify_audit(head, _say) else 1)


@commands.command()
def check() -> None:
    """Check everything Amazcope depends on; the exit code is 1 when something is wrong."""
    from jobs.commands.check import check_everything

    findings = check_everything()
    for finding in findings:
        mark = "ok  " if finding.is_good else "FAIL"
        _say(f"{mark}  {finding.subject:<14}{finding.sentence}")
    raise typer.Exit(0 if all(finding.is_good for finding in findings) else 1)


def _say(sentence: str) -> None:
    print(sentence, flush=True)
