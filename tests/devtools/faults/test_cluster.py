"""The drill past one machine: each part of a cluster is killed under load, and the laws hold."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devtools.faults.cluster.drill import run_drill
from devtools.faults.cluster.report import describe_kill
from devtools.faults.cluster.system import BROKERS, HOSTS, MEMBERS, WEB_HOSTS, Cluster, open_cluster
from devtools.faults.report import describe_violations

pytestmark = [pytest.mark.cluster, pytest.mark.thorough, pytest.mark.timeout(900)]

ANSWERED_SECONDS = 15.0
"""More than the drill measures on a machine that has nothing else to do (docs/scaling.md)."""
RESERVED_SECONDS = 45.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with open_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def test_hosts_share_no_file_and_no_local_socket(cluster: Cluster) -> None:
    folders = {host.directory for host in cluster.hosts} | {cluster.stack.settings.directory}
    for name in cluster.stack.processes:
        own = cluster.host_of(name).directory
        opened = paths_of(cluster.stack.pid(name))
        assert any(path.is_relative_to(own) for path in opened), f"{name} keeps no metrics: {opened}"
        elsewhere = [path for path in opened for folder in folders - {own} if path.is_relative_to(folder)]
        assert elsewhere == [], name


def paths_of(pid: int | None) -> set[Path]:
    """The files and local sockets that a process and its children have open."""
    parent = psutil.Process(pid)
    found: set[Path] = set()
    for process in (parent, *parent.children(recursive=True)):
        found.update(Path(each.path) for each in process.open_files())
        found.update(Path(str(each.laddr)) for each in process.net_connections("unix") if each.laddr)
    return found


def test_each_part_is_killed_once_under_load_and_nothing_is_lost(cluster: Cluster, seed: int) -> None:
    told: list[str] = []
    drill = run_drill(cluster, seed=seed, tell=lambda kill: told.append(describe_kill(kill)))
    assert not drill.broken, "\n".join([*told, describe_violations(drill)])
    killed = Counter(kill.name.rstrip("-123").strip() for kill in drill.kills)
    assert killed == {
        "kafka": BROKERS,
        "mongodb": MEMBERS,
        "inventory": HOSTS,
        "relay": 2,
        "sockets": WEB_HOSTS,
        "web": WEB_HOSTS,
    }
    assert "the primary of MongoDB" in {kill.what for kill in drill.kills}
    slow = [kill for kill in drill.kills if kill.answered > ANSWERED_SECONDS or kill.told > RESERVED_SECONDS]
    assert slow == []
