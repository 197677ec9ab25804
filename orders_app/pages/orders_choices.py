"""What the customer of an order can do about it now: the forms, or in words why there is none."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext
from msgspec import Struct

from orders_app.document import OrderDocument
from orders_app.pages.address_form import AddressForm, initial_address
from orders_app.pages.orders_forms import CancelForm, PayForm
from orders_app.services.payment_gateway import has_payment_gateway
from orders_app.state_machine import MAX_DECLINES, UNPAID, OrderStatus, is_allowed


class Choice(Struct, frozen=True):
    """Something that can be done about the order: its form, or None; `note` says why not, or what to know."""

    form: forms.Form | None = None
    note: str = ""


class Choices(Struct, frozen=True):
    """What can be done; `is_payment_due` where the order waits for its customer to pay."""

    pay: Choice = Choice()
    cancel: Choice = Choice()
    address: Choice = Choice()
    is_payment_due: bool = False


def choices_of(order: OrderDocument, *, is_own: bool, sent: Mapping[str, forms.Form]) -> Choices:
    """What its customer can do now; nothing for somebody else. `sent` are forms with errors, by name."""
    if not is_own:
        return Choices()
    return Choices(
        pay=_pay(order, sent.get("pay")),
        cancel=_cancel(order, sent.get("cancel")),
        address=_address(order, sent.get("address")),
        is_payment_due=is_payment_due(order),
    )


def is_payment_due(order: OrderDocument) -> bool:
    """Whether the order waits for its customer to pay, or to pay again."""
    is_open = order.status != OrderStatus.CANCELLED and order.payment_status in UNPAID
    return is_open and order.lacks_payment and not order.is_payment_under_way


def _pay(order: OrderDocument, sent: forms.Form | None) -> Choice:
    if not is_payment_due(order):
        return Choice()
    if not has_payment_gateway():
        return Choice(note=gettext("It cannot be paid on this page. Please ask the shop how to pay."))
    left = MAX_DECLINES - order.payment_attempts
    note = gettext("After the next decline the order is cancelled.") if left == 1 else ""
    return Choice(sent or PayForm(order), note)


def _cancel(order: OrderDocument, sent: forms.Form | None) -> Choice:
    if not is_allowed(order.status, OrderStatus.CANCELLED):
        return Choice(note=_why_not_cancelled(order))
    note = ""
    if order.status == OrderStatus.SHIPPED:
        note = gettext("It has been shipped: it may still arrive after you have cancelled it.")
    elif order.payment_reference:
        note = gettext("What you have paid goes back to you.")
    return Choice(sent or CancelForm(auto_id="cancel_%s"), note)


def _why_not_cancelled(order: OrderDocument) -> str:
    if order.status == OrderStatus.CANCELLED:
        return gettext("It is cancelled.")
    return gettext("It was delivered, so it can no longer be cancelled.")


def _address(order: OrderDocument, sent: forms.Form | None) -> Choice:
    if order.status == OrderStatus.PENDING:
        initial = initial_address(order.shipping_address)
        return Choice(sent or AddressForm(initial=initial, auto_id="address_%s"))
    if order.status == OrderStatus.PROCESSING:
        return Choice(note=gettext("It is being packed, so the address can no longer be changed."))
    return Choice()
