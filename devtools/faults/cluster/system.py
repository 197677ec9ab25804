"""The system on a cluster: three brokers, three members of MongoDB, three hosts, nginx in front of two."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from devtools.driver.shop import eventually
from devtools.faults.cluster.hosts import Host, processes_on
from devtools.faults.system import REPLAY_EVENTS, System
from devtools.reverse_proxy import ReverseProxy
from devtools.stack.kafka import KafkaBroker, kafka_cluster
from devtools.stack.mongo_set import MongoMember, mongo_set
from devtools.stack.ports import Ports, free_ports
from devtools.stack.server import Server
from devtools.stack.servers import start_all
from devtools.stack.stack import Stack, embedded_stack
from devtools.stack.warmth import warm_processes
from kafka_workers.workers import INVENTORY, RELAY

BROKERS = MEMBERS = HOSTS = 3
WARM_SECONDS = 180.0
WEB_HOSTS = 2
"""The hosts with web server, daphne and relay; the third one has an inventory worker alone."""


class Cluster(System):
    """The running cluster. Its customers come through nginx, to pages and sockets alike."""

    counts: ClassVar = dict.fromkeys(System.counts, 1) | {INVENTORY.name: HOSTS, RELAY.name: WEB_HOSTS}

    finish_seconds: ClassVar = 240.0  # one worker sends all mails, and the load has lasted for minutes
    renew_after_seconds: ClassVar = 0.0  # a drill takes most of the life of a token

    def __init__(
        self,
        stack: Stack,
        brokers: Sequence[KafkaBroker],
        members: Sequence[MongoMember],
        hosts: Sequence[Host],
    ) -> None:
        super().__init__(stack, brokers, sockets=stack.settings.ports.web)
        self.members = members
        self.hosts = hosts

    @property
    def servers(self) -> set[Server]:
        return super().servers | {*self.members}

    def is_warm(self, name: str) -> bool:
        """Whether this process says that it is at work."""
        pid = self.stack.pid(name)
        return bool(pid and warm_processes(self.host_of(name).metrics, pid))

    def host_of(self, name: str) -> Host:
        """The host on which the process of this name runs."""
        return self.hosts[int(name.rpartition("-")[2]) - 1]


@contextmanager
def open_cluster(directory: Path) -> Iterator[Cluster]:
    """A cluster of its own in this directory, started and in the end stopped."""
    hosts = _hosts(directory / "hosts")
    kafka = kafka_cluster(directory / "kafka", free_ports(BROKERS))
    mongodb = mongo_set(directory / "mongodb", free_ports(MEMBERS))
    front = hosts[:WEB_HOSTS]
    proxy = ReverseProxy(
        directory / "nginx", web=[host.web for host in front], sockets=[host.sockets for host in front]
    )
    ports = replace(Ports.free(), web=proxy.port, sockets=front[0].sockets)
    stack = embedded_stack(
        directory / "stack",
        ports=ports,
        caller=_settings(kafka, mongodb, proxy),
        counts=Cluster.counts,
        processes=partial(processes_on, hosts, WEB_HOSTS),
    )
    for server in (*kafka, *mongodb):
        server.start_seconds = WARM_SECONDS  # they start while everything else uses the machine
    try:
        start_all([*kafka, *mongodb])
        stack.start_servers()
        stack.prepare(demo=True)
        with proxy:
            stack.start_processes()
            stack.wait_until_ready()
            cluster = Cluster(stack, kafka, mongodb, hosts)
            eventually(lambda: all(map(cluster.is_warm, stack.processes)), "all are at work", WARM_SECONDS)
            with closing(cluster.shop.http), closing(cluster.books), closing(cluster.inbox):
                yield cluster
    finally:
        stack.stop()
        for server in [*kafka, *mongodb]:  # one after another: two that stop together leave no quorum
            server.stop()


def _hosts(directory: Path) -> list[Host]:
    ports = iter(free_ports(2 * HOSTS))
    hosts = [Host(directory / str(number), next(ports), next(ports)) for number in range(1, HOSTS + 1)]
    for host in hosts:
        host.make_folders()
    return hosts


def _settings(
    kafka: Sequence[KafkaBroker], mongodb: Sequence[MongoMember], proxy: ReverseProxy
) -> dict[str, str]:
    return {
        "KAFKA_BROKERS": ",".join(broker.url for broker in kafka),
        "KAFKA_REPLICATION_FACTOR": str(BROKERS),
        "MONGODB_URI": mongodb[0].url,
        "PUBLIC_WS_URL": f"ws://localhost:{proxy.port}",
        "TRUSTED_PROXIES": "1",
        "SOCKET_REPLAY_EVENTS": REPLAY_EVENTS,
    }
