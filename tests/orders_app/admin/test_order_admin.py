"""Orders in the admin: staff find them, see all of them on one page, and delete those that have ended."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.urls import reverse
from pytest_django import Settings

from foundation.tracing import trace_id
from orders_app.models import MailRecord, Order
from orders_app.services.change_order import update_order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.orders_app.admin.order_pages import LIST, OrderPages, messages_of
from tests.orders_app.ordering import (
    OTHER_ADDRESS,
    STAFF,
    TRACE_PARENT,
    OrderPlacer,
    all_that_is_stored,
    answer,
    last_event,
    now,
    rejected,
)

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSING, SHIPPED, DELIVERED = OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED
CANCELLED = OrderStatus.CANCELLED
EXPORT = reverse("admin:orders_app_order_export")


def take_right(sam: User, codename: str) -> None:
    """Take a permission from Sam and from his groups."""
    right = Permission.objects.get(codename=codename)
    sam.user_permissions.remove(right)
    for group in sam.groups.all():
        group.permissions.remove(right)


def test_the_list_shows_searches_and_filters_orders(placer: OrderPlacer, order_pages: OrderPages) -> None:
    walter = User.objects.create_user("walter", email="walter@example.com")
    order = placer.place_items((placer.catalogue.add(), 1), user_id=walter.pk).order
    other = placer.place_and_move(PROCESSING)
    found = order_pages.found
    assert found() == [other.order_number, order.order_number]
    assert found(q=order.order_number) == found(q="walter@example.com") == [order.order_number]
    assert found(status__exact=2) == [other.order_number]
    assert found(created_at__lt="2000-01-01 00:00:00+00:00") == []
    assert found(q="walt") == [order.order_number]
    assert found(q=order.order_number[4:9].lower()) == [order.order_number]
    assert found(q="stockbr") == [other.order_number, order.order_number]
    assert found(q="nobody") == []


def test_each_waiting_list_has_its_orders_the_longest_waiting_first(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    first, second = (placer.place_reserved() for _ in range(2))
    unpaid = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    failed = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    Order.objects.filter(pk=failed.id).update(payment_status=PaymentStatus.FAILED)
    waiting, shipped = placer.place(), placer.place_and_move(PROCESSING, SHIPPED)
    lists = {
        "ship": [first, second],
        "payment": [unpaid],
        "failed": [failed],
        "stock": [waiting],
        "delivery": [shipped],
    }
    for name, orders in lists.items():
        assert order_pages.found(waiting=name) == [order.order_number for order in orders], name
    assert len(order_pages.found(waiting="nothing")) == 6
    page = order_pages.client.get(LIST, {"waiting": "ship"}).content.decode()
    assert re.search(r'href="\?waiting=ship" aria-current="page">To ship <span class="count">2<', page)


def test_few_orders_are_not_looked_for_among_all_orders(placer: OrderPlacer, order_pages: OrderPages) -> None:
    orders = [placer.place() for _ in range(3)]
    queries: list[dict[str, str | int]] = [{"status__exact": 1}, {"status__exact": 1, "o": "-2.5"}]
    for query in queries:
        assert len(order_pages.found(**query)) == 3
        sql = str(order_pages.client.get(LIST, query).context["cl"].queryset.query)
        assert "COALESCE(" in sql.partition("ORDER BY")[2]
    assert order_pages.found(status__exact=1, o="2") == [order.order_number for order in orders]


def test_of_very_many_orders_that_match_the_newest_are_found(
    placer: OrderPlacer, order_pages: OrderPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders_app.selectors.SEARCHED_FIRST", 2)
    monkeypatch.setattr("orders_app.selectors.MANY_MATCHES", 2)
    orders = [placer.place() for _ in range(3)]
    numbers = [order.order_number for order in reversed(orders)]
    words = ("lant", "stockbr", User.objects.get(pk=placer.user_id).username, "SB-", numbers[0])
    assert [order_pages.found(q=word) for word in words] == [numbers[:2]] * 3 + [numbers, numbers[:1]]
    page = order_pages.client.get(LIST, {"q": "lant"})
    assert "Very many orders match" in messages_of(page)[0]
    assert order_pages.found(q="lant", created_at__lt=orders[1].created_at.isoformat()) == numbers[2:]


def test_of_more_orders_than_a_list_shows_the_newest_are_found(
    placer: OrderPlacer, order_pages: OrderPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders_app.admin.order_list.MOST_FOUND", 2)
    orders = [placer.place() for _ in range(3)]
    oldest, *newest = [order.order_number for order in orders]
    page = order_pages.client.get(LIST, {"q": "lant"})
    assert messages_of(page) == [
        "More than 2 orders match. Shown are the newest: for older ones, add a word or filter by time."
    ]
    assert order_pages.found(q="lant", o="2") == newest
    assert order_pages.found(q="lant", created_at__lt=orders[1].created_at.isoformat()) == [oldest]
    assert not messages_of(order_pages.client.get(LIST, {"q": newest[0]}))


def test_the_list_needs_the_same_queries_for_many_orders(
    placer: OrderPlacer, order_pages: OrderPages, django_assert_max_num_queries: Any
) -> None:
    queries: list[dict[str, str]] = [{}, {"waiting": "stock"}, {"q": "lantern", "status__exact": "1"}]
    for query in queries:
        for _ in range(2):
            placer.place()
            with django_assert_max_num_queries(20):
                order_pages.client.get(LIST, query)


def test_a_row_has_the_total_with_its_currency_and_the_states_in_words(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    placer.place_items((placer.catalogue.add(), 2), (placer.catalogue.add("Rope"), 1))
    page = order_pages.client.get(LIST).content.decode()
    for words in ("30.00\u00a0USD", "Cash on delivery", "Not paid yet", "+ 1 more product", " ago</time>"):
        assert words in page
    assert re.search(r'title="[^"]* UTC"', page)


def test_times_are_in_the_zone_of_the_viewer(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place()
    order_pages.client.cookies["tz"] = "Asia/Kolkata"
    assert re.search(r'datetime="[^"]*" title="[^"]* Asia/Kolkata"', order_pages.read(order.id))


def test_the_page_of_an_order_shows_its_items_and_history(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place_and_move(PROCESSING)
    page = order_pages.read(order.id)
    told = [
        "Lantern",
        "1 Bridge St",
        "The order was placed: 2 pieces",
        "The order went from Pending to Processing.",
        "Status: Pending → Processing",
    ]
    for words in [*told, STAFF.actor, trace_id(TRACE_PARENT)]:
        assert words in page


def test_the_page_tells_messages_and_mails_by_trace(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place()
    MailRecord.objects.create(
        message_id="m", event_id=f"{order.id}:1", order_number=order.order_number, kind="placed", state="sent"
    )
    page = order_pages.client.get(order_pages.page("change", order.id))
    [trace] = page.context["traces"]
    assert (trace.trace_id, trace.topics) == (trace_id(TRACE_PARENT), ["order.created", "inventory.reserve"])
    assert [mail.kind for mail in trace.mails] == ["placed"]


def test_a_trace_leads_to_the_page_on_which_it_can_be_seen(
    placer: OrderPlacer, order_pages: OrderPages, settings: Settings
) -> None:
    page = order_pages.page("change", placer.place().id)
    address = f"https://jaeger.example.com/trace/{trace_id(TRACE_PARENT)}"
    settings.TRACE_URL = "https://jaeger.example.com/trace/{trace_id}"
    assert f'<a href="{address}">' in order_pages.client.get(page).content.decode()
    settings.TRACE_URL = ""
    assert address not in order_pages.client.get(page).content.decode()


def test_the_page_says_what_was_short(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place()
    answer(rejected(order))
    page = order_pages.read(order.id)
    assert "Not enough in stock" in page
    reason = now(order).cancel_reason
    assert reason
    assert reason.detail in page


def test_the_page_of_an_order_needs_a_bounded_number_of_queries(
    placer: OrderPlacer, order_pages: OrderPages, django_assert_max_num_queries: Any
) -> None:
    for order in (placer.place(), placer.place_and_move(PROCESSING, SHIPPED, DELIVERED)):
        with django_assert_max_num_queries(22):
            order_pages.read(order.id)


def test_who_may_not_see_customers_is_shown_no_name_and_no_address(
    placer: OrderPlacer, order_pages: OrderPages, sam: User
) -> None:
    customer = User.objects.get(pk=placer.user_id)
    customer.first_name, customer.last_name, customer.email = "Ada", "Moore", "ada@example.com"
    customer.save()
    order = placer.place()
    update_order(order_id=order.id, shipping_address=OTHER_ADDRESS, origin=placer.origin)
    personal = ("Moore", "ada@example.com", "1 Bridge St", "2 Bridge St")
    for words in personal:
        assert words in order_pages.read(order.id), words
    take_right(sam, "view_customers")
    pages = [
        order_pages.client.get(address) for address in (LIST, order_pages.page("change", order.id), EXPORT)
    ]
    asked = order_pages.choose("cancel", order.id)
    texts = [
        page.getvalue().decode() if page.streaming else page.content.decode() for page in [*pages, asked]
    ]
    assert [words for words in (*personal, customer.username) if any(words in text for text in texts)] == []
    assert order.order_number in texts[2]
    assert order_pages.client.get(order_pages.page("address", order.id)).status_code == 403


def test_what_is_filtered_is_downloaded_as_csv(placer: OrderPlacer, order_pages: OrderPages) -> None:
    user = User.objects.create_user("=evil", email="evil@example.com")
    order = placer.place_items((placer.catalogue.add(), 1), user_id=user.pk).order
    placer.place_and_move(PROCESSING)
    answer_ = order_pages.client.get(EXPORT, {"waiting": "stock"})
    header, *rows = answer_.getvalue().decode().splitlines()
    assert answer_["Content-Type"] == "text/csv; charset=utf-8"
    assert header.startswith(
        "orderNumber,createdAt,status,paymentStatus,paymentMethod,stockStatus,totalAmount"
    )
    assert len(rows) == 1
    assert rows[0].startswith(order.order_number)
    assert "Pending,Pending,Cash on delivery,Pending,10.00,,USD" in rows[0]
    assert "'=evil" in rows[0]


def test_the_address_is_changed_while_the_order_is_pending(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place()
    page = order_pages.page("address", order.id)
    assert page in order_pages.read(order.id)
    sent = {"street": "2 Bridge St", "city": "Porto", "state": "", "zip_code": "4000", "country": "PT"}
    refused = order_pages.client.post(page, sent | {"street": "a\x07b", "city": " "})
    assert refused.status_code == 400
    assert set(refused.context["form"].errors) == {"street", "city"}
    order_pages.client.post(page, sent)
    assert now(order).shipping_address.city == "Porto"
    order = placer.place_and_move(PROCESSING)
    assert order_pages.page("address", order.id) not in order_pages.read(order.id)
    refused = order_pages.client.post(order_pages.page("address", order.id), sent)
    assert "cannot be changed" in refused.content.decode()


def test_the_tracking_number_of_a_parcel_on_its_way_is_changed(
    placer: OrderPlacer, order_pages: OrderPages
) -> None:
    order = placer.place_and_move(PROCESSING, SHIPPED)
    page = order_pages.page("tracking", order.id)
    assert page in order_pages.read(order.id)
    done = order_pages.client.post(page, {"tracking": " 1Z999 "}, follow=True)
    assert messages_of(done) == ["The tracking number is saved."]
    assert now(order).tracking_number == "1Z999"
    assert order_pages.client.get(page).status_code == 405
    for wrong, told in (("x" * 101, "at most 100 characters"), ("1Z\t999", "without control characters")):
        refused = order_pages.client.post(page, {"tracking": wrong}, follow=True)
        assert told in messages_of(refused)[0]
    assert now(order).tracking_number == "1Z999"


def test_no_order_can_be_added_in_the_admin(order_pages: OrderPages) -> None:
    assert order_pages.client.get(reverse("admin:orders_app_order_add")).status_code == 403


def test_the_page_of_an_order_is_no_form(placer: OrderPlacer, order_pages: OrderPages) -> None:
    order = placer.place()
    before = all_that_is_stored()
    sent = {"status": 2, "street": "Elsewhere", "total_amount": "0.01", "payment_status": 2}
    assert order_pages.client.post(order_pages.page("change", order.id), sent).status_code == 405
    assert all_that_is_stored() == before


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
    order_pages.choose("delete_selected", order.id)
    assert all_that_is_stored() == before


def test_the_states_of_orders_are_counted_together(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_statistic_ext WHERE stxname = 'order_states_together'")
        assert cursor.fetchone()


def test_staff_who_may_not_see_customers_find_no_order_by_them(
    placer: OrderPlacer, order_pages: OrderPages, sam: User
) -> None:
    walter = User.objects.create_user("walter", email="walter@example.com", last_name="Moore")
    order = placer.place_items((placer.catalogue.add("Lantern"), 1), user_id=walter.pk).order
    personal = ("walter", "walter@example.com", "moore", "stockbridge")
    for text in personal:
        assert order_pages.found(q=text) == [order.order_number], text
    assert order_pages.found(street__startswith="1") == [order.order_number]
    take_right(sam, "view_customers")
    for text in personal:
        assert order_pages.found(q=text) == [], text
    for text in ("lantern", order.order_number[4:9], order.order_number):
        assert order_pages.found(q=text) == [order.order_number], text
    assert "e-mail" not in order_pages.client.get(LIST).content.decode()
    for lookup in ("street", "street__startswith", "city__contains", "zip_code__in", "state", "country__gte"):
        for address in (LIST, EXPORT):
            answer_ = order_pages.client.get(address, {lookup: "1"}, follow=True)
            assert answer_.status_code == 400, lookup


def test_staff_who_may_not_see_customers_find_none_of_many_orders_by_them(
    placer: OrderPlacer, order_pages: OrderPages, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders_app.selectors.MANY_MATCHES", 1)
    order = placer.place()
    assert order_pages.found(q="stockbridge") == [order.order_number]
    take_right(sam, "view_customers")
    assert order_pages.found(q="stockbridge") == []


@pytest.mark.parametrize(
    "query",
    [{"created_at__gte": "junk"}, {"nonsense": "1"}, {"status__exact": "x"}, {"created_at__year": "99999"}],
)
def test_parameters_without_a_meaning_download_nothing(
    query: dict[str, str], placer: OrderPlacer, order_pages: OrderPages
) -> None:
    placer.place()
    refused = order_pages.client.get(EXPORT, query)
    assert refused.status_code == 302
    assert refused["Location"].startswith(f"{LIST}?")
    assert order_pages.client.get(refused["Location"], follow=True).status_code == 200
