"""The inbox: the messages of groups whose effect shows in no other table, and whether it has taken place."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class InboxMessage(models.Model):
    """A message of a group: how often its effect was begun, and when it was done."""

    group = models.CharField(max_length=100)
    message_id = models.CharField(max_length=255)
    begun = models.PositiveSmallIntegerField(default=0)
    begun_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "inbox_message"
        indexes: ClassVar = [models.Index(fields=["begun_at"], name="inbox_message_begun")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "message_id"], name="inbox_message_once"),
        ]

    def __str__(self) -> str:
        return f"{self.group}: {self.message_id}"
