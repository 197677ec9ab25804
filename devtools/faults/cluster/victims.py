"""What the drill kills: every part of the cluster that others can stand in for, one after another."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from devtools.driver.shop import eventually
from devtools.faults.cluster.system import Cluster
from devtools.stack.mongo_set import MongoMember
from devtools.stack.server import Server
from kafka_workers.workers import INVENTORY, RELAY

_BACK_SECONDS = 180.0


@dataclass(frozen=True)
class Victim:
    """A part to be killed: `what` it is, as the table calls it, and its `name`.

    `up` starts it again and returns when it does its work.
    """

    what: str
    name: str
    down: Callable[[], None]
    up: Callable[[], None]


def victims(cluster: Cluster, rng: random.Random) -> Iterator[Victim]:
    """All of them, each once and of each kind first the one that leads; asked for when the last is back."""
    kinds: list[Callable[[Cluster], Iterator[Victim]]] = [
        _brokers,
        _members,
        _relays,
        partial(_alike, "an inventory worker", INVENTORY.name),
        partial(_alike, "a daphne", "sockets"),
        partial(_alike, "a web server", "web"),
    ]
    rng.shuffle(kinds)
    for kind in kinds:
        yield from kind(cluster)


def _brokers(cluster: Cluster) -> Iterator[Victim]:
    for broker in cluster.brokers:
        yield Victim("a broker", broker.name, broker.kill, partial(_start_broker, cluster, broker))


def _start_broker(cluster: Cluster, broker: Server) -> None:
    """With two copies out of sync, the next kill would leave fewer than two brokers to acknowledge."""
    broker.start()
    eventually(lambda: not cluster.broker.behind(), "all copies are in sync", _BACK_SECONDS)


def _members(cluster: Cluster) -> Iterator[Victim]:
    left = list(cluster.members)
    while left:
        member = eventually(lambda: _primary(cluster), "a primary", _BACK_SECONDS)
        what = "the primary of MongoDB" if member in left else "a secondary of MongoDB"
        member = member if member in left else left[0]
        left.remove(member)
        yield Victim(what, member.name, member.kill, member.start)


def _primary(cluster: Cluster) -> MongoMember | None:
    return next((member for member in cluster.members if member.is_primary), None)


def _relays(cluster: Cluster) -> Iterator[Victim]:
    leader = cluster.active_relay()
    yield _process(cluster, "the relay that leads", leader)
    [other] = set(cluster.instances(RELAY.name)) - {leader}
    what = "the relay that leads" if cluster.active_relay() == other else "the standby relay"
    yield _process(cluster, what, other)


def _alike(what: str, kind: str, cluster: Cluster) -> Iterator[Victim]:
    for name in sorted(cluster.instances(kind)):
        yield _process(cluster, what, name)


def _process(cluster: Cluster, what: str, name: str) -> Victim:
    def up() -> None:
        cluster.stack.start_again(name)
        eventually(lambda: cluster.is_warm(name), f"{name} is at work again", _BACK_SECONDS)

    return Victim(what, name, partial(cluster.stack.kill_for_good, name), up)
