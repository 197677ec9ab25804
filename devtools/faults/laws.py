"""The laws: statements that must hold after every run, judged by evidence from outside alone.

A law takes the evidence and yields its violations. "lost" is an order, an event or a message that did not
reach its end; "drift" is a number or an answer that is not what it must be.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from devtools.driver.shop import CANCELLED, CREDIT_CARD, DELIVERED, PENDING, PROCESSING, SHIPPED
from devtools.faults.broker import DEAD_LETTERS, RETRIES
from devtools.faults.evidence import Event, Evidence
from devtools.faults.external_service import RELEASE, RESERVE
from devtools.faults.fall_laws import FALL_LAWS
from devtools.faults.figure_laws import FIGURE_LAWS
from devtools.faults.mail_laws import MAIL_DEAD_LETTERS, MAIL_LAWS
from devtools.faults.money_laws import MONEY_LAWS
from devtools.faults.violation import Law, Violation
from kafka_workers.workers import PAYMENT

RESERVED, REJECTED, RELEASED = "inventory.reserved", "inventory.rejected", "inventory.released"
# The topics of the messages that each type of event causes.
_CAUSED = {
    "order.created": ("order.created", RESERVE),
    "order.status.changed": ("order.status.changed",),
    "order.cancelled": ("order.cancelled",),
    "order.completed": ("order.completed",),
    "order.release.requested": (RELEASE,),
    "order.reserve.requested": (RESERVE,),
    "order.payment.requested": ("payment.requested",),
    "order.refund.requested": ("payment.refund.requested",),
}
# Mails among the dead letters have a law of their own.
_OUR_DEAD_LETTERS = tuple(topic for topic in DEAD_LETTERS if topic != MAIL_DEAD_LETTERS)
# A payment in trouble is tried again by a retry topic: the gateway is not ours.
_OUR_RETRIES = tuple(topic for topic in RETRIES if not topic.startswith(f"{PAYMENT.group}."))
# Events that change nothing which a customer sees have no socket message.
_SILENT = frozenset(["order.payment.requested"])


def stock_is_received_minus_held(evidence: Evidence) -> Iterator[Violation]:
    """Law 1, by the answers that customers, services and Kafka consumers received."""
    held: Counter[str] = Counter()
    for lines in held_pieces(evidence).values():
        held.update(lines)
    for product, received in evidence.observations.received.items():
        stock = evidence.products[product]["stock"]
        if stock < 0 or stock != received - held[product]:
            yield Violation(
                "drift", product, f"stock {stock}, but {received} received and {held[product]} held by orders"
            )


def ledger_agrees_with_orders(evidence: Evidence) -> Iterator[Violation]:
    """Law 1, by the ledger: each order holds there what the answers say that it holds."""
    answered = held_pieces(evidence)
    for order_id in answered.keys() | evidence.ledger.keys():
        entry = evidence.ledger.get(order_id, {"lines": {}})
        held = {product: line["held"] for product, line in entry["lines"].items() if line["held"]}
        if held != answered.get(order_id, {}):
            yield Violation(
                "drift", order_id, f"holds {answered.get(order_id, {})} by its answers, {held} by the ledger"
            )


def ledger_adds_up(evidence: Evidence) -> Iterator[Violation]:
    """Law 1, inside MongoDB: stock is received minus held."""
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


def movements_add_up(evidence: Evidence) -> Iterator[Violation]:
    """Law 1, inside MongoDB: received is the sum of the movements, and each answered one is among them."""
    for product, received in evidence.observations.received.items():
        stored, moved = evidence.products[product]["received"], evidence.moved[product]
        if not received == stored == moved:
            fact = f"received {received} by the answers, {stored} by its field, {moved} by its movements"
            yield Violation("drift", product, fact)


def accepted_orders_exist_once(evidence: Evidence) -> Iterator[Violation]:
    """Law 2: each idempotency key has one order, and it is the one in the answer."""
    orders_of_key: defaultdict[str, list[str]] = defaultdict(list)
    for order_id, key, _ in evidence.rows:
        orders_of_key[key].append(order_id)
    for placed in evidence.observations.placed.values():
        found = orders_of_key.pop(placed.key, [])
        if found != [placed.order_id] or placed.order_id not in evidence.orders:
            yield Violation("lost", placed.order_id, f"answered 201 for key {placed.key}, which has {found}")
    for key, found in orders_of_key.items():
        yield Violation("drift", found[0], f"the order with key {key} was in no answer")


def accepted_orders_come_to_an_end(evidence: Evidence) -> Iterator[Violation]:
    """Law 2: each order is reserved, or cancelled with a reason; cancelled and delivered orders stay so."""
    for placed in evidence.observations.placed.values():
        order = evidence.orders.get(placed.order_id)
        if order is not None and not _has_ended(order):
            yield Violation(
                "lost",
                placed.order_id,
                f"status {order['status']}, stock {order['stockStatus']}, reason {order['cancelReason']}",
            )
    for order_ids, status in (
        (evidence.observations.cancelled, CANCELLED),
        (evidence.observations.delivered, DELIVERED),
    ):
        for order_id in order_ids:
            if evidence.orders.get(order_id, {}).get("status") != status:
                yield Violation("lost", order_id, f"does not have status {status}, which an answer confirmed")


def histories_have_no_gap(evidence: Evidence) -> Iterator[Violation]:
    """Law 2: an order has events of versions 1 to n, and n is the order's version."""
    for order_id, _, version in evidence.rows:
        versions = [event.version for event in evidence.histories.get(order_id, ())]
        if versions != list(range(1, version + 1)):
            yield Violation("lost", order_id, f"at version {version} with the history {versions}")


