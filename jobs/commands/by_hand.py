"""The work of the commands: import a file, check products now, load or remove the demo data.

The same operations as on the pages, run in this process instead of the worker.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from core.accounts.people.membership import get_owner_principal
from core.backup.pause import PAUSED
from core.catalog.asin import MentionVerdict, read_mentions
from core.catalog.service import find_products
from core.database.session import database_time, read_scope, write_scope
from core.demo.seed import load_demo, remove_demo
from core.errors import InvalidInputError, NotFoundError
from core.importing import service
from core.importing.models import ImportRun
from core.importing.trial import TrialContext
from core.importing.values.rows import KIND_LABELS, FileKind
from core.importing.values.timestamps import describe_zone
from core.runtime.log import Reporter
from core.scraping.runs.dispatch import OPEN_STATES
from core.scraping.runs.models import FetchRun
from core.settings.environment import get_settings
from core.text.numbers import format_counted
from core.tracking.service import request_checks
from jobs.job import is_paused
from jobs.tasks.collect_runs import advance_open_runs
from jobs.tasks.dispatch_runs import start_due_runs
from jobs.tasks.import_files import run_import


@dataclass(frozen=True, slots=True)
class Offered:
    """An import before its confirmation."""

    id: int
    summary: list[str]


def offer_file(path: Path) -> Offered:
    """Store a file as an offered import and return its description, line by line.

    Raises InvalidInputError if it can't be imported.
    """
    if not path.is_file():
        raise InvalidInputError(f"There is no file {path}.")
    with read_scope() as session:
        trial = TrialContext(get_owner_principal(session).time_zone, database_time())
    limit = get_settings().amazcope_upload_mb
    examined = service.examine_file(path, path.name, limit, trial=trial)
    with write_scope() as session:
        principal = get_owner_principal(session)
        run = service.offer_import(session, principal, examined)
        return Offered(run.id, _summary(run, principal.time_zone))


def _summary(run: ImportRun, time_zone: str) -> list[str]:
    rows = "rows not counted"
    if run.rows_estimated is not None:
        rows = f"about {format_counted(run.rows_estimated, 'row')}"
    lines = [f"{run.name}: {KIND_LABELS[FileKind(run.kind)]}, {rows}. {run.reason or ''}"]
    lines += list(run.problems)
    unused = [use["column"] for use in run.columns if use["meaning"] is None]
    if unused:
        lines.append(f"Not used: {', '.join(unused)}.")
    lines += [run.times or "", *_needed_options(run)]
    if run.kind == FileKind.HISTORY_FILE and not run.needs_time:
        lines.append(describe_zone(time_zone))
    for row in run.preview[:5]:
        lines.append("  " + " · ".join(f"{name}: {value}" for name, value in row.items() if value))
    return [line[:300] for line in lines if line]


def _needed_options(run: ImportRun) -> list[str]:
    """Return which options the file needs, with suggestions from its name."""
    lines = []
    if run.needs_marketplace:
        hint = f"; perhaps {run.marketplace}" if run.marketplace else ""
        lines.append(f"The rows name no marketplace: add --marketplace{hint}.")
    if run.needs_day_order:
        lines.append("Dates can be read in two ways: add --dates day_first or month_first.")
    if run.needs_time:
        hint = f"; perhaps {run.captured_at:%Y-%m-%dT%H:%M:%S}" if run.captured_at else ""
        lines.append(f"Add --captured-at, in UTC{hint}.")
    return lines


def import_offered(run_id: int, confirmed: service.Confirmation, report: Reporter) -> bool:
    """Confirm an offered import, run it, print the result; return whether it succeeded."""
    try:
        with write_scope() as session:
            principal = get_owner_principal(session)
            service.confirm_import(session, principal, run_id, confirmed, database_time())
    except InvalidInputError:
        discard_offered(run_id)  # the next attempt offers it again
        raise
    run = _run_to_end(run_id)
    report(
        f"{format_counted(run.rows_read, 'row')}: {run.rows_stored} stored, "
        f"{run.rows_known} already stored, {run.rows_failed} failed. "
        f"{format_counted(run.snapshots_stored, 'snapshot')}, "
        f"{format_counted(run.products_added, 'product')} added."
    )
    if run.error:
        report(run.error)
    return run.state == "done"


def _run_to_end(run_id: int) -> ImportRun:
    """Run a confirmed import here, or wait for the worker if it was faster; return it."""
    while True:
        run_import(run_id)
        with read_scope() as session:
            run = service.get_import(session, get_owner_principal(session), run_id)
        if run.state not in ("queued", "running"):
            return run
        time.sleep(1)


def discard_offered(run_id: int) -> None:
    """Discard an import that was not confirmed."""
    with write_scope() as session:
        service.discard_import(session, get_owner_principal(session), run_id)


def fetch_products(words: Sequence[str], report: Reporter, patience: float = 600) -> bool:
    """Check the named products, or all that are due, and wait until they are done.

    Returns False if runs are still in progress after `patience` seconds.
    """
    if is_paused():
        raise InvalidInputError(PAUSED)
    if words:
        with write_scope() as session:
            principal = get_owner_principal(session)
            asked = request_checks(session, principal, _resolve_products(" ".join(words)))
        report(f"{format_counted(asked, 'product')} queued.")
    deadline = time.monotonic() + patience
    started = start_due_runs()
    report(f"{started} runs started.")
    while _open_runs():
        if time.monotonic() > deadline:
            report("Some runs are still in progress; the worker will collect them.")
            return False
        time.sleep(1)
        advance_open_runs()
    report("All runs are collected.")
    return True


def _resolve_products(words: str) -> list[int]:
    found = read_mentions(words)
    for mention in found:
        if mention.verdict is not MentionVerdict.FOUND:
            raise InvalidInputError(f"{mention.text}: {mention.detail}")
    keys = [(m.marketplace, m.asin) for m in found if m.marketplace and m.asin]
    with read_scope() as session:
        known = find_products(session, keys)
    for key in keys:
        if key not in known:
            raise NotFoundError(f"{key[1]} ({key[0]}) is not tracked. Add it first.")
    return list(known.values())


def _open_runs() -> int:
    with read_scope() as session:
        count = select(func.count()).where(FetchRun.state.in_(OPEN_STATES))
        return int(session.execute(count).scalar_one())


def add_demo(report: Reporter) -> None:
    """Load the demo data, even if it was removed before."""
    load_demo(report)


def delete_demo(report: Reporter) -> None:
    """Delete the demo data."""
    with write_scope() as session:
        count = remove_demo(session, get_owner_principal(session))
    report(f"{count} demo products removed.")
