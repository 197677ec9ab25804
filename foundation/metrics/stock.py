"""The metrics of the stock."""

from prometheus_client import Counter, Gauge

from foundation.metrics.series import begin_at_0

STOCK_ANSWERS = Counter(
    "stockbridge_stock_answers_total",
    "Answers of the stock service to Kafka messages; type is the topic of the answer.",
    ["type"],
)
begin_at_0(STOCK_ANSWERS, "inventory.reserved", "inventory.rejected", "inventory.released")
CONTRADICTIONS = Counter(
    "stockbridge_contradictions_total",
    "Answers about stock or payments that contradict their order, by how; the admin lists them.",
    ["kind"],
)
STOCK_DRIFT = Gauge(
    "stockbridge_stock_drift_pieces",
    "Pieces by which stock differed from the ledger at the last audit, over all products; must be 0.",
    multiprocess_mode="mostrecent",
)
STOCK_AUDIT_TIMESTAMP = Gauge(
    "stockbridge_stock_audit_timestamp_seconds",
    "When the last audit of the stock ended; 0 if there was none.",
    multiprocess_mode="mostrecent",
)