def orders_equal_the_fold_of_their_events(evidence: Evidence) -> Iterator[Violation]:
    """Each order equals the fold of its events, by the command replay_orders."""
    if evidence.replay:
        yield Violation("drift", "", f"replay_orders: {evidence.replay}")


def events_are_published(evidence: Evidence) -> Iterator[Violation]:
    """Law 4: the messages of each event are on Kafka, and those of one order follow its versions."""
    for order_id, history in evidence.histories.items():
        ids = {record.headers.get("ce_id") for record in evidence.messages.get(order_id, ())}
        for version, kind in history:
            for topic in _CAUSED.get(kind, ()):
                if f"{order_id}:{version}:{topic}" not in ids:
                    yield Violation(
                        "lost", order_id, f"no {topic} of version {version} ({kind}) was published"
                    )
        if order_id in evidence.observations.placed and not _is_in_order(evidence, order_id):
            yield Violation(
                "drift", order_id, "its order.status.changed messages were first published out of order"
            )


def sockets_receive_every_version(evidence: Evidence) -> Iterator[Violation]:
    """Law 2: a customer's sockets receive every version; a connection receives each once, and in order."""
    received: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for connection in evidence.observations.connections:
        received[connection.user_id].update(connection.received)
        latest: dict[str, int] = {}
        for order_id, version in connection.received:
            if version <= latest.get(order_id, 0):
                yield Violation("drift", order_id, f"version {version} received after {latest[order_id]}")
            latest[order_id] = version
    for placed in evidence.observations.placed.values():
        if placed.user_id in received:
            sent = {(placed.order_id, event.version) for event in told_events(evidence, placed.order_id)}
            for _, version in sorted(sent - received[placed.user_id]):
                yield Violation("lost", placed.order_id, f"its customer never received version {version}")


def reservations_are_whole_and_single(evidence: Evidence) -> Iterator[Violation]:
    """Law 3: all answers of one kind to an order are equal, and no more pieces are released than reserved."""
    for order_id in evidence.messages.keys() - evidence.observations.invalid_keys:
        reserved, rejected, released = (
            {record.value for record in evidence.sent(order_id, topic)}
            for topic in (RESERVED, REJECTED, RELEASED)
        )
        for answers in (reserved, rejected, released):
            if len(answers) > 1:
                yield Violation("drift", order_id, f"got different answers: {sorted(answers)}")
        if reserved and rejected:
            yield Violation("drift", order_id, "was both reserved and rejected")
        # A worker killed between settling and answering may find the reservation released when it settles
        # again: then no `inventory.reserved` exists, and the request says what was reserved.
        requested = {record.value for record in evidence.sent(order_id, RESERVE)}
        most = _lines(min(reserved or requested)) if reserved or requested else Counter[str]()
        if released and _lines(min(released)) - most:
            yield Violation("drift", order_id, f"reserved {dict(most)} and released {sorted(released)}")


def requests_are_answered(evidence: Evidence) -> Iterator[Violation]:
    """Law 4: an order has at least as many answers as requests, and each release has its answer."""
    for order_id in evidence.messages.keys() - evidence.observations.invalid_keys:
        requests = evidence.sent(order_id, RESERVE, RELEASE)
        answers = evidence.sent(order_id, RESERVED, REJECTED, RELEASED)
        if len(answers) < len(requests):
            yield Violation("lost", order_id, f"{len(requests)} requests, but {len(answers)} answers")
        if evidence.sent(order_id, RELEASE) and not evidence.sent(order_id, RELEASED):
            yield Violation("lost", order_id, "its release was requested and not answered")


