"""The email consumer: from messages on the broker to mails at a mail server."""

import json
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from kafka_workers.consumers import email
from kafka_workers.consumers.email import EMAIL_CONSUMER
from kafka_workers.runtime.consuming.consumer_loop import run
from orders_app.accounts.password_reset import request_reset
from orders_app.models import MailRecord
from tests.concurrency import running
from tests.database import in_test_database
from tests.orders_app.mail.mailing import send_to
from tests.running_catcher import Catcher

pytestmark = pytest.mark.django_db(transaction=True)

TIME = "2026-11-26T21:05:00Z"
ITEM = {"productId": "p", "productName": "Lantern <3", "quantity": 2, "price": "10.00"}
STATUS = {"oldStatus": 1, "oldStatusLabel": "", "newStatusLabel": "", "timestamp": TIME}
MONEY = {"amount": 1250, "currency": "USD", "attempt": 1, "timestamp": TIME}
CANCELLED = {"totalAmount": "20.00", "items": [ITEM], "cancelledAt": TIME}

PLACED: tuple[str, dict[str, Any]] = (
    "order.created",
    {"totalAmount": "20.00", "currency": "USD", "items": [ITEM], "paymentMethod": 7, "createdAt": TIME},
)
TOLD: dict[str, tuple[str, dict[str, Any], str]] = {
    "placed": (*PLACED, "Total: $20.00"),
    "confirmed": ("order.status.changed", STATUS | {"newStatus": 2}, "Your order is confirmed."),
    "shipped": ("order.status.changed", STATUS | {"newStatus": 3, "trackingNumber": "1Z9"}, "1Z9"),
    "delivered": (
        "order.completed",
        {"totalAmount": "20.00", "items": [ITEM], "deliveredAt": TIME},
        "has arrived",
    ),
    "rejected": (
        "order.cancelled",
        CANCELLED | {"code": "INSUFFICIENT_STOCK", "reason": "Lantern: 1 available."},
        "Lantern: 1 available.",
    ),
    "expired": ("order.cancelled", CANCELLED | {"code": "HOLD_EXPIRED", "reason": ""}, "not paid in time"),
    "cancelled without a code": ("order.cancelled", CANCELLED | {"reason": "Who knows."}, "Who knows."),
    "payment failed": (
        "payment.failed",
        MONEY | {"code": "card_declined", "detail": "Your card was declined."},
        "Your card was declined.",
    ),
    "refunded": (
        "payment.refunded",
        MONEY | {"paymentId": "pi_1", "refundId": "re_1", "refund": 5, "reason": "Broken."},
        "$12.50",
    ),
}


@pytest.fixture(autouse=True)
def catcher(mail_catcher: Catcher, settings: Any) -> Catcher:
    send_to(mail_catcher, settings)
    settings.RETRY_DELAYS_SECONDS = (0.2, 0.3, 0.4)
    return mail_catcher


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", "alice@example.com")


@contextmanager
def running_consumer() -> Iterator[None]:
    with running(lambda stop: run(EMAIL_CONSUMER, stop)):
        yield


def number() -> str:
    return f"SB-{uuid.uuid4().hex[:9].upper()}"


def send(
    kafka_client: KafkaClient, reader: User, topic: str, value: dict[str, Any], key: str = "", **fields: Any
) -> str:
    """Sends a message about an order of its own; returns the order's number."""
    order = {"orderId": str(uuid.uuid4()), "orderNumber": number(), "userId": str(reader.pk)}
    whole = order | value | fields
    kafka_client.send(topic, key or whole["orderId"], json.dumps(whole).encode())
    return str(whole["orderNumber"])


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_each_of_these_events_is_told_to_its_customer(
    told: tuple[str, dict[str, Any], str], kafka_client: KafkaClient, alice: User, catcher: Catcher
) -> None:
    topic, value, words = told
    order_number = send(kafka_client, alice, topic, value)
    with running_consumer():
        mail = catcher.mail(order_number)
    assert mail["to"] == ["alice@example.com"]
    assert mail["subject"].startswith(f"{order_number}: ")
    assert words in mail["text"]


