"""The drill past one machine: under load each part is killed once, and in the end the laws are judged."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from devtools.driver.shop import eventually
from devtools.faults.client import ANSWER_SECONDS, Client, NoAnswer, new_http_client
from devtools.faults.cluster.system import Cluster
from devtools.faults.cluster.victims import Victim, victims
from devtools.faults.observations import Observations, PlacedOrder
from devtools.faults.probe import await_reserved, place_probe
from devtools.faults.run import Run
from devtools.faults.socket_client import SocketClient
from devtools.faults.system import Misbehaved
from devtools.faults.trial import Trial
from devtools.stack.errors import ServerNotHealthy

SLOWNESS = 20.0
"""Of the clients: one machine with two cores has to keep up with them, all servers and all hosts."""
DOWN_SECONDS = 4.0
"""How long a victim is away at least: longer than the sessions of Kafka, and than MongoDB's election."""
_PROBES = 6
_TOLD_SECONDS, _FIRST_SECONDS = 60.0, 30.0


@dataclass
class Kill:
    """One kill, and what customers saw of it; times in seconds since the kill."""

    what: str
    name: str
    answered: float
    """The longest time that an order had no answer, of those that were under way while it was away."""
    reserved: float
    """Until the stock of all of several orders that were placed after it was reserved."""
    told: float
    """Until a socket of their customer had told that of all of them."""


@dataclass
class Drill(Run):
    """The result of one drill: its kills, for how long its clients worked, and when all else was done."""

    kills: list[Kill] = field(default_factory=list)
    load_seconds: float = 0.0
    finish_seconds: float = 0.0


class Pulse(Client):
    """Places one order after another, and notes for how long each had no answer."""

    def __init__(self, cluster: Cluster, observations: Observations, seed: int) -> None:
        super().__init__("pulse", observations, seed)
        # Of a customer who wants no mail about each step: mails are sent one by one.
        self._caller = replace(cluster.customers[-1], http=new_http_client(cluster.shop.web_url))
        self._waits: list[tuple[float, float]] = []

    def act(self) -> None:
        """One order."""
        sent = time.monotonic()
        place_probe(self._caller, self.observations)
        self._waits.append((time.monotonic(), time.monotonic() - sent))
        self.pause(0.1, 0.2)

    def finish(self) -> None:
        """Closes its connections."""
        self._caller.http.close()

    def longest_since(self, moment: float) -> float:
        """The longest time without an answer, of the orders that were answered after this moment."""
        return max((seconds for answered, seconds in self._waits if answered > moment), default=0.0)


def run_drill(cluster: Cluster, *, seed: int, tell: Callable[[Kill], None]) -> Drill:
    """Kills every victim once while all clients work, and judges the laws; tells of each kill."""
    cluster.renew_tokens()
    trial, drill = Trial(cluster, seed, SLOWNESS), Drill("cluster", seed)
    listener = SocketClient("socket-prober", trial.observations, seed, cluster.prober)
    listener.start()
    trial.under_load(lambda: _kill_all(cluster, trial.observations, drill, listener, tell))
    drill.judge(trial.evidence())
    drill.load_seconds, drill.finish_seconds = trial.load_seconds, trial.finish_seconds
    listener.stopped.set()
    listener.join(_TOLD_SECONDS)
    return drill


def _kill_all(
    cluster: Cluster,
    observations: Observations,
    drill: Drill,
    listener: SocketClient,
    tell: Callable[[Kill], None],
) -> None:
    pulse = Pulse(cluster, observations, drill.seed)
    try:
        eventually(listener.is_subscribed.is_set, "the prober's socket is subscribed", _FIRST_SECONDS)
        place_probe(cluster.prober, observations)
        pulse.start()
        eventually(lambda: listener.has_received, "an event on the prober's socket", _FIRST_SECONDS)
        for victim in victims(cluster, random.Random(drill.seed)):
            drill.kills.append(_kill(cluster, victim, pulse))
            drill.hits += 1
            tell(drill.kills[-1])
    except (AssertionError, NoAnswer, ServerNotHealthy) as error:
        raise Misbehaved(str(error)) from error
    finally:
        pulse.stopped.set()
        if pulse.is_alive():
            pulse.join(ANSWER_SECONDS)


def _kill(cluster: Cluster, victim: Victim, pulse: Pulse) -> Kill:
    """Kills the victim, measures while it is away, and brings it back."""
    killed, observations = time.monotonic(), pulse.observations
    victim.down()
    placed = [place_probe(cluster.prober, observations) for _ in range(_PROBES)]
    await_reserved(cluster.prober, observations, placed)
    reserved = time.monotonic() - killed
    eventually(
        lambda: _are_told(observations, placed), f"all is told after a kill of {victim.name}", _TOLD_SECONDS
    )
    told = time.monotonic() - killed
    time.sleep(max(0.0, DOWN_SECONDS - told))
    answered = pulse.longest_since(killed)
    victim.up()
    return Kill(victim.what, victim.name, answered, reserved, told)


def _are_told(observations: Observations, placed: Sequence[PlacedOrder]) -> bool:
    """Whether a socket of the customer has told more of each order than that it was placed."""
    received = (each for connection in list(observations.connections) for each in list(connection.received))
    return {order_id for order_id, version in received if version > 1} >= {each.order_id for each in placed}
