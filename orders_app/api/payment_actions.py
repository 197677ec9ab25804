"""Routes of an order's payments: to pay, to give money back, and to see both."""

from uuid import UUID

from msgspec import to_builtins
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from orders_app.api.access import origin_of, require_own, require_visible
from orders_app.api.payment_shapes import PayOrder, RefundOrder, payments_of
from orders_app.document import OrderDocument
from orders_app.exceptions import AmountNotPossible
from orders_app.models import Order
from orders_app.selectors import get_document
from orders_app.services.pay_order import pay_order
from orders_app.services.refund_order import refund_order
from web.bodies import field_error, read_body
from web.idempotency import idempotency_key


class PaymentActions(GenericViewSet[Order]):
    """What is done about the payments of one order."""

    @action(methods=["post"], detail=True)
    def pay(self, request: Request, pk: UUID) -> Response:
        """Pay the order, once its stock is reserved; how that ends shows in it moments later."""
        body = read_body(request.data, PayOrder)
        require_own(request.user, pk)
        return accepted(pay_order(order_id=pk, token=body.payment_token, origin=origin_of(request)))

    @action(methods=["post"], detail=True, permission_classes=[IsAdminUser])
    def refund(self, request: Request, pk: UUID) -> Response:
        """Give back a part of what was paid, or all that is left of it. The order is not cancelled by it."""
        body = read_body(request.data, RefundOrder)
        try:
            document = refund_order(
                order_id=pk,
                amount=body.amount,
                reason=body.reason.strip(),
                idempotency_key=idempotency_key(request),
                origin=origin_of(request),
            )
        except AmountNotPossible as refusal:
            raise field_error("amount", str(refusal), refusal.code) from refusal
        return accepted(document)

    @action(detail=True, pagination_class=None, filter_backends=[])
    def payments(self, request: Request, pk: UUID) -> Response:
        """The attempts to pay the order, and its refunds."""
        require_visible(request.user, pk)
        return Response(to_builtins(payments_of(get_document(pk))))


def accepted(document: OrderDocument) -> Response:
    """An order as the answer to what is done later."""
    return Response(to_builtins(document), status.HTTP_202_ACCEPTED)
