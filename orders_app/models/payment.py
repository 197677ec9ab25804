"""The payments of orders: tokens that wait to be charged, attempts that have ended, and refunds.

Orders can be deleted and what was paid stays, so that the foreign keys have no constraint in the database.
Only services write these tables, each row in the transaction of the event that it belongs to.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from orders_app.models.money_field import MoneyField
from orders_app.models.order import Order


class PaymentToken(models.Model):
    """The token of an attempt that has not ended: the only place of a token.

    `sent_at` is when it was first sent to the gateway; until then the attempt can be called off.
    """

    order_id = models.UUIDField()
    attempt = models.PositiveSmallIntegerField()
    token = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payment_token"
        # No page of the admin shows tokens.
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order_id", "attempt"], name="payment_token_attempt"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt} of order {self.order_id}"


class Payment(models.Model):
    """An attempt to pay an order that has ended."""

    class State(models.TextChoices):
        """How the attempt ended."""

        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    order = models.ForeignKey(
        Order, on_delete=models.DO_NOTHING, related_name="payments", db_constraint=False, db_index=False
    )
    attempt = models.PositiveSmallIntegerField()
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=9, choices=State)
    payment_id = models.CharField(max_length=255, blank=True)
    code = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    ended_at = models.DateTimeField()

    class Meta:
        db_table = "order_payment"
        ordering: ClassVar = ["order", "attempt"]
        indexes: ClassVar = [
            models.Index(fields=["payment_id"], name="order_payment_payment_id"),
            models.Index(fields=["ended_at", "id"], name="order_payment_ended"),
            models.Index(fields=["ended_at", "id"], condition=Q(state="failed"), name="order_payment_failed"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "attempt"], name="order_payment_attempt"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt}: {self.state}"


class Refund(models.Model):
    """Money that is given back; within its order identified by the version of the event that asked for it."""

    class State(models.TextChoices):
        """How far the refund is."""

        REQUESTED = "requested", "Requested"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    order = models.ForeignKey(
        Order, on_delete=models.DO_NOTHING, related_name="refunds", db_constraint=False, db_index=False
    )
    version = models.PositiveIntegerField()
    attempt = models.PositiveSmallIntegerField()
    payment_id = models.CharField(max_length=255)
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    reason = models.TextField()
    state = models.CharField(max_length=9, choices=State)
    refund_id = models.CharField(max_length=255, blank=True)
    code = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    actor = models.CharField(max_length=150)
    idempotency_key = models.CharField(max_length=255, blank=True, editable=False)
    requested_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "order_refund"
        ordering: ClassVar = ["order", "version"]
        indexes: ClassVar = [
            models.Index(fields=["payment_id"], name="order_refund_payment_id"),
            models.Index(fields=["refund_id"], condition=~Q(refund_id=""), name="order_refund_refund_id"),
            models.Index(fields=["requested_at", "id"], name="order_refund_requested"),
            models.Index(
                fields=["state", "requested_at", "id"],
                condition=Q(state__in=["requested", "failed"]),
                name="order_refund_open",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "version"], name="order_refund_version"),
            models.UniqueConstraint(
                fields=["order", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="order_refund_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="order_refund_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}: {self.state}"
