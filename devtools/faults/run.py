"""One run: load and faults, then repair, the end of all work, and the judgement of the laws."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from operator import itemgetter

from devtools.driver.shop import ADDRESS, CASH_ON_DELIVERY
from devtools.faults.broker import DEAD_LETTERS, RETRIES, TOPICS
from devtools.faults.client import request_until_answered
from devtools.faults.evidence import Evidence, duplicates, gather
from devtools.faults.fault_table import Fault
from devtools.faults.injections import FaultNotInjected
from devtools.faults.laws import broken_laws, told_events
from devtools.faults.load import Load, create_products
from devtools.faults.observations import Observations, PlacedOrder
from devtools.faults.system import INSTANCES, Misbehaved, System, sleep_between
from devtools.faults.unfinished_work import wait_until_finished
from devtools.faults.violation import Kind, Violation

_RECEIVE_SECONDS = 20.0
_PROBE_SECONDS = 60.0
_MOST_TRAILS = 20


@dataclass
class Run:
    """The result of one run; times in seconds. Its fields are the keys of `./faults --json`."""

    strike: str
    seed: int
    hits: int = 0
    orders: int = 0
    messages: int = 0
    duplicates: int = 0
    recovery: list[float] = field(default_factory=list)
    broken: dict[str, list[Violation]] = field(default_factory=dict)
    trails: list[str] = field(default_factory=list)

    def count(self, kind: Kind) -> int:
        """How many violations of one kind."""
        return sum(each.kind == kind for violations in self.broken.values() for each in violations)


def run_with_faults(system: System, faults: Sequence[Fault], *, seconds: float, seed: int) -> Run:
    """Runs load for at least `seconds`, injects random ones of these faults meanwhile, judges the laws."""
    system.renew_tokens()
    for fault in faults:
        if fault.prepare:
            fault.prepare(system)
    since, start = datetime.now(UTC), system.broker.ends([*TOPICS, *DEAD_LETTERS, *RETRIES])
    observations = Observations(f"run-{seed}-{int(since.timestamp())}", create_products(system))
    observations.wants_mail.update(caller.user_id for caller in system.want_mail)
    run = Run(" ".join(fault.name for fault in faults), seed)
    load = Load(system, observations, seed, start)
    load.start()
    try:
        _inject(system, faults, observations, run, seconds)
    except (FaultNotInjected, Misbehaved) as error:
        observations.unexpected.append(str(error))
    finally:
        load.stop()
    if observations.repeats and all(fault.spares_clients for fault in faults):
        observations.unexpected.append(f"{observations.repeats} requests got no answer, or a server error")
    if any(fault.repeats_mail for fault in faults):
        observations.mail_kills = run.hits * INSTANCES
    system.heal()
    unfinished = wait_until_finished(system, observations)
    evidence = gather(system, observations, start, since, unfinished)
    _await_socket_messages(observations, evidence)
    load.close_sockets()
    _judge(run, evidence)
    return run


def _inject(
    system: System, faults: Sequence[Fault], observations: Observations, run: Run, seconds: float
) -> None:
    """Injects a fault, measures how long the next order takes to be reserved; repeats until time is over."""
    rng = random.Random(run.seed)
    end = time.monotonic() + seconds
    is_single = any(fault.prepare for fault in faults)
    sleep_between(rng, 0.5, 1.5)
    while not run.hits or (time.monotonic() < end and not is_single):
        rng.choice(faults).inject(system, rng)
        run.hits += 1
        run.recovery.append(seconds_until_reserved(system, observations))
        sleep_between(rng, 0.3, 1.0)


def seconds_until_reserved(system: System, observations: Observations) -> float:
    """How long a new order takes until its stock is reserved; more than a minute is unexpected."""
    began = time.monotonic()
    placed = _probe(system, observations)
    while not _is_reserved(system, observations, placed):
        if time.monotonic() - began > _PROBE_SECONDS:
            observations.unexpected.append(f"not reserved in {_PROBE_SECONDS:.0f} s after a fault: {placed}")
            break
        time.sleep(0.02)
    return time.monotonic() - began


def _is_reserved(system: System, observations: Observations, placed: PlacedOrder) -> bool:
    answer = request_until_answered(
        observations, lambda: system.prober.call("GET", f"orders/{placed.order_id}/")
    )
    return bool(answer.json()["stockStatus"] == "reserved")


def _probe(system: System, observations: Observations) -> PlacedOrder:
    """Places an order of one piece of a product with plenty of stock."""
    product, _ = max(observations.received.items(), key=itemgetter(1))
    key = f"{observations.run}-probe-{time.monotonic_ns()}"
    body = {
        "items": [{"productId": product, "quantity": 1}],
        "shippingAddress": ADDRESS,
        "paymentMethod": CASH_ON_DELIVERY,
    }
    headers = {"Idempotency-Key": key}
    answer = request_until_answered(
        observations, lambda: system.prober.call("POST", "orders/", json=body, headers=headers)
    )
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    placed = PlacedOrder(answer.json()["id"], key, system.prober.user_id, CASH_ON_DELIVERY, {product: 1})
    observations.placed[placed.order_id] = placed
    return placed


def _await_socket_messages(observations: Observations, evidence: Evidence) -> None:
    """Gives sockets that are reconnecting the time to receive what they missed."""
    end = time.monotonic() + _RECEIVE_SECONDS
    while _are_messages_missing(observations, evidence) and time.monotonic() < end:
        time.sleep(0.05)


def _are_messages_missing(observations: Observations, evidence: Evidence) -> bool:
    with_socket = {connection.user_id for connection in observations.connections}
    received = {version for connection in observations.connections for version in connection.received}
    return any(
        (order_id, event.version) not in received
        for order_id in evidence.histories
        if order_id in observations.placed and observations.placed[order_id].user_id in with_socket
        for event in told_events(evidence, order_id)
    )


def _judge(run: Run, evidence: Evidence) -> None:
    run.orders = len(evidence.observations.placed)
    run.messages = sum(map(len, evidence.messages.values()))
    run.duplicates = duplicates(evidence)
    run.broken = broken_laws(evidence)
    subjects = dict.fromkeys(each.subject for violations in run.broken.values() for each in violations)
    shown = [subject for subject in subjects if subject][:_MOST_TRAILS]
    run.trails = [f"{subject}\n{evidence.trail(subject)}" for subject in shown]
