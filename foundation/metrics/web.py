"""The metrics of the web server and the sockets.

`route` is the URL pattern and not the path: with an id in it, the label would have too many values.
"""

from prometheus_client import Counter, Gauge, Histogram

from foundation.metrics.batch_histogram import BatchHistogram
from foundation.metrics.buckets import MILLISECONDS_TO_A_MINUTE, MILLISECONDS_TO_SECONDS
from foundation.metrics.series import begin_at_0

HTTP_REQUESTS = Counter(
    "stockbridge_http_requests_total",
    "HTTP requests answered.",
    ["method", "route", "status"],
)
HTTP_REQUEST_SECONDS = BatchHistogram(
    "stockbridge_http_request_seconds",
    "Time from the first middleware to the response.",
    ["method", "route"],
    buckets=MILLISECONDS_TO_SECONDS,
)
HTTP_CONNECTIONS_CLOSED = Counter(
    "stockbridge_http_connections_closed_total",
    "Connections that the web server closed: reason is idle, slow_head, slow_body, slow_reader or limit.",
    ["reason"],
)
begin_at_0(HTTP_CONNECTIONS_CLOSED, "idle", "slow_head", "slow_body", "slow_reader", "limit")
HTTP_CONNECTIONS = Gauge(
    "stockbridge_http_connections",
    "Connections to the web server that are open now.",
    multiprocess_mode="livesum",
)

REQUESTS_THROTTLED = Counter(
    "stockbridge_requests_throttled_total",
    "Requests refused because of a rate; kind is address, user, service, login, login_name, token_name, "
    "registration, account_mail or mail_address.",
    ["kind"],
)
begin_at_0(REQUESTS_THROTTLED, "address", "user", "service", "login", "login_name", "token_name")
begin_at_0(REQUESTS_THROTTLED, "registration", "account_mail", "mail_address")

SOCKETS_CONNECTED = Gauge(
    "stockbridge_sockets_connected",
    "WebSocket connections that are open now.",
    multiprocess_mode="livesum",
)
SOCKET_MESSAGES_SENT = Counter(
    "stockbridge_socket_messages_sent_total",
    "Messages sent to WebSocket clients.",
)
SOCKETS_CLOSED = Counter(
    "stockbridge_sockets_closed_total",
    "WebSocket connections that ended; reason is client (it went, or read too slowly), not_authenticated, "
    "bad_message, limit (too many sockets or messages), too_big or unavailable (the database is away).",
    ["reason"],
)
begin_at_0(SOCKETS_CLOSED, "client", "not_authenticated", "bad_message", "limit", "too_big", "unavailable")
SOCKET_DELAY_SECONDS = Histogram(
    "stockbridge_socket_delay_seconds",
    "Time from an event until its message is passed to the sockets that are to have it.",
    buckets=MILLISECONDS_TO_A_MINUTE,
)
