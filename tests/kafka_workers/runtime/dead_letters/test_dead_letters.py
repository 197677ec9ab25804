"""Dead letters are found, redriven and discarded, each once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer
from django.core.management import CommandError, call_command

from devtools.driver.shop import eventually
from kafka_workers.runtime.broker import topic_reader
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.dead_letters.letters import (
    CannotBeRedriven,
    DeadLetter,
    DeadLetterFilter,
    find_dead_letters,
)
from kafka_workers.runtime.dead_letters.resolver import DeadLetterResolver, ResolutionRejected, ResolverFenced
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.runtime.group_topics import dead_letter_topic, resolution_topic
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing.producer import Producer
from kafka_workers.workers import GROUPS
from tests.concurrency import run_together
from tests.kafka_workers.runtime.workbench import Bench


class Fixable:
    """A handler that fails until it is fixed."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.is_broken = True

    def handle(self, batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        if self.is_broken:
            raise ArithmeticError("not fixed yet")
        return self.bench.handle(batch)


def unresolved(bench: Bench) -> list[DeadLetter]:
    return find_dead_letters(DeadLetterFilter(group=bench.group), bench.groups)


def redrive(bench: Bench, letters: Sequence[DeadLetter]) -> int:
    with DeadLetterResolver(bench.group, by="test") as resolver:
        return resolver.redrive(letters)


def dead_letters_of(bench: Bench, count: int) -> list[DeadLetter]:
    """Makes this many messages of the bench's group dead letters."""
    headers = {
        "failure_group": bench.group,
        "failure_topic": bench.topic,
        "failure_partition": "0",
        "failure_attempts": "4",
        "failure_kind": "handler",
        "failure_exception": "ArithmeticError",
        "failure_first_at": "2026-01-01T00:00:00Z",
        "failure_last_at": "2026-01-01T00:01:00Z",
    }
    with Producer("test") as producer:
        producer.publish(
            OutgoingMessage(
                dead_letter_topic(bench.group),
                str(number),
                str(number).encode(),
                {**headers, "failure_offset": str(number), "failure_reason": f"number {number}"},
            )
            for number in range(count)
        )
    return unresolved(bench)


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("dead_letters", *arguments, stdout=out)
    return out.getvalue()


def test_a_redriven_message_goes_through_its_retries_again_and_is_handled_once(bench: Bench) -> None:
    handler = Fixable(bench)
    bench.send(5)
    bench.start(handler.handle)
    bench.dead_letters(1)
    handler.is_broken = False
    assert redrive(bench, unresolved(bench)) == 1
    bench.wait_until_handled(5)
    [decoded] = bench.handled
    assert decoded.received.attempt == 1
    assert decoded.received.topic == bench.topic
    assert decoded.received.id == f"{bench.topic}/{decoded.received.partition}/0"
    assert unresolved(bench) == []


def test_a_redriven_message_that_fails_again_is_a_new_dead_letter_of_the_same_origin(bench: Bench) -> None:
    handler = Fixable(bench)
    bench.send(5)
    bench.start(handler.handle)
    bench.dead_letters(1)
    [first] = unresolved(bench)
    redrive(bench, [first])
    bench.dead_letters(2)
    [second] = unresolved(bench)
    assert first.failure
    assert second.failure
    assert second.coordinates != first.coordinates
    assert (second.failure.topic, second.failure.offset) == (first.failure.topic, first.failure.offset)
    assert second.failure.first_at == first.failure.first_at
    assert second.failure.attempts == 4


def test_redriving_twice_equals_redriving_once(bench: Bench) -> None:
    letters = dead_letters_of(bench, 3)
    assert redrive(bench, letters) == 3
    assert redrive(bench, letters) == 0
    bench.start()
    bench.wait_until_handled(0, 1, 2)
    bench.wait_until_committed()
    assert sorted(bench.numbers) == [0, 1, 2]


def test_the_first_of_two_concurrent_resolvers_is_fenced_and_nothing_is_redriven_twice(
    bench: Bench,
) -> None:
    letters = dead_letters_of(bench, 4)
    with DeadLetterResolver(bench.group, by="first") as first:
        assert first.redrive(letters[:1]) == 1
        with DeadLetterResolver(bench.group, by="second") as second:
            with pytest.raises(ResolverFenced):
                first.redrive(letters[1:2])
            assert second.redrive(letters) == 3
    bench.start()
    bench.wait_until_handled(0, 1, 2, 3)
    bench.wait_until_committed()
    assert sorted(bench.numbers) == [0, 1, 2, 3]


def test_many_concurrent_resolvers_redrive_each_message_once(bench: Bench) -> None:
    letters = dead_letters_of(bench, 8)

    def redrive_all() -> None:
        for letter in letters:
            with suppress(ResolverFenced, BrokerUnavailable):
                redrive(bench, [letter])

    run_together(*[redrive_all] * 3)
    redrive(bench, letters)
    bench.start()
    bench.wait_until_handled(*range(8))
    bench.wait_until_committed()
    assert sorted(bench.numbers) == list(range(8))


def test_a_redrive_killed_before_its_commit_has_done_nothing_and_the_next_does_it(bench: Bench) -> None:
    dead_letters_of(bench, 2)
    script = (
        "import sys; group, *topics = sys.argv[1:];"
        "from kafka_workers.runtime.dead_letters.letters import *;"
        "from kafka_workers.runtime.dead_letters.resolver import DeadLetterResolver;"
        "resolver = DeadLetterResolver(group, by='killed').__enter__();"
        "resolver.redrive(find_dead_letters(DeadLetterFilter(group=group), {group: topics}))"
    )
    environment = os.environ | {"KILL_AT": "before-resolution-committed"}
    killed = subprocess.run(
        [sys.executable, "-c", script, bench.group, bench.topic], env=environment, timeout=60, check=False
    )
    assert killed.returncode == -9
    assert redrive(bench, unresolved(bench)) == 2
    bench.start()
    bench.wait_until_handled(0, 1)
    bench.wait_until_committed()
    assert sorted(bench.numbers) == [0, 1]


def test_a_discarded_dead_letter_is_recorded_and_not_redriven(bench: Bench) -> None:
    letters = dead_letters_of(bench, 2)
    with DeadLetterResolver(bench.group, by="alice") as resolver:
        assert resolver.discard(letters[:1], "a test order") == 1
        assert resolver.redrive(letters) == 1
    discarded, redriven = find_dead_letters(
        DeadLetterFilter(group=bench.group), bench.groups, include_resolved=True
    )
    assert discarded.resolution
    assert redriven.resolution
    assert (discarded.resolution.result, discarded.resolution.by) == ("discarded", "alice")
    assert discarded.resolution.reason == "a test order"
    assert redriven.resolution.result == "redriven"
    assert unresolved(bench) == []


FORGED: list[tuple[dict[str, str | None], str]] = [
    ({"failure_topic": "order.completed"}, "failure_topic is 'order.completed'"),
    ({"failure_topic": "orders-service-group.retry.1"}, "failure_topic is"),
    ({"failure_topic": "orders-service-group.retry." + 5000 * "1"}, "failure_topic is"),
    ({"failure_group": "orders-service-group"}, "failure_group is 'orders-service-group'"),
    ({"failure_attempts": "-10"}, "cannot be read"),
    ({"failure_offset": "-1"}, "cannot be read"),
    ({"failure_group": None}, "failure_group is ''"),
]


@pytest.mark.parametrize(("changes", "reason"), FORGED, ids=lambda value: str(value)[:60])
def test_a_forged_dead_letter_is_shown_with_the_reason_and_can_only_be_discarded(
    bench: Bench, changes: dict[str, str | None], reason: str
) -> None:
    [good] = dead_letters_of(bench, 1)
    with Producer("test") as producer:
        headers = good.headers | changes
        producer.publish([OutgoingMessage(dead_letter_topic(bench.group), b"\xff", None, headers)])
    _, forged = unresolved(bench)
    listed = json.loads(command("list", "--json", "--group", bench.group))[1]
    assert (listed["kind"], listed["from"]) == ("unreadable", "")
    assert reason in listed["reason"]
    assert reason in command("list", "--group", bench.group)
    assert reason in json.loads(command("show", forged.coordinates))["unreadable"]
    with pytest.raises(CommandError, match="can only be discarded"):
        command("redrive", forged.coordinates)
    assert "1 redriven" in command("redrive", "--group", bench.group)
    # The end of a transaction reaches its partitions after the commit has been answered.
    eventually(lambda: bench.count(bench.topic) == 2, "the good one, and the end of the transaction")
    assert "1 discarded" in command("discard", forged.coordinates, "--reason", "forged")
    assert unresolved(bench) == []


NO_RESOLUTIONS: list[tuple[bytes | None, bytes | None]] = [
    (b"k", None),
    (None, None),
    (b"k", b""),
    (b"k", b"{}"),
    (b"k", b'{"x":' + b"[" * 100_000),
    (b"\xff", b'{"result": "redriven", "at": "2026-01-01T00:00:00Z", "by": "x", "reason": ""}'),
    (b"k", b'{"result": "eaten", "at": "2026-01-01T00:00:00Z", "by": "x", "reason": ""}'),
]


@pytest.mark.parametrize(("key", "value"), NO_RESOLUTIONS)
def test_a_record_that_is_no_resolution_is_shown_and_can_be_discarded(
    bench: Bench, key: bytes | None, value: bytes | None
) -> None:
    letters = dead_letters_of(bench, 1)
    with Producer("test") as producer:
        producer.publish([OutgoingMessage(resolution_topic(bench.group), key, value, {})])
    place = f"{resolution_topic(bench.group)}/0/0"
    assert [each.coordinates for each in unresolved(bench)] == [letters[0].coordinates, place]
    assert "no resolution" in json.loads(command("show", place))["unreadable"]
    assert place in command("list", "--group", bench.group)
    assert "1 redriven" in command("redrive", "--group", bench.group)
    assert "1 discarded" in command("discard", place, "--reason", "not ours")
    assert unresolved(bench) == []
    assert (
        len(find_dead_letters(DeadLetterFilter(group=bench.group), bench.groups, include_resolved=True)) == 2
    )


def test_the_first_of_two_resolutions_counts(bench: Bench) -> None:
    [letter] = dead_letters_of(bench, 1)
    redrive(bench, [letter])
    forged = b'{"result": "discarded", "at": "2026-01-01T00:00:00Z", "by": "nobody", "reason": "forged"}'
    with Producer("test") as producer:
        producer.publish([OutgoingMessage(resolution_topic(bench.group), letter.coordinates, forged, {})])
    [letter] = find_dead_letters(DeadLetterFilter(group=bench.group), bench.groups, include_resolved=True)
    assert letter.resolution
    assert (letter.resolution.result, letter.resolution.by) == ("redriven", "test")


def test_the_dead_letters_of_a_group_that_is_not_of_this_system_are_not_redriven(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    [letter] = dead_letters_of(bench, 1)
    monkeypatch.delitem(GROUPS, bench.group)
    assert letter.coordinates in command("list", "--group", bench.group)
    with pytest.raises(CommandError, match="can only be discarded"):
        command("redrive", letter.coordinates)
    assert bench.count(bench.topic) == 0


@pytest.mark.parametrize("name", ["\x1b[2J", "\u202e", "\x9b31m", "two\nlines"])
def test_what_would_steer_a_terminal_is_escaped_in_every_form(bench: Bench, name: str) -> None:
    [good] = dead_letters_of(bench, 1)
    with Producer("test") as producer:
        headers = good.headers | {"failure_reason": name, "x": name}
        topic = dead_letter_topic(bench.group)
        producer.publish([OutgoingMessage(topic, name, name.encode(), headers)])
    [_, letter] = unresolved(bench)
    outputs = [
        command("list", "--group", bench.group),
        command("list", "--json", "--group", bench.group),
        command("show", letter.coordinates),
        command("discard", "--dry-run", "--reason", "x", "--group", bench.group, "--key", name),
    ]
    assert all(line.replace("\t", "").isprintable() for output in outputs for line in output.splitlines())
    assert json.loads(outputs[1])[1]["key"] == name
    assert json.loads(outputs[2])["value"] == name


@pytest.mark.parametrize("action", [["redrive"], ["discard", "--reason", "x"]])
def test_resolving_nothing_is_an_error(bench: Bench, action: list[str]) -> None:
    [letter] = dead_letters_of(bench, 1)
    for selection in (["--key", "none"], ["--key", "none", "--dry-run"]):
        with pytest.raises(CommandError, match="no unresolved dead letter matches"):
            command(*action, "--group", bench.group, *selection)
    with pytest.raises(CommandError, match=r"there is no unresolved dead letter .*/0/99"):
        command(*action, f"{dead_letter_topic(bench.group)}/0/99")
    redrive(bench, [letter])
    with pytest.raises(CommandError, match="is redriven by test already"):
        command(*action, letter.coordinates)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--since", "yesterday"], "argument --since: 'yesterday' is no time such as 2026-11-22"),
        (["list", "--until", "x\x1b"], r"argument --until: 'x\\x1b' is no time such as"),
        (["redrive", "--rate", "0"], "argument --rate: '0' is no whole number of dead letters, 1 or more"),
        (["redrive", "--rate", "fast"], "argument --rate: 'fast' is no whole number"),
    ],
)
def test_a_wrong_option_is_named_with_the_form_that_it_takes(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        command(*arguments)


def test_a_dead_letter_of_unknown_origin_can_only_be_discarded(bench: Bench) -> None:
    bench.kafka_client.send(dead_letter_topic(bench.group), "1", b"1")
    [letter] = unresolved(bench)
    with DeadLetterResolver(bench.group, by="test") as resolver:
        with pytest.raises(CannotBeRedriven):
            resolver.redrive([letter])
        assert resolver.discard([letter], "not ours") == 1


def test_a_transaction_with_a_message_that_kafka_rejects_resolves_nothing(bench: Bench) -> None:
    letters = dead_letters_of(bench, 2)
    too_large = letters[0].headers | {"large": b"x" * 1_060_000}
    rejected = msgspec.structs.replace(letters[0], headers=too_large)
    with DeadLetterResolver(bench.group, by="test") as resolver, pytest.raises(ResolutionRejected):
        resolver.redrive([rejected, letters[1]])
    assert redrive(bench, unresolved(bench)) == 2


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (["--key", "3"], [3]),
        (["--reason", "NUMBER 4"], [4]),
        (["--reason", "arithmetic"], [0, 1, 2, 3, 4]),
        (["--topic", "another.topic"], []),
        (["--since", "2126-01-01"], []),
        (["--until", "2126-01-01T00:00:00Z"], [0, 1, 2, 3, 4]),
        (["--until", "2026-01-01"], []),
    ],
)
def test_list_filters(bench: Bench, filters: list[str], numbers: list[int]) -> None:
    dead_letters_of(bench, 5)
    listed = json.loads(command("list", "--json", "--group", bench.group, *filters))
    assert [int(letter["key"]) for letter in listed] == numbers


