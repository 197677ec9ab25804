"""All metrics of all processes, which `/metrics` serves (docs/operations.md).

With PROMETHEUS_MULTIPROC_DIR set (./start sets it), each process writes its metrics to files in that
directory, and the web process aggregates them. Counters and histograms are summed. A gauge names its mode:
`livesum` sums the values of running processes, `mostrecent` takes the value that was set last.
Names follow the conventions of Prometheus: counters end in `_total`, durations are in seconds.
"""

import platform

from prometheus_client import Counter, Gauge, Histogram

from foundation.version import VERSION

MILLISECONDS_TO_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
MILLISECONDS_TO_A_MINUTE = (*MILLISECONDS_TO_SECONDS, 10, 30, 60)
ONE_TO_THOUSANDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

# Web. `route` is the URL pattern and not the path: with an id in it, the label would have too many values.

HTTP_REQUESTS = Counter(
    "stockbridge_http_requests_total",
    "HTTP requests answered.",
    ["method", "route", "status"],
)
HTTP_REQUEST_SECONDS = Histogram(
    "stockbridge_http_request_seconds",
    "Time from the first middleware to the response.",
    ["method", "route"],
    buckets=MILLISECONDS_TO_SECONDS,
)
HTTP_CONNECTIONS_CLOSED = Counter(
    "stockbridge_http_connections_closed_total",
    "Connections that the web server closed: reason is idle, slow_head, slow_body, slow_reader or limit.",
    ["reason"],
)

REQUESTS_THROTTLED = Counter(
    "stockbridge_requests_throttled_total",
    "Requests refused because of a rate; kind is address, user, service, login, login_name, token_name or "
    "registration.",
    ["kind"],
)

# Sockets.

SOCKETS_CONNECTED = Gauge(
    "stockbridge_sockets_connected",
    "WebSocket connections that are open now.",
    multiprocess_mode="livesum",
)
SOCKET_MESSAGES_SENT = Counter(
    "stockbridge_socket_messages_sent_total",
    "Messages sent to WebSocket clients.",
)

# Orders.

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
ORDER_SETTLE_SECONDS = Histogram(
    "stockbridge_order_settle_seconds",
    "Time from placing an order until the answer about its stock is recorded.",
    buckets=MILLISECONDS_TO_A_MINUTE,
)
# Set for each request of `/metrics`, so that it grows even if no worker runs.
ORDERS_OLDEST_IN_FLIGHT_SECONDS = Gauge(
    "stockbridge_orders_oldest_in_flight_seconds",
    "Age of the oldest order that waits for the answer about its stock; 0 if none does.",
    multiprocess_mode="mostrecent",
)

# Outbox relay.

RELAY_EVENTS = Counter(
    "stockbridge_relay_events_total",
    "Events of the order log whose messages the broker has acknowledged.",
    ["type"],
)
RELAY_PARKED = Counter(
    "stockbridge_relay_set_aside_total",
    "Events parked because they cannot be published, or because they follow a parked event.",
    ["reason"],
)
RELAY_BATCH_EVENTS = Histogram(
    "stockbridge_relay_batch_events",
    "Events in one batch.",
    buckets=ONE_TO_THOUSANDS,
)
RELAY_BATCH_SECONDS = Histogram(
    "stockbridge_relay_batch_seconds",
    "Time from reading a batch of events to storing the position after it.",
    buckets=MILLISECONDS_TO_A_MINUTE,
)
# The web process sets it for each request of `/metrics`, so that it grows even if no relay runs.
RELAY_OLDEST_UNREAD_SECONDS = Gauge(
    "stockbridge_relay_oldest_unread_seconds",
    "Age of the oldest event that the relay has not published; 0 if there is none.",
    multiprocess_mode="mostrecent",
)

# Kafka consumers.

CONSUMER_MESSAGES = Counter(
    "stockbridge_consumer_messages_total",
    "Messages finished; outcome is handled, retried (sent to a retry topic), dead_lettered or invalid.",
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
    "Time from receiving a batch to committing its offsets, including waits for a dependency.",
    ["group"],
    buckets=MILLISECONDS_TO_A_MINUTE,
)
DUPLICATES_ABSORBED = Counter(
    "stockbridge_duplicates_absorbed_total",
    "Messages that the group handled and that changed nothing, because they had come before. The analytics "
    "consumer cannot tell.",
    ["group"],
)
CONSUMER_WAITING = Gauge(
    "stockbridge_consumer_waiting",
    "Consumers that wait because a dependency is unavailable.",
    ["group"],
    multiprocess_mode="livesum",
)
CONSUMER_HELD_MESSAGES = Gauge(
    "stockbridge_consumer_held_messages",
    "Messages that cannot be read before an open transaction of another program has ended.",
    ["group", "topic", "partition"],
    multiprocess_mode="livesum",
)

CIRCUIT_BREAKER_OPEN = Gauge(
    "stockbridge_circuit_breaker_open",
    "Consumers whose circuit breaker is open: they stay in their group and handle nothing until a next try.",
    ["group"],
    multiprocess_mode="livesum",
)

# Lag exporter. Only a running one has them: where none runs they are absent, not old.

