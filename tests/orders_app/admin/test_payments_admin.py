"""Payments and refunds in the admin: shown to staff, given back by those who may, and never edited."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from orders_app.document import OrderDocument
from orders_app.models import Order, Payment, Refund
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.orders_app.admin.order_pages import OrderPages, messages_of
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored, events, now
from tests.orders_app.paying import GOOD, declined, give_back_all, pay, record, refund, refunds_asked, taken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]
PAYMENTS = reverse("admin:orders_app_payment_changelist")
REFUNDS = reverse("admin:orders_app_refund_changelist")


@pytest.fixture
def trusted(sam: User) -> User:
    """Sam, who has been given the permission to give money back."""
    sam.user_permissions.add(Permission.objects.get(codename="refund_orders"))
    return sam


@pytest.fixture
def paid(placer: OrderPlacer) -> OrderDocument:
    """An order of 20.00 that was declined once and then paid by `pi_paid`."""
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    pay(order)
    record(declined(now(order), payment_id="pi_declined"))
    pay(order)
    record(taken(now(order), 2, "pi_paid"))
    return now(order)


def refund_page(order: OrderDocument) -> str:
    return reverse("admin:orders_app_order_refund", args=[order.id])


def send(order_pages: OrderPages, order: OrderDocument, **fields: object) -> Any:
    """Open the page for giving money back, fill it in and send it."""
    form = order_pages.client.get(refund_page(order)).context["form"]
    sent = {"amount": "5", "reason": "Broken.", "key": form["key"].value()} | fields
    return order_pages.client.post(refund_page(order), sent, follow=True)


def rows(order_pages: OrderPages, page: str, **query: str) -> list[int]:
    """The ids of the rows that a list shows."""
    answer = order_pages.client.get(page, query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list]


def test_the_page_of_an_order_shows_its_payments_and_refunds(
    order_pages: OrderPages, paid: OrderDocument
) -> None:
    refund(paid, "5", reason="A scratch.")
    page = order_pages.client.get(order_pages.page("change", paid.id)).content.decode()
    for words in (
        "pi_declined",
        "pi_paid",
        "card_declined",
        "A scratch.",
        "staff:1",
        "20.00\u00a0USD",
        "5.00\u00a0USD",
    ):
        assert words in page
    assert "20.000" not in page
    assert GOOD not in page


def test_payments_are_listed_filtered_and_found(
    placer: OrderPlacer, order_pages: OrderPages, paid: OrderDocument
) -> None:
    free = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    pay(free)
    record(taken(now(free), payment_id="pi_other"))
    bad, good, other = Payment.objects.order_by("id").values_list("pk", flat=True)
    assert rows(order_pages, PAYMENTS) == [other, good, bad]
    assert rows(order_pages, PAYMENTS, state__exact="failed") == [bad]
    assert rows(order_pages, PAYMENTS, q=paid.order_number.lower()) == [good, bad]
    assert rows(order_pages, PAYMENTS, q=" pi_other ") == [other]
    assert rows(order_pages, PAYMENTS, q="pi_") == []
    page = order_pages.client.get(reverse("admin:orders_app_payment_change", args=[bad])).content.decode()
    assert "The bank declined the payment." in page
    assert paid.order_number in page


def test_refunds_are_listed_filtered_and_found(order_pages: OrderPages, paid: OrderDocument) -> None:
    for amount in ("5", "6"):
        refund(paid, amount)
    give_back_all(paid)
    refund(paid, reason="The rest.")
    first, second, rest = Refund.objects.order_by("id").values_list("pk", flat=True)
    assert rows(order_pages, REFUNDS) == [rest, second, first]
    assert rows(order_pages, REFUNDS, state__exact="requested") == [rest]
    assert rows(order_pages, REFUNDS, q="pi_paid") == [rest, second, first]
    assert rows(order_pages, REFUNDS, q=f"re_{refunds_asked(paid)[0].refund}") == [first]
    page = order_pages.client.get(reverse("admin:orders_app_refund_change", args=[rest]))
    assert "The rest." in page.content.decode()


def test_rows_of_a_deleted_order_are_still_listed(order_pages: OrderPages, paid: OrderDocument) -> None:
    Order.objects.filter(pk=paid.id).delete()
    assert len(rows(order_pages, PAYMENTS)) == 2
    assert str(paid.id) in order_pages.client.get(PAYMENTS).content.decode()
    row = Payment.objects.latest("id")
    assert (
        order_pages.client.get(reverse("admin:orders_app_payment_change", args=[row.pk])).status_code == 200
    )


def test_lists_need_the_same_queries_for_many_rows(
    order_pages: OrderPages, placer: OrderPlacer, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
        pay(order)
        record(taken(now(order), payment_id=f"pi_{number}"))
        refund(order)
        for page in (PAYMENTS, REFUNDS):
            with django_assert_max_num_queries(10):
                order_pages.client.get(page)


@pytest.mark.usefixtures("trusted")
def test_who_may_gives_back_a_part_with_a_reason(
    order_pages: OrderPages, paid: OrderDocument, trusted: User
) -> None:
    page = order_pages.client.get(order_pages.page("change", paid.id)).content.decode()
    assert refund_page(paid) in page
    assert order_pages.client.get(refund_page(paid)).context["form"]["amount"].value() == Decimal("20.00")
    done = send(order_pages, paid, amount="12.5", reason=" A scratch. ")
    assert messages_of(done) == ["12.50 USD are on their way back to the customer."]
    [asked] = refunds_asked(paid)
    assert (asked.amount, asked.reason, asked.payment_id) == (1250, "A scratch.", "pi_paid")
    assert Refund.objects.get().actor == f"staff:{trusted.pk}"
    assert LogEntry.objects.get().change_message == "Refund of 12.50 USD: A scratch."
    assert now(paid).status == OrderStatus.PROCESSING


@pytest.mark.usefixtures("trusted")
def test_a_page_that_is_sent_twice_gives_back_once(order_pages: OrderPages, paid: OrderDocument) -> None:
    for _ in range(2):
        send(order_pages, paid, key="of-this-page")
    assert [asked.amount for asked in refunds_asked(paid)] == [500]
    assert LogEntry.objects.count() == 1
    changed = send(order_pages, paid, key="of-this-page", amount="6")
    assert "was sent before" in changed.content.decode()
    assert len(refunds_asked(paid)) == 1


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"amount": "20.01"}, "At most 20.00 USD"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"amount": "NaN"}, "Enter a number"),
        ({"amount": ""}, "This field is required"),
        ({"reason": "  "}, "This field is required"),
        ({"reason": "x\x00"}, "Null characters"),
        ({"key": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_given_back_is_said_on_the_page(
    order_pages: OrderPages, paid: OrderDocument, fields: dict[str, str], words: str
) -> None:
    before = all_that_is_stored()
    refused = send(order_pages, paid, **fields)
    assert refused.context["form"].errors
    assert words in refused.content.decode()
    assert all_that_is_stored() == before
    assert not LogEntry.objects.exists()


def test_without_the_permission_nothing_is_given_back(order_pages: OrderPages, paid: OrderDocument) -> None:
    before = all_that_is_stored()
    page = order_pages.client.get(order_pages.page("change", paid.id)).content.decode()
    assert refund_page(paid) not in page
    assert order_pages.client.get(refund_page(paid)).status_code == 403
    sent = order_pages.client.post(refund_page(paid), {"amount": "5", "reason": "Mine.", "key": "k"})
    assert sent.status_code == 403
    assert all_that_is_stored() == before


def test_the_permission_alone_shows_no_order(client: Any, paid: OrderDocument) -> None:
    user = User.objects.create_user("till", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="refund_orders"))
    client.force_login(user)
    assert client.get(refund_page(paid)).status_code == 403


@pytest.mark.usefixtures("trusted")
def test_nothing_is_offered_where_nothing_can_be_given_back(
    order_pages: OrderPages, placer: OrderPlacer, paid: OrderDocument
) -> None:
    cash = placer.place()
    refund(paid)
    for order in (cash, paid):
        page = order_pages.client.get(order_pages.page("change", order.id)).content.decode()
        assert refund_page(order) not in page
    refused = send(order_pages, cash)
    assert "No money can be given back" in refused.content.decode()
    assert "order.refund.requested" not in events(cash)
    assert order_pages.client.get(refund_page(paid).replace(str(paid.id), "x")).status_code == 404


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("model", ["payment", "refund"])
def test_payments_and_refunds_are_not_edited(
    order_pages: OrderPages, paid: OrderDocument, model: str
) -> None:
    refund(paid)
    before = list(Payment.objects.values()), list(Refund.objects.values())
    row = Payment.objects.latest("id") if model == "payment" else Refund.objects.latest("id")
    for page in ("change", "delete"):
        path = reverse(f"admin:orders_app_{model}_{page}", args=[row.pk])
        assert order_pages.client.post(path, {"amount": "1", "state": "failed"}).status_code == 403
    assert order_pages.client.get(reverse(f"admin:orders_app_{model}_add")).status_code == 403
    assert (list(Payment.objects.values()), list(Refund.objects.values())) == before
