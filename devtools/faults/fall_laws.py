"""The law about the stock watch: what it tells of the products of the stock keeper."""

from collections.abc import Iterator

from devtools.faults.evidence import Evidence
from devtools.faults.violation import Kind, Violation
from kafka_workers.workers import STOCK_WATCH

_LOW = STOCK_WATCH.sends[0]


def falls_are_told_once(evidence: Evidence) -> Iterator[Violation]:
    """Each fall of a product below its `lowStockAt` is told under one id; a kill may repeat the message."""
    for product, falls in evidence.observations.falls.items():
        records = evidence.sent(product, _LOW)
        told = {record.headers["ce_id"]: record.json() for record in records}
        if len(told) != falls:
            kind: Kind = "lost" if len(told) < falls else "drift"
            yield Violation(kind, product, f"fell {falls} times, which {len(told)} messages told")
        different = {(record.headers["ce_id"], record.value) for record in records}
        if len(different) != len(told):
            yield Violation("drift", product, "two messages with the same id differ")
        for value in told.values():
            if value["productId"] != product or not value["stock"] < value["lowStockAt"]:  # type: ignore[operator]
                yield Violation("drift", product, f"told of a fall that is none: {value}")


FALL_LAWS = (falls_are_told_once,)
