"""The heartbeat of daphne: its event loop gives it, so a loop that is stuck is noticed."""

from twisted.internet import reactor
from twisted.internet.task import LoopingCall

from foundation.heartbeat import BEAT_SECONDS, Heartbeat


def beat_while_serving(worker: str) -> None:
    """Beat as this worker from the moment at which the event loop runs until it is stopped."""
    reactor.callWhenRunning(_begin, worker)  # type: ignore[attr-defined]


def _begin(worker: str) -> None:
    heartbeat = Heartbeat(worker)
    LoopingCall(heartbeat.beat).start(BEAT_SECONDS)
    reactor.addSystemEventTrigger("after", "shutdown", heartbeat.end)  # type: ignore[attr-defined]
