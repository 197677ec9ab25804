"""Redactions: the recorded erasures of personal data."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Redaction(models.Model):
    """An erasure of the personal data of a user: by whom and when, and in how many rows of which table.

    The events of the order log carry the id of the redaction that has changed them, and the database lets no
    other change of an event pass. A trigger lets no redaction be deleted, nor changed once it has ended.
    """

    user_id = models.BigIntegerField()
    requested_by = models.CharField(max_length=150)
    begun_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    replaced = models.JSONField(default=dict)

    class Meta:
        db_table = "redaction"
        default_permissions = ("view",)
        ordering: ClassVar = ["-begun_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["user_id"], name="redaction_user")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user_id"], condition=models.Q(ended_at=None), name="redaction_open"
            ),
        ]

    def __str__(self) -> str:
        return f"redaction {self.pk} of user {self.user_id}"
