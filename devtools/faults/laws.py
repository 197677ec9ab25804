"""What must hold after any run, judged by what was seen from outside alone.

A law takes the evidence and yields its violations. "lost" is an order, an event or a message without its end;
"drift" is a number that is not what it must be.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from devtools.driver.shop import CANCELLED, DELIVERED, PENDING, PROCESSING, SHIPPED
from devtools.faults.broker import DEAD_LETTERS, RETRIES
from devtools.faults.evidence import Evidence
from devtools.faults.neighbour import RELEASE, RESERVE
from devtools.faults.people import CREDIT_CARD

Kind = Literal["lost", "drift"]

RESERVED, REJECTED, RELEASED = "inventory.reserved", "inventory.rejected", "inventory.released"
# What each event of an order's history causes on the wire.
_CAUSED = {
    "order.created": ("order.created", RESERVE),
    "order.status.changed": ("order.status.changed",),
    "order.cancelled": ("order.cancelled",),
    "order.completed": ("order.completed",),
    "order.release.requested": (RELEASE,),
    "order.reserve.requested": (RESERVE,),
}


class Violation(NamedTuple):
    """One law broken by one order or product; an empty subject is the system as a whole."""

    kind: Kind
    subject: str
    fact: str


Law = Callable[[Evidence], Iterator[Violation]]


def stock_is_what_was_received_less_what_orders_hold(evidence: Evidence) -> Iterator[Violation]:
    """Law 1, by our own accounts: what customers, services and the wire were told."""
    held: Counter[str] = Counter()
    for lines in holdings(evidence).values():
        held.update(lines)
    for product, received in evidence.journal.received.items():
        stock = evidence.products[product]["stock"]
        if stock < 0 or stock != received - held[product]:
            yield Violation(
                "drift", product, f"stock {stock}, but {received} received and {held[product]} held by orders"
            )


def ledger_agrees_with_orders(evidence: Evidence) -> Iterator[Violation]:
    """Law 1, by the ledger: each order holds there what it was told that it holds."""
    told = holdings(evidence)
    for order_id in told.keys() | evidence.ledger.keys():
        entry = evidence.ledger.get(order_id, {"lines": {}})
        held = {product: line["held"] for product, line in entry["lines"].items() if line["held"]}
        if held != told.get(order_id, {}):
            yield Violation(
                "drift", order_id, f"told to hold {told.get(order_id, {})}, the ledger says {held}"
            )


def ledger_adds_up(evidence: Evidence) -> Iterator[Violation]:
    """Law 1, inside MongoDB: received less held is stock."""
    held: Counter[str] = Counter()
    for entry in evidence.ledger.values():
        held.update({product: line["held"] for product, line in entry["lines"].items()})
    for product, document in evidence.products.items():
        if document["stock"] != document["received"] - held[product]:
            yield Violation(
                "drift",
                product,
                f"stock {document['stock']}, received {document['received']}, ledger holds {held[product]}",
            )


def accepted_orders_exist_once(evidence: Evidence) -> Iterator[Violation]:
    """Law 2: one order a key, and it is the one that was answered."""
    orders_of_key: defaultdict[str, list[str]] = defaultdict(list)
    for order_id, key, _ in evidence.rows:
        orders_of_key[key].append(order_id)
    for placed in evidence.journal.placed.values():
        found = orders_of_key.pop(placed.key, [])
        if found != [placed.order_id] or placed.order_id not in evidence.orders:
            yield Violation("lost", placed.order_id, f"answered 201 for key {placed.key}, which has {found}")
    for key, found in orders_of_key.items():
        yield Violation("drift", found[0], f"nobody was told of the order with key {key}")


def accepted_orders_come_to_an_end(evidence: Evidence) -> Iterator[Violation]:
    """Law 2: reserved, or cancelled with a reason; cancelled and delivered ones stay so."""
    for placed in evidence.journal.placed.values():
        order = evidence.orders.get(placed.order_id)
        if order is not None and not _has_ended(order):
            yield Violation(
                "lost",
                placed.order_id,
                f"status {order['status']}, stock {order['stockStatus']}, reason {order['cancelReason']}",
            )
    for order_ids, status in (
        (evidence.journal.cancelled, CANCELLED),
        (evidence.journal.delivered, DELIVERED),
    ):
        for order_id in order_ids:
            if evidence.orders.get(order_id, {}).get("status") != status:
                yield Violation("lost", order_id, f"was answered that it now has status {status}")


def histories_have_no_hole(evidence: Evidence) -> Iterator[Violation]:
    """Law 2: versions 1 to n, and n is the order's."""
    for order_id, _, version in evidence.rows:
        versions = [event.version for event in evidence.histories.get(order_id, ())]
        if versions != list(range(1, version + 1)):
            yield Violation("lost", order_id, f"at version {version} with the history {versions}")


