"""The tables of kafka_workers in PostgreSQL."""

from typing import ClassVar

from django.db import models


class ParkedEvent(models.Model):
    """An event whose messages wait for a retry, and the reason; the event itself stays in the order log.

    Only the leading relay adds and removes rows; others request a retry by setting `retry_requested_at`.
    """

    class Reason(models.TextChoices):
        """Why an event is parked."""

        REJECTED = "refused", "The broker rejects one of its messages"
        UNROUTABLE = "unroutable", "Its data is not of its type"
        BEHIND = "behind", "It follows such an event of the same order"

    order_id = models.UUIDField()
    version = models.PositiveIntegerField()
    type = models.CharField(max_length=40)
    reason = models.CharField(max_length=10, choices=Reason)
    detail = models.TextField()
    parked_at = models.DateTimeField(auto_now_add=True, db_column="set_aside_at")
    retry_requested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "set_aside_event"
        ordering: ClassVar = ["order_id", "version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order_id", "version"], name="set_aside_event_version"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}:{self.version} {self.type}: {self.detail}"


class LastAudit(models.Model):
    """The drift that the last audit of the stock found; one row."""

    drift_pieces = models.PositiveBigIntegerField()
    audited_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "last_audit"

    def __str__(self) -> str:
        return f"{self.drift_pieces} pieces at {self.audited_at}"


class StockLook(models.Model):
    """The last look at all products beside the ledger, for the proof page; one row.

    `looked_at` is the moment of the snapshot, `seconds` how long it took to read. `rows` has as many of the
    products as the page shows, those first that are wrong. The sums are over all products.
    """

    looked_at = models.DateTimeField()
    seconds = models.FloatField()
    products = models.PositiveBigIntegerField()
    entries = models.PositiveBigIntegerField()
    received = models.BigIntegerField()
    held = models.BigIntegerField()
    stock = models.BigIntegerField()
    drift_pieces = models.PositiveBigIntegerField()
    in_flight = models.PositiveIntegerField()
    in_flight_since = models.DateTimeField(null=True)
    rows = models.JSONField()

    class Meta:
        db_table = "stock_look"
        # No page of the admin shows it.
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.products} products at {self.looked_at}"


class DeadLetterRecord(models.Model):
    """No table: dead letters are records in Kafka. Gives them an entry and permissions in the admin."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions: ClassVar = [("settle_deadletterrecord", "Can redrive and discard dead letters")]
        verbose_name = "dead letter"

    def __str__(self) -> str:
        return "dead letter"
