"""Every figure that the processes report, in one list; `/metrics` shows them (docs/operations.md).

With PROMETHEUS_MULTIPROC_DIR set (./start does), each process keeps its figures in files there, and the web
process adds them up. A gauge says how: `livesum` adds what living processes say, `mostrecent` takes the last
value said.
Names follow Prometheus: counters end in `_total`, durations are seconds.
"""

from prometheus_client import Counter, Gauge, Histogram

MILLISECONDS_TO_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
MILLISECONDS_TO_A_MINUTE = (*MILLISECONDS_TO_SECONDS, 10, 30, 60)
ONE_TO_THOUSANDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

# Web. `route` is the URL pattern, never the path: a label must not have a value an order.

HTTP_REQUESTS = Counter(
    "stockbridge_http_requests_total",
    "Requests answered.",
    ["method", "route", "status"],
)
HTTP_REQUEST_SECONDS = Histogram(
    "stockbridge_http_request_seconds",
    "Time from the first middleware to the answer.",
    ["method", "route"],
    buckets=MILLISECONDS_TO_SECONDS,
)

# Sockets.

SOCKETS_CONNECTED = Gauge(
    "stockbridge_sockets_connected",
    "WebSocket connections open now.",
    multiprocess_mode="livesum",
)
SOCKET_MESSAGES_SENT = Counter(
    "stockbridge_socket_messages_sent_total",
    "Messages sent to WebSocket clients.",
)

# Outbox relay. Events of type `order.created` are the orders placed.

RELAY_EVENTS = Counter(
    "stockbridge_relay_events_total",
    "Events of the orders' log whose messages the broker has acknowledged.",
    ["type"],
)
RELAY_SET_ASIDE = Counter(
    "stockbridge_relay_set_aside_total",
    "Events set aside because their message cannot be sent, or because they follow such an event.",
    ["reason"],
)
RELAY_BATCH_EVENTS = Histogram(
    "stockbridge_relay_batch_events",
    "Events in one batch.",
    buckets=ONE_TO_THOUSANDS,
)
RELAY_BATCH_SECONDS = Histogram(
    "stockbridge_relay_batch_seconds",
    "Time from reading a batch to its stored position.",
    buckets=MILLISECONDS_TO_A_MINUTE,
)
# Set while `/metrics` is answered, so that it also grows when no relay runs.
RELAY_OLDEST_UNREAD_SECONDS = Gauge(
    "stockbridge_relay_oldest_unread_seconds",
    "Age of the oldest event that the relay has not passed on; 0 when there is none.",
    multiprocess_mode="mostrecent",
)

# Kafka consumers.

CONSUMER_MESSAGES = Counter(
    "stockbridge_consumer_messages_total",
    "Messages done with; outcome is handled, retried (to a retry topic), dead_lettered or invalid.",
    ["group", "outcome"],
)
CONSUMER_BATCH_MESSAGES = Histogram(
    "stockbridge_consumer_batch_messages",
    "Messages in one batch.",
    ["group"],
    buckets=ONE_TO_THOUSANDS,
)
CONSUMER_BATCH_SECONDS = Histogram(
    "stockbridge_consumer_batch_seconds",
    "Time from a batch in hand to its committed offsets, waits for a dependency included.",
    ["group"],
    buckets=MILLISECONDS_TO_A_MINUTE,
)
CONSUMER_WAITING = Gauge(
    "stockbridge_consumer_waiting",
    "Consumers that have paused because a dependency is down.",
    ["group"],
    multiprocess_mode="livesum",
)

# Orders that were not paid in time.

HOLDS_EXPIRED = Counter(
    "stockbridge_holds_expired_total",
    "Orders cancelled because they were not paid in time.",
)

# Stock.

STOCK_ANSWERS = Counter(
    "stockbridge_stock_answers_total",
    "Answers of the stock service to messages; type is the topic they are sent to.",
    ["type"],
)
STOCK_DRIFT = Gauge(
    "stockbridge_stock_drift_pieces",
    "Pieces that stock and ledger differ by at the last audit, over all products; anything but 0 is a fault.",
    multiprocess_mode="mostrecent",
)
