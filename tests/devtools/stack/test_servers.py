"""The embedded servers keep their data and start again after a stop and after a kill."""

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient

from devtools.driver.shop import eventually
from devtools.stack.errors import ServerNotHealthy
from devtools.stack.kafka import KafkaBroker, kafka_cluster
from devtools.stack.mongo import MongoServer
from devtools.stack.ports import free_ports
from devtools.stack.postgres import PostgresServer
from devtools.stack.server import Server
from devtools.stack.servers import start_all, stop_all


@pytest.fixture
def postgres(tmp_path: Path) -> PostgresServer:
    return PostgresServer(tmp_path / "postgres", free_ports(1)[0])


def write_row(server: Server) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('safe')")


def read_row(server: Server) -> object:
    with psycopg.connect(server.url) as connection:
        return connection.execute("SELECT word FROM kept").fetchone()


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill])
def test_postgres_keeps_its_rows_after_stop_and_kill(
    postgres: PostgresServer, end: Callable[[PostgresServer], None]
) -> None:
    try:
        postgres.start()
        write_row(postgres)
        end(postgres)
        assert postgres.pid is None
        postgres.start()
        assert read_row(postgres) == ("safe",)
    finally:
        postgres.stop()


def test_postgres_starts_although_another_process_has_the_pid_in_its_stale_pid_file(
    postgres: PostgresServer,
) -> None:
    try:
        postgres.start()
        pid_file = postgres.data / "postmaster.pid"
        stale = pid_file.read_text().replace(str(postgres.pid), str(os.getppid()), 1)
        postgres.kill()
        pid_file.write_text(stale)
        postgres.start()
        assert postgres.pid is not None
    finally:
        postgres.stop()


def test_mongodb_keeps_its_documents_after_kill_9_and_on_another_port(tmp_path: Path) -> None:
    first, second = (MongoServer(tmp_path / "mongodb", port) for port in free_ports(2))
    try:
        first.start()
        with MongoClient[dict[str, object]](first.url) as client:
            client.get_default_database()["kept"].insert_one({"_id": 1, "word": "safe"})
        first.kill()
        second.start()
        with MongoClient[dict[str, object]](second.url) as client, client.start_session() as session:
            session.start_transaction()
            found = client.get_default_database()["kept"].find_one({"_id": 1}, session=session)
        assert found == {"_id": 1, "word": "safe"}
    finally:
        first.stop()
        second.stop()


def test_kafka_keeps_its_topics_after_kill_9_and_on_another_port(tmp_path: Path) -> None:
    first, second = (KafkaBroker(tmp_path / "kafka", port) for port in free_ports(2))
    try:
        first.start()
        create_topic(first, copies=1)
        first.kill()
        second.start()
        assert topics_of(second) == {"kept"}
    finally:
        first.stop()
        second.stop()


def test_three_brokers_form_a_cluster_that_keeps_three_copies(tmp_path: Path) -> None:
    brokers = kafka_cluster(tmp_path, free_ports(3))
    try:
        start_all(brokers)
        create_topic(brokers[0], copies=3)
        brokers[0].kill()
        eventually(lambda: topics_of(brokers[1]) == {"kept"}, "the topic on another broker")
        brokers[0].start()
    finally:
        stop_all(brokers)


def test_a_server_that_ends_while_starting_shows_the_end_of_its_log(postgres: PostgresServer) -> None:
    postgres.start()
    postgres.stop()
    with (postgres.data / "postgresql.conf").open("a") as settings:
        settings.write("\nnonsense = 1\n")
    with pytest.raises(ServerNotHealthy, match='unrecognized configuration parameter "nonsense"'):
        postgres.start()


def test_a_paused_server_answers_again_after_resume(postgres: PostgresServer) -> None:
    try:
        postgres.start()
        postgres.pause()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(postgres.url, connect_timeout=2)
        postgres.resume()
        psycopg.connect(postgres.url, connect_timeout=5).close()
    finally:
        postgres.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")
def test_postgres_started_by_root_does_not_run_as_root_even_below_a_closed_folder(
    postgres: PostgresServer,
) -> None:
    postgres.directory.parent.chmod(0o700)
    try:
        postgres.start()
        assert psutil.Process(postgres.pid).uids().real != 0
    finally:
        postgres.stop()


def create_topic(broker: KafkaBroker, *, copies: int) -> None:
    admin = AdminClient({"bootstrap.servers": broker.url})
    topic = NewTopic("kept", num_partitions=3, replication_factor=copies)
    admin.create_topics([topic])["kept"].result(timeout=20)


def topics_of(broker: KafkaBroker) -> set[str]:
    return set(AdminClient({"bootstrap.servers": broker.url}).list_topics(timeout=20).topics)
