"""The metrics of the lag exporter. Only a running one has them: where none runs they are absent, not old."""

from prometheus_client import Gauge

CONSUMER_LAG_MESSAGES = Gauge(
    "stockbridge_consumer_lag_messages",
    "Messages that the group has not read, those of open transactions included.",
    ["group", "topic", "partition"],
    multiprocess_mode="livemostrecent",
)
CONSUMER_LAG_SECONDS = Gauge(
    "stockbridge_consumer_lag_seconds",
    "How long the first unread message has waited, by its record's time; in a retry topic, since it was due.",
    ["group", "topic", "partition"],
    multiprocess_mode="livemostrecent",
)
CONSUMER_LOST_MESSAGES = Gauge(
    "stockbridge_consumer_lost_messages",
    "Messages that retention has deleted before the group has read them; 0 again once it has read a later "
    "one.",
    ["group", "topic", "partition"],
    multiprocess_mode="livemostrecent",
)
CONSUMER_GROUP_STATUS = Gauge(
    "stockbridge_consumer_group_status",
    "1 for how the group keeps up, 0 for the rest; status is OK, WARN (reads, but falls further behind), "
    "STALLED (a member has the partition and does not get on), STOPPED (nobody reads) or REWOUND (was set "
    "back).",
    ["group", "topic", "partition", "status"],
    multiprocess_mode="livemostrecent",
)
DEAD_LETTERS = Gauge(
    "stockbridge_dead_letters",
    "Dead letters of the group that are neither redriven nor discarded, counted twice a minute.",
    ["group"],
    multiprocess_mode="livemostrecent",
)
TOPIC_RECORDS_WRITTEN = Gauge(
    "stockbridge_topic_records_written",
    "Records written into the topic since it was created; its rate is that of the topic.",
    ["topic"],
    multiprocess_mode="livemostrecent",
)
TOPIC_RECORDS_KEPT = Gauge(
    "stockbridge_topic_records_kept",
    "Records of the topic that retention has not deleted.",
    ["topic"],
    multiprocess_mode="livemostrecent",
)
TOPIC_UNDER_REPLICATED_PARTITIONS = Gauge(
    "stockbridge_topic_under_replicated_partitions",
    "Partitions of the topic without a leader, or with fewer copies in step than there are copies.",
    ["topic"],
    multiprocess_mode="livemostrecent",
)

DISK_FREE_BYTES = Gauge(
    "stockbridge_disk_free_bytes",
    "Space that a server may still use on its disk; disk is a name of WATCHED_DISKS.",
    ["disk"],
    multiprocess_mode="livemostrecent",
)
DISK_SIZE_BYTES = Gauge(
    "stockbridge_disk_size_bytes",
    "Space that a server may use on its disk, used or not; disk is a name of WATCHED_DISKS.",
    ["disk"],
    multiprocess_mode="livemostrecent",
)
CERTIFICATE_EXPIRES = Gauge(
    "stockbridge_certificate_expires_timestamp_seconds",
    "When the certificate ends that clients of this address are shown; endpoint is one of "
    "WATCHED_CERTIFICATES.",
    ["endpoint"],
    multiprocess_mode="livemostrecent",
)
