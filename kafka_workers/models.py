"""What the bridge keeps in PostgreSQL."""

from typing import ClassVar

from django.db import models


class SetAsideEvent(models.Model):
    """An event of the orders' log whose messages wait, with the reason; the event itself stays in the log.

    Only the active relay adds and removes rows; others may ask for a retry by setting `retry_requested_at`.
    """

    class Reason(models.TextChoices):
        """Why an event waits."""

        REFUSED = "refused", "The broker refuses a message of it"
        UNROUTABLE = "unroutable", "Its type or data is not known"
        BEHIND = "behind", "It follows such an event of the same order"

    order_id = models.UUIDField()
    version = models.PositiveIntegerField()
    type = models.CharField(max_length=40)
    reason = models.CharField(max_length=10, choices=Reason)
    detail = models.TextField()
    set_aside_at = models.DateTimeField(auto_now_add=True)
    retry_requested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "set_aside_event"
        ordering: ClassVar = ["order_id", "version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order_id", "version"], name="set_aside_event_version"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}:{self.version} {self.type}: {self.detail}"


class DeadLetterRecord(models.Model):
    """No table: the dead letters lie in Kafka. Gives them a place and permissions in the admin."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions: ClassVar = [("settle_deadletterrecord", "Can redrive and discard dead letters")]
        verbose_name = "dead letter"

    def __str__(self) -> str:
        return "dead letter"
