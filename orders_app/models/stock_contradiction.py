"""Answers of the stock service that contradict their order."""

from typing import ClassVar

from django.db import models


class StockContradiction(models.Model):
    """One answer about an order's stock that contradicts the order, and what was done about it.

    Orders can be deleted and contradictions stay, so `order_id` is no foreign key. The texts were sent by
    others: they are shortened, and control characters are written as escapes.
    """

    class Kind(models.TextChoices):
        """How the answer contradicts the order."""

        RESERVED_OTHERWISE = "reserved_otherwise", "Reserved, but not the lines of the order"
        RESERVED_AFTER_REJECTED = "reserved_after_rejected", "Reserved after the stock was rejected"
        RESERVED_AFTER_RELEASED = "reserved_after_released", "Reserved after the stock was released"
        REJECTED_OTHERWISE = "rejected_otherwise", "Rejected for lines that the order does not have"
        REJECTED_AFTER_RESERVED = "rejected_after_reserved", "Rejected after the stock was reserved"
        RELEASED_OTHERWISE = "released_otherwise", "Released what the order never held"
        RELEASED_WHILE_LIVE = "released_while_live", "Released though the order is not cancelled"
        WITHOUT_STOCK = "without_stock", "Rejected or released after the order went on without it"

    class Outcome(models.TextChoices):
        """What was done about it."""

        ASKED_AGAIN = "asked_again", "The stock was requested again"
        RELEASE_REQUESTED = "release_requested", "The release of the stock was requested again"
        CANCELLED = "cancelled", "The order was cancelled"
        RECORDED = "recorded", "The stock status was recorded"
        NONE = "none", "Nothing: an answer is on its way, or the order has ended"
        FOR_PEOPLE = "for_people", "Left to people: the order goes on without its stock"

    order_id = models.UUIDField()
    order_number = models.CharField(max_length=12)
    kind = models.CharField(max_length=30, choices=Kind)
    outcome = models.CharField(max_length=20, choices=Outcome)
    message_id = models.CharField(max_length=255, blank=True)
    told = models.TextField()
    order_says = models.TextField()
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "stock_contradiction"
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="stock_contradiction_created")]
        constraints: ClassVar = [
            # A message that is handled again is not kept, and not put right, a second time.
            models.UniqueConstraint(fields=["order_id", "digest"], name="stock_contradiction_once"),
        ]

    def __str__(self) -> str:
        return f"{self.order_number}: {self.kind}"
