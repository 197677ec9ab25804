"""A whole system whose stores can be destroyed, and the commands of the documents in its shell."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from devtools.driver.gateway import GatewayBooks, Payment
from devtools.driver.shop import Shop
from devtools.stack.ports import Ports
from devtools.stack.postgres_program import postgres_program
from devtools.stack.spawn import Rights, owner_of
from devtools.stack.stack import Stack, embedded_stack
from tests.documents import ROOT
from tests.running_system import operator_path, shop_of

COMMAND_SECONDS = 300
WEB_AND_SOCKETS = ("web", "sockets")


class Installation:
    """A stack in a folder that the servers' users can enter; `backups` is for what is saved of it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ports = Ports.free()
        self.backups = directory / "backups"
        self.backups.mkdir()
        self.stack = self._new_stack()

    def _new_stack(self) -> Stack:
        return embedded_stack(self._directory / "stack", ports=self._ports, caller={})

    @contextmanager
    def shop(self) -> Iterator[Shop]:
        """The shop as its callers see it, with a new token for the staff."""
        with shop_of(self.stack) as shop:
            yield shop

    def payments(self) -> list[Payment]:
        """What the gateway has in its books."""
        books = GatewayBooks(self.stack.env["STRIPE_API_BASE"], self.stack.env["STRIPE_SECRET_KEY"])
        with closing(books):
            return books.payments()

    def destroy(self, *servers: str) -> None:
        """Kill these servers under whatever load there is, end everything else, and delete their data."""
        for name in servers:
            self.stack.servers[name].kill()
        self.stop()
        for name in servers:
            shutil.rmtree(self.data(name))

    def stop(self) -> None:
        """End all processes and servers."""
        self.stack.stop()

    def data(self, server: str) -> Path:
        """The data folder of a server."""
        return self.stack.servers[server].directory / "data"

    def prepare_servers(self) -> None:
        """Make the stack anew, after everything has ended, so that its servers can be started again."""
        self.stack = self._new_stack()

    def start_processes(self) -> None:
        """Start all processes, and wait until they work."""
        self.start_workers()
        self.start_web_and_sockets()

    def start_workers(self) -> None:
        """Start all processes but web and sockets."""
        for process in self.stack._initial:
            if not process.name.startswith(WEB_AND_SOCKETS):
                self.stack.add(process)

    def start_web_and_sockets(self) -> None:
        """Start web and sockets, and wait until all processes work."""
        for process in self.stack._initial:
            if process.name.startswith(WEB_AND_SOCKETS):
                self.stack.add(process)
        self.stack.wait_until_ready()

    def run(self, step: str, **variables: object) -> str:
        """Run a step of a document; what it prints. Fails where it does."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step],
            cwd=ROOT,
            env=self.env(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{step}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    @contextmanager
    def running(self, step: str, **variables: object) -> Iterator[None]:
        """A step that runs until the block ends."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {step}"], cwd=ROOT, env=self.env(variables), start_new_session=True
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)

    def env(self, variables: Mapping[str, object]) -> dict[str, str]:
        """The environment of a shell of an operator."""
        user, group = owner_of(Rights.NEVER_ROOT)
        given = {
            "PATH": operator_path(postgres_program("psql").parent),
            "WAL": self.backups / "wal",
            "PGDATA": self.data("postgres"),
            "POSTGRES_OWNER": f"{user}:{group}",
            **variables,
        }
        return self.stack.env | {name: str(value) for name, value in given.items()}

    def rows(self, sql: str) -> list[Any]:
        """The rows that PostgreSQL gives for this statement."""
        with psycopg.connect(self.stack.env["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    def change(self, *statements: str) -> None:
        """Execute statements that give no rows."""
        with psycopg.connect(self.stack.env["DATABASE_URL"], autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())
