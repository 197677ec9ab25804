"""The read models of analytics: one row an order and one a line, in two copies of which one is in use.

The views `analytics_order` and `analytics_line` show the copy in use; queries read them. The worker writes
that copy, and while a rebuild fills the other one, both (ADR 34). Orders can be deleted and figures stay, so
there is no foreign key. Only `orders_app.analytics` writes these tables.
"""

from typing import ClassVar

from django.db import models

from orders_app.models.money_field import MoneyField
from orders_app.state_machine import OrderStatus, PaymentMethod


class OrderColumns(models.Model):
    """What the messages told of an order; a time is NULL until a message has told it.

    `placed_at` and what else only `order.created` tells is NULL or empty until that message is seen: such an
    order counts in no figure yet. Many messages tell that an order is reserved or paid: the times are of the
    first version that does. `status` and `refunded` are of the last version that tells them.
    `rejected`: it was cancelled because its stock could not be reserved. An order of another sender has an id
    made from the sender's, no user where that is no whole number, and no payment method where it is not ours.
    """

    order_id = models.UUIDField(primary_key=True)
    user_id = models.BigIntegerField(null=True)
    placed_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    total = MoneyField(null=True)
    pieces = models.IntegerField(null=True)
    payment_method = models.PositiveSmallIntegerField(null=True, choices=PaymentMethod)
    status = models.PositiveSmallIntegerField(
        choices=OrderStatus, default=OrderStatus.PENDING, db_default=OrderStatus.PENDING
    )
    status_version = models.PositiveIntegerField(default=0, db_default=0)
    reserved_at = models.DateTimeField(null=True)
    reserved_version = models.PositiveIntegerField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    paid_version = models.PositiveIntegerField(null=True)
    refunded = MoneyField(default=0, db_default=0)
    refunded_version = models.PositiveIntegerField(default=0, db_default=0)
    shipped_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancel_code = models.CharField(max_length=40, blank=True, default="", db_default="")
    rejected = models.BooleanField(default=False, db_default=False)

    class Meta:
        abstract = True
        indexes: ClassVar = [models.Index(fields=["placed_at"], name="%(class)s_placed")]

    def __str__(self) -> str:
        return str(self.order_id)


class LineColumns(models.Model):
    """A line of an order; `rejected` where its product was among the reasons why the order was rejected.

    `placed_at` is that of the order: NULL until `order.created` is seen.
    """

    pk = models.CompositePrimaryKey("order_id", "product_id")
    order_id = models.UUIDField()
    product_id = models.CharField(max_length=64)
    product_name = models.TextField(blank=True, default="", db_default="")
    category = models.TextField(blank=True, default="", db_default="")
    quantity = models.PositiveIntegerField()
    price = MoneyField()
    placed_at = models.DateTimeField(null=True)
    rejected = models.BooleanField(default=False, db_default=False)

    class Meta:
        abstract = True
        indexes: ClassVar = [models.Index(fields=["placed_at"], name="%(class)s_placed")]

    def __str__(self) -> str:
        return f"{self.product_id} of {self.order_id}"


class AnalyticsOrder(OrderColumns):
    """The orders of the copy in use: a view."""

    class Meta:
        managed = False
        db_table = "analytics_order"
        default_permissions = ()


class AnalyticsLine(LineColumns):
    """The lines of the copy in use: a view."""

    class Meta:
        managed = False
        db_table = "analytics_line"
        default_permissions = ()


class AnalyticsOrderA(OrderColumns):
    """The orders of copy a."""

    class Meta(OrderColumns.Meta):
        db_table = "analytics_order_a"
        default_permissions = ()


class AnalyticsOrderB(OrderColumns):
    """The orders of copy b."""

    class Meta(OrderColumns.Meta):
        db_table = "analytics_order_b"
        default_permissions = ()


class AnalyticsLineA(LineColumns):
    """The lines of copy a."""

    class Meta(LineColumns.Meta):
        db_table = "analytics_line_a"
        default_permissions = ()


class AnalyticsLineB(LineColumns):
    """The lines of copy b."""

    class Meta(LineColumns.Meta):
        db_table = "analytics_line_b"
        default_permissions = ()


class AnalyticsProgress(models.Model):
    """Up to when the messages of a partition are in the figures."""

    topic = models.CharField(max_length=249)
    partition = models.PositiveIntegerField()
    handled_until = models.DateTimeField()

    class Meta:
        db_table = "analytics_progress"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["topic", "partition"], name="analytics_progress_partition"),
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition} until {self.handled_until}"
