"""The metrics of the outbox relay."""

from prometheus_client import Counter, Gauge, Histogram

from foundation.metrics.buckets import MILLISECONDS_TO_A_MINUTE, ONE_TO_THOUSANDS
from foundation.metrics.series import begin_at_0

RELAY_EVENTS = Counter(
    "stockbridge_relay_events_total",
    "Events of the order log whose messages the broker has acknowledged.",
    ["type"],
)
RELAY_PARKED = Counter(
    "stockbridge_relay_set_aside_total",
    "Events parked because they cannot be published, or because they follow a parked event.",
    ["reason"],
)
begin_at_0(RELAY_PARKED, "refused", "unroutable", "behind")
RELAY_BATCH_EVENTS = Histogram(
    "stockbridge_relay_batch_events",
    "Events in one batch.",
    buckets=ONE_TO_THOUSANDS,
)
RELAY_BATCH_SECONDS = Histogram(
    "stockbridge_relay_batch_seconds",
    "Time from reading a batch of events to storing the position after it.",
    buckets=MILLISECONDS_TO_A_MINUTE,
)
# The web process sets it for each request of `/metrics`, so that it grows even if no relay runs.
RELAY_OLDEST_UNREAD_SECONDS = Gauge(
    "stockbridge_relay_oldest_unread_seconds",
    "Age of the oldest event that the relay has not published; 0 if there is none.",
    multiprocess_mode="mostrecent",
)
RELAY_UNREAD_EVENTS = Gauge(
    "stockbridge_relay_unread_events",
    "Events that the relay has not published, those included that wait for an open transaction; counted up "
    "to 100000.",
    multiprocess_mode="mostrecent",
)
RELAY_PARKED_EVENTS = Gauge(
    "stockbridge_relay_parked_events",
    "Events that are parked now.",
    multiprocess_mode="mostrecent",
)
RELAY_LEADERS = Gauge(
    "stockbridge_relay_leaders",
    "Relays that are the leader; the sum over all relays must be 1.",
    multiprocess_mode="livesum",
)
