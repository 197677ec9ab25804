"""MongoDB with TLS and passwords, which the URL alone configures."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from devtools.stack.mongo import MongoServer
from devtools.stack.ports import free_ports
from products_app.documents.connection import translating_mongodb_errors
from products_app.exceptions import CatalogueUnavailable
from tests.certificates import Authority
from tests.python_process import run_python

USER, PASSWORD = "shop", "the-databases-password"


class SecuredMongo(MongoServer):
    """A server that wants TLS, with a user who has the rights that the documents ask for."""

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

    def _command(self) -> Sequence[str | Path]:
        return [
            *super()._command(),
            *("--tlsMode", "requireTLS"),
            *("--tlsCertificateKeyFile", self._certificate),
            *("--tlsCAFile", self._authority.certificate),
            "--tlsAllowConnectionsWithoutCertificates",
        ]

    @property
    def _client_options(self) -> Mapping[str, Any]:
        return {"tls": True, "tlsCAFile": str(self._authority.certificate)}


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredMongo]:
    directory = tmp_path_factory.mktemp("secured-mongo")
    server = SecuredMongo(directory / "mongodb", free_ports(1)[0], Authority(directory / "authority"))
    try:
        server.start()
        with server.as_member() as client:
            roles = [{"role": role, "db": server.database} for role in ("readWrite", "dbAdmin")]
            client.admin.command("createUser", USER, pwd=PASSWORD, roles=roles)
        yield server
    finally:
        server.stop()


def collections(mongo: SecuredMongo) -> set[str]:
    with mongo.as_member() as client:
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
