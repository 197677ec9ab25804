"""The dashboard of the shop: what customers do, and how they are served."""

from devtools.dashboards.description import (
    RATE,
    Dashboard,
    Row,
    Unit,
    lines,
    number,
    or_0,
    quantile,
    quantiles,
    rate,
    table,
)

REQUESTS = "stockbridge_http_requests_total"
SECONDS = "stockbridge_http_request_seconds"
_LE_1 = '{le="1.0"}'
BY_CLASS = f'label_replace(rate({REQUESTS}[{RATE}]), "class", "${{1}}xx", "status", "(.).*")'
ERRORS = rate(REQUESTS, only='{status=~"5.."}')

SHOP = Dashboard(
    "shop",
    "Stockbridge: shop",
    "What customers do and how they are served: orders, requests, errors, and what they wait for.",
    [
        Row(
            "Now",
            [
                number(
                    "Orders a second",
                    "Orders that were placed; a request that was sent again places none.",
                    Unit.PER_SECOND,
                    rate("stockbridge_orders_placed_total"),
                ),
                number(
                    "Settled within a second",
                    "The share of orders whose stock was reserved or refused within a second of their "
                    "placing.",
                    Unit.SHARE,
                    f"{rate('stockbridge_order_settle_seconds_bucket', only=_LE_1)} / "
                    f"{rate('stockbridge_order_settle_seconds_count')}",
                    bad_below=0.95,
                ),
                number(
                    "Oldest order in flight",
                    "How long the oldest order has waited for the answer about its stock. Above a minute, "
                    "the order flow is held up.",
                    Unit.SECONDS,
                    "max(stockbridge_orders_oldest_in_flight_seconds)",
                    bad_from=60,
                ),
                number(
                    "Requests that fail",
                    "The share of requests that were answered with 5xx.",
                    Unit.SHARE,
                    f"({or_0(ERRORS)}) / {rate(REQUESTS)}",
                    bad_from=0.01,
                ),
            ],
        ),
        Row(
            "Orders",
            [
                lines(
                    "Orders placed and settled",
                    "Settled: the answer about the stock is recorded. Both lines keep together while the "
                    "order flow keeps up.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_orders_placed_total"), "placed"),
                    (rate("stockbridge_orders_settled_total", "outcome"), "{{outcome}}"),
                ),
                lines(
                    "Time until the stock is settled",
                    "From placing an order until the answer about its stock is recorded.",
                    Unit.SECONDS,
                    *quantiles("stockbridge_order_settle_seconds"),
                ),
                lines(
                    "Orders that wait",
                    "How many orders wait, and what for; counted up to 10,000.",
                    Unit.COUNT,
                    ("max by (wait)(stockbridge_orders_waiting)", "{{wait}}"),
                ),
            ],
        ),
        Row(
            "Requests",
            [
                lines(
                    "Requests by status",
                    "4xx is what callers get wrong or may not do, 5xx what fails here.",
                    Unit.PER_SECOND,
                    (f"sum by (class)({BY_CLASS})", "{{class}}"),
                ),
                lines(
                    "Time of a request",
                    "From the first middleware to the answer, of all requests.",
                    Unit.SECONDS,
                    *quantiles(SECONDS),
                ),
                lines(
                    "The slowest routes, p95",
                    "The ten routes whose requests take longest.",
                    Unit.SECONDS,
                    (f"topk(10, {quantile(0.95, SECONDS, 'method', 'route')})", "{{method}} {{route}}"),
                ),
            ],
        ),
        Row(
            "Refused and closed",
            [
                lines(
                    "Requests refused because of a rate",
                    "By the kind of rate. A steady line is one caller without patience, or a rate that is "
                    "too low.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_requests_throttled_total", "kind"), "{{kind}}"),
                ),
                lines(
                    "Connections of clients",
                    "Open now, in all web processes.",
                    Unit.COUNT,
                    ("sum(stockbridge_http_connections)", "open"),
                ),
                lines(
                    "Connections that the server closed",
                    "By reason; idle is usual, slow heads and bodies in number are an attack.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_http_connections_closed_total", "reason"), "{{reason}}"),
                ),
                table(
                    "What runs",
                    "The versions of the processes that run.",
                    Unit.COUNT,
                    "count by (version, python)(stockbridge_build_info)",
                ),
            ],
        ),
    ],
)
