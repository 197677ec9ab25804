import hashlib
import shutil
import signal
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import psutil
import psycopg
from psycopg import sql

from devtools.stack.postgres_program import postgres_program
from devtools.stack.private_files import FOLDER, kept_secret, write_private
from devtools.stack.server import HOST, ServerProcess
from devtools.stack.spawn import Rights, owner_of

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "shared_buffers": "128MB",
    # A transaction that somebody leaves open holds the readers of the order log back.
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# The server and its tools are started in the data directory; by this name its user finds it even where the
# folders above are closed to that user.
_HERE = "/proc/self/cwd"
_ENDING_SECONDS = 20.0


class PostgresServer(ServerProcess):
    """PostgreSQL 18 from a wheel, with durable commits and a password, listening on this machine only."""

    name = "postgres"
    setting = "DATABASE_URL"
    rights: ClassVar[Rights] = Rights.NEVER_ROOT
    # SIGINT is the fast shutdown; on SIGTERM PostgreSQL waits until every client has disconnected.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(self, directory: Path, port: int, *, database: str = "stockbridge") -> None:
        super().__init__(directory, port)
        self.database = database

    @property
    def url(self) -> str:
        return self._url_of(self.database)

    @cached_property
    def password(self) -> str:
        """The password of the user `postgres`."""
        return kept_secret(self.directory / "password")

    @property
    def _folder(self) -> Path:
        return self.data

    def _prepare(self) -> None:
        self._await_end_of_earlier()
        # Earlier versions gave this folder to the user of the server.
        shutil.chown(self.directory, *owner_of(Rights.CALLER))
        if not self.data.exists():
            self._initialise()
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._require_password()

    def _command(self) -> Sequence[str | Path]:
        settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        return [postgres_program("postgres"), "-D", _HERE, "-p", str(self.port), *settings]

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
        unfinished.mkdir(mode=FOLDER)
        shutil.chown(unfinished, *owner_of(self.rights))
        options = ["-U", "postgres", "--auth=reject", "--encoding=UTF8", "--locale=C.UTF-8"]
        self._run_tool(
            [postgres_program("initdb"), "-D", _HERE, *options, "--no-instructions"], folder=unfinished
        )
        unfinished.rename(self.data)

    def _require_password(self) -> None:
        """Sets the password, and then lets nobody in without it.

        The rules name the password by its digest, so they differ if the data directory is from a version
        without passwords, and if the file with the password is not the one that was set.
        """
        digest = hashlib.sha256(self.password.encode()).hexdigest()
        # "all" does not mean replication, by which pg_basebackup and pg_receivewal read.
        hosts = [f"host {database} all {HOST}/32 scram-sha-256\n" for database in ("all", "replication")]
        rules = f"# password {digest}\n{''.join(hosts)}"
        path = self.data / "pg_hba.conf"
        if path.read_text() != rules:
            single_user = (postgres_program("postgres"), "--single", "-D", _HERE, "postgres")
            self._run_tool(single_user, text=f"ALTER USER postgres PASSWORD '{self.password}'\n")
            write_private(path, rules, owner=owner_of(self.rights))

    def _ensure_database(self, connection: psycopg.Connection) -> None:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.database]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))

    def _await_end_of_earlier(self) -> None:
        """Waits for the processes of an earlier server on this data; ends them if they take too long.

        After kill -9 of the server its children live on for a moment, and block the next start. Their
        environment is overwritten by their titles, so only their folder tells whose they are.
        """
        earlier = [process for process in psutil.process_iter(["name", "cwd"]) if self._is_ours(process)]
        _, alive = psutil.wait_procs(earlier, timeout=_ENDING_SECONDS)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive)

    def _is_ours(self, process: psutil.Process) -> bool:
        return (process.info["name"], process.info["cwd"]) == ("postgres", str(self.data))

    def _url_of(self, database: str) -> str:
        return f"postgresql://postgres:{self.password}@{self.address}/{database}"
