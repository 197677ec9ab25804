"""Routes under `orders/`. Each checks the shape, makes one call, and answers."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from msgspec import UNSET, Struct, structs, to_builtins
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import ReturnDict

from orders_app import event_log
from orders_app.api.access import (
    IsThatUserOrStaff,
    may_override_checks,
    origin_of,
    require_visible,
    visible_orders,
)
from orders_app.api.asked_version import asked_version
from orders_app.api.filters import OrderFilters
from orders_app.api.payment_actions import PaymentActions
from orders_app.api.payment_shapes import PayOrderSerializer, RefundOrderSerializer
from orders_app.api.place_order import PLACE_ORDER
from orders_app.api.schema import described
from orders_app.api.shapes import (
    CancelOrder,
    CancelOrderSerializer,
    ChangeStatus,
    ChangeStatusSerializer,
    EditOrder,
    EditOrderByStaff,
    EditOrderSerializer,
    OrderSerializer,
    Status,
)
from orders_app.document import CancelReason, OrderDocument
from orders_app.exceptions import OrderNotFound
from orders_app.history.story import Story
from orders_app.history.versions import order_at, order_at_version
from orders_app.models import Order
from orders_app.models.rows import document_of
from orders_app.selectors import orders_of
from orders_app.services.change_order import (
    CANCELLED_BY_CUSTOMER,
    CANCELLED_BY_STAFF,
    cancel_order,
    change_status,
    delete_order,
    update_order,
)
from orders_app.state_machine import TRANSITIONS
from web.bodies import field_error, read_body
from web.endpoint_view import answer_in_view
from web.no_store import NoStore
from web.parsers import JsonBytesParser
from web.struct_schema import StructSerializer

NEWEST_SEARCHED = "X-Newest-Searched"
"""The header of a list in which a search left out older orders that may match too."""


@described
class OrderViewSet(NoStore, PaymentActions):
    """Orders: customers place and see their own, staff see and move all."""

    lookup_value_converter = "uuid"
    authentication_classes = PLACE_ORDER.authentication
    throttle_classes = PLACE_ORDER.throttles
    parser_classes = (JsonBytesParser,)
    filterset_class = OrderFilters
    form_serializers: ClassVar[dict[str, type[StructSerializer]]] = {
        "create": PLACE_ORDER.body,
        "partial_update": EditOrderSerializer,
        "cancel": CancelOrderSerializer,
        "change_status": ChangeStatusSerializer,
        "pay": PayOrderSerializer,
        "refund": RefundOrderSerializer,
    }

    def get_permissions(self) -> Sequence[Any]:
        """Staff alone delete; the other routes say it where they are."""
        match self.action:
            case "create":
                return [PLACE_ORDER.permission]
            case "destroy":
                return [IsAdminUser()]
        return super().get_permissions()

    def get_serializer_class(self) -> type[StructSerializer]:
        """What the browsable API's form of this action starts with."""
        return self.form_serializers.get(self.action, OrderSerializer)

    def get_queryset(self) -> QuerySet[Order]:
        """The orders that the caller may see."""
        return visible_orders(self.request.user)

    def list(self, request: Request) -> Response:
        """Own orders; for staff, everyone's."""
        return self.page_of_orders(self.get_queryset())

    def create(self, request: Request) -> Response:
        """Take an order at once; whether its stock could be reserved shows in it moments later."""
        return answer_in_view(PLACE_ORDER, request, {})

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One order; with `version` or `at` as it was then, for staff also where it was deleted later."""
        asked = asked_version(request)
        if asked is None:
            return self.retrieve_now(pk)
        if not request.user.is_staff:
            require_visible(request.user, pk)
        return shown(order_at_version(pk, asked) if isinstance(asked, int) else order_at(pk, asked))

    def retrieve_now(self, pk: UUID) -> Response:
        """One order as it is."""
        order = self.get_queryset().filter(pk=pk).first()
        if order is None:
            raise OrderNotFound(pk)
        return shown_with_form(document_of(order))

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Correct the shipping address while the order is Pending; staff may set the tracking number too."""
        body = read_body(request.data, EditOrderByStaff if request.user.is_staff else EditOrder)
        require_visible(request.user, pk)
        return shown_with_form(update_order(order_id=pk, origin=origin_of(request), **edits(body)))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Remove an order that is Delivered or Cancelled; the log keeps its history."""
        delete_order(order_id=pk, origin=origin_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(methods=["patch"], detail=True)
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Cancel the order; what it holds goes back into stock."""
        body = read_body(request.data, CancelOrder, may_be_empty=True)
        require_visible(request.user, pk)
        reason = cancel_reason(body.reason, by_staff=request.user.is_staff)
        return shown(cancel_order(order_id=pk, reason=reason, origin=origin_of(request)))

    @action(methods=["patch"], detail=True, url_path="status", permission_classes=[IsAdminUser])
    def change_status(self, request: Request, pk: UUID) -> Response:
        """Move the order one step; past a check that is pending only with the permission and a reason."""
        body = read_body(request.data, ChangeStatus)
        reason = override_reason(body) if body.override and may_override_checks(request.user) else ""
        return shown(
            change_status(
                order_id=pk, new_status=body.status, origin=origin_of(request), override_reason=reason
            )
        )

    @action(detail=True)
    def history(self, request: Request, pk: UUID) -> Response:
        """All that happened to the order, oldest first; for staff also to an order that was deleted."""
        events = event_log.history(pk)
        if not (events and request.user.is_staff):
            require_visible(request.user, pk)
        story = Story(events, for_staff=request.user.is_staff)
        return self.page(story.steps, story.tell)

    @action(
        detail=False,
        url_path="user/<int:user_id>",
        url_name="of-user",
        permission_classes=[IsThatUserOrStaff],
    )
    def of_user(self, request: Request, user_id: int) -> Response:
        """The orders of one user."""
        return self.page_of_orders(orders_of(user_id))

    @action(detail=False, permission_classes=[AllowAny], pagination_class=None, filter_backends=[])
    def statuses(self, request: Request) -> Response:
        """Every status an order can have, and what may follow it."""
        return Response([to_builtins(Status(code, code.label, after)) for code, after in TRANSITIONS.items()])

    def page_of_orders(self, orders: QuerySet[Order]) -> Response:
        """One page of those of the orders that are asked for; a header says if older ones were left out."""
        filters = DjangoFilterBackend().get_filterset(self.request, orders, self)
        if not filters.is_valid():
            raise translate_validation(filters.errors)
        response = self.page(filters.qs, document_of)
        if not filters.are_all_found:
            response[NEWEST_SEARCHED] = "true"
        return response

    def page(self, rows: QuerySet[Any] | Sequence[Any], shape: Callable[[Any], Struct]) -> Response:
        """One page of a list, each row in its shape."""
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([to_builtins(shape(row)) for row in page])


