"""Several processes of a worker: inventory consumers that share the requests, and a relay with a standby."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from devtools.benchmarks.figures import MeasurementFailed, Options, Row, figure
from devtools.benchmarks.order_log import (
    append_event,
    await_leader,
    await_relay,
    end_of_log,
    place_example,
)
from devtools.benchmarks.raw_kafka import RawKafka
from devtools.benchmarks.rows.relay import TOPICS, BacklogResult, publish_backlog, raw_rate
from devtools.benchmarks.rows.settle import settled_by
from devtools.benchmarks.system import STOCK, System, open_system
from devtools.benchmarks.topic_reader import TopicReader
from devtools.benchmarks.waiting import wait_until
from kafka_workers.workers import RELAY

_STABLE_SECONDS = 10.5
_PAUSE_SECONDS = 0.01
_LONGEST_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class TakeoverResult:
    """One kill of the relay that leads."""

    seconds: float = figure("kill -9 → a message of a later event is read", "s")


def measure(options: Options) -> Iterator[tuple[str, Any]]:
    """1, 2 and 3 inventory consumers; then one relay, and one with a standby."""
    count = options.size(20_000, 1_000)
    with open_system(processes=False) as system:
        for consumers in (1, 2, 3):
            case = f"{consumers} inventory consumer{'s' * (consumers > 1)}, {count:,} on 200 products"
            for result in settled_by(
                system, options, count=count, products=200, stock=STOCK, consumers=consumers
            ):
                yield case, result
    with open_system() as system:
        example = place_example(system)
        system.keep_only(RELAY.name)
        publish_backlog(system, example, 2_000)
        relays = Relays(system, RawKafka(system.brokers), example, options)
        for _ in range(options.runs):
            yield from relays.backlog_and_kill("one relay")
            standby = system.add_worker(RELAY, 2)
            wait_until(partial(system.says_that_it_works, standby), "the standby works")
            yield from relays.backlog_and_kill("one relay and a standby")
            system.stack.remove(standby)
            await_leader(system)


@dataclass(frozen=True)
class Relays:
    """The relays of a system in which nothing else runs."""

    system: System
    raw: RawKafka
    example: str
    options: Options

    def backlog_and_kill(self, case: str) -> Iterator[tuple[str, Any]]:
        """How fast they publish, and how long nothing is published after a kill."""
        count = self.options.size(40_000, 1_000)
        beside = raw_rate(self.system, self.raw, count)
        rate = publish_backlog(self.system, self.example, count)
        yield f"{case}, a backlog", BacklogResult(messages=rate, raw=beside)
        # The supervisor starts a process again with its shortest pause only after a run of ten seconds.
        time.sleep(self.options.seconds(_STABLE_SECONDS, 0))
        yield f"{case}, killed", TakeoverResult(seconds=self._seconds_away())

    def _seconds_away(self) -> float:
        """Kills the relay that leads, and appends events until a consumer reads the message of one."""
        leader = await_leader(self.system)
        with TopicReader(self.system.brokers, TOPICS[0]) as reader:
            killed = time.monotonic()
            self.system.stack.kill(leader)
            appended = [append_event(self.system, self.example)]
            while not reader.read.keys() & set(appended):
                if time.monotonic() - killed > _LONGEST_SECONDS:
                    raise MeasurementFailed(f"no relay has taken over within {_LONGEST_SECONDS:.0f} s")
                time.sleep(_PAUSE_SECONDS)
                appended.append(append_event(self.system, self.example))
            first_read = min(reader.read[order] for order in appended if order in reader.read)
        await_relay(self.system, end_of_log(self.system))
        return first_read - killed


ROW = Row("several-workers", "1 to 3 inventory consumers; a relay alone, and with a standby", measure)
