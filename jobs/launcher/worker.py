"""The worker process: a Huey consumer with processes of its own."""

import gc
import logging
import os

from core.database.connections import ConnectionShare
from core.database.session import close_engines, discard_inherited_engines, set_connection_share
from core.runtime.log import configure_logging
from core.scraping.runs.apify import load_client
from core.settings.environment import get_settings
from jobs.launcher.supervisor import RESTARTED_AFTER
from jobs.queue import huey, make_tables
from jobs.tasks import (
    advise_products,
    apply_actions,
    collect_runs,
    dispatch_runs,
    evaluate_alerts,
    expire_actions,
    fetch_images,
    import_files,
    maintenance,
    make_backups,
    make_reports,
    send_account_emails,
    send_notifications,
    verify_actions,
)

TASKS = (  # importing them registers their tasks
    advise_products,
    apply_actions,
    collect_runs,
    dispatch_runs,
    evaluate_alerts,
    expire_actions,
    fetch_images,
    import_files,
    maintenance,
    make_backups,
    make_reports,
    send_account_emails,
    send_notifications,
    verify_actions,
)
_GRACE = 25  # seconds a task may take to finish when the worker is stopped


@huey.on_startup()
def _own_connections() -> None:
    """Discard connections inherited from the parent: processes must not share a socket."""
    discard_inherited_engines()
    configure_logging("worker")


def run_worker() -> None:
    """Run the worker until it is stopped."""
    configure_logging("worker")
    set_connection_share(ConnectionShare.WORKER)
    load_client()  # before the fork, so that the processes share it
    make_tables()
    maintenance.record_start(os.environ.get(RESTARTED_AFTER))
    maintenance.make_partitions()
    dispatch_runs.clear_backoffs()
    close_engines()  # the worker processes open their own
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page that it shares with this process
    consumer = huey.create_consumer(
        workers=get_settings().amazcope_worker_processes,
        worker_type="process",
        periodic=True,
        check_worker_health=True,
        health_check_interval=5,
        graceful_signal="TERM",
        shutdown_timeout=_GRACE,
    )
    logging.getLogger("huey").setLevel(logging.WARNING)
    consumer.run()
