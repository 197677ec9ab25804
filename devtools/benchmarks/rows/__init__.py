"""The rows, each in a file of its own."""

from devtools.benchmarks.rows import (
    analytics,
    board,
    first_order,
    growth,
    hot,
    latency,
    mail,
    orders,
    orders_public,
    prepaid,
    refusals,
    relay,
    relay_latency,
    reserve,
    restart,
    settle,
    several_workers,
    sockets,
    takeover,
    three_brokers,
)

ROWS = {
    module.ROW.name: module.ROW
    for module in (
        orders,
        orders_public,
        latency,
        first_order,
        refusals,
        settle,
        hot,
        relay,
        relay_latency,
        reserve,
        prepaid,
        mail,
        analytics,
        sockets,
        restart,
        takeover,
        several_workers,
        three_brokers,
        growth,
        board,
    )
}
