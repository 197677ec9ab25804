"""A trial of a system: load and harm, then repair, the end of all work, and the evidence about it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from devtools.faults.broker import DEAD_LETTERS, RETRIES, TOPICS
from devtools.faults.evidence import Evidence, gather
from devtools.faults.injections import FaultNotInjected
from devtools.faults.laws import told_events
from devtools.faults.load import Load, create_products
from devtools.faults.observations import Observations
from devtools.faults.system import Misbehaved, System
from devtools.faults.unfinished_work import wait_until_finished

_RECEIVE_SECONDS = 20.0


class Trial:
    """One trial; the caller does harm while the load runs, and then asks for the evidence."""

    def __init__(self, system: System, seed: int, slowness: float = 1.0) -> None:
        self._system = system
        self._since = datetime.now(UTC)
        self._start = system.broker.ends([*TOPICS, *DEAD_LETTERS, *RETRIES])
        self.observations = Observations(
            f"run-{seed}-{int(self._since.timestamp())}", create_products(system)
        )
        self.observations.wants_mail.update(caller.user_id for caller in system.want_mail)
        self._load = Load(system, self.observations, seed, self._start, slowness)
        # How long the clients have worked, and all else after them, until the system had finished it.
        self.load_seconds = self.finish_seconds = 0.0

    def under_load(self, harm: Callable[[], None]) -> None:
        """Does the harm while all clients work; what the harm could not do is noted as unexpected."""
        self._load.start()
        began = time.monotonic()
        try:
            harm()
        except (FaultNotInjected, Misbehaved) as error:
            self.observations.unexpected.append(str(error))
        finally:
            self._load.stop()
            self.load_seconds = time.monotonic() - began

    def evidence(self) -> Evidence:
        """Repairs the system, waits for the end of all work, and reads what the laws judge."""
        began = time.monotonic()
        self._system.heal()
        unfinished = wait_until_finished(self._system, self.observations)
        self.finish_seconds = time.monotonic() - began
        evidence = gather(self._system, self.observations, self._start, self._since, unfinished)
        self._await_socket_messages(evidence)
        self._load.close_sockets()
        return evidence

    def _await_socket_messages(self, evidence: Evidence) -> None:
        """Gives sockets that are reconnecting the time to receive what they missed."""
        end = time.monotonic() + _RECEIVE_SECONDS
        while self._are_messages_missing(evidence) and time.monotonic() < end:
            time.sleep(0.05)

    def _are_messages_missing(self, evidence: Evidence) -> bool:
        observations = self.observations
        with_socket = {connection.user_id for connection in observations.connections}
        received = {version for connection in observations.connections for version in connection.received}
        return any(
            (order_id, event.version) not in received
            for order_id in evidence.histories
            if order_id in observations.placed and observations.placed[order_id].user_id in with_socket
            for event in told_events(evidence, order_id)
        )
