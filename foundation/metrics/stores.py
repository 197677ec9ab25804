"""The metrics of the servers that everything needs, and of what is asked of them."""

from prometheus_client import Counter, Gauge, Histogram

from foundation.metrics.buckets import FRACTIONS_OF_MILLISECONDS_TO_SECONDS

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
