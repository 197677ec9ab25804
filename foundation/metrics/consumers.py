"""The metrics of the consumers of Kafka's messages."""

from prometheus_client import Counter, Gauge, Histogram

from foundation.metrics.buckets import MILLISECONDS_TO_A_MINUTE, ONE_TO_THOUSANDS

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


def begin_group_at_0(group: str) -> None:
    """Make the series of a consumer group, whose name is known to its consumers."""
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
