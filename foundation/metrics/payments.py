"""The metrics of payments."""

from prometheus_client import Counter, Gauge, Histogram

from foundation.metrics.buckets import MILLISECONDS_TO_A_MINUTE
from foundation.metrics.series import begin_at_0

PAYMENTS = Counter(
    "stockbridge_payments_total",
    "Answers of the gateway; outcome is succeeded, failed, refunded or refund_refused. What is asked for "
    "again after a crash counts again.",
    ["outcome"],
)
begin_at_0(PAYMENTS, "succeeded", "failed", "refunded", "refund_refused")
GATEWAY_EVENTS = Counter(
    "stockbridge_gateway_events_total",
    "Webhooks of the payment gateway; outcome is looked_up, kept (for staff), known, repeated, ignored (of a "
    "type that nothing is done about) or refused.",
    ["outcome"],
)
begin_at_0(GATEWAY_EVENTS, "looked_up", "kept", "known", "repeated", "ignored", "refused")
GATEWAY_REQUEST_SECONDS = Histogram(
    "stockbridge_gateway_request_seconds",
    "Time of a request to the payment gateway, one that fails included; operation is charge, refund, look_up "
    "(one payment) or list.",
    ["operation"],
    buckets=MILLISECONDS_TO_A_MINUTE,
)
PAYMENT_DIFFERENCES = Gauge(
    "stockbridge_payment_differences",
    "Differences between orders and the gateway's books that the last audit left; must be 0.",
    multiprocess_mode="mostrecent",
)
PAYMENT_AUDIT_TIMESTAMP = Gauge(
    "stockbridge_payment_audit_timestamp_seconds",
    "When the last audit of the payments ended; 0 if there was none.",
    multiprocess_mode="mostrecent",
)
