"""The rows, each in a file of its own."""

from devtools.benchmarks.rows import (
    growth,
    hot,
    latency,
    orders,
    relay,
    relay_latency,
    reserve,
    restart,
    settle,
    sockets,
)

ROWS = {
    module.ROW.name: module.ROW
    for module in (orders, latency, settle, hot, relay, relay_latency, reserve, sockets, restart, growth)
}
