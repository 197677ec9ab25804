"""Orders and their items."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from orders_app.models.money_field import MoneyField
from orders_app.models.search_words import city_words, product_words
from orders_app.state_machine import UNPAID, OrderStatus, PaymentMethod, PaymentStatus, StockStatus

AWAITS_PAYMENT = Q(status=OrderStatus.PENDING, payment_status__in=UNPAID, total_amount__gt=0) & ~Q(
    payment_method=PaymentMethod.CASH_ON_DELIVERY
)
"""The orders that hold stock and still wait for their payment."""
OVERRIDE_CHECKS = "orders_app.override_checks"
"""The permission to let an order go on without its stock or payment."""
REFUND_ORDERS = "orders_app.refund_orders"
"""The permission to give back, in the admin, what was paid for an order."""
SHIP_ORDERS = "orders_app.ship_orders"
"""The permission to mark orders, in the admin, as Processing, Shipped and Delivered."""
CANCEL_ORDERS = "orders_app.cancel_orders"
"""The permission to cancel orders of customers in the admin."""
MARK_ORDERS_PAID = "orders_app.mark_orders_paid"
"""The permission to mark orders, in the admin, as paid."""
VIEW_CUSTOMERS = "orders_app.view_customers"
"""The permission to see, in the admin, the names and addresses of customers."""


class Order(models.Model):
    """The current state of an order: the result of its events, stored for lists, search and the admin.

    Only services write this table, each change in one transaction with its event.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    order_number = models.CharField(max_length=12)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    total_amount = MoneyField()
    currency = models.CharField(max_length=3)
    status = models.PositiveSmallIntegerField(choices=OrderStatus)
    stock_status = models.CharField(max_length=8, choices=StockStatus)
    payment_status = models.PositiveSmallIntegerField(choices=PaymentStatus)
    payment_method = models.PositiveSmallIntegerField(choices=PaymentMethod)
    street = models.CharField(max_length=200)
    city = models.CharField(max_length=100)
    state = models.CharField(max_length=100, blank=True)
    zip_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=100)
    tracking_number = models.CharField(max_length=100, blank=True)
    cancel_reason_code = models.CharField(max_length=40, blank=True)
    cancel_reason_detail = models.TextField(blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    shipped_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField()
    # NULL where there was no payment yet: processes of the version before write rows without these columns.
    payment_attempts = models.PositiveSmallIntegerField(null=True, blank=True)
    payment_reference = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    payment_failure_code = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001
    payment_failure_detail = models.TextField(null=True, blank=True)  # noqa: DJ001
    paid_at = models.DateTimeField(null=True, blank=True)
    refunded_amount = MoneyField(null=True, blank=True)
    refund_requested_amount = MoneyField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=255, blank=True, editable=False)
    request_hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        db_table = "orders_order"
        ordering: ClassVar = ["-created_at", "-id"]
        permissions: ClassVar = [
            ("override_checks", "Can let an order go on without its stock or payment"),
            ("refund_orders", "Can give back what was paid for an order"),
            ("ship_orders", "Can process, ship and deliver orders"),
            ("cancel_orders", "Can cancel orders of customers"),
            ("mark_orders_paid", "Can mark orders as paid"),
            ("view_customers", "Can see names and addresses of customers"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "created_at"], name="order_user_created"),
            models.Index(fields=["status", "created_at"], name="order_status_created"),
            models.Index(fields=["created_at"], name="order_created"),
            # Few different values, so it is small; it finds and counts the orders in a rare state.
            models.Index(
                fields=["status", "payment_status", "stock_status", "payment_method"], name="order_states"
            ),
            models.Index(fields=["total_amount"], name="order_total"),
            models.Index(
                OpClass(Upper("tracking_number"), name="text_pattern_ops"),
                condition=~Q(tracking_number=""),
                name="order_tracking",
            ),
            GinIndex(city_words(), name="order_city_words"),
            models.Index(fields=["created_at"], condition=AWAITS_PAYMENT, name="order_awaits_money"),
        ]
        constraints: ClassVar = [
            # With pattern operators the same index also serves the search by the beginning of a number.
            models.UniqueConstraint(
                fields=["order_number"], opclasses=["varchar_pattern_ops"], name="order_number"
            ),
            models.UniqueConstraint(
                fields=["user", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="order_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="order_status"),
            models.CheckConstraint(
                condition=Q(stock_status__in=StockStatus.values), name="order_stock_status"
            ),
            models.CheckConstraint(
                condition=Q(payment_status__in=PaymentStatus.values), name="order_payment_status"
            ),
            models.CheckConstraint(
                condition=Q(payment_method__in=PaymentMethod.values), name="order_payment_method"
            ),
            models.CheckConstraint(condition=Q(total_amount__gte=0), name="order_total_amount"),
            models.CheckConstraint(condition=Q(version__gte=1), name="order_version"),
        ]

    def __str__(self) -> str:
        return self.order_number


class OrderItem(models.Model):
    """One product of an order, with the name and price it had when the order was placed."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items", db_index=False)
    product_id = models.CharField(max_length=64)
    product_name = models.TextField()
    quantity = models.PositiveIntegerField()
    price = MoneyField()

    class Meta:
        db_table = "orders_orderitem"
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            GinIndex(product_words(), name="orderitem_product_name"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "product_id"], name="orderitem_product_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="orderitem_quantity"),
            models.CheckConstraint(condition=Q(price__gte=0), name="orderitem_price"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_name}"
