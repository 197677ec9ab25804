"""The dashboard of the outbox relay: how far it is behind the order log, and who leads."""

from devtools.dashboards.description import Dashboard, Row, Unit, lines, number, quantiles, rate

DAYS_14 = 14 * 86400

RELAY = Dashboard(
    "relay",
    "Stockbridge: relay",
    "The outbox relay, which publishes the order log: how far it is behind, who leads, and what it cannot "
    "publish.",
    [
        Row(
            "Now",
            [
                number(
                    "Oldest unread event",
                    "Age of the oldest event that is not published. Above a few seconds no relay runs, Kafka "
                    "is away, or an open transaction holds the readers of the log back.",
                    Unit.SECONDS,
                    "max(stockbridge_relay_oldest_unread_seconds)",
                    bad_from=10,
                ),
                number(
                    "Unread events",
                    "Counted up to 100,000.",
                    Unit.COUNT,
                    "max(stockbridge_relay_unread_events)",
                    bad_from=10000,
                ),
                number(
                    "Leaders",
                    "One is right. 0: nothing is published.",
                    Unit.COUNT,
                    "sum(stockbridge_relay_leaders)",
                    bad_below=1,
                    bad_from=2,
                ),
                number(
                    "Parked events",
                    "They wait for a decision: `manage.py parked_events list`.",
                    Unit.COUNT,
                    "max(stockbridge_relay_parked_events)",
                    bad_from=1,
                ),
                number(
                    "Partitions of the log ahead",
                    "For how long from now on orders find a partition of their month. Below 14 days the "
                    "worker `holds` does not add any.",
                    Unit.SECONDS,
                    "max(stockbridge_order_log_partitions_ahead_seconds)",
                    bad_below=DAYS_14,
                ),
            ],
        ),
        Row(
            "Publishing",
            [
                lines(
                    "Events published",
                    "Events whose messages the broker has acknowledged, by type.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_relay_events_total", "type"), "{{type}}"),
                ),
                lines(
                    "Events in a batch",
                    "Large batches are a backlog that is worked off.",
                    Unit.COUNT,
                    *quantiles("stockbridge_relay_batch_events"),
                ),
                lines(
                    "Time of a batch",
                    "From reading it to storing the position after it, the acknowledgement of the broker "
                    "included.",
                    Unit.SECONDS,
                    *quantiles("stockbridge_relay_batch_seconds"),
                ),
            ],
        ),
        Row(
            "Behind",
            [
                lines(
                    "Age of the oldest unread event",
                    "It rises while nothing is published.",
                    Unit.SECONDS,
                    ("max(stockbridge_relay_oldest_unread_seconds)", "age"),
                ),
                lines(
                    "Events unread",
                    "Counted up to 100,000.",
                    Unit.COUNT,
                    ("max(stockbridge_relay_unread_events)", "unread"),
                ),
                lines(
                    "Events parked",
                    "By reason: refused by the broker, unroutable (data not of its type), or behind another "
                    "one.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_relay_set_aside_total", "reason"), "{{reason}}"),
                ),
                lines(
                    "Messages fetched by others",
                    "Handled by the groups that read what the relay publishes.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_consumer_messages_total", "group"), "{{group}}"),
                ),
            ],
        ),
    ],
)
