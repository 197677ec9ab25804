"""A new order, before it is written."""

import secrets

import msgspec
from django.utils import timezone
from uuid6 import uuid7

from orders_app.document import OrderDocument, OrderLine
from orders_app.services.place_order.pricing import CURRENCY, total_of
from orders_app.services.place_order.request import PlacementRequest
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus

CROCKFORD_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_order(request: PlacementRequest, lines: tuple[OrderLine, ...]) -> OrderDocument:
    """The order of these lines at its first version. Raises OrderTooLarge."""
    now = timezone.now()
    return OrderDocument(
        id=uuid7(),
        order_number=new_order_number(),
        user_id=str(request.user_id),
        items=lines,
        total_amount=total_of(lines),
        currency=CURRENCY,
        status=OrderStatus.PENDING,
        status_label=OrderStatus.PENDING.label,
        stock_status=StockStatus.PENDING,
        payment_status=PaymentStatus.PENDING,
        payment_method=request.payment_method,
        shipping_address=request.shipping_address,
        tracking_number=None,
        cancel_reason=None,
        created_at=now,
        updated_at=now,
        shipped_at=None,
        delivered_at=None,
        cancelled_at=None,
        version=1,
    )


def with_new_number(order: OrderDocument) -> OrderDocument:
    """The same order with another number."""
    return msgspec.structs.replace(order, order_number=new_order_number())


def new_order_number() -> str:
    """A random number that people can read out, such as SB-7K3M-Q9ZT: 40 bits, without I, L, O and U."""
    bits = secrets.randbits(40)
    digits = "".join(CROCKFORD_BASE32[bits >> shift & 31] for shift in range(0, 40, 5))
    return f"SB-{digits[:4]}-{digits[4:]}"
