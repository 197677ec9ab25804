"""A worker that the broker refuses logs one sentence and continues when the permission is granted."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from structlog.types import EventDict

from devtools.driver.shop import eventually
from kafka_workers.contract.principals import resolving_permissions
from kafka_workers.relay.outbox_relay import OutboxRelay
from kafka_workers.runtime.broker import lag
from kafka_workers.runtime.broker.access import Operation, Permission, ResourceKind
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.dead_letters.letters import DeadLetterFilter, find_dead_letters
from kafka_workers.runtime.dead_letters.resolver import (
    DeadLetterResolver,
    ResolutionRejected,
    resolver_transactional_id,
)
from kafka_workers.runtime.exceptions import AccessDenied
from kafka_workers.runtime.group_topics import dead_letter_topic, resolution_topic, retry_topic
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing.producer import Producer
from orders_app import event_log
from orders_app.event_log import RELAY_READER
from tests.certificates import Authority
from tests.concurrency import running
from tests.kafka_workers.contract.conftest import WorkerAccess
from tests.kafka_workers.relay import log_entries
from tests.kafka_workers.runtime.workbench import Bench

NUMBERS = range(5)


def lines(captured_log: list[EventDict], sentence: str) -> int:
    """How many lines of the log have this sentence."""
    return sum(sentence in str(entry) for entry in captured_log)


def wait_for_line(captured_log: list[EventDict], sentence: str) -> None:
    eventually(lambda: lines(captured_log, sentence), f"the line {sentence!r}", seconds=30)


def sentence_about(permission: Permission) -> str:
    kind = permission.kind.replace("_", " ").lower()
    what = f"{kind} {permission.name}"
    return f"User:{permission.user} may not {permission.operation} the {what}: no ACL allows it"


def without(permissions: Iterable[Permission], missing: Permission) -> list[Permission]:
    rest = [permission for permission in permissions if permission != missing]
    assert missing in permissions
    return rest


def need(worker_access: WorkerAccess, kind: str) -> Permission:
    """One of the permissions that a worker needs."""
    return {
        "topic read": Permission(
            worker_access.user, ResourceKind.TOPIC, worker_access.bench.topic, Operation.READ
        ),
        "topic write": Permission(
            worker_access.user, ResourceKind.TOPIC, worker_access.bench.answer_topic, Operation.WRITE
        ),
        "group read": Permission(
            worker_access.user, ResourceKind.GROUP, worker_access.bench.group, Operation.READ
        ),
    }[kind]


def start(bench: Bench) -> None:
    """Starts a worker that answers each number with itself and fails for negative ones."""

    def answer(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        bench.handle(batch)
        if any(decoded.value < 0 for decoded in batch):
            raise ValueError("negative")
        return [OutgoingMessage(bench.answer_topic, str(decoded.value), b"1", {}) for decoded in batch]

    bench.start(answer)


def assert_nothing_is_done(bench: Bench) -> None:
    """Checks that no number is answered, committed or a dead letter, and that the worker still tries."""
    assert bench.lag() == len(NUMBERS)
    assert bench.count(bench.answer_topic, dead_letter_topic(bench.group)) == 0
    assert bench.workers[0].is_alive


def assert_all_is_done(bench: Bench) -> None:
    """Checks that the same worker answers and commits every number, and that there is no dead letter."""
    answers = bench.kafka_client.read(
        [bench.answer_topic], lambda records: {record.key for record in records} >= set(map(str, NUMBERS)), 40
    )
    assert {record.key for record in answers} == set(map(str, NUMBERS))
    eventually(bench.is_committed, "everything committed", seconds=30)
    assert bench.workers[0].is_alive
    assert bench.count(dead_letter_topic(bench.group)) == 0


@pytest.mark.parametrize("is_visible", [False, True], ids=["out of sight", "in sight"])
@pytest.mark.parametrize("kind", ["topic read", "topic write", "group read"])
def test_a_missing_acl_is_logged_once_and_the_worker_resumes_when_it_is_granted(
    worker_access: WorkerAccess, captured_log: list[EventDict], kind: str, is_visible: bool
) -> None:
    bench = worker_access.bench
    missing = need(worker_access, kind)
    worker_access.grant(*without(worker_access.needs, missing))
    if is_visible:
        worker_access.grant(Permission(worker_access.user, missing.kind, missing.name, Operation.DESCRIBE))
    bench.send(*NUMBERS)
    start(bench)
    wait_for_line(captured_log, sentence_about(missing))
    assert_nothing_is_done(bench)
    worker_access.grant(missing)
    assert_all_is_done(bench)
    assert lines(captured_log, sentence_about(missing)) == 1


@pytest.mark.parametrize("attempts", [1, 4], ids=["retry", "dead letter"])
def test_a_failed_message_waits_until_the_worker_may_write_the_dead_letter(
    worker_access: WorkerAccess, captured_log: list[EventDict], attempts: int
) -> None:
    bench = worker_access.bench
    topic = dead_letter_topic(bench.group) if attempts > 3 else retry_topic(bench.group, attempts)
    missing = Permission(worker_access.user, ResourceKind.TOPIC, topic, Operation.WRITE)
    worker_access.grant(*without(worker_access.needs, missing))
    bench.send(-1)
    start(bench)
    wait_for_line(captured_log, sentence_about(missing))
    assert bench.count(topic) == 0
    assert bench.workers[0].is_alive
    worker_access.grant(missing)
    [letter] = bench.dead_letters(1)
    assert (letter.key, letter.value) == ("-1", b"-1")
    assert lines(captured_log, sentence_about(missing)) == 1


@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "handling a batch"])
@pytest.mark.parametrize("kind", ["topic read", "topic write", "group read"])
def test_revoking_an_acl_ends_no_worker(
    worker_access: WorkerAccess, captured_log: list[EventDict], kind: str, is_busy: bool
) -> None:
    bench = worker_access.bench
    right = need(worker_access, kind)
    worker_access.grant(*worker_access.needs)
    taken = threading.Event()

    def answer(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        bench.handle(batch)
        assert taken.wait(15)
        return [OutgoingMessage(bench.answer_topic, str(decoded.value), b"1", {}) for decoded in batch]

    bench.start(answer)
    bench.send(0)
    bench.wait_until_handled(0)
    if not is_busy:
        taken.set()
        bench.wait_until_committed()
    worker_access.revoke(right)
    taken.set()
    bench.send(*NUMBERS[1:])
    wait_for_line(captured_log, sentence_about(right))
    assert bench.lag() == len(NUMBERS) - (not is_busy)
    worker_access.grant(right)
    assert_all_is_done(bench)


@pytest.mark.parametrize("fault", ["wrong password", "unknown user"])
def test_a_worker_with_a_wrong_password_logs_it_once_and_works_when_it_is_right(
    worker_access: WorkerAccess, captured_log: list[EventDict], fault: str
) -> None:
    bench = worker_access.bench
    if fault == "unknown user":
        worker_access.user = f"{worker_access.user}-unknown"
    worker_access.grant(*worker_access.needs)
    worker_access.log_in(password="another-password")
    bench.send(*NUMBERS)
    start(bench)
    sentence = f"Kafka does not let User:{worker_access.user} in"
    wait_for_line(captured_log, sentence)
    assert_nothing_is_done(bench)
    # Counted now: once a client of the worker is let in, another one may still report its last failure.
    assert lines(captured_log, sentence) == 1
    # The settings of the test keep the password of the worker: the broker's password is corrected.
    worker_access.set_password("another-password")
    assert_all_is_done(bench)
    assert lines(captured_log, "another-password") == 0


def test_a_broker_with_a_certificate_of_another_authority_is_not_trusted(
    worker_access: WorkerAccess,
    captured_log: list[EventDict],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    bench = worker_access.bench
    worker_access.grant(*worker_access.needs)
    # With the same name, as after a change of keys: the client logs most about this case.
    worker_access.use({"KAFKA_SSL_CA": str(Authority(tmp_path).certificate)})
    bench.send(*NUMBERS)
    start(bench)
    sentence = "The brokers' certificate is not signed by the authority of KAFKA_SSL_CA"
    wait_for_line(captured_log, sentence)
    assert_nothing_is_done(bench)
    bench.workers.pop().end()
    assert lines(captured_log, sentence) == 1
    assert [record for record in caplog.records if record.name == "librdkafka"] == []
    worker_access.log_in()
    start(bench)
    assert_all_is_done(bench)


@pytest.mark.django_db(transaction=True)
def test_a_relay_without_write_permission_keeps_its_position_and_publishes_when_it_is_granted(
    worker_access: WorkerAccess, captured_log: list[EventDict]
) -> None:
    topics = ("order.created", "inventory.reserve")
    order = log_entries.new_order_id()
    log_entries.append(log_entries.created(order))
    with Producer("relay") as producer, running(OutboxRelay(producer).run):
        for topic in topics:
            missing = Permission(worker_access.user, ResourceKind.TOPIC, topic, Operation.WRITE)
            before = worker_access.bench.count(topic)
            wait_for_line(captured_log, sentence_about(missing))
            assert event_log.stored_position(RELAY_READER) == event_log.START
            assert worker_access.bench.count(topic) == before
            worker_access.grant(missing)
        eventually(lambda: event_log.stored_position(RELAY_READER) == event_log.end_position(), "all sent")
    for topic in topics:
        assert worker_access.bench.kafka_client.of_order(str(order), topic)
        assert lines(captured_log, f"WRITE the topic {topic}") == 1


def test_a_denied_producer_names_the_topic(worker_access: WorkerAccess) -> None:
    bench = worker_access.bench
    worker_access.grant(
        Permission(worker_access.user, ResourceKind.TOPIC, bench.answer_topic, Operation.DESCRIBE)
    )
    missing = Permission(worker_access.user, ResourceKind.TOPIC, bench.answer_topic, Operation.WRITE)
    message = OutgoingMessage(bench.answer_topic, "1", b"1", {})
    with Producer("nowhere") as producer:
        with pytest.raises(AccessDenied, match=sentence_about(missing)):
            producer.publish([message])
        assert bench.count(bench.answer_topic) == 0
        worker_access.grant(missing)
        producer.publish([message])
    assert bench.count(bench.answer_topic) == 1


def test_a_denied_resolution_is_reported_and_the_dead_letter_stays_unresolved(
    worker_access: WorkerAccess,
) -> None:
    bench = worker_access.bench
    group, groups = bench.group, bench.groups
    bench.send(b"no number")
    worker_access.grant(*worker_access.needs)
    start(bench)
    bench.dead_letters(1)
    bench.workers.pop().end()
    worker_access.revoke(*worker_access.needs)
    on_id = Permission(
        worker_access.user, ResourceKind.TRANSACTIONAL_ID, resolver_transactional_id(group), Operation.WRITE
    )
    on_topic = Permission(worker_access.user, ResourceKind.TOPIC, bench.topic, Operation.WRITE)
    needs = list(resolving_permissions(worker_access.user, group, [bench.topic]))
    worker_access.grant(*without(without(needs, on_id), on_topic))
    letters = find_dead_letters(DeadLetterFilter(group=group), groups)
    assert len(letters) == 1
    for missing, refusal in ((on_id, AccessDenied), (on_topic, ResolutionRejected)):
        with (
            pytest.raises(refusal, match=sentence_about(missing)),
            DeadLetterResolver(group, by="the test") as resolver,
        ):
            resolver.redrive(letters)
        assert find_dead_letters(DeadLetterFilter(group=group), groups) == letters
        assert bench.count(bench.topic) == 1
        worker_access.grant(missing)
    with DeadLetterResolver(group, by="the test") as resolver:
        assert resolver.redrive(letters) == 1
    assert find_dead_letters(DeadLetterFilter(group=group), groups) == []


def test_denied_access_to_dead_letters_is_not_taken_for_an_empty_list(worker_access: WorkerAccess) -> None:
    group, groups = worker_access.bench.group, worker_access.bench.groups
    for topic in (resolution_topic(group), dead_letter_topic(group)):
        missing = Permission(worker_access.user, ResourceKind.TOPIC, topic, Operation.READ)
        with pytest.raises(AccessDenied, match=sentence_about(missing)):
            find_dead_letters(DeadLetterFilter(group=group), groups)
        worker_access.grant(missing)
    assert find_dead_letters(DeadLetterFilter(group=group), groups) == []
    with pytest.raises(CommandError, match=f"User:{worker_access.user} may not READ the topic .*dlq"):
        call_command("dead_letters", "list")


def test_denied_access_to_the_lag_is_not_taken_for_zero(
    worker_access: WorkerAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "ANSWER_SECONDS", 2)
    group, topic = worker_access.bench.group, worker_access.bench.topic
    on_group = Permission(worker_access.user, ResourceKind.GROUP, group, Operation.DESCRIBE)
    on_topic = Permission(worker_access.user, ResourceKind.TOPIC, topic, Operation.DESCRIBE)
    worker_access.bench.send(*NUMBERS)
    for granted, missing in (([], on_topic), ([on_topic], on_group)):
        worker_access.grant(*granted)
        with pytest.raises(AccessDenied, match=sentence_about(missing)):
            lag.read_lag({group: [topic]})
    worker_access.grant(on_group)
    assert sum(each.lag for each in lag.read_lag({group: [topic]})) == len(NUMBERS)


def test_a_password_is_rotated_while_broker_and_worker_run(
    worker_access: WorkerAccess, captured_log: list[EventDict]
) -> None:
    bench = worker_access.bench
    worker_access.grant(*worker_access.needs)
    start(bench)
    bench.send(0)
    bench.wait_until_handled(0)
    bench.wait_until_committed()
    worker_access.set_password("the-new-password")
    bench.send(1, 2)
    bench.wait_until_handled(1, 2)
    assert lines(captured_log, "does not let") == 0
    bench.workers.pop().end()
    start(bench)
    wait_for_line(captured_log, f"Kafka does not let User:{worker_access.user} in")
    bench.workers.pop().end()
    worker_access.log_in(password="the-new-password")
    start(bench)
    bench.send(3, 4)
    assert_all_is_done(bench)


def test_a_client_certificate_gives_the_same_acls(worker_access: WorkerAccess) -> None:
    bench = worker_access.bench
    certificate, key = worker_access.broker.authority.issue(worker_access.user)
    worker_access.log_in_by_certificate(certificate, key)
    sentence = f"The holder of {certificate} may not WRITE the topic {bench.answer_topic}"
    with Producer("mtls") as producer, pytest.raises(AccessDenied, match=sentence):
        producer.publish([OutgoingMessage(bench.answer_topic, "1", b"1", {})])
    assert bench.count(bench.answer_topic) == 0
    worker_access.grant(*worker_access.needs)
    bench.send(*NUMBERS)
    start(bench)
    assert_all_is_done(bench)


def test_a_certificate_of_another_authority_is_refused(
    worker_access: WorkerAccess, captured_log: list[EventDict], tmp_path: Path
) -> None:
    bench = worker_access.bench
    worker_access.grant(*worker_access.needs)
    certificate, key = Authority(tmp_path, "another").issue(worker_access.user)
    worker_access.log_in_by_certificate(certificate, key)
    bench.send(*NUMBERS)
    start(bench)
    sentence = f"or do not take the certificate of KAFKA_SSL_CERTIFICATE ({certificate})"
    wait_for_line(captured_log, sentence)
    assert_nothing_is_done(bench)
    assert lines(captured_log, sentence) == 1
