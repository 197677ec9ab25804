"""The metrics of orders: how many are placed and settled, which wait, and what is done with old ones."""

from prometheus_client import Counter, Gauge

from foundation.metrics.batch_histogram import BatchHistogram
from foundation.metrics.buckets import MILLISECONDS_TO_TEN_MINUTES
from foundation.metrics.series import begin_at_0

ORDERS_PLACED = Counter(
    "stockbridge_orders_placed_total",
    "Orders placed; a request that was sent again places none.",
)
ORDERS_SETTLED = Counter(
    "stockbridge_orders_settled_total",
    "Orders whose answer about their stock was recorded; outcome is reserved, rejected or released "
    "(cancelled before).",
    ["outcome"],
)
begin_at_0(ORDERS_SETTLED, "reserved", "rejected", "released")
ORDER_SETTLE_SECONDS = BatchHistogram(
    "stockbridge_order_settle_seconds",
    "Time from placing an order until the answer about its stock is recorded.",
    buckets=MILLISECONDS_TO_TEN_MINUTES,
)
# Set for each request of `/metrics`, so that it grows even if no worker runs.
ORDERS_OLDEST_IN_FLIGHT_SECONDS = Gauge(
    "stockbridge_orders_oldest_in_flight_seconds",
    "Age of the oldest order that waits for the answer about its stock; 0 if none does.",
    multiprocess_mode="mostrecent",
)
# Set for each request of `/metrics`, from the database.
ORDERS_WAITING = Gauge(
    "stockbridge_orders_waiting",
    "Orders that wait, by what for; counted up to 10000.",
    ["wait"],
    multiprocess_mode="mostrecent",
)
ORDERS_WAITING_OLDEST_SECONDS = Gauge(
    "stockbridge_orders_waiting_oldest_seconds",
    "Age of the oldest order that waits for this, of a refund since it was asked for; 0 if none does.",
    ["wait"],
    multiprocess_mode="mostrecent",
)

# The web process sets it for each request of `/metrics`, so that it grows even if no analytics consumer runs.
ANALYTICS_LAG_SECONDS = Gauge(
    "stockbridge_analytics_lag_seconds",
    "How old the figures of analytics are; not set before the analytics consumer has run once.",
    multiprocess_mode="mostrecent",
)

HOLDS_EXPIRED = Counter(
    "stockbridge_holds_expired_total",
    "Orders cancelled because they were not paid in time.",
)
# Set for each request of `/metrics`, so that it grows even if no worker runs.
HOLDS_OVERDUE_SECONDS = Gauge(
    "stockbridge_holds_overdue_seconds",
    "For how long the oldest order that should have been cancelled for want of payment is still there; 0 if "
    "there is none.",
    multiprocess_mode="mostrecent",
)

EXPIRED_DELETED = Counter(
    "stockbridge_expired_deleted_total",
    "Rows deleted because they had expired.",
    ["kind"],
)
LOG_PARTITIONS_AHEAD_SECONDS = Gauge(
    "stockbridge_order_log_partitions_ahead_seconds",
    "How long from now on orders will find a partition of their month; else the default one takes them.",
    multiprocess_mode="mostrecent",
)
