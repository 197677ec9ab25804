"""The metrics of orders: placed, settled, in flight, and answers that come again."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY

from orders_app.in_flight_metric import update_oldest_in_flight
from orders_app.models import Order, StockContradiction
from orders_app.services.record_stock_answers import record_answers
from tests.orders_app.ordering import OrderPlacer, now, rejected, released, reserved

pytestmark = pytest.mark.django_db(transaction=True)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"stockbridge_{name}", labels) or 0


def test_placed_orders_are_counted(placer: OrderPlacer) -> None:
    before = value("orders_placed_total")
    placer.place()
    placer.place()
    assert value("orders_placed_total") == before + 2


@pytest.mark.parametrize("outcome", ["reserved", "rejected"])
def test_orders_are_counted_by_what_became_of_their_stock(placer: OrderPlacer, outcome: str) -> None:
    order = placer.place()
    Order.objects.filter(id=order.id).update(created_at=timezone.now() - timedelta(seconds=100))
    counted = value("orders_settled_total", outcome=outcome)
    seconds = value("order_settle_seconds_sum")
    answer = reserved(order) if outcome == "reserved" else rejected(order)
    assert record_answers(answers=[answer], origin_actor="service:stock") == 0
    assert value("orders_settled_total", outcome=outcome) == counted + 1
    assert value("order_settle_seconds_sum") - seconds == pytest.approx(100, abs=20)


def test_an_answer_that_comes_again_is_told_and_settles_nothing(placer: OrderPlacer) -> None:
    answer = reserved(placer.place())
    record_answers(answers=[answer], origin_actor="service:stock")
    counted = value("orders_settled_total", outcome="reserved")
    assert record_answers(answers=[answer, answer], origin_actor="service:stock") == 2
    assert value("orders_settled_total", outcome="reserved") == counted


def test_an_answer_that_contradicts_its_order_is_no_repetition(placer: OrderPlacer) -> None:
    order = placer.place()
    record_answers(answers=[rejected(order)], origin_actor="service:stock")
    assert record_answers(answers=[released(order)], origin_actor="service:stock") == 0


def test_a_rejection_that_contradicts_what_was_reserved_before_is_no_repetition(placer: OrderPlacer) -> None:
    order = placer.place_reserved()
    record_answers(answers=[released(order)], origin_actor="service:stock")  # so the stock is requested again
    version = now(order).version
    assert record_answers(answers=[rejected(order)], origin_actor="service:stock") == 0
    assert now(order).version == version
    assert StockContradiction.objects.filter(order_id=order.id).count() == 2


def test_the_age_of_the_oldest_order_in_flight_grows_until_its_stock_is_known(placer: OrderPlacer) -> None:
    order = placer.place()
    Order.objects.filter(id=order.id).update(created_at=timezone.now() - timedelta(minutes=5))
    update_oldest_in_flight()
    assert value("orders_oldest_in_flight_seconds") == pytest.approx(300, abs=30)
    record_answers(answers=[reserved(order)], origin_actor="service:stock")
    update_oldest_in_flight()
    assert value("orders_oldest_in_flight_seconds") == 0