def rows_are_what_their_events_tell(evidence: Evidence) -> Iterator[Violation]:
    """The orders equal what replay_orders makes of the log."""
    if evidence.replay:
        yield Violation("drift", "", f"replay_orders: {evidence.replay}")


def events_reach_the_wire(evidence: Evidence) -> Iterator[Violation]:
    """Law 4: each event's messages are there, those of an order in the order of its versions."""
    for order_id, history in evidence.histories.items():
        ids = {record.headers.get("ce_id") for record in evidence.messages.get(order_id, ())}
        for version, kind in history:
            for topic in _CAUSED.get(kind, ()):
                if f"{order_id}:{version}:{topic}" not in ids:
                    yield Violation("lost", order_id, f"no {topic} of version {version} ({kind}) was sent")
        if order_id in evidence.journal.placed and not _is_in_order(evidence, order_id):
            yield Violation("drift", order_id, "its order.status.changed were first sent out of order")


def sockets_hear_every_version(evidence: Evidence) -> Iterator[Violation]:
    """Law 2: who listens misses nothing, and hears an order's versions in order, each once a connection."""
    heard: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for connection in evidence.journal.connections:
        heard[connection.user_id].update(connection.heard)
        latest: dict[str, int] = {}
        for order_id, version in connection.heard:
            if version <= latest.get(order_id, 0):
                yield Violation("drift", order_id, f"version {version} heard after {latest[order_id]}")
            latest[order_id] = version
    for placed in evidence.journal.placed.values():
        if placed.user_id in heard:
            told = {(placed.order_id, event.version) for event in evidence.histories.get(placed.order_id, ())}
            for _, version in sorted(told - heard[placed.user_id]):
                yield Violation("lost", placed.order_id, f"its customer never heard of version {version}")


def reservations_are_whole_and_single(evidence: Evidence) -> Iterator[Violation]:
    """Law 3: all answers of one kind to an order are equal, and no more is given back than was taken."""
    for order_id in evidence.messages.keys() - evidence.journal.invalid_keys:
        reserved, rejected, released = (
            {record.value for record in evidence.sent(order_id, topic)}
            for topic in (RESERVED, REJECTED, RELEASED)
        )
        for answers in (reserved, rejected, released):
            if len(answers) > 1:
                yield Violation("drift", order_id, f"got different answers: {sorted(answers)}")
        if reserved and rejected:
            yield Violation("drift", order_id, "was both reserved and rejected")
        # Killed between settling and answering, a worker may find its reservation given back already.
        asked = {record.value for record in evidence.sent(order_id, RESERVE)}
        most = _lines(min(reserved or asked)) if reserved or asked else Counter[str]()
        if released and _lines(min(released)) - most:
            yield Violation("drift", order_id, f"took {dict(most)} and gave back {sorted(released)}")


def requests_are_answered(evidence: Evidence) -> Iterator[Violation]:
    """Law 4: as many answers at least as requests, and one of the kind that was asked for."""
    for order_id in evidence.messages.keys() - evidence.journal.invalid_keys:
        requests = evidence.sent(order_id, RESERVE, RELEASE)
        answers = evidence.sent(order_id, RESERVED, REJECTED, RELEASED)
        if len(answers) < len(requests):
            yield Violation("lost", order_id, f"{len(requests)} requests, but {len(answers)} answers")
        if evidence.sent(order_id, RELEASE) and not evidence.sent(order_id, RELEASED):
            yield Violation("lost", order_id, "asked for its release and got none")