def only_invalid_messages_are_dead_letters(evidence: Evidence) -> Iterator[Violation]:
    """Law 4: the dead letters are the invalid messages, all of them and no others."""
    dead = {key for key in evidence.messages if evidence.sent(key, *_OUR_DEAD_LETTERS)}
    sent = {key for key in evidence.observations.invalid_keys if evidence.sent(key, RESERVE)}
    for key in dead - sent:
        reasons = [record.headers for record in evidence.sent(key, *_OUR_DEAD_LETTERS)]
        yield Violation("lost", key, f"is among the dead letters: {reasons}")
    for key in sent - dead:
        yield Violation("lost", key, "is invalid, but not among the dead letters")
    for key in evidence.messages:
        if retried := evidence.sent(key, *_OUR_RETRIES):
            yield Violation("lost", key, f"had to be retried: {[record.headers for record in retried]}")


def all_work_is_finished(evidence: Evidence) -> Iterator[Violation]:
    """Law 4: the system finishes all work of the run in time."""
    for work in evidence.unfinished:
        yield Violation("lost", "", f"not finished in time: {work}")


def answers_follow_the_contract(evidence: Evidence) -> Iterator[Violation]:
    """No client received an answer or a message that the contract does not allow."""
    for observation in evidence.observations.unexpected:
        yield Violation("lost", "", observation)


LAWS: tuple[Law, ...] = (
    stock_is_received_minus_held,
    ledger_agrees_with_orders,
    ledger_adds_up,
    movements_add_up,
    accepted_orders_exist_once,
    accepted_orders_come_to_an_end,
    histories_have_no_gap,
    orders_equal_the_fold_of_their_events,
    events_are_published,
    sockets_receive_every_version,
    reservations_are_whole_and_single,
    requests_are_answered,
    only_invalid_messages_are_dead_letters,
    all_work_is_finished,
    answers_follow_the_contract,
    *MONEY_LAWS,
    *MAIL_LAWS,
    *FALL_LAWS,
    *FIGURE_LAWS,
)


def broken_laws(evidence: Evidence) -> dict[str, list[Violation]]:
    """The violations of each law that has any, by its name."""
    judged = {law.__name__: list(law(evidence)) for law in LAWS}
    return {name: violations for name, violations in judged.items() if violations}


def told_events(evidence: Evidence, order_id: str) -> list[Event]:
    """The events of an order of which a socket message tells."""
    return [event for event in evidence.histories.get(order_id, ()) if event.type not in _SILENT]


def held_pieces(evidence: Evidence) -> Mapping[str, dict[str, int]]:
    """What each order holds, by the orders of the API, the answers on Kafka and the answers over HTTP."""
    held: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for placed in evidence.observations.placed.values():
        if evidence.orders.get(placed.order_id, {}).get("stockStatus") == "reserved":
            held[placed.order_id] = dict(placed.lines)
    for key in evidence.messages.keys() - evidence.observations.placed.keys():
        reserved = evidence.sent(key, RESERVED)
        if reserved and not evidence.sent(key, RELEASED):
            held[key] = dict(_lines(reserved[0].value))
    for (order_id, product), quantity in evidence.observations.held_by_services.items():
        if quantity:
            held[order_id][product] = quantity
    return held


def _lines(answer: bytes) -> Counter[str]:
    items = msgspec.json.decode(answer)["items"]
    return Counter({item["productId"]: item["quantity"] for item in items})


def _has_ended(order: Mapping[str, Any]) -> bool:
    status, reason = order["status"], order["cancelReason"]
    if order["stockStatus"] == "reserved":
        awaits_payment = status == PENDING and order["paymentMethod"] == CREDIT_CARD
        return awaits_payment or status in {PROCESSING, SHIPPED, DELIVERED}
    is_settled = order["stockStatus"] in {"rejected", "released"}
    return is_settled and status == CANCELLED and bool(reason and reason["detail"])


def _is_in_order(evidence: Evidence, order_id: str) -> bool:
    """Whether the versions were sent in order, each judged by the first time it was sent."""
    first: dict[int, int] = {}
    for record in evidence.sent(order_id, "order.status.changed"):
        first.setdefault(int(record.headers["ce_sequence"]), record.offset)
    offsets = [first[version] for version in sorted(first)]
    return offsets == sorted(offsets)
