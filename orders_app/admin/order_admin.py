"""The admin of orders, for staff. It calls the services for every change and writes no rows itself."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from orders_app.admin.action_page import action_url, show_action_page
from orders_app.admin.action_report import show_report
from orders_app.admin.address_page import ADDRESS_FIELDS, show_address_page
from orders_app.admin.order_actions import ACTIONS, OrderAction
from orders_app.admin.order_export import orders_file
from orders_app.admin.order_list import OrderColumns
from orders_app.admin.order_page import save_tracking_number, show_order
from orders_app.admin.origins import origin_of
from orders_app.admin.override_page import show_override_page
from orders_app.admin.permissions import CHANGE_ORDER, VIEW_ORDER, require_permissions
from orders_app.admin.refund_page import show_refund_page
from orders_app.exceptions import OrderError
from orders_app.models import Order
from orders_app.models.order import REFUND_ORDERS, SHIP_ORDERS, VIEW_CUSTOMERS
from orders_app.services.change_order import delete_order
from orders_app.state_machine import FINAL
from web.admin_parameters import MEANINGLESS


@admin.register(Order)
class OrderAdmin(OrderColumns, ModelAdmin):
    """Orders: their list, the page of each, and the pages on which staff do something with them."""

    def get_urls(self) -> list[URLPattern]:
        """The pages of orders."""
        view = self.admin_site.admin_view
        own = {
            "export/": (self.export_view, "export"),
            "report/": (self.report_view, "report"),
            "override/": (self.override_view, "override"),
            "action/<str:name>/": (self.action_view, "action"),
            "<str:order_id>/refund/": (self.refund_view, "refund"),
            "<str:order_id>/address/": (self.address_view, "address"),
            "<str:order_id>/tracking/": (self.tracking_view, "tracking"),
        }
        pages = [
            path(route, view(page), name=f"orders_app_order_{name}") for route, (page, name) in own.items()
        ]
        return [*pages, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; the chosen orders lead to the page of the action that is chosen for them."""
        if chosen := self._chosen_action(request):
            return redirect(action_url(chosen, request.POST.getlist("_selected_action")))
        return super().changelist_view(request, (extra_context or {}) | self.list_context(request))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The actions that the user may do, by name. Their pages do them, not functions of the list."""
        return {
            name: (None, name, action.label)
            for name, action in ACTIONS.items()
            if request.user.has_perm(action.permission)
        }

    def has_add_permission(self, request: HttpRequest) -> bool:
        """False: customers place orders, staff do not."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Whether the user may delete orders, and this order has a final status."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.status in FINAL)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of the order. Nothing is edited in a form: what is done has pages of its own."""
        if object_id is None:
            return super().changeform_view(request, object_id, *args, **kwargs)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return show_order(self, request, self._order(request, object_id))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Whether the list may be filtered by this field; by the shipping address if the user may see it.

        Other users could find out an address, one beginning after another.
        """
        is_personal = lookup.partition("__")[0] in ADDRESS_FIELDS
        may_see = not is_personal or request.user.has_perm(VIEW_CUSTOMERS)
        return may_see and super().lookup_allowed(lookup, value, request)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The list as CSV, filtered and searched as the address says.

        Parameters that mean nothing lead to the list, which says so: without them the file would have all
        orders.
        """
        self._require(request)
        try:
            orders = self.get_changelist_instance(request).queryset
        except (IncorrectLookupParameters, *MEANINGLESS):
            return redirect(f"{reverse('admin:orders_app_order_changelist')}?{request.GET.urlencode()}")
        return orders_file(orders, with_customers=request.user.has_perm(VIEW_CUSTOMERS))

    def report_view(self, request: HttpRequest) -> HttpResponse:
        """What the last action of the user did."""
        self._require(request)
        return show_report(self, request)

    def action_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask for confirmation of an action, or do it."""
        return show_action_page(self, request, name)

    def override_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the reason, then let orders go on without their stock or payment."""
        return show_override_page(self, request)

    def refund_view(self, request: HttpRequest, order_id: Any) -> HttpResponse:
        """Ask for amount and reason, then for the refund."""
        self._require(request, REFUND_ORDERS)
        return show_refund_page(self, request, self._order(request, order_id))

    def address_view(self, request: HttpRequest, order_id: Any) -> HttpResponse:
        """Change where the order goes."""
        self._require(request, CHANGE_ORDER, VIEW_CUSTOMERS)
        return show_address_page(self, request, self._order(request, order_id))

    def tracking_view(self, request: HttpRequest, order_id: Any) -> HttpResponse:
        """Change the tracking number."""
        self._require(request, SHIP_ORDERS)
        return save_tracking_number(request, self, self._order(request, order_id))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask for confirmation or delete the order; show a refusal of the service as a message."""
        try:
            return super().delete_view(request, *args, **kwargs)
        except OrderError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(request.get_full_path())

    def log_deletions(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """Log nothing yet: `delete_model` logs after the service, which has to lock the order first."""
        return []

    def delete_model(self, request: HttpRequest, obj: Order) -> None:
        """Delete the order and log the deletion. Raises OrderNotDeletable."""
        delete_order(order_id=obj.pk, origin=origin_of(request))
        super().log_deletions(request, [obj])

    def _chosen_action(self, request: HttpRequest) -> OrderAction | None:
        """The action that was chosen for orders of the list; None where none was, or there are no orders."""
        is_chosen = request.method == "POST" and request.POST.getlist("_selected_action")
        may_see = is_chosen and self.has_view_permission(request)
        return ACTIONS.get(request.POST.get("action", "")) if may_see else None

    def _order(self, request: HttpRequest, order_id: Any) -> Order:
        """Raises PermissionDenied, or Http404 where there is no such order."""
        self._require(request)
        order: Order | None = self.get_object(request, str(order_id))
        if order is None:
            raise Http404("There is no such order.")
        return order

    def _require(self, request: HttpRequest, *permissions: str) -> None:
        """Raises PermissionDenied where the user may not see orders, or lacks one of these permissions."""
        require_permissions(request, VIEW_ORDER, *permissions)
