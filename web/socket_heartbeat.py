"""The heartbeat of daphne: its event loop gives it, so a loop that is stuck is noticed."""

from typing import Any

from twisted.internet import reactor
from twisted.internet.task import LoopingCall

from foundation.heartbeat import BEAT_SECONDS, Heartbeat
from web.metrics_port import serve_metrics

_loop: Any = reactor  # its types leave `self` out of every signature


def beat_while_serving(worker: str) -> None:
    """Beat as this worker from the moment at which the event loop runs until it is stopped."""
    _loop.callWhenRunning(_begin, worker)


def _begin(worker: str) -> None:
    heartbeat = Heartbeat(worker)
    serve_metrics(heartbeat)
    heartbeat.tell_warm()
    LoopingCall(heartbeat.beat).start(BEAT_SECONDS / 2)
    _loop.addSystemEventTrigger("after", "shutdown", heartbeat.end)
