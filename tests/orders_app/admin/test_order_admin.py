"""Orders in the admin: staff find them and change their status through the services, and nothing else."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse

from foundation.tracing import trace_id
from orders_app.models import Order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.orders_app.admin.order_pages import LIST, OrderPages, messages_of
from tests.orders_app.ordering import (
    STAFF,
    TRACE_PARENT,
    OrderPlacer,
    all_that_is_stored,
    answer,
    events,
    last_event,
    now,
    reserved,
)

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSING, SHIPPED, DELIVERED = OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED
CANCELLED = OrderStatus.CANCELLED


def test_the_list_shows_searches_and_filters_orders(placer: OrderPlacer, order_pages: OrderPages) -> None:
    walter = User.objects.create_user("walter", email="walter@example.com")
    order = placer.place_items((placer.catalogue.add(), 1), user_id=walter.pk).order
    other = placer.place_and_move(PROCESSING)

    def found(**query: str | int) -> set[str]:
        page = order_pages.client.get(LIST, query)
        assert page.status_code == 200
        return {row.order_number for row in page.context["cl"].result_list}

    assert found() == {order.order_number, other.order_number}
    assert found(q=order.order_number) == found(q="walter@example.com") == {order.order_number}
    assert found(status__exact=2) == {other.order_number}
    assert found(created_at__lt="2000-01-01 00:00:00+00:00") == set()
    assert found(q="walt") == {order.order_number}
    assert found(q=order.order_number[4:9].lower()) == {order.order_number}
    assert found(q="stockbr") == {order.order_number, other.order_number}
    assert found(q="nobody") == set()


def test_the_list_needs_the_same_queries_for_many_orders(
    placer: OrderPlacer, order_pages: OrderPages, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        placer.place()
        with django_assert_max_num_queries(12):
            order_pages.client.get(LIST)


def test_the_page_of_an_order_shows_its_items_and_history(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place_and_move(PROCESSING)
    page = order_pages.client.get(order_pages.page("change", order.id)).content.decode()
    assert "Lantern" in page
    assert "1 Bridge St" in page
    told = [
        "The order was placed: 2 pieces",
        "The order went from Pending to Processing.",
        "status: 1 → 2<br>",
    ]
    for words in [*told, STAFF.actor, trace_id(TRACE_PARENT)]:
        assert words in page


def test_only_the_status_can_be_edited_in_the_form(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place()
    form = order_pages.client.get(order_pages.page("change", order.id)).context["adminform"].form
    assert list(form.fields) == ["status"]
    before = all_that_is_stored()
    order_pages.save(order.id, status=1, street="Elsewhere", total_amount="0.01", payment_status=2)
    assert all_that_is_stored() == before


def test_the_form_changes_the_status_through_the_service(
    placer: OrderPlacer, order_pages: OrderPages, sam: User
) -> None:
    order = placer.place_reserved()
    response = order_pages.save(order.id, status=int(SHIPPED))
    assert "was changed successfully" in messages_of(response)[0]
    assert now(order).status == SHIPPED
    assert events(order)[2:] == ["order.status.changed"]
    event = last_event(order)
    assert (event.actor, len(event.trace_parent)) == (f"staff:{sam.pk}", 55)


def test_the_form_refuses_a_forbidden_transition_with_the_reason(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place()
    before = all_that_is_stored()
    response = order_pages.save(order.id, status=int(DELIVERED))
    assert messages_of(response) == [
        "An order that is Pending cannot become Delivered; it can become Processing (2) or Cancelled (5)."
    ]
    assert all_that_is_stored() == before
    assert not LogEntry.objects.exists()


def test_an_action_changes_all_orders_that_allow_it_and_explains_the_refusals(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    ready, done = placer.place_reserved(), placer.place_and_move(CANCELLED)
    response = order_pages.act("ship", ready.id, done.id)
    assert messages_of(response) == [
        "1 order changed.",
        f"{done.order_number}: An order that is Cancelled cannot become Shipped; that is final.",
    ]
    assert (now(ready).status, now(done)) == (SHIPPED, done)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(ready.id), "By action: ship.")


def test_actions_take_an_order_to_its_end(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place_reserved()
    for action, status in (("ship", SHIPPED), ("deliver", DELIVERED)):
        assert messages_of(order_pages.act(action, order.id)) == ["1 order changed."]
        assert now(order).status == status


def test_the_cancel_action_gives_the_customer_its_reason(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    first, second = placer.place(), placer.place()
    order_pages.act("cancel", first.id, reason="  The lamps broke.  ")
    order_pages.act("cancel", second.id, reason="")
    reasons = [now(order).cancel_reason for order in (first, second)]
    assert [reason.detail for reason in reasons if reason] == ["The lamps broke.", "Cancelled by the shop."]


def test_marking_a_reserved_order_paid_makes_it_processing(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place(PaymentMethod.CREDIT_CARD)
    answer(reserved(order))
    order_pages.act("mark_paid", order.id)
    assert (now(order).payment_status, now(order).status) == (PaymentStatus.PAID, PROCESSING)
    cancelled = placer.place_and_move(CANCELLED)
    response = order_pages.act("mark_paid", cancelled.id)
    assert messages_of(response) == [f"{cancelled.order_number}: The order cannot be paid: it is cancelled."]


def test_of_many_refusals_ten_are_shown_and_the_others_counted(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    orders = [placer.place() for _ in range(12)]
    messages = messages_of(order_pages.act("deliver", *[order.id for order in orders]))
    assert (len(messages), messages[-1]) == (11, "2 more were refused.")


def test_no_order_can_be_added_in_the_admin(order_pages: OrderPages) -> None:
    assert order_pages.client.get(reverse("admin:orders_app_order_add")).status_code == 403


def test_only_a_final_order_can_be_deleted_and_through_the_service(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    done, under_way = placer.place_and_move(CANCELLED), placer.place()
    assert (
        order_pages.client.post(order_pages.page("delete", under_way.id), {"post": "yes"}).status_code == 403
    )
    assert order_pages.client.get(order_pages.page("delete", done.id)).status_code == 200
    response = order_pages.client.post(order_pages.page("delete", done.id), {"post": "yes"}, follow=True)
    assert "was deleted successfully" in messages_of(response)[0]
    assert not Order.objects.filter(pk=done.id).exists()
    assert last_event(done).type == "order.deleted"
    assert LogEntry.objects.get().object_id == str(done.id)


def test_orders_are_not_deleted_in_bulk(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place_and_move(CANCELLED)
    before = all_that_is_stored()
    order_pages.act("delete_selected", order.id, post="yes")
    assert all_that_is_stored() == before
