"""Rows of the read models for tests."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from orders_app.models import AnalyticsLine, AnalyticsOrder
from orders_app.state_machine import OrderStatus, PaymentMethod

Line = tuple[str, int, str]
"""Product, quantity and price."""

RUG, VASE = ("rug", 1, "10.00"), ("vase", 2, "2.50")


def at(time: str) -> datetime:
    """A time, in UTC unless it says otherwise."""
    moment = datetime.fromisoformat(time)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def ordered(placed_at: str, *lines: Line, rejected_products: tuple[str, ...] = (), **columns: object) -> UUID:
    """Puts an order of these lines, placed at this time, into the read models; the id of the order."""
    lines = lines or (RUG,)
    usual = {
        "user_id": 1,
        "currency": "USD",
        "total": sum(quantity * Decimal(price) for _, quantity, price in lines),
        "pieces": sum(quantity for _, quantity, _ in lines),
        "payment_method": PaymentMethod.CREDIT_CARD,
        "status": OrderStatus.PENDING,
    }
    order = AnalyticsOrder.objects.create(order_id=uuid4(), placed_at=at(placed_at), **usual | columns)
    for product_id, quantity, price in lines:
        AnalyticsLine.objects.create(
            order_id=order.order_id,
            product_id=product_id,
            product_name=product_id.title(),
            category="Home",
            quantity=quantity,
            price=Decimal(price),
            placed_at=order.placed_at,
            rejected=product_id in rejected_products,
        )
    return order.order_id
