"""Payment tokens are at the gateway, and in their own table until their attempt ends: nowhere else.

Tokens of every kind are sent through the running system, right and wrong; then all that it shows is searched.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition
from psycopg import sql

from devtools.driver.inbox import Inbox
from devtools.driver.shop import (
    CREDIT_CARD,
    DEMO_PASSWORD,
    PAYMENT_FAILED,
    PROCESSING,
    REFUNDED,
    Caller,
    Shop,
)
from devtools.stack.stack import Stack

CHARGED = ("pm_sandbox_slow_1.173", "pm_sandbox_unavailable_1", "pm_sandbox_webhook_only")
UNKNOWN, WITH_BLANK, LONG = "pm_nobody_has_this", "pm_nobody_has a blank", "pm_nobody_has_" + "x" * 250
TOKEN = re.compile(r"pm_(?:sandbox|nobody)_[\w.]+")
ADMIN_LISTS = ("order", "payment", "refund", "gatewayevent", "mailrecord", "stockcontradiction")


@pytest.fixture(scope="module")
def orders(shop: Shop) -> tuple[Caller, list[str]]:
    """A customer and her orders, each paid by a token of another kind: the last by one that nobody has."""
    product, alice = shop.new_product(stock=20), shop.new_customer()
    placed = [
        alice.place((product, 1), payment_method=CREDIT_CARD, payment_token=token)
        for token in (*CHARGED, UNKNOWN)
    ]
    return alice, [order["id"] for order in placed]


@pytest.fixture(scope="module")
def answers(shop: Shop, orders: tuple[Caller, list[str]]) -> list[str]:
    """What the API and the socket said while the tokens were charged, declined, refunded and refused."""
    (alice, ids), eve = orders, shop.new_customer()
    sam = shop.log_in(shop.staff_name, shop.staff_password)
    with alice.listening() as socket:
        said = [
            caller.pay(ids[0], token).text for caller in (alice, eve, sam) for token in (WITH_BLANK, LONG)
        ]
        said += [alice.pay(ids[0], UNKNOWN).text, eve.pay(ids[0], UNKNOWN).text]
        for order_id in ids[:-1]:
            alice.wait_for_status(order_id, PROCESSING, seconds=60)
        alice.wait_for_payment_status(ids[-1], PAYMENT_FAILED, seconds=30)
        said += [alice.pay(ids[-1], UNKNOWN).text]
        alice.wait_for_payment_status(ids[-1], PAYMENT_FAILED, seconds=30)
        said += [sam.call("POST", f"orders/{ids[0]}/refund/", json={"reason": "Broken."}).text]
        alice.wait_for_payment_status(ids[0], REFUNDED, seconds=30)
        said += [alice.call("PATCH", f"orders/{ids[-1]}/cancel/").text]
        socket.wait_for("order:cancelled", ids[-1])
        said += [str(socket.received)]
    paths = [f"orders/{order_id}/{part}" for order_id in ids for part in ("", "history/", "payments/")]
    return said + [alice.call("GET", path).text for path in (*paths, "orders/")]


def tokens_in(*texts: str) -> set[str]:
    return {token for text in texts for token in TOKEN.findall(text)}


@pytest.mark.usefixtures("answers")
def test_the_search_finds_the_tokens_at_the_gateway(stack: Stack) -> None:
    books = b"".join(path.read_bytes() for path in (stack.settings.directory / "payments").rglob("books*"))
    assert tokens_in(books.decode(errors="replace")) >= {*CHARGED}


def test_no_answer_of_the_api_and_no_socket_message_shows_a_token(answers: list[str]) -> None:
    assert len(answers) > 20
    assert tokens_in(*answers) == set()


@pytest.mark.usefixtures("answers")
def test_no_table_but_that_of_tokens_has_a_token(stack: Stack, orders: tuple[Caller, list[str]]) -> None:
    with psycopg.connect(stack.env["DATABASE_URL"]) as database:
        assert tokens_in(*rows(database, but="payment_token")) == set()
        kept = database.execute("SELECT count(*) FROM payment_token WHERE order_id = ANY(%s)", [orders[1]])
        assert kept.fetchone() == (0,)


def rows(database: psycopg.Connection, but: str) -> Iterator[str]:
    """Every row of every table but one, as text."""
    names = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    tables = [name for (name,) in names if name != but]
    assert {"order_event", "order_payment", "order_refund", "gateway_event", "mail_record"} <= {*tables}
    for table in tables:
        query = sql.SQL("SELECT each::text FROM {} AS each").format(sql.Identifier(table))
        yield from (text for (text,) in database.execute(query))


@pytest.mark.usefixtures("answers")
def test_no_message_of_any_topic_has_a_token(stack: Stack) -> None:
    messages = list(all_messages(stack.env["KAFKA_BROKERS"]))
    assert any("payment.requested" in message for message in messages)
    assert tokens_in(*messages) == set()


def all_messages(brokers: str) -> Iterator[str]:
    """Every message of every topic, retry topics and dead letters among them."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "search", "enable.auto.commit": False})
    topics = consumer.list_topics(timeout=10).topics
    ends = {}
    for name in (name for name in topics if not name.startswith("__")):
        for partition in topics[name].partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=10)
            ends[name, partition] = low, high
    left = {place: high for place, (low, high) in ends.items() if high > low}
    consumer.assign([TopicPartition(*place, ends[place][0]) for place in left])
    while left:
        message = consumer.poll(10)
        assert message is not None
        assert message.error() is None
        place = str(message.topic()), int(message.partition() or 0)
        if int(message.offset() or 0) + 1 >= left.get(place, 0):
            left.pop(place, None)
        yield f"{message.topic()} {message.key()!r} {message.value()!r} {message.headers()!r}"
    consumer.close()


