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


def page_of(order_pages: OrderPages, action: str, *orders: OrderDocument) -> str:
    """The page for overriding to which the confirmation of this action leads."""
    asked = order_pages.choose(action, *[order.id for order in orders])
    page: str = asked.context["override_url"]
    assert page.startswith(PAGE)
    return page


def submit(order_pages: OrderPages, page: str, reason: str) -> Any:
    """Fill in the page."""
    return order_pages.client.post(page, {"reason": reason}, follow=True)


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
    asked = order_pages.choose("process", order.id)
    assert "The stock of the order is not reserved." in asked.content.decode()
    assert asked.context["override_url"] == ""
    address = f"{PAGE}?status=2&order={order.id}"
    assert order_pages.client.get(address).status_code == 403
    assert submit(order_pages, address, "Now.").status_code == 403
    assert "not reserved" in messages_of(order_pages.act("process", order.id))[0]
    assert all_that_is_stored() == before


def test_an_action_asks_for_the_reason_and_lets_the_pending_orders_go_on(
    placer: OrderPlacer, order_pages: OrderPages, trusted: User
) -> None:
    waiting, unpaid = placer.place(), placer.place_reserved(payment_method=PaymentMethod.UPI)
    before = all_that_is_stored()
    page = page_of(order_pages, "process", waiting, unpaid)
    text = order_pages.client.get(page).content.decode()
    assert all_that_is_stored() == before
    assert waiting.order_number in text
    assert unpaid.order_number in text
    assert submit(order_pages, page, " Counter sale. ").context["report"].summary == "2 orders changed."
    assert (now(waiting).status, now(unpaid).status) == (PROCESSING, PROCESSING)
    assert [override_of(order).without for order in (waiting, unpaid)] == [
        ("stock",),
        ("payment",),
    ]
    assert override_of(waiting).reason == "Counter sale."
    assert last_event(waiting).actor == f"staff:{trusted.pk}"
    assert {entry.change_message for entry in LogEntry.objects.all()} == {"Override to Processing."}


@pytest.mark.usefixtures("trusted")
def test_only_the_orders_that_lack_stock_or_payment_are_overridden(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    ready, overridden = placer.place_reserved(), placer.place_and_move(PROCESSING)
    page = page_of(order_pages, "ship", ready, overridden)
    assert [order.pk for order in order_pages.client.get(page).context["orders"]] == [overridden.id]
    refused = submit(order_pages, page, "  ")
    assert refused.status_code == 400
    assert "This field is required" in refused.content.decode()
    assert now(overridden) == overridden
    submit(order_pages, page, "Counter sale.")
    assert (now(overridden).status, now(ready)) == (SHIPPED, ready)


@pytest.mark.usefixtures("trusted")
def test_the_page_of_an_order_leads_there(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place()
    page = order_pages.client.get(order_pages.page("change", order.id))
    [button] = [button for button in page.context["buttons"] if button.label == "Mark as processing…"]
    asked = order_pages.client.get(button.url)
    submit(order_pages, asked.context["override_url"], "Counter sale.")
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
