"""MongoDB with TLS and passwords, which the URL alone configures."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from devtools.stack.mongo import MongoServer
from devtools.stack.ports import free_ports
from products_app.documents.connection import translating_mongodb_errors
from products_app.exceptions import CatalogueUnavailable
from tests.certificates import Authority
from tests.python_process import run_python

USER, PASSWORD = "stockbridge", "the-databases-password"
ROOT, ROOT_PASSWORD = "root", "the-roots-password"


class SecuredMongo(MongoServer):
    """Members authenticate by a key file, clients by TLS and a password."""

    def __init__(self, directory: Path, port: int, authority: Authority) -> None:
        super().__init__(directory, port)
        self._authority = authority
        self._certificate = authority.issue_as_one_file("mongod")

    def uri(self, user: str = USER, password: str = PASSWORD, tls: str = "true", ca: str = "") -> str:
        ca_file = ca or str(self._authority.certificate)
        options = f"tls=true&tlsCAFile={ca_file}" if tls == "true" else "tls=false"
        return (
            f"mongodb://{user}:{password}@{self.address}/{self.database}"
            f"?replicaSet=rs0&authSource=admin&serverSelectionTimeoutMS=1000&{options}"
        )

    def as_root(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.uri(ROOT, ROOT_PASSWORD))

    def _prepare(self) -> None:
        super()._prepare()
        key = self.directory / "key"
        key.write_text("a2V5LWZpbGUtb2YtdGhlLXRlc3Rz")
        key.chmod(0o600)

    def _command(self) -> Sequence[str | Path]:
        return [
            *super()._command(),
            *("--keyFile", self.directory / "key"),
            *("--tlsMode", "requireTLS"),
            *("--tlsCertificateKeyFile", self._certificate),
            *("--tlsCAFile", self._authority.certificate),
            "--tlsAllowConnectionsWithoutCertificates",
        ]

    def _is_healthy(self) -> bool:
        """Healthy when the users exist; the first user is created from this machine, before there is any."""
        options: Mapping[str, Any] = {
            "tls": True,
            "tlsCAFile": str(self._authority.certificate),
            "directConnection": True,
            "serverSelectionTimeoutMS": 1000,
        }
        try:
            with MongoClient[dict[str, Any]](self.address, **options) as client:
                self._ensure_replica_set(client)
                if not client.admin.command("hello")["isWritablePrimary"]:
                    return False
                client.admin.command("createUser", ROOT, pwd=ROOT_PASSWORD, roles=["root"])
            with self.as_root() as client:
                roles = [{"role": role, "db": self.database} for role in ("readWrite", "dbAdmin")]
                client.admin.command("createUser", USER, pwd=PASSWORD, roles=roles)
        except PyMongoError:
            return False
        return True

    def _ensure_replica_set(self, client: MongoClient[dict[str, Any]]) -> None:
        """A client without a login may create the replica set, but not read its state."""
        members = [{"_id": 0, "host": self.address}]
        with suppress(OperationFailure):
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredMongo]:
    directory = tmp_path_factory.mktemp("secured-mongo")
    server = SecuredMongo(directory / "mongodb", free_ports(1)[0], Authority(directory / "authority"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def collections(mongo: SecuredMongo) -> set[str]:
    with mongo.as_root() as client:
        return set(client[mongo.database].list_collection_names())


def test_mongodb_with_a_password_and_tls_holds_the_catalogue(mongo: SecuredMongo) -> None:
    made = run_python("manage.py", "create_collections", MONGODB_URI=mongo.uri())
    assert (made.returncode, made.stderr) == (0, "")
    assert collections(mongo) >= {"products"}
    with MongoClient[dict[str, Any]](mongo.uri()) as client:
        drafts = client.get_default_database()["drafts"]
        with client.start_session() as session, session.start_transaction():
            drafts.insert_one({"name": "Lantern"}, session=session)
        assert drafts.count_documents({}) == 1


def test_a_wrong_mongodb_password_is_one_sentence_and_changes_nothing(mongo: SecuredMongo) -> None:
    before = collections(mongo)
    refused = run_python("manage.py", "create_collections", MONGODB_URI=mongo.uri(password="another"))
    assert refused.returncode == 1
    [sentence] = refused.stderr.splitlines()
    assert "MongoDB (MONGODB_URI) cannot be reached: Authentication failed" in sentence
    assert "another" not in sentence
    assert collections(mongo) == before


@pytest.mark.parametrize("fault", ["wrong password", "unknown user", "no right", "no TLS", "wrong authority"])
def test_a_consumer_that_mongodb_refuses_waits_as_in_an_outage(
    mongo: SecuredMongo, fault: str, tmp_path: Path
) -> None:
    uri = {
        "wrong password": lambda: mongo.uri(password="another"),
        "unknown user": lambda: mongo.uri(user="nobody"),
        "no right": lambda: mongo.uri().replace(f"/{mongo.database}?", "/elsewhere?"),
        "no TLS": lambda: mongo.uri(tls="false"),
        "wrong authority": lambda: mongo.uri(ca=str(Authority(tmp_path, "another").certificate)),
    }[fault]()
    before = collections(mongo)
    with (
        MongoClient[dict[str, Any]](uri) as client,
        pytest.raises(CatalogueUnavailable),
        translating_mongodb_errors(),
    ):
        client.get_default_database()["refused"].insert_one({})
    assert collections(mongo) == before
