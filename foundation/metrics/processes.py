"""The metrics of all processes, whatever they do."""

import platform

from prometheus_client import Gauge

from foundation.version import VERSION

BUILD_INFO = Gauge(
    "stockbridge_build_info",
    "1; the labels say what runs.",
    ["version", "python"],
    multiprocess_mode="mostrecent",
)
BUILD_INFO.labels(VERSION, platform.python_version()).set(1)

WORKER_HEARTBEAT = Gauge(
    "stockbridge_worker_heartbeat_timestamp_seconds",
    "When a process of this worker last said that it works; old while all of them are silent or ended.",
    ["worker"],
    multiprocess_mode="max",
)
# Set for each request of `/metrics`, from the records of the processes on this machine.
WORKER_PROCESSES = Gauge(
    "stockbridge_worker_processes",
    "Processes of this worker; state is working, silent, or ended (without having been asked to).",
    ["worker", "state"],
    multiprocess_mode="mostrecent",
)
