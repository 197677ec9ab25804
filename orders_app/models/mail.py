"""What we keep of mail: what a user wants of it, and what became of each mail."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class MailKind(models.TextChoices):
    """What a mail about an order tells."""

    PLACED = "placed", "Placed"
    CONFIRMED = "confirmed", "Confirmed"
    PAYMENT_FAILED = "payment_failed", "Payment failed"
    CANCELLED = "cancelled", "Cancelled"
    SHIPPED = "shipped", "Shipped"
    DELIVERED = "delivered", "Delivered"
    REFUNDED = "refunded", "Refunded"


class MailPreference(models.Model):
    """Which mail a user wants, and in which language and time zone; the installation's where they are empty.

    A user without a row wants all mail.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="mail_preference"
    )
    notifications = models.BooleanField(default=True)
    language = models.CharField(max_length=20, blank=True, help_text="Such as de or pt-br.")
    time_zone = models.CharField(max_length=64, blank=True, help_text="Such as Europe/Berlin.")

    class Meta:
        db_table = "mail_preference"

    def __str__(self) -> str:
        return f"{self.user_id}: mail {'on' if self.notifications else 'off'}"


class MailRecord(models.Model):
    """The mail about one event to one address, recorded before and after it is sent.

    Orders and users can be deleted and records stay until housekeeping deletes them, so there is no foreign
    key.
    """

    class State(models.TextChoices):
        """What became of it."""

        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        DEFERRED = "deferred", "Deferred by the mail server"
        REFUSED = "refused", "Refused by the mail server"
        NOT_SENT = "not_sent", "Not sent"
        UNSURE = "unsure", "Not known whether it was sent"

    message_id = models.CharField(max_length=255)
    event_id = models.CharField(max_length=255)
    order_number = models.CharField(max_length=64)
    user_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=20, choices=MailKind)
    address = models.CharField(max_length=320, blank=True)
    state = models.CharField(max_length=10, choices=State)
    detail = models.TextField(blank=True)
    begun_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "mail_record"
        ordering: ClassVar = ["-begun_at", "-id"]
        verbose_name = "mail"
        verbose_name_plural = "mail"
        indexes: ClassVar = [
            models.Index(fields=["begun_at"], name="mail_record_begun"),
            models.Index(fields=["order_number"], name="mail_record_order"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message_id", "address"], name="mail_record_once"),
        ]

    def __str__(self) -> str:
        return f"{self.order_number}: {self.kind}"
