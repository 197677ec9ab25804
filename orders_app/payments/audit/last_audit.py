"""How many differences the last audit left, kept for `/metrics`: the process of the audit ends with it."""

from foundation.metrics import PAYMENT_AUDIT_TIMESTAMP, PAYMENT_DIFFERENCES
from orders_app.models import LastPaymentAudit


def record_differences(number: int) -> None:
    """Keep what the audit has left that has just ended."""
    PAYMENT_DIFFERENCES.set(number)
    LastPaymentAudit.objects.update_or_create(id=1, defaults={"differences": number})


def update_payment_differences() -> None:
    """Set the gauges from the last audit, if there was one. Raises database errors."""
    audit = LastPaymentAudit.objects.first()
    PAYMENT_DIFFERENCES.set(audit.differences if audit else 0)
    PAYMENT_AUDIT_TIMESTAMP.set(audit.audited_at.timestamp() if audit else 0)