CONSUMER_LAG_MESSAGES = Gauge(
    "stockbridge_consumer_lag_messages",
    "Messages that the group has not read, those of open transactions included.",
    ["group", "topic", "partition"],
    multiprocess_mode="livemostrecent",
)
CONSUMER_LAG_SECONDS = Gauge(
    "stockbridge_consumer_lag_seconds",
    "How long the first unread message has waited, by its record's time; in a retry topic, since it was due.",
    ["group", "topic", "partition"],
    multiprocess_mode="livemostrecent",
)
CONSUMER_GROUP_STATUS = Gauge(
    "stockbridge_consumer_group_status",
    "1 for how the group keeps up, 0 for the rest; status is OK, WARN (reads, but falls further behind), "
    "STALLED (a member has the partition and does not get on), STOPPED (nobody reads) or REWOUND (was set "
    "back).",
    ["group", "topic", "partition", "status"],
    multiprocess_mode="livemostrecent",
)
DEAD_LETTERS = Gauge(
    "stockbridge_dead_letters",
    "Dead letters of the group that are neither redriven nor discarded, counted twice a minute.",
    ["group"],
    multiprocess_mode="livemostrecent",
)
TOPIC_RECORDS_WRITTEN = Gauge(
    "stockbridge_topic_records_written",
    "Records written into the topic since it was created; its rate is that of the topic.",
    ["topic"],
    multiprocess_mode="livemostrecent",
)
TOPIC_RECORDS_KEPT = Gauge(
    "stockbridge_topic_records_kept",
    "Records of the topic that retention has not deleted.",
    ["topic"],
    multiprocess_mode="livemostrecent",
)
TOPIC_UNDER_REPLICATED_PARTITIONS = Gauge(
    "stockbridge_topic_under_replicated_partitions",
    "Partitions of the topic without a leader, or with fewer copies in step than there are copies.",
    ["topic"],
    multiprocess_mode="livemostrecent",
)

DISK_FREE_BYTES = Gauge(
    "stockbridge_disk_free_bytes",
    "Space that a server may still use on its disk; disk is a name of WATCHED_DISKS.",
    ["disk"],
    multiprocess_mode="livemostrecent",
)
DISK_SIZE_BYTES = Gauge(
    "stockbridge_disk_size_bytes",
    "Space that a server may use on its disk, used or not; disk is a name of WATCHED_DISKS.",
    ["disk"],
    multiprocess_mode="livemostrecent",
)
CERTIFICATE_EXPIRES = Gauge(
    "stockbridge_certificate_expires_timestamp_seconds",
    "When the certificate ends that clients of this address are shown; endpoint is one of "
    "WATCHED_CERTIFICATES.",
    ["endpoint"],
    multiprocess_mode="livemostrecent",
)

# All processes.

BUILD_INFO = Gauge(
    "stockbridge_build_info",
    "1; the labels say what runs.",
    ["version", "python"],
    multiprocess_mode="mostrecent",
)
BUILD_INFO.labels(VERSION, platform.python_version()).set(1)

# All workers, web and sockets.

WORKER_HEARTBEAT = Gauge(
    "stockbridge_worker_heartbeat_timestamp_seconds",
    "When a process of this worker last said that it works; old while all of them are silent or ended.",
    ["worker"],
    multiprocess_mode="max",
)
# Set for each request of `/metrics`, from the records of the processes on this machine.
WORKER_PROCESSES = Gauge(
    "stockbridge_worker_processes",
    "Processes of this worker; state is working, silent, or ended (without having been asked to).",
    ["worker", "state"],
    multiprocess_mode="mostrecent",
)

# The web process sets it for each request of `/metrics`, so that it grows even if no analytics consumer runs.
ANALYTICS_LAG_SECONDS = Gauge(
    "stockbridge_analytics_lag_seconds",
    "How old the figures of analytics are; not set before the analytics consumer has run once.",
    multiprocess_mode="mostrecent",
)

# Hold expiry.
HOLDS_EXPIRED = Counter(
    "stockbridge_holds_expired_total",
    "Orders cancelled because they were not paid in time.",
)

# Housekeeping.
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

# Mail.

MAILS = Counter(
    "stockbridge_mails_total",
    "Mails by what became of them; outcome is sent, refused (for good), deferred (tried again), not_sent (no "
    "address, not wanted) or unsure (perhaps sent when its process was killed, twice).",
    ["outcome"],
)

ACCOUNT_MAILS_WAITING = Gauge(
    "stockbridge_account_mails_waiting",
    "Account mails (links to a new password and the like) that are not sent yet, those deferred included.",
    multiprocess_mode="mostrecent",
)

# Payments.

PAYMENTS = Counter(
    "stockbridge_payments_total",
    "Answers of the gateway; outcome is succeeded, failed, refunded or refund_refused. What is asked for "
    "again after a crash counts again.",
    ["outcome"],
)
GATEWAY_EVENTS = Counter(
    "stockbridge_gateway_events_total",
    "Webhooks of the payment gateway; outcome is looked_up, kept (for staff), known, repeated, ignored (of a "
    "type that nothing is done about) or refused.",
    ["outcome"],
)
PAYMENT_DIFFERENCES = Gauge(
    "stockbridge_payment_differences",
    "Differences between orders and the gateway's books that the last audit left; must be 0.",
    multiprocess_mode="mostrecent",
)

# Stock.

STOCK_ANSWERS = Counter(
    "stockbridge_stock_answers_total",
    "Answers of the stock service to Kafka messages; type is the topic of the answer.",
    ["type"],
)
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
