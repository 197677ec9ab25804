"""The dashboard of the sockets: who listens, and how soon they hear."""

from devtools.dashboards.description import Dashboard, Row, Unit, lines, number, quantile, quantiles, rate

DELAY = "stockbridge_socket_delay_seconds"

SOCKETS = Dashboard(
    "sockets",
    "Stockbridge: sockets",
    "The WebSocket connections: how many there are, how soon they are told of changes, and why they end.",
    [
        Row(
            "Now",
            [
                number(
                    "Connected",
                    "WebSocket connections that are open.",
                    Unit.COUNT,
                    "sum(stockbridge_sockets_connected)",
                ),
                number(
                    "Messages a second",
                    "Sent to clients.",
                    Unit.PER_SECOND,
                    rate("stockbridge_socket_messages_sent_total"),
                ),
                number(
                    "Delay, p95",
                    "From a change of an order until its message is passed to the sockets.",
                    Unit.SECONDS,
                    quantile(0.95, DELAY),
                    bad_from=1,
                ),
                number(
                    "Since the last sign of work",
                    "Of the process with the sockets; above 30 seconds none works.",
                    Unit.SECONDS,
                    'time() - max(stockbridge_worker_heartbeat_timestamp_seconds{worker="sockets"})',
                    bad_from=30,
                ),
            ],
        ),
        Row(
            "Over time",
            [
                lines(
                    "Connected, over time",
                    "A fall is a restart or a proxy that cuts connections; browsers come back by themselves.",
                    Unit.COUNT,
                    ("sum(stockbridge_sockets_connected)", "connected"),
                ),
                lines(
                    "Messages sent",
                    "To all clients together.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_socket_messages_sent_total"), "messages"),
                ),
                lines(
                    "Delay of a message",
                    "From the event of the order log until its message is passed to the sockets.",
                    Unit.SECONDS,
                    *quantiles(DELAY),
                ),
                lines(
                    "Connections that ended",
                    "client: it went, or read too slowly; the others are closed by the server.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_sockets_closed_total", "reason"), "{{reason}}"),
                ),
            ],
        ),
    ],
)
