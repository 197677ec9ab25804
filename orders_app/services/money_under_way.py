"""Money that is on its way for an order: what must end before the order may go."""

from uuid import UUID

from orders_app.document import OrderDocument
from orders_app.models import PaymentToken, Refund
from orders_app.state_machine import OrderStatus


def is_token_sent(order_id: UUID) -> bool:
    """Whether a token of this order was sent to the gateway, which has not told the end."""
    return PaymentToken.objects.filter(order_id=order_id, sent_at__isnull=False).exists()


def money_to_wait_for(order: OrderDocument) -> str:
    """Why this order, in a final status, must stay for the sake of its money; empty where nothing is."""
    if is_token_sent(order.id):
        return "a payment is under way"
    if Refund.objects.filter(order_id=order.id, state=Refund.State.REQUESTED).exists():
        return "a refund is under way"
    is_cancelled = order.status == OrderStatus.CANCELLED
    if is_cancelled and order.payment_reference and order.refunded_amount < order.total_amount:
        return "its payment has not gone back"
    return ""
