"""The dashboard of the order flow: the steps of an order, one after the other, and what must hold of them."""

from devtools.dashboards.description import Dashboard, Row, Unit, lines, number, or_0, quantiles, rate

WAITS = "stockbridge_orders_waiting_oldest_seconds"

ORDER_FLOW = Dashboard(
    "order-flow",
    "Stockbridge: order flow",
    "The way of an order from placing to its answer: relay, stock service, recording; and that nothing is "
    "lost.",
    [
        Row(
            "What must hold",
            [
                number(
                    "Drift",
                    "Pieces by which stock differed from the ledger at the last audit. Anything but 0 is an "
                    "error.",
                    Unit.COUNT,
                    "max(stockbridge_stock_drift_pieces)",
                    bad_from=1,
                ),
                number(
                    "Last audit of the stock",
                    "How long ago it ended; very long if there was none.",
                    Unit.SECONDS,
                    "time() - max(stockbridge_stock_audit_timestamp_seconds)",
                    bad_from=86400,
                ),
                number(
                    "Contradictions in an hour",
                    "Answers about stock or payments that contradict their order; the admin lists them.",
                    Unit.COUNT,
                    or_0("sum(increase(stockbridge_contradictions_total[1h]))"),
                    bad_from=1,
                ),
                number(
                    "Parked events",
                    "Events that the relay cannot publish; people decide about them.",
                    Unit.COUNT,
                    "max(stockbridge_relay_parked_events)",
                    bad_from=1,
                ),
                number(
                    "Dead letters",
                    "Messages that groups gave up and about which nobody has decided.",
                    Unit.COUNT,
                    "sum(max by (group)(stockbridge_dead_letters))",
                    bad_from=1,
                ),
            ],
        ),
        Row(
            "Step by step",
            [
                lines(
                    "1 Placed",
                    "Orders that were placed.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_orders_placed_total"), "orders"),
                ),
                lines(
                    "2 Published",
                    "Events of the order log whose messages the broker has, by type.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_relay_events_total", "type"), "{{type}}"),
                ),
                lines(
                    "3 Answered by the stock service",
                    "Answers to reserve and release requests, by their topic.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_stock_answers_total", "type"), "{{type}}"),
                ),
                lines(
                    "4 Recorded",
                    "Orders whose answer was recorded, by outcome.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_orders_settled_total", "outcome"), "{{outcome}}"),
                ),
            ],
        ),
        Row(
            "How long it takes",
            [
                lines(
                    "From placing to recording",
                    "The whole way of an order, until its stock is known.",
                    Unit.SECONDS,
                    *quantiles("stockbridge_order_settle_seconds"),
                ),
                lines(
                    "A batch of the relay",
                    "From reading events to storing the position after them.",
                    Unit.SECONDS,
                    *quantiles("stockbridge_relay_batch_seconds"),
                ),
                lines(
                    "A batch of the stock service",
                    "From receiving messages to committing their offsets, waits for MongoDB included.",
                    Unit.SECONDS,
                    *quantiles("stockbridge_consumer_batch_seconds", only='{group="products-service-group"}'),
                ),
                lines(
                    "A batch of the order consumer",
                    "From receiving answers to committing their offsets, waits for PostgreSQL included.",
                    Unit.SECONDS,
                    *quantiles("stockbridge_consumer_batch_seconds", only='{group="orders-service-group"}'),
                ),
            ],
        ),
        Row(
            "What waits",
            [
                lines(
                    "For the order flow",
                    "The oldest order that waits for its stock, or for its release after it was cancelled.",
                    Unit.SECONDS,
                    (f'max by (wait)({WAITS}{{wait=~"stock|release"}})', "{{wait}}"),
                ),
                lines(
                    "For people and customers",
                    "The oldest order that waits for its payment, for shipping or for delivery.",
                    Unit.SECONDS,
                    (f'max by (wait)({WAITS}{{wait=~"payment|failed|ship|delivery"}})', "{{wait}}"),
                ),
                lines(
                    "Holds that are overdue",
                    "How long the oldest unpaid order is past its time; above a minute, the worker `holds` "
                    "does not work.",
                    Unit.SECONDS,
                    ("max(stockbridge_holds_overdue_seconds)", "overdue"),
                ),
                lines(
                    "Duplicates absorbed",
                    "Messages that came again and changed nothing: usual after a restart, a loss of nothing.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_duplicates_absorbed_total", "group"), "{{group}}"),
                ),
            ],
        ),
    ],
)
