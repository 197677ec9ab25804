"""Paying and refunding over HTTP: who may, what is answered, and that a token is never shown."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from orders_app.document import OrderDocument
from orders_app.models import Refund
from orders_app.selectors import get_document
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.orders_app.api.api_users import ApiUser, attributes, codes, order_body
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored, answer, now, reserved
from tests.orders_app.paying import (
    GOOD,
    declined,
    give_back_all,
    pay,
    record,
    refunds_asked,
    send_tokens,
    taken,
    tokens,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]
TOKEN = "pm_card_visa"


def paid(placer: OrderPlacer) -> OrderDocument:
    """An order of 20.00 that is paid."""
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    pay(order)
    record(taken(now(order)))
    return now(order)


def post(user: ApiUser, order: OrderDocument, action: str, body: object, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else None
    return user.request("POST", f"orders/{order.id}/{action}/", body, headers)


def test_an_order_takes_a_token_that_no_answer_shows(placer: OrderPlacer, customer: ApiUser) -> None:
    body = order_body((placer.catalogue.add(), 2), paymentMethod=1, paymentToken=TOKEN)
    placed = customer.request("POST", "orders/", body, {"Idempotency-Key": "k"})
    assert placed.status_code == 201
    again = customer.request("POST", "orders/", body, {"Idempotency-Key": "k"})
    # A page makes a new token for each try.
    tried = customer.request("POST", "orders/", body | {"paymentToken": "pm_other"}, {"Idempotency-Key": "k"})
    for answered in (again, tried):
        assert (answered.status_code, answered.json()["id"]) == (201, placed.json()["id"])
        assert TOKEN.encode() not in placed.content + answered.content
    assert [token for _, token in tokens(get_document(UUID(placed.json()["id"])))] == [TOKEN]
    shown = placed.json()
    assert shown.keys() >= {"paymentFailure", "refundedAmount", "paidAt"}
    assert (shown["paymentFailure"], shown["refundedAmount"], shown["paidAt"]) == (None, "0.00", None)


@pytest.mark.parametrize("token", ["", None])
def test_an_order_may_leave_its_token_empty(placer: OrderPlacer, customer: ApiUser, token: object) -> None:
    for method in (1, 6):
        body = order_body((placer.catalogue.add(), 1), paymentMethod=method, paymentToken=token)
        placed = customer.request("POST", "orders/", body)
        assert (placed.status_code, placed.json()["paymentAttempts"]) == (201, 0)


WRONG_TOKENS = {
    "a number": 5,
    "a list": [TOKEN],
    "too long": TOKEN + "x" * 250,
    "a blank inside": f"{TOKEN} {TOKEN}",
    "a line break": f"{TOKEN}\n",
    "a NUL": f"{TOKEN}\x00",
    "no ASCII": f"{TOKEN}é",
}


@pytest.mark.parametrize("wrong", WRONG_TOKENS)
def test_a_wrong_token_is_named_and_not_repeated(placer: OrderPlacer, customer: ApiUser, wrong: str) -> None:
    order, token = placer.place(PaymentMethod.CREDIT_CARD), WRONG_TOKENS[wrong]
    body = order_body((placer.catalogue.add(), 1), paymentMethod=1, paymentToken=token)
    before = all_that_is_stored()
    for refused in (
        customer.request("POST", "orders/", body),
        customer.request("POST", "orders/?x", body),
        post(customer, order, "pay", {"paymentToken": token}),
    ):
        assert (refused.status_code, attributes(refused)) == (400, ["paymentToken"])
        assert TOKEN.encode() not in refused.content
    assert all_that_is_stored() == before


@pytest.mark.parametrize("body", [{}, {"paymentToken": ""}, {"paymentToken": None}])
def test_paying_needs_a_token(placer: OrderPlacer, customer: ApiUser, body: object) -> None:
    order = placer.place(PaymentMethod.CREDIT_CARD)
    refused = post(customer, order, "pay", body)
    assert (refused.status_code, attributes(refused)) == (400, ["paymentToken"])


def test_an_order_that_is_paid_on_delivery_takes_no_token(placer: OrderPlacer, customer: ApiUser) -> None:
    body = order_body((placer.catalogue.add(), 1), paymentToken=TOKEN)
    refused = customer.request("POST", "orders/", body)
    assert (refused.status_code, attributes(refused)) == (400, ["paymentToken"])
    unpayable = post(customer, placer.place(), "pay", {"paymentToken": TOKEN})
    assert (unpayable.status_code, codes(unpayable)) == (409, ["order_not_payable"])
    assert TOKEN.encode() not in refused.content + unpayable.content


def test_without_a_gateway_tokens_are_refused(placer: OrderPlacer, customer: ApiUser, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    order = placer.place(PaymentMethod.CREDIT_CARD)
    body = order_body((placer.catalogue.add(), 1), paymentMethod=1, paymentToken=TOKEN)
    for refused in (
        customer.request("POST", "orders/", body),
        post(customer, order, "pay", {"paymentToken": TOKEN}),
    ):
        assert (refused.status_code, codes(refused)) == (409, ["payments_unavailable"])


def test_no_browsable_page_shows_a_token_that_was_sent(placer: OrderPlacer, customer: ApiUser) -> None:
    order, token = placer.place(PaymentMethod.CREDIT_CARD), "pm_of_a_page"
    html = {"Accept": "text/html"}
    body = order_body((placer.catalogue.add(), 1), paymentMethod=1, paymentToken=token)
    pages = [
        customer.request("POST", "orders/", body, html),
        customer.request("POST", "orders/", body | {"items": []}, html),
        *(customer.request("POST", f"orders/{order.id}/pay/", sent, html) for sent in pay_bodies(token)),
    ]
    assert [page.status_code for page in pages] == [201, 400, 202, 409, 400]
    assert all("<html" in page.content.decode() for page in pages)
    assert not any(token in page.content.decode() for page in pages)


def pay_bodies(token: str) -> list[dict[str, str]]:
    """A token, another one meanwhile, and one beside a field that is none."""
    return [{"paymentToken": token}, {"paymentToken": f"{token}_2"}, {"paymentToken": token, "card": token}]


def test_the_owner_pays_and_may_repeat_it(placer: OrderPlacer, customer: ApiUser) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    for _ in range(2):
        accepted = post(customer, order, "pay", {"paymentToken": TOKEN})
        assert (accepted.status_code, accepted.json()["paymentStatus"]) == (202, 1)
        assert (accepted.json()["id"], accepted.json()["paymentAttempts"]) == (str(order.id), 1)
        assert TOKEN.encode() not in accepted.content
    assert tokens(order) == [(1, TOKEN)]
    other = post(customer, order, "pay", {"paymentToken": "pm_other"})
    assert (other.status_code, codes(other)) == (409, ["payment_under_way"])
    send_tokens(order)
    record(taken(now(order)))
    done = post(customer, order, "pay", {"paymentToken": TOKEN})
    assert (done.status_code, codes(done)) == (409, ["order_not_payable"])


def test_nobody_else_pays_or_learns_of_the_order(
    placer: OrderPlacer, other: ApiUser, staff: ApiUser, anonymous: ApiUser
) -> None:
    order = placer.place(PaymentMethod.CREDIT_CARD)
    before = all_that_is_stored()
    answers = {
        user: post(caller, order, "pay", {"paymentToken": TOKEN}).status_code
        for user, caller in {"other": other, "staff": staff, "anonymous": anonymous}.items()
    }
    assert answers == {"other": 404, "staff": 403, "anonymous": 401}
    assert all_that_is_stored() == before


def test_a_decline_is_shown_in_words_and_the_order_can_be_paid_again(
    placer: OrderPlacer, customer: ApiUser
) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    pay(order)
    record(declined(now(order)))
    shown = customer.request("GET", f"orders/{order.id}/").json()
    assert (shown["status"], shown["paymentStatus"]) == (1, 3)
    assert shown["paymentFailure"] == {"code": "card_declined", "detail": "The bank declined the payment."}
    again = post(customer, order, "pay", {"paymentToken": TOKEN})
    assert (again.status_code, again.json()["paymentFailure"]) == (202, None)


def test_the_attempts_and_refunds_of_an_order_are_listed(
    placer: OrderPlacer, customer: ApiUser, other: ApiUser, staff: ApiUser
) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    path = f"orders/{order.id}/payments/"
    assert customer.request("GET", path).json() == {"attempts": [], "refunds": []}
    pay(order)
    [waiting] = customer.request("GET", path).json()["attempts"]
    assert (waiting["attempt"], waiting["state"], waiting["amount"]) == (1, "pending", "20.00")
    assert waiting["reference"] is None
    record(declined(now(order)))
    pay(order)
    record(taken(now(order), 2, "pi_2"))
    post(staff, order, "refund", {"amount": "5.00", "reason": "Scratched."})
    [asked] = refunds_asked(order)
    post(staff, order, "refund", {"amount": "1.50", "reason": "Late."})
    shown = staff.request("GET", path)
    assert shown.json() == customer.request("GET", path).json()
    attempts, refunds = shown.json()["attempts"], shown.json()["refunds"]
    assert [(each["attempt"], each["state"], each["reference"]) for each in attempts] == [
        (1, "failed", "pi_1"),
        (2, "succeeded", "pi_2"),
    ]
    assert (attempts[0]["code"], attempts[0]["detail"]) == ("card_declined", "The bank declined the payment.")
    assert [(each["state"], each["amount"], each["reason"], each["reference"]) for each in refunds] == [
        ("requested", "5.00", "Scratched.", None),
        ("requested", "1.50", "Late.", None),
    ]
    assert {each["paymentReference"] for each in refunds} == {"pi_2"}
    give_back_all(order)
    first = customer.request("GET", path).json()["refunds"][0]
    assert (first["state"], first["reference"]) == ("succeeded", f"re_{asked.refund}")
    assert GOOD.encode() not in shown.content
    assert other.request("GET", path).status_code == 404


def test_staff_give_back_a_part_and_then_the_rest(placer: OrderPlacer, staff: ApiUser) -> None:
    order = paid(placer)
    part = post(staff, order, "refund", {"amount": "12.50", "reason": " Broken. "})
    assert (part.status_code, part.json()["refundRequestedAmount"]) == (202, "12.50")
    assert (part.json()["refundedAmount"], part.json()["paymentStatus"]) == ("0.00", 2)
    give_back_all(order)
    too_much = post(staff, order, "refund", {"amount": "7.51", "reason": "Broken."})
    assert (too_much.status_code, codes(too_much)) == (409, ["refund_too_large"])
    assert too_much.json()["refundableAmount"] == "7.50"
    rest = post(staff, order, "refund", {"reason": "All of it."})
    assert rest.json()["refundRequestedAmount"] == "20.00"
    give_back_all(order)
    done = staff.request("GET", f"orders/{order.id}/").json()
    assert (done["refundedAmount"], done["paymentStatus"], done["status"]) == (
        "20.00",
        4,
        OrderStatus.PROCESSING,
    )
    nothing_left = post(staff, order, "refund", {"reason": "More."})
    assert (nothing_left.status_code, codes(nothing_left)) == (409, ["order_not_refundable"])
    assert [refund.reason for refund in Refund.objects.order_by("version")] == ["Broken.", "All of it."]


def test_a_refund_with_the_same_key_is_asked_for_once(placer: OrderPlacer, staff: ApiUser) -> None:
    order = paid(placer)
    body = {"amount": "5", "reason": "Broken."}
    for _ in range(3):
        assert post(staff, order, "refund", body, key="k").status_code == 202
    other = post(staff, order, "refund", body | {"amount": "6"}, key="k")
    assert (other.status_code, codes(other)) == (422, ["idempotency_key_reused"])
    assert [message.amount for message in refunds_asked(order)] == [500]
    wrong = post(staff, order, "refund", body, key="k" * 256)
    assert (wrong.status_code, attributes(wrong)) == (400, ["Idempotency-Key"])


@pytest.mark.parametrize(
    "amount",
    [
        "0",
        "0.00",
        "-1",
        "1.001",
        "NaN",
        "Infinity",
        "-Infinity",
        "sNaN",
        "1E+400",
        "1E-400",
        "x",
        "",
        True,
        [],
        "9" * 9_000,
    ],
)
def test_an_amount_that_is_none_is_refused(placer: OrderPlacer, staff: ApiUser, amount: object) -> None:
    order = paid(placer)
    before = all_that_is_stored()
    refused = post(staff, order, "refund", {"amount": amount, "reason": "Broken."})
    assert refused.status_code in {400, 409}
    assert len(refused.content) < 1_000
    assert refused.status_code == 409 or attributes(refused) == ["amount"]
    assert all_that_is_stored() == before


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": " \n "}, {"reason": "x\x00"}, {"reason": "x" * 501}]
)
def test_a_refund_needs_a_reason(placer: OrderPlacer, staff: ApiUser, body: object) -> None:
    order = paid(placer)
    refused = post(staff, order, "refund", body)
    assert (refused.status_code, attributes(refused)) == (400, ["reason"])


def test_what_did_not_come_through_the_gateway_is_not_given_back(placer: OrderPlacer, staff: ApiUser) -> None:
    cash, unpaid = placer.place(), placer.place(PaymentMethod.CREDIT_CARD)
    answer(reserved(cash))
    for order in (cash, unpaid):
        refused = post(staff, order, "refund", {"reason": "Broken."})
        assert (refused.status_code, codes(refused)) == (409, ["order_not_refundable"])


def test_customers_give_nothing_back(placer: OrderPlacer, customer: ApiUser, other: ApiUser) -> None:
    order = paid(placer)
    for user in (customer, other):
        assert post(user, order, "refund", {"reason": "Mine."}).status_code == 403
    assert refunds_asked(order) == []


def test_amounts_are_exact(placer: OrderPlacer, staff: ApiUser) -> None:
    order = paid(placer)
    for amount in ("0.1", 0.2, "0.30"):
        assert post(staff, order, "refund", {"amount": amount, "reason": "Broken."}).status_code == 202
    assert now(order).refund_requested_amount == Decimal("0.60")
