"""A consumer tells of which partitions every message is handled."""

from collections.abc import Collection

from devtools.driver.shop import eventually
from kafka_workers.runtime.consuming.definition import ConsumerDefinition
from kafka_workers.runtime.consuming.offsets import Partition
from tests.kafka_workers.runtime.workbench import Bench, Worker, decode_number


def test_a_partition_is_told_as_read_to_its_end_once_all_of_its_messages_are_handled(bench: Bench) -> None:
    told: list[tuple[set[Partition], set[int]]] = []

    def at_end(partitions: Collection[Partition]) -> None:
        told.append((set(partitions), set(bench.numbers)))

    bench.send(*range(20))
    definition = ConsumerDefinition(
        group=bench.group,
        topics=[bench.topic],
        decode=decode_number,
        handle=bench.handle,
        at_end=at_end,
        batch_size=2,
    )
    bench.workers.append(Worker(definition))
    everything = {(bench.topic, partition) for partition in range(3)}
    eventually(lambda: told and everything <= told[-1][0], "every partition at its end")
    for partitions, handled in told:
        numbers = {
            decoded.value
            for decoded in bench.handled
            if (decoded.received.topic, decoded.received.partition) in partitions
        }
        assert numbers <= handled
    assert told[-1][1] == set(range(20))
