"""The page of one order: how far it is, what to do next, and all that belongs to it."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST
from msgspec import Struct
from unfold.admin import ModelAdmin

from orders_app import event_log
from orders_app.admin.action_page import Choice, action_url, choice_of, tracking_field
from orders_app.admin.order_actions import ACTIONS, CANCEL, MARK_PAID, SHIP, OrderAction
from orders_app.admin.order_story import entries_of, traces_of
from orders_app.admin.origins import origin_of
from orders_app.admin.permissions import CHANGE_ORDER, DELETE_ORDER
from orders_app.document import OrderDocument
from orders_app.exceptions import ChecksPending, OrderError
from orders_app.history.story import Story
from orders_app.history.timeline import timeline_of
from orders_app.models import GatewayEvent, MailRecord, Order, PaymentToken, StockContradiction
from orders_app.models.order import OVERRIDE_CHECKS, REFUND_ORDERS, SHIP_ORDERS, VIEW_CUSTOMERS
from orders_app.models.rows import document_of
from orders_app.selectors import ended_attempts, refunds_of
from orders_app.services.change_order import update_order
from orders_app.state_machine import FINAL, OrderStatus, StockStatus

PRODUCT_PAGE = "admin:products_app_product_stock"
MANY_ORDERS = 100
"""The other orders of a customer are counted up to this number."""


class Button(Struct, frozen=True):
    """A next step that leads to its page."""

    label: str
    url: str
    is_main: bool = False
    is_destructive: bool = False


def show_order(admin: ModelAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """The page of this order, with what the user may see and do."""
    context = admin.admin_site.each_context(request) | {
        "title": order.order_number,
        "opts": admin.opts,
        "original": order,
        **_order(request, order),
    }
    return TemplateResponse(request, "admin/orders_app/order/page.html", context)


@require_POST
def save_tracking_number(request: HttpRequest, admin: ModelAdmin, order: Order) -> HttpResponse:
    """Change the tracking number, and go back to the order."""
    form = forms.Form(request.POST)
    form.fields["tracking"] = tracking_field(order)
    if not form.is_valid():
        messages.error(request, form.errors["tracking"].as_text())
        return redirect("admin:orders_app_order_change", order.pk)
    try:
        update_order(
            order_id=order.pk, tracking_number=form.cleaned_data["tracking"], origin=origin_of(request)
        )
        admin.log_change(request, order, "The tracking number was changed.")
        messages.success(request, gettext("The tracking number is saved."))
    except OrderError as refusal:
        messages.error(request, str(refusal))
    return redirect("admin:orders_app_order_change", order.pk)


def _order(request: HttpRequest, order: Order) -> dict[str, Any]:
    document = document_of(order)
    may = request.user.has_perm
    shows_customers = may(VIEW_CUSTOMERS)
    return {
        "order": document,
        "customer": order.user if shows_customers else None,
        "shows_customers": shows_customers,
        "many_orders": MANY_ORDERS,
        "more_orders": _more_orders(order) if shows_customers else 0,
        "product_page": PRODUCT_PAGE if may("products_app.view_product") else "",
        "lines": [(line, line.price * line.quantity) for line in document.items],
        "attempts": list(ended_attempts(order.pk)) if may("orders_app.view_payment") else None,
        "refunds": list(refunds_of(order.pk)) if may("orders_app.view_refund") else None,
        "contradictions": list(StockContradiction.objects.filter(order_id=order.pk))
        if may("orders_app.view_stockcontradiction")
        else [],
        "gateway_events": list(GatewayEvent.objects.filter(order_id=order.pk))
        if may("orders_app.view_gatewayevent")
        else [],
        "may_change_address": may(CHANGE_ORDER)
        and shows_customers
        and document.status == OrderStatus.PENDING,
        "may_delete": may(DELETE_ORDER) and document.status in FINAL,
        "refund_url": _refund_url(document) if may(REFUND_ORDERS) else "",
        **_history(request, order, document),
        **_next_steps(request, order, document),
    }


def _history(request: HttpRequest, order: Order, document: OrderDocument) -> dict[str, Any]:
    may = request.user.has_perm
    mails = (
        list(MailRecord.objects.filter(order_number=order.order_number))
        if may("orders_app.view_mailrecord")
        else None
    )
    if not may("orders_app.view_orderevent"):
        return {"mails": mails}
    shows_customers = may(VIEW_CUSTOMERS)
    story = Story(event_log.history(order.pk), for_staff=True, shows_customer=shows_customers)
    entries = entries_of(story, shows_addresses=shows_customers)
    return {
        "mails": mails,
        "stages": timeline_of(document, story.steps),
        "entries": entries[::-1],
        "traces": traces_of(entries, mails or []),
    }


def _next_steps(request: HttpRequest, order: Order, document: OrderDocument) -> dict[str, Any]:
    """What can be done with the order now; the button of the usual next step stands first."""
    sent = PaymentToken.objects.filter(order_id=order.pk, sent_at__isnull=False).exists()
    allowed = [action for action in ACTIONS.values() if request.user.has_perm(action.permission)]
    choices = {action.name: choice_of(action, order, token_sent=sent) for action in allowed}
    ship = choices.get(SHIP.name)
    may_ship = ship is not None and ship.refusal is None
    may_track = request.user.has_perm(SHIP_ORDERS) and document.status == OrderStatus.SHIPPED
    return {
        "waits_for": _waits_for(document),
        "ship_url": action_url(SHIP, [order.pk]) if may_ship else "",
        "may_track": may_track,
        "buttons": list(_buttons(request, order, choices)),
    }


def _buttons(request: HttpRequest, order: Order, choices: dict[str, Choice]) -> Iterator[Button]:
    for name, choice in choices.items():
        action = ACTIONS[name]
        is_overridable = isinstance(choice.refusal, ChecksPending) and request.user.has_perm(OVERRIDE_CHECKS)
        if action is SHIP and not is_overridable:
            continue  # It has a form of its own, with the tracking number.
        if choice.refusal is None or is_overridable:
            yield _button(action, order, choice)


def _button(action: OrderAction, order: Order, choice: Choice) -> Button:
    label = gettext("Cancel the order") if action is CANCEL else str(action.label)
    return Button(
        label=f"{label}…",
        url=action_url(action, [order.pk]),
        is_main=choice.refusal is None and action not in {CANCEL, MARK_PAID},
        is_destructive=action.is_destructive,
    )


def _waits_for(order: OrderDocument) -> str:
    """What has to come next, in a sentence; empty where nothing has to."""
    match order.status:
        case OrderStatus.PENDING if order.stock_status != StockStatus.RESERVED:
            return gettext("The stock service has not answered yet.")
        case OrderStatus.PENDING if order.is_payment_under_way:
            return gettext("The payment is under way.")
        case OrderStatus.PENDING if order.lacks_payment:
            return gettext("The customer has to pay. Without a payment the order is cancelled by itself.")
        case OrderStatus.PROCESSING:
            return gettext("It is to be packed and shipped.")
        case OrderStatus.SHIPPED:
            return gettext("The parcel is on its way to the customer.")
    return ""


def _more_orders(order: Order) -> int:
    """How many other orders the customer has, up to MANY_ORDERS."""
    return Order.objects.filter(user_id=order.user_id).exclude(pk=order.pk)[:MANY_ORDERS].count()


def _refund_url(order: OrderDocument) -> str:
    """The page for giving money back; empty where nothing can be given back."""
    return reverse("admin:orders_app_order_refund", args=[order.id]) if order.refundable_amount > 0 else ""
