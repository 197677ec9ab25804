"""A replica set of MongoDB, made fit for use: its members, and the user of the applications."""

from collections.abc import Sequence
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

REPLICA_SET = "rs0"
USER = "stockbridge"
_NOT_YET_INITIALISED, _USER_EXISTS = 94, 51003

Config = dict[str, Any]


def member_client(addresses: str | Sequence[str], key: str, **options: Any) -> MongoClient[Config]:
    """A client with all rights, which the key of the set gives: of one member unless `options` say more."""
    login: Config = {
        "username": "__system",
        "password": key,
        "authSource": "local",
        "authMechanism": "SCRAM-SHA-256",
    }
    usual: Config = {"directConnection": True, "serverSelectionTimeoutMS": 1000}
    return MongoClient(addresses, **login, **usual | options)


def found_replica_set(
    client: MongoClient[Config], addresses: Sequence[str], settings: Config | None = None
) -> Config | None:
    """Creates the replica set of these members, with these settings beside MongoDB's defaults.

    Where there is one already, it stays as it is, and its configuration is given back.
    """
    try:
        config: Config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as failure:
        if failure.code != _NOT_YET_INITIALISED:
            raise
        members = [{"_id": number, "host": address} for number, address in enumerate(addresses)]
        founded = {"_id": REPLICA_SET, "members": members, "settings": settings or {}}
        client.admin.command("replSetInitiate", founded)
        return None
    return config


def ensure_user(client: MongoClient[Config], password: str, database: str) -> None:
    """Creates USER, who may use this database and read the server's figures; sets one right that is there."""
    roles = [{"role": role, "db": database} for role in ("readWrite", "dbAdmin")]
    rights: Config = {"pwd": password, "roles": [*roles, {"role": "clusterMonitor", "db": "admin"}]}
    try:
        client.admin.command("createUser", USER, **rights)
    except OperationFailure as failure:
        if failure.code != _USER_EXISTS:
            raise
        client.admin.command("updateUser", USER, **rights)
