"""The rows, each in a file of its own."""

from devtools.benchmarks.rows import growth, hot, latency, orders, relay, reserve, restart, settle, sockets

ROWS = {
    module.ROW.name: module.ROW
    for module in (orders, latency, settle, hot, relay, reserve, sockets, restart, growth)
}
