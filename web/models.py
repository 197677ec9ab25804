"""What the web edge stores."""

from django.db import models


class RequestCount(models.Model):
    """How many requests of one caller all machines have let in; `web/rates/store.py` reads and writes it."""

    id = models.UUIDField(primary_key=True)
    current = models.BigIntegerField()
    previous = models.BigIntegerField()
    turns_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "request_count"

    def __str__(self) -> str:
        return str(self.id)
