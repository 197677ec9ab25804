"""The page on which staff give back a part or all of what was paid for an order."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from orders_app.admin.origins import origin_of
from orders_app.document import OrderDocument
from orders_app.exceptions import IdempotencyKeyReused, OrderError
from orders_app.models import Order, Refund
from orders_app.selectors import get_document
from orders_app.services.refund_order import refund_order
from web.audit_trail import DoneWork, record_once

SENT_BEFORE = "This page was sent before with another amount or reason. Open it again."


class RefundForm(forms.Form):
    """How much goes back, and why; `key` makes a page that is sent twice one refund."""

    amount = forms.DecimalField(max_digits=15, decimal_places=3, widget=UnfoldAdminDecimalFieldWidget)
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


def show_refund_page(admin: ModelAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """Ask for amount and reason, or ask for the refund and go back to the order."""
    document = get_document(order.pk)
    initial = {"amount": document.refundable_amount, "key": uuid4().hex}
    form = RefundForm(request.POST or None, initial=initial)
    if form.is_valid() and _refund(request, document, form):
        _tell(admin, request, order, form.cleaned_data)
        return redirect("admin:orders_app_order_change", order.pk)
    context = admin.admin_site.each_context(request) | {
        "title": f"Give money back for {order.order_number}",
        "opts": admin.opts,
        "form": form,
        "order": document,
    }
    return TemplateResponse(request, "admin/orders_app/order/refund.html", context)


def _refund(request: HttpRequest, order: OrderDocument, form: RefundForm) -> bool:
    """Ask for the refund; whether it was taken, else the form says why not."""
    given = form.cleaned_data
    try:
        refund_order(
            order_id=order.id,
            amount=given["amount"],
            reason=given["reason"],
            idempotency_key=_idempotency_key(given),
            origin=origin_of(request),
        )
    except IdempotencyKeyReused:
        form.add_error(None, SENT_BEFORE)
    except OrderError as refusal:
        form.add_error(None, str(refusal))
    return not form.errors


def _idempotency_key(given: Mapping[str, Any]) -> str:
    return f"admin-{given['key']}"


def _tell(admin: ModelAdmin, request: HttpRequest, order: Order, given: dict[str, Any]) -> None:
    refund = Refund.objects.get(order=order, idempotency_key=_idempotency_key(given))
    money = f"{refund.amount.quantize(order.total_amount)} {order.currency}"
    done = DoneWork(
        model=Order,
        object_id=order.pk,
        name=str(order),
        sentence=f"Refund of {money}: {refund.reason}",
        at=refund.requested_at,
    )
    record_once(request, done)
    admin.message_user(request, f"{money} are on their way back to the customer.")
