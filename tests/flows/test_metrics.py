"""Labels of metrics have few values, whatever callers send: each value is a series that Prometheus keeps."""

import re
import uuid
from typing import get_args

from django.urls import get_resolver
from prometheus_client.parser import text_string_to_metric_families

from config.collected_metrics import OTHER, STATES
from devtools.driver.shop import Shop
from foundation.heartbeat import State
from foundation.metrics import LABELS
from kafka_workers.workers import WORKERS
from orders_app.board_figures import Wait
from orders_app.event_data import EventType
from products_app.documents.command_metrics import COMMANDS
from tests.routes import routes
from web.middleware import METHODS

OF_USERS = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}|[0-9]{5}|@|ORD-", re.IGNORECASE)
"""Ids, numbers of orders, mail addresses."""


def allowed() -> dict[str, set[str]]:
    """The values of labels that the code knows."""
    return {
        "command": {*COMMANDS, "other"},
        "dependency": {"postgresql", "mongodb", "kafka"},
        "method": {*METHODS, "other"},
        "operation": {"charge", "refund", "look_up", "list"},
        "route": {*routes(get_resolver()), "unmatched"},
        "state": {*STATES.values(), OTHER, *get_args(State), "open", "in_use"},
        "type": {*EventType, "inventory.reserved", "inventory.rejected", "inventory.released"},
        "wait": set(Wait),
        "worker": {*(worker.name for worker in WORKERS), "web", "sockets", "sockets-feed", "sign-ins"},
    }


def test_nothing_that_callers_send_becomes_a_label(shop: Shop) -> None:
    alice = shop.new_customer()
    order = alice.place((shop.new_product(stock=3), 1))
    for path in (
        f"orders/{order['id']}/",
        f"orders/?search={order['orderNumber']}",
        f"nowhere/{uuid.uuid4()}/",
    ):
        alice.call("GET", path)
    alice.call("BREW", "orders/")
    with alice.listening():
        pass
    shown = shop.http.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(shown) for sample in family.samples]
    seen = {(label, value) for each in samples for label, value in each.labels.items() if label != "le"}
    assert {label for label, _ in seen} <= LABELS.keys()
    assert [value for _, value in seen if len(value) > 200 or OF_USERS.search(value)] == []
    known = allowed()
    assert [(label, value) for label, value in seen if value not in known.get(label, {value})] == []
