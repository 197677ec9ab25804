"""All metrics of all processes, which `/metrics` serves (docs/operations.md).

With PROMETHEUS_MULTIPROC_DIR set (./start sets it), each process writes its metrics to files in that
directory, and the web process aggregates them. Counters and histograms are summed. A gauge names its mode:
`livesum` sums the values of running processes, `mostrecent` takes the value that was set last.
Names follow the conventions of Prometheus: counters end in `_total`, durations are in seconds. Every label is
in LABELS, which says why it has few values: each value is a series that Prometheus keeps.
"""

import platform
from collections.abc import Mapping, Sequence

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from foundation.version import VERSION

# Each would double the series of a counter to say when its process began.
disable_created_metrics()  # type: ignore[no-untyped-call]

MILLISECONDS_TO_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
MILLISECONDS_TO_A_MINUTE = (*MILLISECONDS_TO_SECONDS, 10, 30, 60)
MILLISECONDS_TO_TEN_MINUTES = (*MILLISECONDS_TO_A_MINUTE, 120, 300, 600)
FRACTIONS_OF_MILLISECONDS_TO_SECONDS = (0.0001, 0.0002, 0.0005, *MILLISECONDS_TO_SECONDS)
ONE_TO_THOUSANDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

LABELS: Mapping[str, str] = {
    "command": "a command of MongoDB, of those that this system sends; `other` for the rest",
    "dependency": "`postgresql`, `mongodb` or `kafka`",
    "disk": "a disk of `WATCHED_DISKS`",
    "endpoint": "an address of `WATCHED_CERTIFICATES`",
    "group": "a consumer group; of lag, also the first 50 groups of other programs",
    "kind": "one of a fixed list, which the metric names or its code has",
    "method": "an HTTP method of the usual ones; `other` for the rest",
    "operation": "what the payment gateway is asked for: charge, refund, look_up or list",
    "outcome": "one of a fixed list, which the metric names",
    "partition": "the number of a partition",
    "python": "the version of Python",
    "reason": "one of a fixed list, which the metric names or its code has",
    "route": "the pattern of a URL in the code, never a path; `unmatched` for the rest",
    "state": "one of a fixed list, which the metric names",
    "status": "of HTTP the status code; of a consumer group one of the list which the metric names",
    "topic": "a topic of the cluster",
    "type": "a type of event of the order log, or a topic of the stock service's answers",
    "version": "the version of this system",
    "wait": "what orders wait for, as on the board: stock, release, charge, refund, payment, failed, ship or "
    "delivery",
    "worker": "a worker of docs/workers.md, or web, sockets, sockets-feed or sign-ins",
}
"""Every label, and what its values are: each list is bounded by the code or by the cluster, none by users."""

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
HTTP_CONNECTIONS = Gauge(
    "stockbridge_http_connections",
    "Connections to the web server that are open now.",
    multiprocess_mode="livesum",
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
SOCKETS_CLOSED = Counter(
    "stockbridge_sockets_closed_total",
    "WebSocket connections that ended; reason is client (it went, or read too slowly), not_authenticated, "
    "bad_message, limit (too many sockets or messages), too_big or unavailable (the database is away).",
    ["reason"],
)
SOCKET_DELAY_SECONDS = Histogram(
    "stockbridge_socket_delay_seconds",
    "Time from an event until its message is passed to the sockets that are to have it.",
    buckets=MILLISECONDS_TO_A_MINUTE,
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
RELAY_UNREAD_EVENTS = Gauge(
    "stockbridge_relay_unread_events",
    "Events that the relay has not published, those included that wait for an open transaction; counted up "
    "to 100000.",
    multiprocess_mode="mostrecent",
)
RELAY_PARKED_EVENTS = Gauge(
    "stockbridge_relay_parked_events",
    "Events that are parked now.",
    multiprocess_mode="mostrecent",
)
RELAY_LEADERS = Gauge(
    "stockbridge_relay_leaders",
    "Relays that are the leader; the sum over all relays must be 1.",
    multiprocess_mode="livesum",
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
CONSUMER_ASSIGNED_PARTITIONS = Gauge(
    "stockbridge_consumer_assigned_partitions",
    "Partitions that the consumers of the group have.",
    ["group"],
    multiprocess_mode="livesum",
)
CONSUMER_REBALANCES = Counter(
    "stockbridge_consumer_rebalances_total",
    "Times that partitions were given to a consumer of the group, or taken from it.",
    ["group"],
)
CONSUMER_FETCHED_MESSAGES = Gauge(
    "stockbridge_consumer_fetched_messages",
    "Messages that the consumers of the group have fetched and not yet begun to handle.",
    ["group"],
    multiprocess_mode="livesum",
)
KAFKA_REQUEST_ERRORS = Counter(
    "stockbridge_kafka_request_errors_total",
    "Requests of the group's consumers to a broker that failed or were not answered in time.",
    ["group"],
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
# Set for each request of `/metrics`, so that it grows even if no worker runs.
HOLDS_OVERDUE_SECONDS = Gauge(
    "stockbridge_holds_overdue_seconds",
    "For how long the oldest order that should have been cancelled for want of payment is still there; 0 if "
    "there is none.",
    multiprocess_mode="mostrecent",
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
MAIL_SECONDS = Histogram(
    "stockbridge_mail_seconds",
    "Time in which a mail is given to the mail server, which takes it or not.",
    buckets=MILLISECONDS_TO_A_MINUTE,
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
STOCK_AUDIT_TIMESTAMP = Gauge(
    "stockbridge_stock_audit_timestamp_seconds",
    "When the last audit of the stock ended; 0 if there was none.",
    multiprocess_mode="mostrecent",
)

# Stores.

# Set for each request of `/metrics`.
DEPENDENCY_UP = Gauge(
    "stockbridge_dependency_up",
    "1 where the web processes reach this server, else 0.",
    ["dependency"],
    multiprocess_mode="mostrecent",
)
POSTGRESQL_STATEMENT_SECONDS = Histogram(
    "stockbridge_postgresql_statement_seconds",
    "Time of a statement with its way there and back, one that fails included.",
    buckets=FRACTIONS_OF_MILLISECONDS_TO_SECONDS,
)
POSTGRESQL_CONNECTIONS = Gauge(
    "stockbridge_postgresql_connections",
    "Connections to the database, of all programs; state is active, idle, idle_in_transaction or other.",
    ["state"],
    multiprocess_mode="mostrecent",
)
POSTGRESQL_MAX_CONNECTIONS = Gauge(
    "stockbridge_postgresql_max_connections",
    "Connections that the server takes at most, to all its databases.",
    multiprocess_mode="mostrecent",
)
MONGODB_COMMAND_SECONDS = Histogram(
    "stockbridge_mongodb_command_seconds",
    "Time of a command with its way there and back, one that fails included.",
    ["command"],
    buckets=FRACTIONS_OF_MILLISECONDS_TO_SECONDS,
)
MONGODB_CONNECTIONS = Gauge(
    "stockbridge_mongodb_connections",
    "Connections of these processes to MongoDB; state is open (all of them) or in_use.",
    ["state"],
    multiprocess_mode="livesum",
)
MONGODB_CONFLICTS = Counter(
    "stockbridge_mongodb_conflicts_total",
    "Transactions that were repeated because another one had changed the same documents.",
)


def _begin_at_0() -> None:
    """Make series whose labels are known: of one that begins with its first count, no increase is seen."""
    known: Mapping[Counter, Sequence[str]] = {
        HTTP_CONNECTIONS_CLOSED: ("idle", "slow_head", "slow_body", "slow_reader", "limit"),
        REQUESTS_THROTTLED: ("address", "user", "service", "login", "login_name", "registration"),
        SOCKETS_CLOSED: ("client", "not_authenticated", "bad_message", "limit", "too_big", "unavailable"),
        ORDERS_SETTLED: ("reserved", "rejected", "released"),
        RELAY_PARKED: ("refused", "unroutable", "behind"),
        MAILS: ("sent", "refused", "deferred", "not_sent", "unsure"),
        PAYMENTS: ("succeeded", "failed", "refunded", "refund_refused"),
        GATEWAY_EVENTS: ("looked_up", "kept", "known", "repeated", "ignored", "refused"),
        STOCK_ANSWERS: ("inventory.reserved", "inventory.rejected", "inventory.released"),
    }
    for metric, values in known.items():
        for value in values:
            metric.labels(value)


_begin_at_0()


def begin_group_at_0(group: str) -> None:
    """The same for the metrics of a consumer group, whose name is known to its consumers."""
    for outcome in ("handled", "retried", "dead_lettered", "invalid"):
        CONSUMER_MESSAGES.labels(group, outcome)
    for metric in (
        CONSUMER_BATCH_MESSAGES,
        CONSUMER_BATCH_SECONDS,
        DUPLICATES_ABSORBED,
        CONSUMER_WAITING,
        CIRCUIT_BREAKER_OPEN,
        KAFKA_REQUEST_ERRORS,
    ):
        metric.labels(group)
