"""The command line. Each command only reads its options and calls the code that does the work."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.errors import AmazcopeError
from core.importing.values.rows import DayOrder
from core.tracking.rules import Role

_NICENESS = 5  # of the worker, so that the pages get the processor first

commands = typer.Typer(
    help="Run and operate Amazcope.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> int:
    """Run a command and return its exit code; an expected error is printed as one sentence.

    Raises SystemExit for invalid arguments.
    """
    try:
        commands()
    except AmazcopeError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        from core.database.outages import describe_outage  # commands that end well don't need it

        sentence = describe_outage(error)
        if sentence is None:
            raise
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        print(f"Error: {sentence} ({reason})", file=sys.stderr)
        return 1
    return 0


@commands.command()
def up() -> None:
    """Run Amazcope: database, web pages, worker, MCP server, and the demo's fake Apify server."""
    from jobs.launcher.up import run_everything  # the other commands don't need it

    raise typer.Exit(run_everything(_report))


@commands.command()
def prepare() -> None:
    """Update the database schema, and load the demo data on the first start."""
    from jobs.launcher.up import prepare_data

    prepare_data(_report)


@commands.command()
def migrate() -> None:
    """Update the schema of database and queue, and set up the first accounts."""
    from jobs.launcher.up import migrate_database, set_up_accounts

    _report("Migrated." if migrate_database() else "Nothing to migrate.")
    set_up_accounts(_report)


@commands.command()
def worker() -> None:
    """Run the worker: checks, imports, suggestions, maintenance."""
    os.nice(_NICENESS)  # before the imports, which take a while
    from jobs.launcher.worker import run_worker

    run_worker()


@commands.command("import")
def import_(
    path: Path,
    marketplace: Annotated[
        str | None, typer.Option(help="Marketplace of rows without one, such as DE.")
    ] = None,
    captured_at: Annotated[
        datetime | None,
        typer.Option(help="When the file was captured (UTC), if it contains no time."),
    ] = None,
    dates: Annotated[
        DayOrder | None,
        typer.Option(help="Order of dates such as 03/04/2026, if the file doesn't show it."),
    ] = None,
    role: Annotated[Role, typer.Option(help="Role of the tracked products.")] = Role.WATCHED,
    tag: Annotated[
        list[str] | None, typer.Option(help="Tag for all products; repeat for more.")
    ] = None,
    fetch: Annotated[bool, typer.Option(help="Track the products daily from now on.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
) -> None:
    """Import a file: a list, Keepa, an Apify data set or a history table. Shows a preview first."""
    from core.importing.readers.columns import find_marketplace
    from core.importing.service import Confirmation
    from jobs.commands import by_hand

    offered = by_hand.offer_file(path)
    for line in offered.summary:
        _report(line)
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
    raise typer.Exit(0 if by_hand.import_offered(offered.id, confirmed, _report) else 1)


@commands.command()
def fetch(
    products: Annotated[
        list[str] | None,
        typer.Argument(help="URLs or ASINs of products. Default: all that are due."),
    ] = None,
) -> None:
    """Check products now and wait until they are done."""
    from jobs.commands import by_hand

    raise typer.Exit(0 if by_hand.fetch_products(products or [], _report) else 1)


@commands.command()
def demo(
    remove: Annotated[bool, typer.Option("--remove", help="Remove the demo data instead.")] = False,
) -> None:
    """Load the demo data (not real products), or remove it."""
    from jobs.commands import by_hand

    (by_hand.delete_demo if remove else by_hand.add_demo)(_report)


@commands.command()
def people(
    setup_link: Annotated[
        bool,
        typer.Option("--setup-link", help="Print the link that sets up the first administrator."),
    ] = False,
    reset: Annotated[
        str | None,
        typer.Option(help="Print a link that sets a new password for this email address."),
    ] = None,
) -> None:
    """List the users, or print a link that lets one sign in."""
    from jobs.launcher import accounts_setup

    if reset is not None:
        accounts_setup.print_reset_link(reset, _report)
    elif setup_link:
        raise typer.Exit(0 if accounts_setup.print_setup_link(_report) else 1)
    else:
        accounts_setup.list_people(_report)


@commands.command()
def audit(
    head: Annotated[
        str | None, typer.Option(help="A head printed earlier, which must be in the chain.")
    ] = None,
) -> None:
    """Verify the audit chain; exit code 1 if an event is missing or altered."""
    from jobs.tasks.maintenance import verify_audit

    raise typer.Exit(0 if verify_audit(head, _report) else 1)


@commands.command()
def backup(
    to: Annotated[
        Path | None, typer.Option(help="Folder. Default: AMAZCOPE_BACKUP_TO, or var/backups.")
    ] = None,
) -> None:
    """Make a backup of the database, while Amazcope runs or not."""
    from jobs.commands.backups import back_up

    back_up(to, _report)


@commands.command()
def restore(
    path: Annotated[Path, typer.Argument(help="The dump of a backup, or its manifest.")],
    key: Annotated[
        Path | None, typer.Option(help="File with the private key of an encrypted backup.")
    ] = None,
) -> None:
    """Restore a backup into an empty database; checks and deliveries wait for `resume`."""
    from jobs.commands import backups

    backups.restore(path, key, _report)


@commands.command()
def resume(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
) -> None:
    """Let checks, deliveries and approved changes go on after a restore; shows what is due."""
    from jobs.commands import backups

    is_done = backups.resume(lambda question: yes or typer.confirm(question), _report)
    raise typer.Exit(0 if is_done else 1)


@commands.command()
def check() -> None:
    """Check everything Amazcope depends on; exit code 1 if something is wrong."""
    from jobs.commands.check import check_everything

    results = check_everything()
    for result in results:
        mark = "ok  " if result.is_good else "FAIL"
        _report(f"{mark}  {result.subject:<14}{result.sentence}")
    raise typer.Exit(0 if all(result.is_good for result in results) else 1)


def _report(sentence: str) -> None:
    print(sentence, flush=True)
