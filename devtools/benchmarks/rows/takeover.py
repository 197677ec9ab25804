"""kill -9 of the relay that leads, alone and with a standby, until something is published again."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from devtools.benchmarks.figures import MeasurementFailed, Options, Row, figure
from devtools.benchmarks.order_log import (
    append_event,
    await_leader,
    await_relay,
    end_of_log,
    place_example,
    standby,
)
from devtools.benchmarks.rows.relay import TOPICS
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.topic_reader import TopicReader
from kafka_workers.workers import RELAY

_STABLE_SECONDS = 10.5
_PAUSE_SECONDS = 0.01
_LONGEST_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class TakeoverResult:
    """One kill."""

    seconds: float = figure("kill -9 → a message of a later event is read", "s")


def measure(options: Options) -> Iterator[tuple[str, TakeoverResult]]:
    """One relay, then the same with a standby."""
    with open_system() as system:
        example = place_example(system)
        system.keep_only(RELAY.name)
        for _ in range(options.runs):
            # The supervisor starts a process again with its shortest pause only after a run of ten seconds.
            time.sleep(options.seconds(_STABLE_SECONDS, 0))
            yield "one relay", TakeoverResult(seconds=_seconds_until_published(system, example))
            with standby(system):
                yield (
                    "one relay and a standby",
                    TakeoverResult(seconds=_seconds_until_published(system, example)),
                )


def _seconds_until_published(system: System, example: str) -> float:
    """Kills the relay that leads, and appends events until a consumer reads the message of one."""
    leader = await_leader(system)
    with TopicReader(system.brokers, TOPICS[0]) as reader:
        killed = time.monotonic()
        system.stack.kill(leader)
        appended = [append_event(system, example)]
        while not reader.read.keys() & set(appended):
            if time.monotonic() - killed > _LONGEST_SECONDS:
                raise MeasurementFailed(f"no relay has taken over within {_LONGEST_SECONDS:.0f} s")
            time.sleep(_PAUSE_SECONDS)
            appended.append(append_event(system, example))
        first_read = min(reader.read[order] for order in appended if order in reader.read)
    await_relay(system, end_of_log(system))
    return first_read - killed


ROW = Row(
    "takeover",
    "kill -9 of the relay, alone and with a standby → messages again",
    measure,
    runs=5,
)
