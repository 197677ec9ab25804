"""What the payment gateway has told by webhook, and answers about payments that cannot be true."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from orders_app.models.money_field import MoneyField


class GatewayEvent(models.Model):
    """An event of the gateway that was acted on, once by its id; or an answer that contradicts its order.

    Orders can be deleted and events stay, so `order_id` is no foreign key. `reference` is the gateway's id of
    the payment, dispute or refund that the event is about, or the id of the message with the answer. The
    event itself is not kept: tokens are in it. A payment that is looked up is resolved once that is done.
    """

    class Kind(models.TextChoices):
        """What the event is about."""

        PAYMENT = "payment", "Payment that is looked up"
        UNKNOWN_PAYMENT = "unknown_payment", "Payment that no order knows"
        DISPUTE = "dispute", "Payment that the customer disputes"
        REFUND_FAILED = "refund_failed", "Refund that failed later"
        UNKNOWN_REFUND = "unknown_refund", "Refund that no order asked for"
        CONTRADICTION = "contradiction", "Answer that contradicts its order"

    event_id = models.CharField(primary_key=True, max_length=255)
    type = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=Kind)
    payment_id = models.CharField(max_length=255, blank=True)
    reference = models.CharField(max_length=255, blank=True)
    order_id = models.UUIDField(null=True)
    order_number = models.CharField(max_length=12, blank=True)
    amount = MoneyField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    summary = models.TextField(blank=True)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)

    class Meta:
        db_table = "gateway_event"
        ordering: ClassVar = ["-received_at", "-event_id"]
        indexes: ClassVar = [
            models.Index(fields=["received_at", "event_id"], name="gateway_event_received"),
            models.Index(
                fields=["received_at", "event_id"],
                condition=Q(resolved_at=None) & ~Q(kind="payment"),
                name="gateway_event_open",
            ),
            models.Index(
                fields=["received_at", "event_id"], condition=~Q(kind="payment"), name="gateway_event_staff"
            ),
            models.Index(
                fields=["received_at", "event_id"],
                condition=Q(resolved_at=None, kind="payment"),
                name="gateway_event_waiting",
            ),
            models.Index(fields=["payment_id"], name="gateway_event_payment_id"),
            models.Index(fields=["reference"], name="gateway_event_reference"),
            models.Index(
                fields=["order_id"], condition=Q(order_id__isnull=False), name="gateway_event_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