def test_other_changes_of_the_status_and_other_topics_are_not_told(
    kafka_client: KafkaClient, alice: User, catcher: Catcher
) -> None:
    for status in (1, 4, 5):
        send(kafka_client, alice, "order.status.changed", STATUS | {"newStatus": status})
    succeeded = MONEY | {"paymentId": "pi_1"}
    send(kafka_client, alice, "payment.succeeded", succeeded)
    last = send(kafka_client, alice, *PLACED)
    with running_consumer():
        catcher.mail(last)
    assert len(catcher.mails()) == 1


def test_mails_about_accounts_are_sent_beside_those_about_orders(
    kafka_client: KafkaClient, alice: User, catcher: Catcher
) -> None:
    alice.set_password("kettle-orchard-9")
    alice.save()
    request_reset(address=alice.email)
    with running_consumer():
        assert catcher.mail("new password")["to"] == [alice.email]


def test_a_message_that_comes_twice_is_told_once_with_the_id_of_its_event(
    kafka_client: KafkaClient, alice: User, catcher: Catcher
) -> None:
    order_id, topic = str(uuid.uuid4()), PLACED[0]
    value = PLACED[1] | {"orderId": order_id, "orderNumber": number(), "userId": str(alice.pk)}
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"{order_id}:1:{topic}",
        "ce_type": topic,
        "ce_source": "/stockbridge/orders",
    }
    for _ in range(3):
        kafka_client.send(topic, order_id, json.dumps(value).encode(), headers)
    last = send(kafka_client, alice, *PLACED, key=order_id)
    with running_consumer():
        catcher.mail(last)
    [mail] = catcher.mails(value["orderNumber"])
    assert mail["headers"]["X-Stockbridge-Event"] == f"{order_id}:1"


def test_while_the_mail_server_is_away_mails_wait_and_then_come_in_order(
    kafka_client: KafkaClient, alice: User, catcher: Catcher, captured_log: list[dict[str, Any]]
) -> None:
    first = send(kafka_client, alice, *PLACED)
    with running_consumer():
        catcher.mail(first)
        catcher.kill()
        numbers = [send(kafka_client, alice, *PLACED, key="one") for _ in range(5)]
        waiting = "dependency unavailable: waiting"
        eventually(lambda: waiting in {line["event"] for line in captured_log}, "it waits")
        catcher.start()
        catcher.mail(numbers[-1])
    subjects = [mail["subject"].partition(":")[0] for mail in reversed(catcher.mails())]
    assert subjects == [first, *numbers]
    assert len([line for line in captured_log if line["event"] == waiting]) == 1


def test_after_an_outage_each_order_is_told_of_in_the_order_in_which_it_went(
    kafka_client: KafkaClient, alice: User, catcher: Catcher
) -> None:
    first = send(kafka_client, alice, *PLACED)
    walk = ("placed", "confirmed", "shipped", "delivered")
    with running_consumer():
        catcher.mail(first)
        catcher.kill()
        numbers = [number() for _ in range(12)]
        for step in walk:
            topic, value, _ = TOLD[step]
            for each in numbers:
                send(kafka_client, alice, topic, value, orderNumber=each, key=each)
        catcher.start()
        eventually(lambda: len(catcher.mails()) > len(walk) * len(numbers), "all are told of")
    subjects = [mail["subject"] for mail in reversed(catcher.mails())][1:]
    words = ["we have", "confirmed", "on its way", "arrived"]
    for each in numbers:
        told = [subject for subject in subjects if subject.startswith(each)]
        assert [word in subject for word, subject in zip(words, told, strict=True)] == [True] * 4, told


