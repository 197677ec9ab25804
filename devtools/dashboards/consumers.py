"""The dashboard of workers, consumer groups and topics: who is behind, and who does not work."""

from devtools.dashboards.description import Dashboard, Row, Unit, lines, number, or_0, quantile, rate, table

MESSAGES = "stockbridge_consumer_messages_total"
HEARTBEAT = "stockbridge_worker_heartbeat_timestamp_seconds"
STATUS = "max by (group, status)(stockbridge_consumer_group_status)"
STUCK = 'stockbridge_consumer_group_status{status=~"STALLED|STOPPED"}'

CONSUMERS = Dashboard(
    "consumers",
    "Stockbridge: consumers and lag",
    "Workers, their consumer groups and the topics: who is behind, for how long, and who does not get on.",
    [
        Row(
            "Now",
            [
                number(
                    "Groups that do not get on",
                    "Groups with a partition that is stalled (a member has it and does not get on) or "
                    "stopped (nobody reads it).",
                    Unit.COUNT,
                    or_0(f"count(count by (group)({STUCK} == 1))"),
                    bad_from=1,
                ),
                number(
                    "Longest wait of a message",
                    "How long the first unread message of any group has waited.",
                    Unit.SECONDS,
                    "max(stockbridge_consumer_lag_seconds)",
                    bad_from=60,
                ),
                number(
                    "Workers that do not work",
                    "Processes that are silent, or have ended without having been asked to. Known where they "
                    "share a directory; elsewhere see the targets of Prometheus.",
                    Unit.COUNT,
                    or_0('sum(stockbridge_worker_processes{state!="working"})'),
                    bad_from=1,
                ),
                number(
                    "Circuit breakers open",
                    "Consumers that pause because too many of their messages became dead letters.",
                    Unit.COUNT,
                    or_0("sum(stockbridge_circuit_breaker_open)"),
                    bad_from=1,
                ),
                number(
                    "Under-replicated partitions",
                    "Partitions without a leader, or with fewer copies in step than there are copies.",
                    Unit.COUNT,
                    "sum(max by (topic)(stockbridge_topic_under_replicated_partitions))",
                    bad_from=1,
                ),
            ],
        ),
        Row(
            "Lag",
            [
                lines(
                    "Messages unread",
                    "Of all partitions of a group.",
                    Unit.COUNT,
                    (
                        "sum by (group)(max by (group, topic, partition)(stockbridge_consumer_lag_messages))",
                        "{{group}}",
                    ),
                ),
                lines(
                    "Wait of the first unread message",
                    "By its record's time, of the partition that is furthest behind; in a retry topic since "
                    "the message was due.",
                    Unit.SECONDS,
                    ("max by (group)(stockbridge_consumer_lag_seconds)", "{{group}}"),
                ),
                table(
                    "Status of the groups",
                    "Each group with the statuses that its partitions have: OK, WARN (falls further behind), "
                    "STALLED, STOPPED or REWOUND.",
                    Unit.COUNT,
                    f"{STATUS} == 1",
                ),
            ],
        ),
        Row(
            "Messages",
            [
                lines(
                    "Handled",
                    "Messages that a group has handled.",
                    Unit.PER_SECOND,
                    (
                        rate(MESSAGES, "group", only='{outcome="handled"}'),
                        "{{group}}",
                    ),
                ),
                lines(
                    "Not handled",
                    "Messages that were sent to a retry topic or to the dead letters, or were invalid.",
                    Unit.PER_SECOND,
                    (
                        rate(
                            MESSAGES,
                            "group",
                            "outcome",
                            only='{outcome!="handled"}',
                        ),
                        "{{group}} {{outcome}}",
                    ),
                ),
                lines(
                    "Dead letters",
                    "Open now: neither redriven nor discarded.",
                    Unit.COUNT,
                    ("max by (group)(stockbridge_dead_letters)", "{{group}}"),
                ),
            ],
        ),
        Row(
            "Batches",
            [
                lines(
                    "Messages in a batch, p95",
                    "Large batches are a backlog that is worked off.",
                    Unit.COUNT,
                    (quantile(0.95, "stockbridge_consumer_batch_messages", "group"), "{{group}}"),
                ),
                lines(
                    "Time of a batch, p95",
                    "From receiving it to committing its offsets, waits for a dependency included.",
                    Unit.SECONDS,
                    (quantile(0.95, "stockbridge_consumer_batch_seconds", "group"), "{{group}}"),
                ),
                lines(
                    "Consumers that wait",
                    "Because a dependency is unavailable.",
                    Unit.COUNT,
                    ("sum by (group)(stockbridge_consumer_waiting)", "{{group}}"),
                ),
                lines(
                    "Messages held by a transaction",
                    "Messages that cannot be read before an open transaction of another program has ended.",
                    Unit.COUNT,
                    (or_0("sum(stockbridge_consumer_held_messages)"), "held"),
                ),
            ],
        ),
        Row(
            "Membership",
            [
                lines(
                    "Partitions assigned",
                    "Of the topics that a group reads; 0 means that nobody reads them.",
                    Unit.COUNT,
                    ("sum by (group)(stockbridge_consumer_assigned_partitions)", "{{group}}"),
                ),
                lines(
                    "Rebalances",
                    "Partitions were given to consumers or taken from them: usual at a start, bad if it goes "
                    "on.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_consumer_rebalances_total", "group"), "{{group}}"),
                ),
                lines(
                    "Messages fetched ahead",
                    "Fetched and not yet begun.",
                    Unit.COUNT,
                    ("sum by (group)(stockbridge_consumer_fetched_messages)", "{{group}}"),
                ),
                lines(
                    "Requests to brokers that fail",
                    "Or are not answered in time.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_kafka_request_errors_total", "group"), "{{group}}"),
                ),
            ],
        ),
        Row(
            "Topics and processes",
            [
                lines(
                    "Records written",
                    "The ten topics into which most is written.",
                    Unit.PER_SECOND,
                    (
                        "topk(10, max by (topic)(rate(stockbridge_topic_records_written[$__rate_interval])))",
                        "{{topic}}",
                    ),
                ),
                lines(
                    "Records kept",
                    "The ten topics that hold most records.",
                    Unit.COUNT,
                    ("topk(10, max by (topic)(stockbridge_topic_records_kept))", "{{topic}}"),
                ),
                lines(
                    "Processes that work",
                    "Of each worker, where they share a directory.",
                    Unit.COUNT,
                    ('sum by (worker)(stockbridge_worker_processes{state="working"})', "{{worker}}"),
                ),
                lines(
                    "Since the last sign of work",
                    "Of the process of each worker that gave it last; above 30 seconds none of them works.",
                    Unit.SECONDS,
                    (
                        f"time() - max by (worker)({HEARTBEAT})",
                        "{{worker}}",
                    ),
                ),
            ],
        ),
    ],
)
