"""The worker process: a Huey consumer with processes of its own."""

import gc
import logging

from core.database.connections import Share
from core.database.session import close_engines, forget_engine, take_share
from core.runtime.log import configure
from core.scraping.runs.apify import load_client
from core.settings.environment import get_settings
from jobs.queue import huey, make_tables
from jobs.tasks import advise_products, dispatch_runs, import_files, maintenance, send_emails

TASKS = (
    advise_products,
    dispatch_runs,
    import_files,
    send_emails,
    maintenance,
)  # importing them is what registers their tasks
_GRACE = 25  # seconds that a task may take to finish when the worker is told to stop


@huey.on_startup()
def _own_connections() -> None:
    """Drop connections inherited from the parent: two processes must not share a socket."""
    forget_engine()
    configure("worker")


def run() -> None:
    """Work until told to stop."""
    configure("worker")
    take_share(Share.WORKER)
    load_client()  # before the processes part, so that they share it
    make_tables()
    maintenance.make_room()
    dispatch_runs.end_rests()
    close_engines()  # the processes to come open their own
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
