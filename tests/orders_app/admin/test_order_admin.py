"""Orders in the admin: found, moved through the services, and otherwise left alone."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse

from orders_app.models import Order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.orders_app.admin.office import LIST, Office, said
from tests.orders_app.ordering import Desk, all_that_is_stored, answer, events, last_event, now, reserved

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSING, SHIPPED, DELIVERED = OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED
CANCELLED = OrderStatus.CANCELLED


def test_the_list_shows_searches_and_filters_orders(desk: Desk, office: Office) -> None:
    walter = User.objects.create_user("walter", email="walter@example.com")
    order = desk.request((desk.catalogue.add(), 1), user_id=walter.pk).order
    other = desk.place_in(PROCESSING)

    def found(**query: str | int) -> set[str]:
        page = office.client.get(LIST, query)
        assert page.status_code == 200
        return {row.order_number for row in page.context["cl"].result_list}

    assert found() == {order.order_number, other.order_number}
    assert found(q=order.order_number) == found(q="walter@example.com") == {order.order_number}
    assert found(status__exact=2) == {other.order_number}
    assert found(created_at__lt="2000-01-01 00:00:00+00:00") == set()
    assert found(q="walt") == {order.order_number}
    assert found(q="nobody") == set()


def test_the_list_costs_the_same_for_many_orders(
    desk: Desk, office: Office, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        desk.place()
        with django_assert_max_num_queries(12):
            office.client.get(LIST)


def test_the_page_of_an_order_shows_its_items_and_history(desk: Desk, office: Office) -> None:
    order = desk.place_in(PROCESSING)
    page = office.client.get(office.page("change", order.id)).content.decode()
    for words in ("Lantern", "order.created", "order.status.changed", "staff:1", "1 Bridge St"):
        assert words in page


def test_of_the_form_only_the_status_can_be_edited(desk: Desk, office: Office) -> None:
    order = desk.place()
    form = office.client.get(office.page("change", order.id)).context["adminform"].form
    assert list(form.fields) == ["status"]
    before = all_that_is_stored()
    office.save(order.id, status=1, street="Elsewhere", total_amount="0.01", payment_status=2)
    assert all_that_is_stored() == before


def test_the_form_moves_an_order_through_the_service(desk: Desk, office: Office, sam: User) -> None:
    order = desk.place()
    response = office.save(order.id, status=int(PROCESSING))
    assert "was changed successfully" in said(response)[0]
    assert now(order).status == PROCESSING
    assert events(order) == ["order.status.changed"]
    event = last_event(order)
    assert (event.actor, len(event.trace_parent)) == (f"staff:{sam.pk}", 55)


def test_the_form_refuses_an_impossible_step_with_the_reason(desk: Desk, office: Office) -> None:
    order = desk.place()
    before = all_that_is_stored()
    response = office.save(order.id, status=int(DELIVERED))
    assert said(response) == [
        "An order that is Pending cannot become Delivered; it can become Processing (2) or Cancelled (5)."
    ]
    assert all_that_is_stored() == before
    assert not LogEntry.objects.exists()


def test_an_action_moves_all_that_can_move_and_says_why_the_others_cannot(desk: Desk, office: Office) -> None:
    ready, done = desk.place_in(PROCESSING), desk.place_in(CANCELLED)
    response = office.act("ship", ready.id, done.id)
    assert said(response) == [
        "1 order changed.",
        f"{done.order_number}: An order that is Cancelled cannot become Shipped; that is final.",
    ]
    assert (now(ready).status, now(done)) == (SHIPPED, done)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(ready.id), "By action: ship.")


def test_actions_take_an_order_to_its_end(desk: Desk, office: Office) -> None:
    order = desk.place()
    for action, status in (("process", PROCESSING), ("ship", SHIPPED), ("deliver", DELIVERED)):
        assert said(office.act(action, order.id)) == ["1 order changed."]
        assert now(order).status == status


def test_the_cancel_action_gives_the_customer_its_reason(desk: Desk, office: Office) -> None:
    first, second = desk.place(), desk.place()
    office.act("cancel", first.id, reason="  The lamps broke.  ")
    office.act("cancel", second.id, reason="")
    reasons = [now(order).cancel_reason for order in (first, second)]
    assert [reason.detail for reason in reasons if reason] == ["The lamps broke.", "Cancelled by the shop."]


def test_marking_a_reserved_order_paid_sends_it_on(desk: Desk, office: Office) -> None:
    order = desk.place(PaymentMethod.CREDIT_CARD)
    answer(reserved(order))
    office.act("mark_paid", order.id)
    assert (now(order).payment_status, now(order).status) == (PaymentStatus.PAID, PROCESSING)
    cancelled = desk.place_in(CANCELLED)
    response = office.act("mark_paid", cancelled.id)
    assert said(response) == [f"{cancelled.order_number}: The order cannot be marked paid: it is cancelled."]


def test_of_many_refusals_ten_are_said_and_the_others_counted(desk: Desk, office: Office) -> None:
    orders = [desk.place() for _ in range(12)]
    messages = said(office.act("deliver", *[order.id for order in orders]))
    assert (len(messages), messages[-1]) == (11, "2 more were refused.")


def test_no_order_is_added_in_the_admin(office: Office) -> None:
    assert office.client.get(reverse("admin:orders_app_order_add")).status_code == 403


def test_an_order_is_deleted_at_its_end_only_and_through_the_service(desk: Desk, office: Office) -> None:
    done, under_way = desk.place_in(CANCELLED), desk.place()
    assert office.client.post(office.page("delete", under_way.id), {"post": "yes"}).status_code == 403
    assert office.client.get(office.page("delete", done.id)).status_code == 200
    response = office.client.post(office.page("delete", done.id), {"post": "yes"}, follow=True)
    assert "was deleted successfully" in said(response)[0]
    assert not Order.objects.filter(pk=done.id).exists()
    assert last_event(done).type == "order.deleted"
    assert LogEntry.objects.get().object_id == str(done.id)


def test_orders_are_not_deleted_in_bulk(desk: Desk, office: Office) -> None:
    order = desk.place_in(CANCELLED)
    before = all_that_is_stored()
    office.act("delete_selected", order.id, post="yes")
    assert all_that_is_stored() == before
