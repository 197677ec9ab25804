"""The laws about mail, judged by what the mail catcher has taken."""

from collections.abc import Iterator

from devtools.driver.kafka import Record
from devtools.driver.shop import PROCESSING, SHIPPED
from devtools.faults.evidence import Evidence
from devtools.faults.violation import Violation
from kafka_workers.workers import EMAIL

MAIL_DEAD_LETTERS = f"{EMAIL.group}.dlq"
_ABOUT_MONEY = ("payment.failed", "payment.refunded")
_ABOUT_ORDERS = ("order.created", "order.cancelled", "order.completed", "order.status.changed")


def events_are_mailed_and_never_more_than_twice(evidence: Evidence) -> Iterator[Violation]:
    """Each event is mailed once, or twice where a kill fell between sending and recording."""
    repeated = unsure = 0
    for order_id, placed in evidence.observations.placed.items():
        wants_all = placed.user_id in evidence.observations.wants_mail
        left_to_people = {_event_of(record) for record in evidence.sent(order_id, MAIL_DEAD_LETTERS)}
        unsure += len(left_to_people)
        for event in _mailed_events(evidence, order_id, wants_all=wants_all) - left_to_people:
            count = evidence.mails[event]
            repeated += count == 2
            if count == 0:
                yield Violation("lost", order_id, f"no mail tells of {event}")
            if count > 2:
                yield Violation("drift", order_id, f"{count} mails tell of {event}")
    # A mail over which two workers were killed may have been sent twice: it is left to people.
    if 2 * unsure > evidence.observations.mail_kills:
        yield Violation("lost", "", f"{unsure} mails are among the dead letters of {EMAIL.group}")
    if repeated > evidence.observations.mail_kills:
        fact = f"{repeated} events were mailed twice, after {evidence.observations.mail_kills} kills"
        yield Violation("drift", "", fact)


def _mailed_events(evidence: Evidence, order_id: str, *, wants_all: bool) -> set[str]:
    """The ids of the events of which a mail to the customer tells."""
    topics = (*_ABOUT_MONEY, *_ABOUT_ORDERS) if wants_all else _ABOUT_MONEY
    records = evidence.sent(order_id, *topics)
    return {_event_of(record) for record in records if _is_mailed(record)}


def _is_mailed(record: Record) -> bool:
    if record.topic == "order.status.changed":
        return record.json()["newStatus"] in {PROCESSING, SHIPPED}
    return "refund" not in record.json() or record.topic == "payment.refunded"


def _event_of(record: Record) -> str:
    kind = record.headers["ce_type"]
    return record.headers["ce_id"].removesuffix(f":{kind}" if kind in _ABOUT_ORDERS else "")


MAIL_LAWS = (events_are_mailed_and_never_more_than_twice,)
