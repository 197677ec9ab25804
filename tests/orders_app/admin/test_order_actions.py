"""What staff do with orders in the admin: what will happen is said before, and what was done afterwards."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from config.staff_roles import WAREHOUSE
from orders_app.document import OrderDocument
from orders_app.models.payment import PaymentToken
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.orders_app.admin.order_pages import LIST, OrderPages, address_of, messages_of
from tests.orders_app.ordering import (
    OrderPlacer,
    all_that_is_stored,
    answer,
    events,
    last_event,
    now,
    reserved,
)
from tests.orders_app.paying import pay, record, taken

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSING, SHIPPED, DELIVERED = OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED
CANCELLED = OrderStatus.CANCELLED
REPORT = reverse("admin:orders_app_order_report")


def sentences(page: Any) -> dict[str, str]:
    """Why orders stay as they are, on the page that asks for confirmation, by number."""
    return {choice.order.order_number: choice.sentence for choice in page.context["refused"]}


def test_the_confirmation_lists_what_will_and_what_cannot_happen_and_changes_nothing(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    ready, pending, done = placer.place_reserved(), placer.place(), placer.place_and_move(CANCELLED)
    before = all_that_is_stored()
    page = order_pages.choose("ship", ready.id, pending.id, done.id)
    assert all_that_is_stored() == before
    assert [choice.order.pk for choice, _field in page.context["form"].rows()] == [ready.id]
    assert sentences(page) == {
        pending.order_number: (
            "An order that is Pending cannot become Shipped; it can become Processing (2) or Cancelled (5)."
        ),
        done.order_number: "An order that is Cancelled cannot become Shipped; that is final.",
    }


def test_an_action_changes_all_orders_that_allow_it_and_reports_the_others(
    placer: OrderPlacer, order_pages: OrderPages, sam: User
) -> None:
    ready, done = placer.place_reserved(), placer.place_and_move(CANCELLED)
    response = order_pages.act("ship", ready.id, done.id)
    assert address_of(response) == REPORT
    report = response.context["report"]
    assert [outcome.number for outcome in report.changed] == [ready.order_number]
    assert [outcome.number for outcome in report.unchanged] == [done.order_number]
    text = response.content.decode()
    assert "1 order changed. 1 order stayed as it was." in text
    assert "that is final" in text
    assert (now(ready).status, now(done)) == (SHIPPED, done)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(ready.id), "Mark as shipped.")
    event = last_event(ready)
    assert (event.actor, len(event.trace_parent)) == (f"staff:{sam.pk}", 55)


def test_the_report_of_one_user_is_not_shown_to_another(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order_pages.act("ship", placer.place_reserved().id, placer.place_reserved().id)
    assert order_pages.client.get(REPORT).status_code == 200
    other = Client()
    other.force_login(User.objects.create_superuser("root"))
    assert other.get(REPORT)["Location"] == LIST


def test_a_form_that_is_sent_twice_changes_the_orders_once(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place_reserved()
    page = order_pages.choose("ship", order.id)
    for _ in range(2):
        response = order_pages.client.post(address_of(page), {}, follow=True)
    assert messages_of(response) == [f"{order.order_number}: It is Shipped already."]
    assert events(order)[2:] == ["order.status.changed"]


def test_tracking_numbers_are_entered_order_by_order(placer: OrderPlacer, order_pages: OrderPages) -> None:
    first, second = placer.place_reserved(), placer.place_reserved()
    numbers = {f"tracking-{first.id}": "1Z1", f"tracking-{second.id}": "x" * 101}
    refused = order_pages.act("ship", first.id, second.id, **numbers)
    assert refused.status_code == 400
    assert "at most 100 characters" in refused.content.decode()
    refused = order_pages.act("ship", first.id, **{f"tracking-{first.id}": "1Z\t1"})
    assert refused.status_code == 400
    assert "one line without control characters" in refused.content.decode()
    assert now(first) == first
    order_pages.act("ship", first.id, second.id, **numbers | {f"tracking-{second.id}": ""})
    assert [now(order).tracking_number for order in (first, second)] == ["1Z1", None]


def test_actions_take_an_order_to_its_end(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place_reserved()
    for action, status in (("ship", SHIPPED), ("deliver", DELIVERED)):
        assert messages_of(order_pages.act(action, order.id)) == ["1 order changed."]
        assert now(order).status == status
    assert now(order).payment_status == PaymentStatus.PAID


def test_the_page_of_an_order_ships_it_with_one_click(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place_reserved()
    page = order_pages.client.get(order_pages.page("change", order.id))
    done = order_pages.client.post(page.context["ship_url"], {f"tracking-{order.id}": "1Z999"}, follow=True)
    assert messages_of(done) == ["1 order changed."]
    assert (now(order).status, now(order).tracking_number) == (SHIPPED, "1Z999")
    labels = [button.label for button in done.context["buttons"]]
    assert labels == ["Mark as delivered…", "Mark as paid…", "Cancel the order…"]


def test_cancelling_asks_for_the_reason_and_gives_it_to_the_customer(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place_reserved()
    refused = order_pages.act("cancel", order.id, reason="  ")
    assert refused.status_code == 400
    assert "This field is required" in refused.content.decode()
    assert now(order) == order
    order_pages.act("cancel", order.id, reason="  The lamps broke.  ")
    reason = now(order).cancel_reason
    assert reason
    assert (reason.code, reason.detail) == ("STAFF_REQUEST", "The lamps broke.")


def test_what_follows_from_a_cancellation_is_said_before(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    paid = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    pay(paid)
    record(taken(now(paid), payment_id="pi_paid"))
    text = order_pages.choose("cancel", paid.id).content.decode()
    assert "Its stock goes back on sale." in text
    assert "20.00\u00a0USD go back to the customer." in text


def test_marking_a_reserved_order_paid_makes_it_processing(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place(PaymentMethod.CREDIT_CARD)
    answer(reserved(order))
    order_pages.act("mark_paid", order.id)
    assert (now(order).payment_status, now(order).status) == (PaymentStatus.PAID, PROCESSING)
    cancelled = placer.place_and_move(CANCELLED)
    page = order_pages.choose("mark_paid", order.id, cancelled.id)
    assert sentences(page) == {
        order.order_number: "The order cannot be paid: it is paid already.",
        cancelled.order_number: "The order cannot be paid: it is cancelled.",
    }


def test_an_order_whose_token_is_at_the_gateway_is_not_marked_paid(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    pay(order)
    assert sentences(order_pages.choose("mark_paid", order.id)) == {}
    PaymentToken.objects.update(sent_at=now(order).created_at)
    assert "wait for its end" in sentences(order_pages.choose("mark_paid", order.id))[order.order_number]


def test_the_confirmation_needs_the_same_queries_for_many_orders(
    placer: OrderPlacer, order_pages: OrderPages, django_assert_max_num_queries: Any
) -> None:
    orders: list[OrderDocument] = []
    for _ in range(3):
        orders.append(placer.place_reserved())
        page = order_pages.choose("ship", *[order.id for order in orders])
        with django_assert_max_num_queries(10):
            order_pages.client.get(address_of(page))


@pytest.mark.parametrize("query", ["", "?order=x", "?order=01a21838-e333-7504-a1ea-e075439337aa"])
def test_an_address_that_names_no_order_is_not_found(order_pages: OrderPages, query: str) -> None:
    page = reverse("admin:orders_app_order_action", args=["ship"])
    assert order_pages.client.get(page + query).status_code == 404
    assert (
        order_pages.client.get(reverse("admin:orders_app_order_action", args=["x"]) + query).status_code
        == 404
    )


@pytest.mark.parametrize(
    ("action", "right"),
    [
        ("process", "ship_orders"),
        ("ship", "ship_orders"),
        ("deliver", "ship_orders"),
        ("cancel", "cancel_orders"),
        ("mark_paid", "mark_orders_paid"),
    ],
)
def test_each_action_asks_for_its_own_right(placer: OrderPlacer, action: str, right: str) -> None:
    order = placer.place_reserved()
    before = all_that_is_stored()
    user = User.objects.create_user("temp", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=("view_order", "change_order")))
    client = Client()
    client.force_login(user)
    page = reverse("admin:orders_app_order_action", args=[action]) + f"?order={order.id}"
    assert client.post(page, {"reason": "x"}).status_code == 403
    assert f'value="{action}"' not in client.get(LIST).content.decode()
    assert all_that_is_stored() == before
    user.user_permissions.add(Permission.objects.get(codename=right))
    assert client.get(page).status_code == 200
    assert f'value="{action}"' in client.get(LIST).content.decode()


def test_the_warehouse_sees_what_it_does_and_no_buttons_of_others(placer: OrderPlacer) -> None:
    user = User.objects.create_user("packer", is_staff=True)
    user.groups.add(Group.objects.get(name=WAREHOUSE))
    client = Client()
    client.force_login(user)
    order = placer.place_reserved()
    page = client.get(reverse("admin:orders_app_order_change", args=[order.id]))
    assert page.context["ship_url"]
    assert page.context["buttons"] == []
    assert page.context["attempts"] is None
