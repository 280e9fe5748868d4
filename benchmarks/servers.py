"""The PostgreSQL that benchmarks run on, and the databases on it. Never the application's own."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from sqlalchemy import create_engine, text

from core.database import session
from core.settings.environment import get_settings

GIVEN = "AMAZCOPE_BENCH_DATABASE_URL"

Build = Callable[[], None]  # fills the database that DATABASE_URL names


class Server:
    """A server with databases made for this run. Each kind of data is built once and cloned."""

    def __init__(self, url: str, label: str) -> None:
        self.label = label
        self._url = url
        self._run_id = uuid4().hex[:8]
        self._templates: dict[str, str] = {}

    @contextmanager
    def database(self, kind: str, build: Build) -> Iterator[str]:
        """Use a fresh copy of the database that `build` fills; yields its address."""
        template = self._templates.get(kind) or self._make_template(kind, build)
        name = f"bench_{self._run_id}_{uuid4().hex[:8]}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        try:
            with using(self._address(name)) as url:
                yield url
        finally:
            self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    @contextmanager
    def shared(self, kind: str, build: Build) -> Iterator[str]:
        """Use the database that `build` fills itself, for benchmarks that only read."""
        template = self._templates.get(kind) or self._make_template(kind, build)
        with using(self._address(template)) as url:
            yield url

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """Make an empty database for a while; yields its address."""
        name = f"bench_{self._run_id}_{uuid4().hex[:8]}"
        self._run(f'CREATE DATABASE "{name}"')
        try:
            yield self._address(name)
        finally:
            self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _make_template(self, kind: str, build: Build) -> str:
        from core.database.migrate import upgrade

        name = f"bench_{self._run_id}_{kind}"
        self._run(f'CREATE DATABASE "{name}"')
        upgrade(self._address(name))
        with using(self._address(name)):
            build()
        self._templates[kind] = name
        return name

    def drop_all(self) -> None:
        """Drop what this run built."""
        for name in self._templates.values():
            self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def version(self) -> str:
        """Return the server's version and whether it syncs to disk."""
        engine = create_engine(self._address("postgres"))
        with engine.connect() as connection:
            number = connection.execute(text("SHOW server_version")).scalar_one()
            fsync = connection.execute(text("SHOW fsync")).scalar_one()
        engine.dispose()
        return f"PostgreSQL {number}, fsync {fsync}"

    def _address(self, name: str) -> str:
        base, _, rest = self._url.partition("?")
        return f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{rest}" if rest else "")

    def _run(self, statement: str) -> None:
        engine = create_engine(self._address("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def running_server() -> Iterator[Server]:
    """Yield the server that is given, else an embedded one in a temporary folder."""
    given = os.environ.get(GIVEN)
    if given:
        server = Server(session.with_driver(given), "the given server")
        yield server
        server.drop_all()
        return
    from core.database.embedded.server import EmbeddedPostgres

    with TemporaryDirectory(prefix="amazcope-bench-") as folder:
        Path(folder).chmod(0o755)  # another user runs the server when root asks for it
        embedded = EmbeddedPostgres(Path(folder) / "data", Path(folder) / "secrets")
        try:
            yield Server(embedded.start(), "embedded")
        finally:
            embedded.remove()


@contextmanager
def using(url: str) -> Iterator[str]:
    """Make this process, and those it starts, use a database."""
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    _forget()
    try:
        yield url
    finally:
        _forget()
        if before is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = before
        get_settings.cache_clear()


def _forget() -> None:
    session.close_engines()
    get_settings.cache_clear()
