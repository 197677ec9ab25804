"""The history of an order over HTTP, and the order as it was at a version or a time."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from foundation.tracing import trace_id
from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_log import Origin
from orders_app.fold import rebuild_order
from orders_app.models import OrderEvent
from orders_app.services.change_order import change_status, delete_order, update_order
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.orders_app.api.api_users import ApiUser, attributes, codes
from tests.orders_app.ordering import (
    OTHER_ADDRESS,
    TRACE_PARENT,
    OrderPlacer,
    answer,
    reserved,
)
from tests.orders_app.paying import pay, record, taken

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "The customer is known to us."


@pytest.fixture
def told_order(placer: OrderPlacer, staff: ApiUser, payment_gateway: None) -> OrderDocument:
    """An order that its customer, staff and the system have changed, with a payment at the gateway."""
    order = placer.place(PaymentMethod.STRIPE)
    update_order(order_id=order.id, shipping_address=OTHER_ADDRESS, origin=placer.origin)
    origin = Origin(f"staff:{staff.user_id}")
    change_status(order_id=order.id, new_status=OrderStatus.PROCESSING, origin=origin, override_reason=REASON)
    answer(reserved(order))
    pay(order)
    record(taken(order))
    return order


def history(user: ApiUser, order: OrderDocument) -> list[dict[str, Any]]:
    page = user.request("GET", f"orders/{order.id}/history/").json()
    assert page["count"] == len(page["results"])
    entries: list[dict[str, Any]] = page["results"]
    return entries


def test_staff_are_told_all_that_happened_and_who_did_it(
    told_order: OrderDocument, placer: OrderPlacer, staff: ApiUser
) -> None:
    User.objects.filter(username="sam").update(first_name="Sam", last_name="Stone")
    customer = User.objects.get(pk=placer.user_id).get_username()
    created, edited, processing, confirmed, *_, paid = history(staff, told_order)
    assert created["eventId"] == f"{told_order.id}:1"
    assert UUID(created["eventId"].partition(":")[0]) == told_order.id
    assert (created["version"], created["type"]) == (1, "order.created")
    assert created["time"] == staff.request("GET", f"orders/{told_order.id}/").json()["createdAt"]
    assert (created["actor"], created["actorName"]) == (f"customer:{placer.user_id}", customer)
    assert created["changes"]["id"] == {"from": None, "to": str(told_order.id)}
    assert created["traceId"] == trace_id(TRACE_PARENT)
    assert edited["message"] == "The shipping address was changed."
    assert edited["changes"]["shippingAddress"]["to"]["street"] == OTHER_ADDRESS.street
    assert (processing["actor"], processing["actorName"]) == (f"staff:{staff.user_id}", "Sam Stone")
    assert processing["changes"] == {
        "status": {"from": 1, "to": 2},
        "statusLabel": {"from": "Pending", "to": "Processing"},
    }
    assert processing["override"] == {"reason": REASON, "without": ["stock", "payment"]}
    assert REASON in processing["message"]
    assert processing["traceId"] is None
    assert confirmed["message"] == "The stock was reserved."
    assert paid["actorName"] == "Payment service"
    assert paid["changes"]["paymentReference"] == {"from": None, "to": "pi_1"}


def test_the_customer_is_told_the_same_without_what_is_internal(
    told_order: OrderDocument, placer: OrderPlacer, customer: ApiUser, staff: ApiUser
) -> None:
    entries, of_staff = history(customer, told_order), history(staff, told_order)
    assert [entry["version"] for entry in entries] == [entry["version"] for entry in of_staff]
    created, _, processing, *_, paid = entries
    assert created == of_staff[0]
    assert (processing["actor"], processing["actorName"]) == ("staff:shop", "The shop")
    assert (paid["actor"], paid["actorName"]) == ("service:shop", "The shop")
    assert paid["message"] == "20.00 USD was paid."
    assert paid["changes"].keys() == of_staff[-1]["changes"].keys() - {"paymentReference"}
    response = customer.request("GET", f"orders/{told_order.id}/history/").content.decode()
    for internal in (REASON, "override", "pi_1", "service:payments", f"staff:{staff.user_id}"):
        assert internal not in response


def test_every_version_can_be_read_by_its_number_and_by_its_time(
    told_order: OrderDocument, customer: ApiUser, staff: ApiUser
) -> None:
    events = event_log.history(told_order.id)
    for user in (customer, staff):
        for event in events:
            order = rebuild_order(events[: event.version])
            by_number = user.request("GET", f"orders/{told_order.id}/?version={event.version}").json()
            assert (by_number["version"], by_number["status"]) == (event.version, order.status)
            assert by_number["shippingAddress"]["street"] == order.shipping_address.street
            at = event.created_at.isoformat().replace("+00:00", "Z")
            latest = max(other.version for other in events if other.created_at <= event.created_at)
            by_time = user.request("GET", f"orders/{told_order.id}/?at={at}").json()
            assert by_time["version"] == latest
    current = customer.request("GET", f"orders/{told_order.id}/").json()
    assert customer.request("GET", f"orders/{told_order.id}/?version={len(events)}").json() == current
    # A plus that is not escaped is a blank.
    for at in ("2999-01-01T00:00:00%2B02:00", "2999-01-01T00:00:00+0200", "2999-01-01T00:00:00Z"):
        assert customer.request("GET", f"orders/{told_order.id}/?at={at}").json() == current


def test_a_version_that_there_is_not_is_a_404(placer: OrderPlacer, customer: ApiUser, staff: ApiUser) -> None:
    order = placer.place()
    before = (order.created_at - timedelta(microseconds=1)).isoformat().replace("+00:00", "Z")
    for user in (customer, staff):
        for query in ("version=0", "version=2", f"version={10**30}", f"at={before}", "at=1970-01-01"):
            response = user.request("GET", f"orders/{order.id}/?{query}")
            assert (response.status_code, codes(response)) == (404, ["not_found"]), query


NONSENSE = {
    "version": ["", "-1", "+1", "1.0", "x", "1e3", "%C2%B2", "%D9%A3", "9" * 101, "1%00", "1 "],
    "at": ["", "x", "yesterday", "2026-13-01", "2026-01-01T25:00:00Z", "1%00", "0"],
}


def test_a_version_or_time_that_is_none_is_a_400(placer: OrderPlacer, customer: ApiUser) -> None:
    order = placer.place()
    for name, values in NONSENSE.items():
        for value in values:
            response = customer.request("GET", f"orders/{order.id}/?{name}={value}")
            assert (response.status_code, attributes(response)) == (400, [name]), value
    both = customer.request("GET", f"orders/{order.id}/?version=1&at=2026-01-01T00:00:00Z")
    assert (both.status_code, attributes(both)) == (400, ["at"])


def test_versions_are_seen_by_the_customer_and_staff_alone(
    placer: OrderPlacer, other: ApiUser, anonymous: ApiUser
) -> None:
    path = f"orders/{placer.place().id}/"
    for query in ("?version=1", "?at=2999-01-01T00:00:00Z", "history/"):
        assert other.request("GET", path + query).status_code == 404
        assert anonymous.request("GET", path + query).status_code == 401


def test_staff_still_see_the_history_of_a_deleted_order(
    placer: OrderPlacer, customer: ApiUser, staff: ApiUser
) -> None:
    order = placer.place_and_move(OrderStatus.CANCELLED)
    delete_order(order_id=order.id, origin=Origin(f"staff:{staff.user_id}"))
    assert [entry["message"] for entry in history(staff, order)][-1] == "The order was deleted."
    assert staff.request("GET", f"orders/{order.id}/?version=3").json()["status"] == 5
    for query in ("", "?version=4", "?at=2999-01-01T00:00:00Z"):
        assert staff.request("GET", f"orders/{order.id}/{query}").status_code == 404
    for query in ("history/", "?version=1"):
        assert customer.request("GET", f"orders/{order.id}/{query}").status_code == 404


def test_an_event_that_cannot_be_read_hides_only_the_versions_that_need_it(
    placer: OrderPlacer, customer: ApiUser
) -> None:
    order = placer.place()
    OrderEvent.objects.create(
        order_id=order.id,
        version=2,
        type="order.gift_wrapped",
        user_id=int(order.user_id),
        data={"orderNumber": order.order_number, "changes": {"ribbon": "red"}},
        actor="hand",
        trace_parent="no-trace",
        created_at=order.created_at,
    )
    _, unreadable = history(customer, order)
    assert (unreadable["type"], unreadable["changes"], unreadable["traceId"]) == (
        "order.gift_wrapped",
        {},
        None,
    )
    assert customer.request("GET", f"orders/{order.id}/?version=1").json()["version"] == 1
    refused = customer.request("GET", f"orders/{order.id}/?version=2")
    assert (refused.status_code, codes(refused)) == (422, ["version_not_readable"])
