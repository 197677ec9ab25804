"""The job of the compose file that founds the replica set."""

from pathlib import Path

from pymongo import MongoClient

from devtools.stack.mongo import MongoServer
from devtools.stack.ports import free_ports
from tests.orders_app.sockets.conftest import accepts
from tests.python_process import run_python


class BareMongo(MongoServer):
    """A member as its container starts it: nobody has founded its set."""

    def _is_healthy(self) -> bool:
        return accepts(self.port)


def test_the_job_founds_the_set_and_its_user_and_changes_nothing_when_it_is_done_again(
    tmp_path: Path,
) -> None:
    server = BareMongo(tmp_path / "mongodb", free_ports(1)[0])
    password = server.password
    job = ("-m", "devtools.containers.replica_set", str(server.directory), "--members", server.address)
    try:
        server.start()
        for _ in range(2):
            done = run_python(*job)
            assert (done.returncode, done.stderr) == (0, "")
            with MongoClient[dict[str, object]](server.url) as client:
                client.get_default_database()["kept"].insert_one({"password": password})
    finally:
        server.stop()
