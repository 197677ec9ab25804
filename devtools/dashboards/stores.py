"""The dashboard of the stores: PostgreSQL, MongoDB and Kafka as the processes meet them."""

from devtools.dashboards.description import (
    Dashboard,
    Row,
    Unit,
    lines,
    number,
    or_0,
    quantile,
    quantiles,
    rate,
)

STATEMENTS = "stockbridge_postgresql_statement_seconds"
COMMANDS = "stockbridge_mongodb_command_seconds"
SERVERS = (("PostgreSQL", "postgresql"), ("MongoDB", "mongodb"), ("Kafka", "kafka"))
CONNECTIONS = "stockbridge_postgresql_connections"


STORES = Dashboard(
    "stores",
    "Stockbridge: stores",
    "PostgreSQL, MongoDB and Kafka as this system meets them: whether they answer, how fast, and "
    "connections.",
    [
        Row(
            "Now",
            [
                *(
                    number(
                        title,
                        "1 where the web processes reach it, 0 where they do not.",
                        Unit.COUNT,
                        f'min(stockbridge_dependency_up{{dependency="{name}"}})',
                        bad_below=1,
                    )
                    for title, name in SERVERS
                ),
                number(
                    "Connections to PostgreSQL",
                    "The share of those that the server takes at most, by this database alone.",
                    Unit.SHARE,
                    f"sum(max by (state)({CONNECTIONS})) / max(stockbridge_postgresql_max_connections)",
                    bad_from=0.8,
                ),
                number(
                    "Free on the fullest disk",
                    "Of the disks that WATCHED_DISKS names.",
                    Unit.SHARE,
                    "min(stockbridge_disk_free_bytes / stockbridge_disk_size_bytes)",
                    bad_below=0.1,
                ),
            ],
        ),
        Row(
            "PostgreSQL",
            [
                lines(
                    "Statements",
                    "Of all processes; several that are sent together count as one.",
                    Unit.PER_SECOND,
                    (rate(f"{STATEMENTS}_count"), "statements"),
                ),
                lines(
                    "Time of a statement",
                    "With the way there and back.",
                    Unit.SECONDS,
                    *quantiles(STATEMENTS),
                ),
                lines(
                    "Connections by state",
                    "Of all programs to this database. Many idle in a transaction hold up the order log.",
                    Unit.COUNT,
                    (f"max by (state)({CONNECTIONS})", "{{state}}"),
                    ("max(stockbridge_postgresql_max_connections)", "the most there may be"),
                ),
            ],
        ),
        Row(
            "MongoDB",
            [
                lines(
                    "Commands",
                    "Of all processes, by their names.",
                    Unit.PER_SECOND,
                    (rate(f"{COMMANDS}_count", "command"), "{{command}}"),
                ),
                lines(
                    "Time of a command, p95",
                    "With the way there and back; a getMore waits for changes.",
                    Unit.SECONDS,
                    (quantile(0.95, COMMANDS, "command"), "{{command}}"),
                ),
                lines(
                    "Connections",
                    "Of these processes: open, and of them in use.",
                    Unit.COUNT,
                    ("sum by (state)(stockbridge_mongodb_connections)", "{{state}}"),
                ),
                lines(
                    "Transactions repeated",
                    "Because another one had changed the same documents: many orders of one product.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_mongodb_conflicts_total"), "conflicts"),
                ),
            ],
        ),
        Row(
            "Kafka and the rest",
            [
                lines(
                    "Requests to brokers that fail",
                    "Or are not answered in time, by the group whose consumers sent them.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_kafka_request_errors_total", "group"), "{{group}}"),
                ),
                lines(
                    "Partitions not in step",
                    "Without a leader, or with fewer copies in step than there are copies.",
                    Unit.COUNT,
                    ("sum(max by (topic)(stockbridge_topic_under_replicated_partitions))", "partitions"),
                ),
                lines(
                    "Rows deleted because they had expired",
                    "By the worker `holds`, once a minute.",
                    Unit.PER_SECOND,
                    (or_0(rate("stockbridge_expired_deleted_total")), "rows"),
                ),
            ],
        ),
    ],
)