def shown(document: OrderDocument) -> Response:
    """An order as the answer."""
    return Response(to_builtins(document))


def shown_with_form(document: OrderDocument) -> Response:
    """An order as the answer, from which its browsable page fills the form."""
    return Response(ReturnDict(to_builtins(document), serializer=EditOrderSerializer(document)))


def override_reason(body: ChangeStatus) -> str:
    """The reason for an override. Raises ValidationError where it is blank."""
    reason = body.reason.strip()
    if not reason:
        raise field_error("reason", "An override needs a reason.", "required")
    return reason


def edits(body: EditOrder) -> dict[str, Any]:
    """The fields that were sent, by name; a tracking number that is taken back is empty."""
    sent = {name: value for name, value in structs.asdict(body).items() if value is not UNSET}
    if "shipping_address" in sent:
        sent["shipping_address"] = sent["shipping_address"].stored
    if "tracking_number" in sent:
        sent["tracking_number"] = (sent["tracking_number"] or "").strip()
    return sent


def cancel_reason(words: str, *, by_staff: bool) -> CancelReason:
    """Why an order is cancelled: who wished it, in their words where they gave any."""
    usual = CANCELLED_BY_STAFF if by_staff else CANCELLED_BY_CUSTOMER
    return CancelReason(usual.code, words.strip() or usual.detail)
