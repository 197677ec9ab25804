"""What the customer of an order does on its page: cancels it, pays it, changes its address.

Each leads back to the page, also where it came too late or twice; a form with errors is shown again.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters

from orders_app.api.access import origin_of
from orders_app.document import CancelReason, OrderDocument
from orders_app.exceptions import (
    OrderNotEditable,
    OrderNotPayable,
    PaymentsUnavailable,
    PaymentUnderWay,
    TransitionNotAllowed,
)
from orders_app.pages.address_form import AddressForm
from orders_app.pages.orders_forms import CancelForm, PayForm
from orders_app.pages.orders_page import find_order, is_own, show_order
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order, update_order
from orders_app.services.pay_order import pay_order
from orders_app.state_machine import OrderStatus
from web.pages import signed_in_page

Action = Callable[[HttpRequest, OrderDocument], HttpResponse | None]


def _action(act: Action) -> Callable[..., HttpResponseBase]:
    """The view of what a customer does about an own order; without an answer it leads to the page."""

    @signed_in_page
    @sensitive_post_parameters("payment_token")
    @wraps(act)
    def view(request: HttpRequest, number: str) -> HttpResponse:
        order = find_order(request, number)
        if not is_own(request, order):
            raise PermissionDenied(gettext("Only its customer can do this here. Staff do it in the admin."))
        answer = act(request, order) if request.method == "POST" else None
        return answer or redirect("shop:order", order.order_number)

    return view


@_action
def cancel_action(request: HttpRequest, order: OrderDocument) -> HttpResponse | None:
    """Cancel the order."""
    form = CancelForm(request.POST, auto_id="cancel_%s")
    if not form.is_valid():
        return show_order(request, order, status=HTTPStatus.UNPROCESSABLE_ENTITY, cancel=form)
    words = form.cleaned_data["reason"] or CANCELLED_BY_CUSTOMER.detail
    reason = CancelReason(CANCELLED_BY_CUSTOMER.code, words)
    try:
        cancel_order(order_id=order.id, reason=reason, origin=origin_of(request))
    except TransitionNotAllowed as refusal:
        if refusal.current != OrderStatus.CANCELLED:
            messages.warning(request, gettext("It was too late to cancel the order."))
    else:
        messages.success(request, gettext("Your order is cancelled."))
    return None


@_action
def pay_action(request: HttpRequest, order: OrderDocument) -> HttpResponse | None:
    """Begin an attempt to pay, unless the form was sent before."""
    form = PayForm(order, request.POST)
    if not form.is_valid():
        return show_order(request, order, status=HTTPStatus.UNPROCESSABLE_ENTITY, pay=form)
    seen = form.cleaned_data["attempt"]
    try:
        pay_order(order_id=order.id, token=form.token, origin=origin_of(request), attempts_seen=seen)
    except PaymentUnderWay:
        messages.info(request, gettext("Another payment of this order is under way: wait for its end."))
    except (OrderNotPayable, PaymentsUnavailable):
        messages.warning(request, gettext("No payment was begun: the order does not wait for one now."))
    return None


@_action
def address_action(request: HttpRequest, order: OrderDocument) -> HttpResponse | None:
    """Change where the order goes."""
    form = AddressForm(request.POST, auto_id="address_%s")
    if not form.is_valid():
        return show_order(request, order, status=HTTPStatus.UNPROCESSABLE_ENTITY, address=form)
    try:
        update_order(order_id=order.id, shipping_address=form.address, origin=origin_of(request))
    except OrderNotEditable:
        messages.warning(request, gettext("It was too late to change the address."))
    else:
        messages.success(request, gettext("The address is saved."))
    return None
