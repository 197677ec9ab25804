"""Why the data of a person cannot be erased yet."""

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q

from orders_app.models import GatewayEvent, Order, PaymentToken, Refund
from orders_app.models.rows import document_of
from orders_app.services.money_under_way import money_to_wait_for
from orders_app.state_machine import FINAL, OrderStatus


class NotErasable(Exception):
    """The data is still needed; nothing is erased. `obstacles` are sentences for people."""

    def __init__(self, obstacles: list[str]) -> None:
        super().__init__("\n".join(obstacles))
        self.obstacles = obstacles


def require_erasable(user_id: int) -> None:
    """Raise NotErasable where the user is staff, or an order, its money or a dispute is under way."""
    if obstacles := list(_obstacles(user_id)):
        raise NotErasable(obstacles)


def _obstacles(user_id: int) -> Iterator[str]:
    user = User.objects.get(pk=user_id)
    if user.is_staff or user.is_superuser:
        yield f"User {user.username} is staff. Take that right away in the admin first."
    for order in _unfinished_orders(user_id):
        if order.status not in FINAL:
            status = order.get_status_display()
            yield f"Order {order.order_number} is {status}. Cancel it, or wait for its end."
        elif reason := money_to_wait_for(document_of(order)):
            yield f"Of order {order.order_number} {reason}."
    for event in _open_gateway_events(user_id):
        yield (
            f"Staff have not resolved what the gateway told about order {event.order_number}: "
            f"{event.get_kind_display()}."
        )


def _unfinished_orders(user_id: int) -> Iterator[Order]:
    token = PaymentToken.objects.filter(order_id=OuterRef("pk"))
    refund = Refund.objects.filter(order_id=OuterRef("pk"), state=Refund.State.REQUESTED)
    may_keep_money = Q(status=OrderStatus.CANCELLED, payment_reference__isnull=False)
    orders = Order.objects.filter(user_id=user_id).order_by("created_at")
    unfinished = orders.filter(~Q(status__in=FINAL) | may_keep_money | Exists(token) | Exists(refund))
    return unfinished.prefetch_related("items").iterator(chunk_size=100)


def _open_gateway_events(user_id: int) -> Iterator[GatewayEvent]:
    is_open = Q(resolved_at=None) & ~Q(kind=GatewayEvent.Kind.PAYMENT)
    orders = Order.objects.filter(user_id=user_id).values("pk")
    return GatewayEvent.objects.filter(is_open, order_id__in=orders).iterator()
