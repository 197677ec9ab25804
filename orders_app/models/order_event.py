"""The order log, its archive, and the positions of its readers."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from orders_app.models.order import Order
from orders_app.models.search_words import NumberParts
from orders_app.models.xid8 import CurrentTransactionId, Xid8Field

IS_FIRST = Q(version=1)
"""The first event of each order."""


class EventColumns(models.Model):
    """The columns of an event, besides its order."""

    version = models.PositiveIntegerField()
    type = models.CharField(max_length=40)
    user_id = models.BigIntegerField()
    data = models.JSONField()
    actor = models.CharField(max_length=150)
    trace_parent = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    tx = Xid8Field(db_default=CurrentTransactionId(), editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.type}, version {self.version}"


class OrderEvent(EventColumns):
    """An event: one change of one order. Written and read by `event_log`.

    The table is append-only: triggers refuse deletions, and all updates but recorded redactions. Events
    outlive their order, so the foreign key `order` has no constraint in the database. The table is
    partitioned by the month of the order (migration 0009), so `id` has no index: the database has the unique
    (order, version) as its key.
    """

    order = models.ForeignKey(
        Order, on_delete=models.DO_NOTHING, related_name="events", db_constraint=False, db_index=False
    )

    class Meta:
        db_table = "order_event"
        ordering: ClassVar = ["tx", "id"]
        indexes: ClassVar = [
            models.Index(fields=["tx", "id"], name="order_event_position"),
            models.Index(fields=["user_id", "tx", "id"], name="order_event_user_position"),
            # Here and not on the orders: an index there is written again with each change of a status.
            GinIndex(NumberParts("data"), condition=IS_FIRST, name="order_event_number"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "version"], name="order_event_version"),
        ]


class HistoryEvent(EventColumns):
    """An event of the order log or of its archive: a view of both, for history and search."""

    order = models.ForeignKey(
        Order, on_delete=models.DO_NOTHING, related_name="history", db_constraint=False, db_index=False
    )

    class Meta:
        managed = False
        db_table = "order_history"
        # The permission to see events is that of the log.
        default_permissions = ()


class ReaderPosition(models.Model):
    """The position of the last event that a reader of the order log has finished."""

    reader = models.CharField(max_length=100, primary_key=True)
    tx = Xid8Field()
    event_id = models.BigIntegerField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "reader_position"

    def __str__(self) -> str:
        return f"{self.reader} at {self.tx}/{self.event_id}"


class ArchivedPartition(models.Model):
    """A partition that has left the order log, and the position of its last event."""

    name = models.CharField(max_length=63, primary_key=True)
    tx = Xid8Field()
    event_id = models.BigIntegerField()
    archived_at = models.DateTimeField()

    class Meta:
        db_table = "order_event_archived"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
