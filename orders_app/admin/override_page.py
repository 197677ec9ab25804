"""The page on which staff let orders go on without their stock or payment, with a reason."""

from collections.abc import Sequence

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from orders_app.admin.action_report import Outcome, tell_outcomes
from orders_app.admin.chosen_orders import chosen_ids, page_about
from orders_app.admin.origins import origin_of
from orders_app.admin.permissions import VIEW_ORDER, require_permissions
from orders_app.exceptions import OrderError
from orders_app.models import Order
from orders_app.models.order import OVERRIDE_CHECKS
from orders_app.services.change_order import change_status
from orders_app.state_machine import NEEDS_STOCK_AND_PAYMENT, OrderStatus


class OverrideForm(forms.Form):
    """Why the orders go on; the history of each keeps it."""

    reason = forms.CharField(
        max_length=500,
        label=_("Reason"),
        help_text=_("The history of each order keeps it with your name. Customers do not see it."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def override_url(orders: Sequence[Order], status: OrderStatus) -> str:
    """The address of the page on which these orders come to this status."""
    page = reverse("admin:orders_app_order_override")
    return page_about(page, [order.pk for order in orders], status=int(status))


def show_override_page(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Ask for the reason, or do it and tell what was done.

    Raises PermissionDenied for users without the permission, and Http404 where the address names nothing to
    override.
    """
    require_permissions(request, VIEW_ORDER, OVERRIDE_CHECKS)
    orders, status = _asked(request.GET)
    form = OverrideForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        outcomes = [_override(admin, request, order, status, reason) for order in orders]
        label = pgettext("orders", "%(status)s without stock or payment") % {"status": status.label}
        return tell_outcomes(request, label, outcomes)
    context = admin.admin_site.each_context(request) | {
        "title": gettext("Go on without stock or payment"),
        "opts": admin.opts,
        "form": form,
        "orders": orders,
        "status": status.label,
    }
    answer = 400 if form.is_bound else 200
    return TemplateResponse(request, "admin/orders_app/order/override.html", context, status=answer)


def _override(
    admin: ModelAdmin, request: HttpRequest, order: Order, status: OrderStatus, reason: str
) -> Outcome:
    """Let one order go on; what became of it."""
    try:
        change_status(order_id=order.pk, new_status=status, origin=origin_of(request), override_reason=reason)
    except OrderError as refusal:
        return Outcome(str(order.pk), order.order_number, str(refusal))
    admin.log_change(request, order, f"Override to {status.label}.")
    return Outcome(str(order.pk), order.order_number)


def _asked(query: QueryDict) -> tuple[list[Order], OrderStatus]:
    """The orders and the status that the address names. Raises Http404 where it names none."""
    status = _status(query)
    orders = list(Order.objects.filter(pk__in=chosen_ids(query)).order_by("pk"))
    if not orders or status not in NEEDS_STOCK_AND_PAYMENT:
        raise Http404("There is nothing to override.")
    return orders, status


def _status(query: QueryDict) -> OrderStatus:
    try:
        return OrderStatus(int(query.get("status", "")))
    except ValueError as error:
        raise Http404("There is no such status.") from error
