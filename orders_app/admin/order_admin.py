"""The admin of orders, for staff. It calls the services for every change and writes no rows itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import ActionForm

from orders_app.admin.columns import OrderMoneyColumns
from orders_app.admin.inlines import HistoryInline, ItemInline, PaymentInline, RefundInline
from orders_app.admin.large_table import CappedPaginator
from orders_app.admin.override_page import OverrideForm, OverrideRequest, read_override
from orders_app.admin.refund_page import is_refundable, show_refund_page
from orders_app.document import CancelReason, OrderDocument
from orders_app.event_log import Origin
from orders_app.exceptions import ChecksPending, OrderError
from orders_app.models import Order
from orders_app.models.order import OVERRIDE_CHECKS, REFUND_ORDERS
from orders_app.models.rows import document_of
from orders_app.selectors import search_orders
from orders_app.services.change_order import (
    CANCELLED_BY_STAFF,
    cancel_order,
    change_status,
    delete_order,
    mark_paid,
)
from orders_app.state_machine import FINAL, OrderStatus

MAX_REFUSALS_SHOWN = 10


class ReasonForm(ActionForm):
    """The action form of the list, with a field for the reason of a cancellation."""

    reason = forms.CharField(max_length=500, required=False, label="Reason for cancelling")


@admin.register(Order)
class OrderAdmin(OrderMoneyColumns, ModelAdmin):
    """Orders: staff change their status by an action in the list, or in the form."""

    list_display: ClassVar = [
        "order_number",
        "user",
        "status",
        "stock_status",
        "payment_status",
        "payment_method",
        "total",
        "created_at",
    ]
    list_filter: ClassVar = ["status", "stock_status", "payment_status", "payment_method", "created_at"]
    list_select_related: ClassVar = ["user"]
    list_per_page = 50
    list_disable_select_all = True
    # Shows the box; `get_search_results` does the search.
    search_fields: ClassVar = ["order_number"]
    search_help_text = (
        "Part of an order number; beginning of a tracking number, city, name, e-mail or product"
    )
    show_full_result_count = False
    paginator = CappedPaginator
    action_form = ReasonForm
    actions: ClassVar = ["process", "ship", "deliver", "cancel", "mark_paid"]
    actions_detail: ClassVar = ["refund"]
    inlines: ClassVar = [ItemInline, PaymentInline, RefundInline, HistoryInline]
    fieldsets: ClassVar = [
        (None, {"fields": ["order_number", "status", "user", "total", "version"]}),
        ("Stock", {"fields": ["stock_status"]}),
        (
            "Payment",
            {
                "fields": [
                    "payment_status",
                    "payment_method",
                    "payment_attempts",
                    "payment_reference",
                    "paid_at",
                    "payment_failure_code",
                    "payment_failure_detail",
                    "asked_back",
                    "went_back",
                ]
            },
        ),
        ("Delivery", {"fields": ["street", "city", "state", "zip_code", "country", "tracking_number"]}),
        ("Cancellation", {"fields": ["cancel_reason_code", "cancel_reason_detail"]}),
        ("Times", {"fields": ["created_at", "updated_at", "shipped_at", "delivered_at", "cancelled_at"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        """All fields except the status."""
        return [name for _, group in self.fieldsets for name in group["fields"] if name != "status"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """The same search as in the API. It uses indexes; Django's own would scan millions of orders."""
        text = search_term.strip()
        return (search_orders(queryset, text) if text else queryset), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """All actions but Django's bulk deletion, which would bypass the services."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_add_permission(self, request: HttpRequest) -> bool:
        """False: customers place orders, staff do not."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Whether the user may delete orders, and this order has a final status."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.status in FINAL)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show or save the form; show a refusal of the service as a message, or the page for overriding."""
        try:
            return super().changeform_view(request, object_id, *args, **kwargs)
        except OrderError as refusal:
            order = get_object_or_404(Order, pk=object_id)
            return self.offer_override(request, {order: refusal}) or self.redirect_with_refusal(
                request, refusal
            )

    def offer_override(
        self, request: HttpRequest, refusals: Mapping[Order, OrderError]
    ) -> HttpResponse | None:
        """The page for overriding, where the user may do that and an order needs it."""
        pending = {
            order: refusal for order, refusal in refusals.items() if isinstance(refusal, ChecksPending)
        }
        if not pending or not request.user.has_perm(OVERRIDE_CHECKS):
            return None
        status = next(iter(pending.values())).wanted
        return redirect(OverrideRequest(list(pending), status).url)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask for confirmation or delete the order; show a refusal of the service as a message."""
        try:
            return super().delete_view(request, *args, **kwargs)
        except OrderError as refusal:
            return self.redirect_with_refusal(request, refusal)

    def redirect_with_refusal(self, request: HttpRequest, refusal: OrderError) -> HttpResponse:
        """Redirect to the same page, which then shows the refusal."""
        self.message_user(request, str(refusal), messages.ERROR)
        return redirect(request.get_full_path())

    def get_urls(self) -> list[URLPattern]:
        """The pages of orders, and the page for overriding checks."""
        override = self.admin_site.admin_view(self.override_view)
        return [path("override/", override, name="orders_app_order_override"), *super().get_urls()]

    def override_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the reason, then let the orders go on without their stock or payment."""
        wanted = read_override(request)
        form = OverrideForm(request.POST or None)
        if form.is_valid():
            service = partial(
                change_status, new_status=wanted.status, override_reason=form.cleaned_data["reason"]
            )
            self.apply_to_each(request, wanted.orders, service, f"Override to {wanted.status.label}.")
            return redirect("admin:orders_app_order_changelist")
        context = self.admin_site.each_context(request) | wanted.context
        context |= {"title": "Override stock and payment", "opts": self.opts, "form": form}
        return TemplateResponse(request, "admin/orders_app/order/override.html", context)

    def has_refund_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether the user may give money back."""
        return request.user.has_perm(REFUND_ORDERS)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The button for giving money back, where there is money that can be given back."""
        order = self.get_object(request, object_id)
        if order is None or not is_refundable(document_of(order)):
            return []
        return super().get_actions_detail(request, object_id)

    @action(description="Give money back", url_path="refund", permissions=["view", "refund"])
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for amount and reason, then for the refund."""
        order = self.get_object(request, object_id)
        if order is None:
            raise Http404("There is no such order.")
        return show_refund_page(self, request, order, origin_of(request))

    def save_model(
        self, request: HttpRequest, obj: Order, form: "forms.ModelForm[Order]", change: bool
    ) -> None:
        """Change the order to the status in the form. Raises TransitionNotAllowed or ChecksPending."""
        if "status" in form.changed_data:
            status = OrderStatus(form.cleaned_data["status"])
            change_status(order_id=obj.pk, new_status=status, origin=origin_of(request))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """Log nothing yet: `delete_model` logs after the service, which has to lock the order first."""
        return []

    def delete_model(self, request: HttpRequest, obj: Order) -> None:
        """Delete the order and log the deletion. Raises OrderNotDeletable."""
        delete_order(order_id=obj.pk, origin=origin_of(request))
        super().log_deletions(request, [obj])

    @admin.action(description="Mark as processing", permissions=["change"])
    def process(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Change the selected orders from Pending to Processing."""
        return self.apply_to_each(
            request, queryset, partial(change_status, new_status=OrderStatus.PROCESSING)
        )

    @admin.action(description="Mark as shipped", permissions=["change"])
    def ship(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Change the selected orders from Processing to Shipped."""
        return self.apply_to_each(request, queryset, partial(change_status, new_status=OrderStatus.SHIPPED))

    @admin.action(description="Mark as delivered", permissions=["change"])
    def deliver(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Change the selected orders from Shipped to Delivered."""
        self.apply_to_each(request, queryset, partial(change_status, new_status=OrderStatus.DELIVERED))

    @admin.action(description="Cancel, for the reason given", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Cancel the selected orders, which releases their stock; the customers see the reason."""
        detail = request.POST.get("reason", "").strip() or CANCELLED_BY_STAFF.detail
        reason = CancelReason(CANCELLED_BY_STAFF.code, detail)
        self.apply_to_each(request, queryset, partial(cancel_order, reason=reason))

    @admin.action(description="Mark as paid", permissions=["change"])
    def mark_paid(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Mark the selected orders as paid; those with reserved stock also change to Processing."""
        self.apply_to_each(request, queryset, mark_paid)

    def apply_to_each(
        self,
        request: HttpRequest,
        orders: Iterable[Order],
        service: Callable[..., OrderDocument],
        logged: str = "",
    ) -> HttpResponse | None:
        """Call the service for each order separately; show the refusals, and go on with the other orders.

        Gives the page for overriding where that would help.
        """
        changed = 0
        refusals: dict[Order, OrderError] = {}
        for order in orders:
            try:
                service(order_id=order.pk, origin=origin_of(request))
                self.log_change(request, order, logged or f"By action: {request.POST['action']}.")
                changed += 1
            except OrderError as refusal:
                refusals[order] = refusal
        if changed:
            self.message_user(request, ngettext("%d order changed.", "%d orders changed.", changed) % changed)
        self.show_refusals(request, [f"{order.order_number}: {refusals[order]}" for order in refusals])
        return self.offer_override(request, refusals)

    def show_refusals(self, request: HttpRequest, sentences: Sequence[str]) -> None:
        """Show the first refusals, and how many more there are."""
        for sentence in sentences[:MAX_REFUSALS_SHOWN]:
            self.message_user(request, sentence, messages.ERROR)
        if not_shown := len(sentences[MAX_REFUSALS_SHOWN:]):
            self.message_user(request, f"{not_shown} more were refused.", messages.ERROR)


def origin_of(request: HttpRequest) -> Origin:
    """The origin of a change in the admin: the member of staff and the trace of the request."""
    return Origin(f"staff:{request.user.pk}", request.trace_parent)  # type: ignore[attr-defined]