@pytest.mark.usefixtures("answers")
def test_no_log_of_any_process_has_a_token(stack: Stack) -> None:
    logs = {path.name: path.read_text(errors="replace") for path in stack.settings.logs.glob("*.log")}
    assert {"web.log", "payment.log", "order.log", "relay.log"} <= logs.keys()
    assert {name for name, text in logs.items() if tokens_in(text)} - {"sandbox.log"} == set()


@pytest.mark.usefixtures("answers")
def test_no_page_of_the_admin_shows_a_token(stack: Stack, orders: tuple[Caller, list[str]]) -> None:
    with httpx.Client(base_url=stack.urls["web"], follow_redirects=True, timeout=30) as browser:
        form = browser.get("/admin/login/")
        [hidden] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)[:1]
        browser.post(
            "/admin/login/",
            data={"csrfmiddlewaretoken": hidden, "username": "admin", "password": DEMO_PASSWORD},
        )
        paths = [f"order/{order_id}/change/" for order_id in orders[1]]
        pages = {path: browser.get(f"/admin/orders_app/{path}") for path in (*paths, *ADMIN_LISTS)}
    assert {page.status_code for page in pages.values()} == {200}
    assert "resource_missing" in pages["payment"].text or "Failed" in pages["payment"].text
    assert {path for path, page in pages.items() if tokens_in(page.text)} == set()


@pytest.mark.usefixtures("answers")
def test_no_mail_has_a_token(inbox: Inbox) -> None:
    mails = inbox.mails()
    assert mails
    assert tokens_in(*(str(inbox.content(mail)) for mail in mails)) == set()


@pytest.mark.usefixtures("answers")
def test_neither_the_settings_nor_the_metrics_show_a_token(stack: Stack) -> None:
    shown = subprocess.run(
        [sys.executable, "manage.py", "diffsettings", "--all"],
        cwd=Path(__file__).parents[2],
        env=stack.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    metrics = httpx.get(f"{stack.urls['web']}/metrics", timeout=30).text
    assert "STRIPE_API_BASE" in shown.stdout
    assert "stockbridge_gateway_events_total" in metrics
    assert tokens_in(shown.stdout, metrics) == set()
