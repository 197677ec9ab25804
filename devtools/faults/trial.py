"""One run: everybody uses the system, strikes come, it is healed, becomes quiet, and the laws are judged."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from operator import itemgetter

from devtools.driver.shop import ADDRESS, CASH_ON_DELIVERY
from devtools.faults.actor import insist
from devtools.faults.arena import Arena, sleep_between
from devtools.faults.broker import DEAD_LETTERS, RETRIES, TOPICS
from devtools.faults.evidence import Evidence, duplicates, gather
from devtools.faults.journal import Journal, Placed
from devtools.faults.laws import Kind, Violation, broken_laws
from devtools.faults.load import Load, stock_catalogue
from devtools.faults.quiet import wait_until_quiet
from devtools.faults.strikes import Strike, StrikeMissed

_HEARING_SECONDS = 20.0
_PROBE_SECONDS = 60.0
_MOST_TRAILS = 20


@dataclass
class Run:
    """What came of one run; times in seconds."""

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


def run_trial(arena: Arena, strikes: Sequence[Strike], *, seconds: float, seed: int) -> Run:
    """Use the system for `seconds` at least, while random ones of these strikes hit it; then judge it."""
    arena.renew_tokens()
    for strike in strikes:
        if strike.prepare:
            strike.prepare(arena)
    since, start = datetime.now(UTC), arena.broker.ends([*TOPICS, *DEAD_LETTERS, *RETRIES])
    journal = Journal(f"run-{seed}-{int(since.timestamp())}", stock_catalogue(arena))
    run = Run(" ".join(strike.name for strike in strikes), seed)
    load = Load(arena, journal, seed, start)
    load.start()
    try:
        _strike(arena, strikes, journal, run, seconds)
    except StrikeMissed as missed:
        journal.complaints.append(str(missed))
    finally:
        load.stop()
    arena.heal()
    unquiet = wait_until_quiet(arena, journal)
    evidence = gather(arena, journal, start, since, unquiet)
    _let_listeners_finish(journal, evidence)
    load.stop_listening()
    _judge(run, evidence)
    return run


def _strike(arena: Arena, strikes: Sequence[Strike], journal: Journal, run: Run, seconds: float) -> None:
    """Strike, look how long it takes until an order is settled again, and so on until the time is over."""
    rng = random.Random(run.seed)
    end = time.monotonic() + seconds
    is_single = any(strike.prepare for strike in strikes)
    sleep_between(rng, 0.5, 1.5)
    while not run.hits or (time.monotonic() < end and not is_single):
        rng.choice(strikes).hit(arena, rng)
        run.hits += 1
        run.recovery.append(seconds_until_settled(arena, journal))
        sleep_between(rng, 0.3, 1.0)


def seconds_until_settled(arena: Arena, journal: Journal) -> float:
    """How long an order placed now takes until its stock is reserved; a minute is too long."""
    began = time.monotonic()
    placed = _probe(arena, journal)
    while not _is_settled(arena, journal, placed):
        if time.monotonic() - began > _PROBE_SECONDS:
            journal.complaints.append(f"not settled in {_PROBE_SECONDS:.0f} s after a strike: {placed}")
            break
        time.sleep(0.02)
    return time.monotonic() - began


def _is_settled(arena: Arena, journal: Journal, placed: Placed) -> bool:
    answer = insist(journal, lambda: arena.prober.call("GET", f"orders/{placed.order_id}/"))
    return bool(answer.json()["stockStatus"] == "reserved")


def _probe(arena: Arena, journal: Journal) -> Placed:
    """An order of one piece of the most plentiful product."""
    product, _ = max(journal.received.items(), key=itemgetter(1))
    key = f"{journal.run}-probe-{time.monotonic_ns()}"
    body = {
        "items": [{"productId": product, "quantity": 1}],
        "shippingAddress": ADDRESS,
        "paymentMethod": CASH_ON_DELIVERY,
    }
    headers = {"Idempotency-Key": key}
    answer = insist(journal, lambda: arena.prober.call("POST", "orders/", json=body, headers=headers))
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    placed = Placed(answer.json()["id"], key, arena.prober.user_id, CASH_ON_DELIVERY, {product: 1})
    journal.placed[placed.order_id] = placed
    return placed


def _let_listeners_finish(journal: Journal, evidence: Evidence) -> None:
    """A socket may be on its way back still: what it has not heard by the end of this, it never hears."""
    end = time.monotonic() + _HEARING_SECONDS
    while _unheard(journal, evidence) and time.monotonic() < end:
        time.sleep(0.05)


def _unheard(journal: Journal, evidence: Evidence) -> bool:
    listening = {connection.user_id for connection in journal.connections}
    heard = {version for connection in journal.connections for version in connection.heard}
    return any(
        (order_id, event.version) not in heard
        for order_id, history in evidence.histories.items()
        if order_id in journal.placed and journal.placed[order_id].user_id in listening
        for event in history
    )


def _judge(run: Run, evidence: Evidence) -> None:
    run.orders = len(evidence.journal.placed)
    run.messages = sum(map(len, evidence.messages.values()))
    run.duplicates = duplicates(evidence)
    run.broken = broken_laws(evidence)
    subjects = dict.fromkeys(each.subject for violations in run.broken.values() for each in violations)
    told = [subject for subject in subjects if subject][:_MOST_TRAILS]
    run.trails = [f"{subject}\n{evidence.trail(subject)}" for subject in told]
