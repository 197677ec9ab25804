"""Every process of `./start` beats, also without its servers, and leaves no record when it is stopped."""

import os
import signal
import subprocess
from pathlib import Path

from devtools.driver.shop import eventually
from devtools.stack.ports import Ports
from devtools.stack.processes import all_processes
from devtools.stack.settings import make_settings
from foundation import heartbeat
from kafka_workers.workers import WORKERS

NOWHERE = {
    "DATABASE_URL": "postgres://x@127.0.0.1:1/x",
    "MONGODB_URI": "mongodb://127.0.0.1:1/x",
    "KAFKA_BROKERS": "127.0.0.1:1",
    "STRIPE_API_BASE": "http://127.0.0.1:1",
    "STRIPE_SECRET_KEY": "sk_test_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
    "EMAIL_URL": "smtp://127.0.0.1:1",
}


def test_every_process_beats_and_is_not_missed_after_it_was_stopped(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, ports=Ports.free(), servers=NOWHERE, caller={})
    settings.metrics.mkdir()
    running = {
        process.name: subprocess.Popen(
            process.command, env=os.environ | settings.values, stderr=subprocess.DEVNULL
        )
        for process in all_processes(settings, {})
    }

    def working() -> list[str]:
        found = heartbeat.worker_processes(settings.metrics, silent_after=30)
        return sorted(each.worker for each in found if each.state == "working")

    expected = sorted([*(worker.name for worker in WORKERS), "sockets", "web", "web", *["sign-ins"] * 3])
    eventually(lambda: working() == expected, "all beat", seconds=60)
    for process in running.values():
        process.send_signal(signal.SIGTERM)
    codes = {name: process.wait(20) for name, process in running.items()}
    assert codes == dict.fromkeys(running, 0)
    assert heartbeat.worker_processes(settings.metrics, silent_after=30) == []