def test_the_dead_letters_of_all_groups_are_found_with_two_clients(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    class CountedConsumer(Consumer):
        def __init__(self, config: dict[str, Any]) -> None:
            begun.append(config["group.id"])
            super().__init__(config)

    letters = dead_letters_of(bench, 2)
    monkeypatch.setattr(topic_reader, "Consumer", CountedConsumer)
    found = find_dead_letters(DeadLetterFilter(), {**GROUPS, **bench.groups})
    assert [letter for letter in found if letter.group == bench.group] == letters
    # One lists the topics and one reads them all; one for each topic waited for them one after the other.
    assert len(begun) == 2


def test_list_shows_unresolved_ones_only_unless_all_are_asked_for(bench: Bench) -> None:
    letters = dead_letters_of(bench, 2)
    redrive(bench, letters[:1])
    assert [each["key"] for each in json.loads(command("list", "--json", "--group", bench.group))] == ["1"]
    everything = json.loads(command("list", "--json", "--all", "--group", bench.group))
    assert [each["settled"].split()[0] if each["settled"] else "" for each in everything] == ["redriven", ""]


def test_show_prints_headers_value_and_error_of_a_dead_letter(bench: Bench) -> None:
    letters = dead_letters_of(bench, 2)
    shown = json.loads(command("show", letters[1].coordinates))
    assert shown["value"] == "1"
    assert shown["failure"]["reason"] == "number 1"
    assert shown["headers"]["failure_topic"] == bench.topic
    with pytest.raises(CommandError, match="there is no dead letter"):
        command("show", f"{dead_letter_topic(bench.group)}/0/99")


def test_a_dry_run_resolves_nothing(bench: Bench) -> None:
    letters = dead_letters_of(bench, 2)
    assert "2 would be redriven" in command("redrive", "--group", bench.group, "--dry-run")
    assert "1 would be discarded" in command("discard", letters[0].coordinates, "--dry-run", "--reason", "x")
    assert len(unresolved(bench)) == 2


def test_one_dead_letter_can_be_redriven_alone(bench: Bench) -> None:
    letters = dead_letters_of(bench, 3)
    assert "1 redriven" in command("redrive", letters[1].coordinates)
    assert [letter.key_text for letter in unresolved(bench)] == ["0", "2"]


def test_a_redrive_without_a_selection_is_refused(bench: Bench) -> None:
    with pytest.raises(CommandError, match="say which ones"):
        command("redrive")


def test_a_rate_spreads_the_redriven_messages_over_time(bench: Bench) -> None:
    dead_letters_of(bench, 30)
    began = time.monotonic()
    assert "30 redriven" in command("redrive", "--group", bench.group, "--rate", "20")
    assert time.monotonic() - began >= 1


def test_a_thousand_dead_letters_are_listed_in_seconds_and_handled_once_after_a_redrive(bench: Bench) -> None:
    dead_letters_of(bench, 1000)
    began = datetime.now(UTC)
    assert len(json.loads(command("list", "--json", "--group", bench.group))) == 1000
    assert datetime.now(UTC) - began < timedelta(seconds=2)
    assert "1000 redriven" in command("redrive", "--group", bench.group)
    bench.start()
    bench.wait_until_handled(*range(1000))
    bench.wait_until_committed()
    assert sorted(bench.numbers) == list(range(1000))
