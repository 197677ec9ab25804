"""A group reads on, whatever record somebody else has written to one of its topics."""

import time
from contextlib import closing

import pytest
from confluent_kafka import Producer

from kafka_workers.runtime.dead_letters.letters import DeadLetter, DeadLetterFilter, find_dead_letters
from tests.kafka_workers.runtime.workbench import Bench

Headers = list[tuple[str, str | bytes | None]]


def failure_headers(bench: Bench, **changes: str | bytes | None) -> Headers:
    """The headers of a message of this bench that has failed once, with these changes."""
    fields: dict[str, str | bytes | None] = {
        "group": bench.group,
        "topic": bench.topic,
        "partition": "0",
        "offset": "7",
        "attempts": "1",
        "kind": "handler",
        "exception": "E",
        "reason": "r",
        "first_at": "2026-01-01T00:00:00Z",
        "last_at": "2026-01-01T00:00:00Z",
    }
    return [(f"failure_{name}", value) for name, value in (fields | changes).items()]


def write(
    bench: Bench,
    topic: str,
    value: bytes | None,
    headers: Headers = (),  # type: ignore[assignment]
    *,
    key: bytes | None = b"k",
    timestamp: int = 0,
) -> None:
    """Writes one record as any program on the broker can."""
    settings: dict[str, str | int] = {
        "bootstrap.servers": bench.kafka_client.brokers,
        "compression.type": "gzip",
        "message.max.bytes": 10_000_000,
    }
    with closing(Producer(settings)) as producer:
        producer.produce(topic, value=value, key=key, headers=list(headers), timestamp=timestamp)
        assert producer.flush(15) == 0


def dead(bench: Bench) -> list[DeadLetter]:
    return find_dead_letters(DeadLetterFilter(group=bench.group), bench.groups)


@pytest.mark.parametrize(
    "changes",
    [
        {"attempts": "-10"},
        {"attempts": "0"},
        {"attempts": "2"},
        {"attempts": "99999999999999999999"},
        {"topic": "order.completed"},
        {"topic": None},
        {"topic": "{group}.retry.1"},
        {"topic": "{group}.retry.1" + 5000 * "1"},
        {"topic": "{group}.retry.\u0661"},
        {"topic": "{group}.retry.other.retry.1"},
        {"group": "another"},
        {"offset": "99999999999999999999999999"},
        {"partition": "-1"},
        {"first_at": "\x1b[2J"},
        {"reason": b"\xff\xfe"},
    ],
    ids=lambda changes: str(changes)[:50],
)
def test_a_forged_retry_becomes_a_dead_letter_and_the_next_one_is_handled(
    bench: Bench, changes: dict[str, str | bytes | None]
) -> None:
    bench.start()
    in_group = {
        name: value.replace("{group}", bench.group) if isinstance(value, str) else value
        for name, value in changes.items()
    }
    write(bench, f"{bench.group}.retry.1", b"1", failure_headers(bench, **in_group))
    write(bench, f"{bench.group}.retry.1", b"2", failure_headers(bench))
    bench.wait_until_handled(2)
    bench.dead_letters(1)
    assert bench.numbers == [2]
    [letter] = dead(bench)
    assert letter.failure
    assert (letter.failure.topic, letter.failure.kind) == (f"{bench.group}.retry.1", "invalid")


def test_a_retry_without_headers_value_or_key_becomes_a_dead_letter(bench: Bench) -> None:
    bench.start()
    for value, key in ((b"1", b"k"), (None, b"k"), (b"1", None), (b"1", b"\xff")):
        write(bench, f"{bench.group}.retry.2", value, key=key)
    bench.dead_letters(4)
    assert bench.numbers == []
    assert all(worker.is_alive for worker in bench.workers)


def test_a_retry_from_the_future_waits_no_longer_than_others(bench: Bench) -> None:
    bench.start()
    soon = int((time.time() + 3000) * 1000)
    write(bench, f"{bench.group}.retry.1", b"1", failure_headers(bench), timestamp=soon)
    write(bench, f"{bench.group}.retry.1", b"2", failure_headers(bench))
    bench.wait_until_handled(1, 2)


def test_a_record_that_no_topic_takes_with_its_headers_is_kept_without_them(bench: Bench) -> None:
    bench.start()
    # Each header takes more bytes on the broker than its name has; compressed, they are few.
    many: Headers = [(f"{number:020x}", b"") for number in range(53_000)]
    write(bench, bench.topic, b"no number", many)
    bench.send(5)
    bench.wait_until_handled(5)
    bench.dead_letters(1)
    [letter] = dead(bench)
    assert letter.value == b"no number"
    assert "failure_cut_from" in letter.headers


def test_headers_of_failures_mean_nothing_in_a_topic_that_anybody_writes_to(bench: Bench) -> None:
    bench.start()
    for changes in ({"attempts": "-10"}, {"attempts": "3"}, {"topic": "order.completed"}):
        write(bench, bench.topic, b"no number", failure_headers(bench, **changes))
    write(bench, bench.topic, b"6", failure_headers(bench, attempts="-10"))
    bench.wait_until_handled(6)
    bench.dead_letters(3)
    assert {(each.failure.topic, each.failure.attempts) for each in dead(bench) if each.failure} == {
        (bench.topic, 1)
    }


def test_a_header_given_twice_counts_by_its_last_value(bench: Bench) -> None:
    bench.start()
    twice = [("failure_attempts", "-10"), *failure_headers(bench)]
    write(bench, f"{bench.group}.retry.1", b"3", twice)
    bench.wait_until_handled(3)
