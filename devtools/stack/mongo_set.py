"""A replica set of several members, each a server of its own."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from devtools.stack.mongo import MongoServer
from devtools.stack.private_files import kept_secret
from devtools.stack.replica_set import REPLICA_SET, USER, found_replica_set
from devtools.stack.server import HOST

ELECTION_MS = 2_000
"""How long the others wait for a primary before they elect another; MongoDB's default is 10 s."""


class MongoMember(MongoServer):
    """A member of a replica set whose members are `addresses`; all of them have `secrets` as their folder.

    It is healthy as primary or secondary that knows the user of the applications: the caller starts all
    members at the same time.
    """

    def __init__(self, directory: Path, port: int, *, addresses: Sequence[str], secrets: Path) -> None:
        super().__init__(directory, port)
        self.name = f"mongodb {addresses.index(self.address) + 1}"
        self._addresses = addresses
        self._secrets = secrets

    @property
    def url(self) -> str:
        login = f"{USER}:{self.password}@{','.join(self._addresses)}"
        return f"mongodb://{login}/{self.database}?replicaSet={REPLICA_SET}&authSource=admin"

    @cached_property
    def password(self) -> str:
        return kept_secret(self._secrets / "password")

    @property
    def _key_path(self) -> Path:
        return self._secrets / "key"

    @property
    def is_primary(self) -> bool:
        """Whether it says that it takes writes; not where it does not answer."""
        return bool(self._hello().get("isWritablePrimary"))

    def _is_healthy(self) -> bool:
        try:
            with self.as_member() as client:
                if self.address == self._addresses[0]:  # two that found it at once would found two
                    found_replica_set(client, self._addresses, {"electionTimeoutMillis": ELECTION_MS})
                hello = client.admin.command("hello")
                if hello["isWritablePrimary"]:
                    self._ensure_user(client)
            with self._as_user() as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return bool(hello["isWritablePrimary"] or hello["secondary"])

    def _as_user(self) -> MongoClient[dict[str, Any]]:
        login: dict[str, Any] = {"username": USER, "password": self.password, "authSource": "admin"}
        return MongoClient(self.address, **login, directConnection=True, serverSelectionTimeoutMS=1000)

    def _hello(self) -> Mapping[str, Any]:
        try:
            with self.as_member() as client:
                hello: Mapping[str, Any] = client.admin.command("hello")
                return hello
        except PyMongoError:
            return {}


def mongo_set(directory: Path, ports: Sequence[int]) -> list[MongoMember]:
    """Members that form one replica set: the caller starts them at the same time."""
    addresses = [f"{HOST}:{port}" for port in ports]
    secrets = directory / "secrets"
    for name in ("key", "password"):  # before the members, which read them at the same time
        kept_secret(secrets / name)
    return [
        MongoMember(directory / str(number), port, addresses=addresses, secrets=secrets)
        for number, port in enumerate(ports, start=1)
    ]
