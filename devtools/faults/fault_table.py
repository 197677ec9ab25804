"""The table of faults that the suite injects while the system is in use.

`inject` does the harm once and ends it: when it returns, every process runs or the supervisor is starting it.
`prepare`, where a fault has one, runs before the load.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from devtools.faults import hostile_neighbours
from devtools.faults.forged_answers import forge_answers
from devtools.faults.injections import (
    create_topics,
    delete_groups,
    delete_topics,
    freeze,
    join_and_leave,
    kill,
    kill_at,
    kill_in_rebalance,
    kill_servers,
    kill_web_worker,
    kill_while_others_join_and_leave,
    move_clock,
    rebuild_figures,
    restart_server,
    start_groups,
)
from devtools.faults.poisoned_catalogue import poison
from devtools.faults.silent_callers import hold_connections
from devtools.faults.system import System
from devtools.faults.webhook_storm import storm
from devtools.stack.servers import MAIL, PAYMENTS
from kafka_workers.workers import CONSUMERS, EMAIL, WORKERS

Inject = Callable[[System, random.Random], None]

DOWN_SECONDS = 10.0
LONG_DOWN_SECONDS = 100.0


@dataclass(frozen=True)
class Fault:
    """One kind of fault: its name, and a sentence that says what happens.

    `spares_clients`: it ends nothing, so that every client must be answered at the first attempt.
    `repeats_mail`: each email worker may send one mail twice, since it can end between sending and recording.
    """

    name: str
    sentence: str
    inject: Inject
    prepare: Callable[[System], None] | None = None
    brokers: int = 1
    spares_clients: bool = False
    repeats_mail: bool = False


def _kills() -> list[Fault]:
    parts = {
        "web": "the web server",
        "sockets": "the socket server",
        **{worker.name: f"{worker.name} workers" for worker in WORKERS},
    }
    return [
        *(
            Fault(
                f"kill-{part}",
                f"kill -9 of {what}, at random",
                partial(kill, part),
                repeats_mail=part == EMAIL.name,
            )
            for part, what in parts.items()
        ),
        Fault("kill-web-worker", "kill -9 of one process that answers HTTP", kill_web_worker),
    ]


def kills_at_kill_points() -> list[Fault]:
    """A fault for each worker and each of its kill points."""
    return [
        *(
            Fault(
                f"{worker.name}-{point.name}",
                f"kill -9 of {worker.name} workers {point.state}",
                partial(kill_at, worker, point.name),
                repeats_mail=worker is EMAIL,
            )
            for worker in WORKERS
            for point in worker.kill_points
        ),
        *(
            Fault(
                f"{consumer.name}-in-rebalance",
                f"kill -9 of one {consumer.name} worker in the middle of a rebalance",
                partial(kill_in_rebalance, consumer),
                repeats_mail=consumer is EMAIL,
            )
            for consumer in CONSUMERS
        ),
    ]


def _freezes() -> list[Fault]:
    return [
        Fault(
            f"freeze-{worker.name}",
            f"SIGSTOP of one {worker.name} worker until others have taken over, then SIGCONT",
            partial(freeze, worker),
            repeats_mail=worker is EMAIL,
        )
        for worker in WORKERS
    ]


def _outages(down: float) -> list[Fault]:
    outage = f"kill -9, back after {down:.0f} s"

    def away(*servers: str, seconds: float = down) -> Inject:
        return partial(kill_servers, servers, seconds)

    return [
        Fault("kafka-down", f"Kafka: {outage}", away("kafka")),
        Fault("mongodb-down", f"MongoDB: {outage}", away("mongodb")),
        Fault("postgres-down", f"PostgreSQL: {outage}", away("postgres"), repeats_mail=True),
        Fault(
            "postgres-restart",
            "PostgreSQL is restarted",
            partial(restart_server, "postgres"),
            repeats_mail=True,
        ),
        Fault("kill-sandbox", "kill -9 of the payment sandbox", away(PAYMENTS, seconds=0)),
        Fault("sandbox-down", f"the payment sandbox: {outage}", away(PAYMENTS)),
        Fault("kill-catcher", "kill -9 of the mail server", away(MAIL, seconds=0), repeats_mail=True),
        Fault("catcher-down", f"the mail server: {outage}", away(MAIL), repeats_mail=True),
        Fault(
            "sandbox-and-catcher-down",
            f"payment sandbox and mail server: {outage}",
            away(PAYMENTS, MAIL),
            repeats_mail=True,
        ),
        Fault("one-broker-of-three", f"three brokers, one of them: {outage}", away("kafka"), brokers=3),
    ]


def all_faults(*, down: float = DOWN_SECONDS) -> dict[str, Fault]:
    """Every fault by its name; servers stay down for `down` seconds."""
    faults = [
        *_kills(),
        *kills_at_kill_points(),
        Fault(
            "kill-while-others-join",
            "kill -9 of a consumer while others join and leave its group",
            kill_while_others_join_and_leave,
            repeats_mail=True,
        ),
        Fault("come-and-go", "consumers join and leave: two, one, three, two", join_and_leave),
        *_freezes(),
        *_outages(down),
        Fault(
            "forged-answers",
            "a program on the broker forges answers about stock, before and after the true ones",
            forge_answers,
        ),
        Fault(
            "poisoned-catalogue",
            "documents that cannot be sold are written into the catalogue, and ordered",
            poison,
            spares_clients=True,
        ),
        Fault(
            "half-sent-bodies",
            "hundreds of connections with half a request or nothing, held beside the load",
            hold_connections,
            spares_clients=True,
        ),
        Fault(
            "webhook-storm",
            "hundreds of webhooks at once: false, unknown, repeated, forged",
            storm,
            spares_clients=True,
        ),
        Fault(
            "rebuild-figures",
            "the figures of analytics are made anew, twice: killed at a kill point, and beside a kill -9",
            rebuild_figures,
        ),
        Fault("moved-clock", "a worker's clock jumps by up to two hours, forward or back", move_clock),
        Fault(
            "hostile-neighbours",
            "forged records in every topic, transactions left open on broker and cluster",
            hostile_neighbours.disturb,
        ),
        Fault(
            "first-start", "groups start for the first time, after the messages", start_groups, delete_groups
        ),
        Fault(
            "late-topics", "topics are created after every worker has started", create_topics, delete_topics
        ),
    ]
    return {fault.name: fault for fault in faults}
