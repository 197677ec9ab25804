"""The drift that the last audit found, kept for `/metrics`: the process of the audit ends with it."""

from foundation.metrics import STOCK_AUDIT_TIMESTAMP, STOCK_DRIFT
from kafka_workers.models import LastAudit


def record_drift(pieces: int) -> None:
    """Keep the drift of the audit that has just ended."""
    STOCK_DRIFT.set(pieces)
    LastAudit.objects.update_or_create(id=1, defaults={"drift_pieces": pieces})


def update_drift() -> None:
    """Set the gauges from the last audit, if there was one. Raises database errors."""
    audit = LastAudit.objects.first()
    STOCK_DRIFT.set(audit.drift_pieces if audit else 0)
    STOCK_AUDIT_TIMESTAMP.set(audit.audited_at.timestamp() if audit else 0)