def only_invalid_messages_are_dead_letters(evidence: Evidence) -> Iterator[Violation]:
    """Law 4: the dead letters are the messages that mean nothing, all of them and no others."""
    dead = {key for key in evidence.messages if evidence.sent(key, *DEAD_LETTERS)}
    sent = {key for key in evidence.journal.invalid_keys if evidence.sent(key, RESERVE)}
    for key in dead - sent:
        reasons = [record.headers for record in evidence.sent(key, *DEAD_LETTERS)]
        yield Violation("lost", key, f"is among the dead letters: {reasons}")
    for key in sent - dead:
        yield Violation("lost", key, "means nothing, but is not among the dead letters")
    for key in evidence.messages:
        if retried := evidence.sent(key, *RETRIES):
            yield Violation("lost", key, f"had to be retried: {[record.headers for record in retried]}")


def nothing_is_under_way(evidence: Evidence) -> Iterator[Violation]:
    """Law 4: the groups have read everything, in time."""
    for reason in evidence.unquiet:
        yield Violation("lost", "", f"not quiet in time: {reason}")


def answers_are_those_of_the_contract(evidence: Evidence) -> Iterator[Violation]:
    """Nobody who used the system was told what the contract does not know."""
    for complaint in evidence.journal.complaints:
        yield Violation("lost", "", complaint)


LAWS: tuple[Law, ...] = (
    stock_is_what_was_received_less_what_orders_hold,
    ledger_agrees_with_orders,
    ledger_adds_up,
    accepted_orders_exist_once,
    accepted_orders_come_to_an_end,
    histories_have_no_hole,
    rows_are_what_their_events_tell,
    events_reach_the_wire,
    sockets_hear_every_version,
    reservations_are_whole_and_single,
    requests_are_answered,
    only_invalid_messages_are_dead_letters,
    nothing_is_under_way,
    answers_are_those_of_the_contract,
)


def broken_laws(evidence: Evidence) -> dict[str, list[Violation]]:
    """The violations of each law that has any, by its name."""
    judged = {law.__name__: list(law(evidence)) for law in LAWS}
    return {name: violations for name, violations in judged.items() if violations}


def holdings(evidence: Evidence) -> Mapping[str, dict[str, int]]:
    """What each order holds, by the orders as shown, the answers on the wire and the answers of HTTP."""
    held: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for placed in evidence.journal.placed.values():
        if evidence.orders.get(placed.order_id, {}).get("stockStatus") == "reserved":
            held[placed.order_id] = dict(placed.lines)
    for key in evidence.messages.keys() - evidence.journal.placed.keys():
        reserved = evidence.sent(key, RESERVED)
        if reserved and not evidence.sent(key, RELEASED):
            held[key] = dict(_lines(reserved[0].value))
    for (order_id, product), quantity in evidence.journal.held_apart.items():
        if quantity:
            held[order_id][product] = quantity
    return held


def _lines(answer: bytes) -> Counter[str]:
    items = msgspec.json.decode(answer)["items"]
    return Counter({item["productId"]: item["quantity"] for item in items})


def _has_ended(order: Mapping[str, Any]) -> bool:
    status, reason = order["status"], order["cancelReason"]
    if order["stockStatus"] == "reserved":
        waits_for_money = status == PENDING and order["paymentMethod"] == CREDIT_CARD
        return waits_for_money or status in {PROCESSING, SHIPPED, DELIVERED}
    is_settled = order["stockStatus"] in {"rejected", "released"}
    return is_settled and status == CANCELLED and bool(reason and reason["detail"])


def _is_in_order(evidence: Evidence, order_id: str) -> bool:
    """Whether the versions were sent in order, each judged by the first time it was sent."""
    first: dict[int, int] = {}
    for record in evidence.sent(order_id, "order.status.changed"):
        first.setdefault(int(record.headers["ce_sequence"]), record.offset)
    offsets = [first[version] for version in sorted(first)]
    return offsets == sorted(offsets)