def test_one_that_is_deferred_comes_later_one_refused_never_and_their_neighbours_once(
    kafka_client: KafkaClient, alice: User, catcher: Catcher
) -> None:
    deferred = User.objects.create_user("bob", f"catcher-451-2+{uuid.uuid4().hex}@example.com")
    refused = User.objects.create_user("carol", "catcher-550@example.com")
    readers = [alice, deferred, alice, refused, alice]
    numbers = [send(kafka_client, reader, *PLACED, key="one") for reader in readers]
    kafka_client.send(PLACED[0], "one", b"{broken")
    last = send(kafka_client, alice, *PLACED, key="one")
    with running_consumer():
        catcher.mail(last)
        catcher.mail(numbers[1])
    copies = Counter(mail["subject"].partition(":")[0] for mail in catcher.mails())
    assert copies == Counter({*numbers, last} - {numbers[3]})
    states = dict(MailRecord.objects.values_list("order_number", "state"))
    assert (states[numbers[1]], states[numbers[3]]) == ("sent", "refused")


@pytest.mark.parametrize(
    ("point", "copies"),
    [
        ("before-sending-mail", 1),
        ("before-last-line-of-mail", 1),
        ("after-sending-mail-before-record", 2),
    ],
)
def test_a_kill_at_this_point_loses_no_mail_and_gives_at_most_one_copy_more(
    point: str, copies: int, kafka_client: KafkaClient, alice: User, catcher: Catcher
) -> None:
    numbers = [send(kafka_client, alice, *PLACED, key="one") for _ in range(3)]
    environment = in_test_database() | {"EMAIL_URL": catcher.email_url, "PUBLIC_URL": "http://localhost:1"}
    command = [sys.executable, "manage.py", "run_email_consumer"]
    killed = subprocess.run(command, env=environment | {"KILL_AT": point}, timeout=60, check=False)
    assert killed.returncode == -9
    with running_consumer():
        catcher.mail(numbers[-1])
    sent = Counter(mail["subject"].partition(":")[0] for mail in catcher.mails())
    assert sent == {numbers[0]: copies, numbers[1]: 1, numbers[2]: 1}


BAD_MONEY: list[tuple[str, dict[str, Any], str]] = [
    ("refunded", {"currency": "GOLD"}, "no currency: 'GOLD'"),
    ("placed", {"currency": "usd"}, "no currency: 'usd'"),
    *(
        (kind, {"totalAmount": amount}, f"no amount of money: '{amount}' - at `$.totalAmount`")
        for kind, amount in (("placed", "NaN"), ("placed", "-5.00"), ("delivered", "Infinity"))
    ),
    ("placed", {"totalAmount": "1E+400000"}, "no amount of money"),
    ("placed", {"items": [ITEM | {"price": "-0.01"}]}, "no amount of money: '-0.01' - at `$.items[0].price`"),
    ("rejected", {"items": [ITEM | {"price": "sNaN"}]}, "no amount of money"),
]


def test_messages_with_money_that_is_none_are_dead_letters(
    kafka_client: KafkaClient, alice: User, catcher: Catcher
) -> None:
    key = uuid.uuid4().hex
    for kind, bad, _ in BAD_MONEY:
        topic, value, _ = TOLD[kind]
        send(kafka_client, alice, topic, value | bad, key=key)
    last = send(kafka_client, alice, *PLACED)
    with running_consumer():
        catcher.mail(last)
        letters = kafka_client.of_order(key, "email-service-group.dlq", count=len(BAD_MONEY))
    reasons = [str(letter.headers["failure_reason"]) for letter in letters]
    for _, _, sentence in BAD_MONEY:
        assert any(sentence in reason for reason in reasons), (sentence, reasons)
    assert {letter.headers["failure_kind"] for letter in letters} == {"invalid"}
    assert len(catcher.mails()) == 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("EMAIL_URL", "", "EMAIL_URL is not set: without it no mail can be sent."),
        ("PUBLIC_URL", "", "PUBLIC_URL is not set: without it no mail can be sent."),
        (
            "KAFKA_RETENTION_DAYS",
            30,
            "KAFKA_RETENTION_DAYS must be at most 27: topics and dead letters could",
        ),
    ],
)
def test_settings_with_which_mail_would_fail_or_come_twice_are_refused(
    name: str, value: object, sentence: str, settings: Any
) -> None:
    email.check_settings()
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        email.check_settings()
