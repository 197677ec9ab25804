"""The page on which staff override the checks of stock and payment, and the list of contradictions."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from orders_app.document import OrderDocument
from orders_app.event_data import Override, StatusChanged
from orders_app.event_effects import decode
from orders_app.services.stock_answers import MessageOrigin, StockReserved
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.orders_app.admin.order_pages import OrderPages, messages_of
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored, answer, last_event, now

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSING, SHIPPED = OrderStatus.PROCESSING, OrderStatus.SHIPPED
PAGE = reverse("admin:orders_app_order_override")
CONTRADICTIONS = reverse("admin:orders_app_stockcontradiction_changelist")


@pytest.fixture
def trusted(sam: User) -> User:
    """Sam, who has been given the permission to override checks."""
    sam.user_permissions.add(Permission.objects.get(codename="override_checks"))
    return sam


def submit(order_pages: OrderPages, response: Any, reason: str) -> Any:
    """Fill in the page to which a response has led."""
    [(address, _)] = [step for step in response.redirect_chain if PAGE in step[0]]
    return order_pages.client.post(address, {"reason": reason}, follow=True)


def override_of(order: OrderDocument) -> Override:
    event = last_event(order)
    data = decode(event.type, event.data)
    assert isinstance(data, StatusChanged)
    assert isinstance(data.override, Override)
    return data.override


def test_an_action_without_the_permission_leaves_pending_orders_as_they_are(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place()
    before = all_that_is_stored()
    for response in (
        order_pages.act("process", order.id),
        order_pages.save(order.id, status=int(PROCESSING)),
        order_pages.client.get(f"{PAGE}?status=2&order={order.id}"),
        order_pages.client.post(f"{PAGE}?status=2&order={order.id}", {"reason": "Now."}),
    ):
        if response.status_code != 403:
            assert "The stock of the order is not reserved" in messages_of(response)[0]
    assert all_that_is_stored() == before


def test_an_action_asks_for_the_reason_and_lets_the_pending_orders_go_on(
    placer: OrderPlacer, order_pages: OrderPages, trusted: User
) -> None:
    waiting, unpaid = placer.place(), placer.place_reserved(payment_method=PaymentMethod.UPI)
    before = all_that_is_stored()
    asked = order_pages.act("process", waiting.id, unpaid.id)
    assert all_that_is_stored() == before
    text = asked.content.decode()
    assert waiting.order_number in text
    assert unpaid.order_number in text
    assert messages_of(submit(order_pages, asked, " Counter sale. ")) == ["2 orders changed."]
    assert (now(waiting).status, now(unpaid).status) == (PROCESSING, PROCESSING)
    assert [override_of(order).without for order in (waiting, unpaid)] == [
        ("stock",),
        ("payment",),
    ]
    assert override_of(waiting).reason == "Counter sale."
    assert last_event(waiting).actor == f"staff:{trusted.pk}"
    assert {entry.change_message for entry in LogEntry.objects.all()} == {"Override to Processing."}


@pytest.mark.usefixtures("trusted")
def test_an_action_changes_the_ready_orders_at_once_and_asks_for_the_others_alone(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    ready, overridden = placer.place_reserved(), placer.place_and_move(PROCESSING)
    asked = order_pages.act("ship", ready.id, overridden.id)
    assert now(ready).status == SHIPPED
    assert [order.pk for order in asked.context["orders"]] == [overridden.id]
    submit(order_pages, asked, "Counter sale.")
    assert now(overridden).status == SHIPPED


@pytest.mark.usefixtures("trusted")
def test_the_form_of_an_order_leads_to_the_page(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place()
    asked = order_pages.save(order.id, status=int(PROCESSING))
    assert now(order) == order
    refused = submit(order_pages, asked, "  ")
    assert "This field is required" in refused.content.decode()
    assert now(order) == order
    submit(order_pages, asked, "Counter sale.")
    assert now(order).status == PROCESSING


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "query",
    ["", "status=2", "status=2&order=x", "status=9&order={id}", "status=5&order={id}", "order={id}"],
)
def test_an_address_that_names_nothing_to_override_is_not_found(
    placer: OrderPlacer, order_pages: OrderPages, query: str
) -> None:
    order = placer.place()
    assert order_pages.client.get(f"{PAGE}?{query.format(id=order.id)}").status_code == 404


def test_contradictions_are_listed_filtered_and_found(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order, other = placer.place(), placer.place()
    answer(StockReserved(str(order.id), {"x": 1}, MessageOrigin("<script>alert(1)</script>")))
    answer(StockReserved(str(other.id), {}, MessageOrigin("m-2")))

    def found(**query: str) -> set[str]:
        page = order_pages.client.get(CONTRADICTIONS, query)
        assert page.status_code == 200
        assert "<script>alert(1)" not in page.content.decode()
        return {row.order_number for row in page.context["cl"].result_list}

    both = {order.order_number, other.order_number}
    assert found() == found(kind__exact="reserved_otherwise") == found(outcome__exact="asked_again") == both
    assert found(outcome__exact="for_people") == set()
    assert found(q=order.order_number) == {order.order_number}
    assert found(q="m-2") == {other.order_number}
    row = order_pages.client.get(CONTRADICTIONS).context["cl"].result_list[0]
    page = order_pages.client.get(reverse("admin:orders_app_stockcontradiction_change", args=[row.pk]))
    assert page.status_code == 200
    assert str(row.order_id) in page.content.decode()
