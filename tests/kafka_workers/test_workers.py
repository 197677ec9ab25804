"""The entries of the table of workers are true."""

import inspect
from typing import get_args

import pytest
from django.core.management import get_commands, load_command_class
from django.utils.module_loading import import_string

from foundation.kill_points import KillPointName
from kafka_workers.contract.principals import PURPOSES
from kafka_workers.contract.topics import BUSINESS_TOPICS
from kafka_workers.management.worker_command import WorkerCommand, help_of
from kafka_workers.runtime.consuming.definition import ConsumerDefinition
from kafka_workers.workers import CONSUMERS, EMAIL, HOLDS, SAGA, WORKERS, Consumer, Worker

each_worker = pytest.mark.parametrize("worker", WORKERS, ids=lambda worker: worker.name)


@each_worker
def test_its_command_runs_it_and_describes_it(worker: Worker) -> None:
    command = load_command_class(get_commands()[worker.command], worker.command)
    assert isinstance(command, WorkerCommand)
    assert command.worker is worker
    described = [*worker.sends, *worker.needs, *getattr(worker, "reads", ())]
    assert [word for word in described if word not in command.help] == []


def test_the_help_of_a_command_lists_what_its_worker_waits_for() -> None:
    assert "Waits while PostgreSQL, Kafka or the mail server is unavailable." in help_of(EMAIL)
    assert "Waits while PostgreSQL is unavailable." in help_of(HOLDS)


@each_worker
def test_its_target_is_a_definition_of_its_group_or_a_function_that_can_be_stopped(worker: Worker) -> None:
    target = import_string(worker.runs.replace(":", "."))
    if isinstance(worker, Consumer):
        assert isinstance(target, ConsumerDefinition)
        assert (target.group, tuple(target.topics)) == (worker.group, worker.reads)
    else:
        assert list(inspect.signature(target).parameters) == ["stop"]


@each_worker
def test_its_topics_exist(worker: Worker) -> None:
    reads = worker.reads if isinstance(worker, Consumer) else ()
    assert {*worker.sends, *reads} <= {topic.name for topic in BUSINESS_TOPICS}


@each_worker
def test_it_passes_only_kill_points_that_exist(worker: Worker) -> None:
    assert {point.name for point in worker.kill_points} <= set(get_args(KillPointName))


@each_worker
def test_it_has_a_user_on_the_broker_exactly_if_it_needs_kafka(worker: Worker) -> None:
    assert (worker.principal in PURPOSES) == ("Kafka" in worker.needs)


@pytest.mark.parametrize("attribute", ["name", "title", "command", "runs"])
def test_no_two_workers_share(attribute: str) -> None:
    values = [getattr(worker, attribute) for worker in WORKERS]
    assert len(set(values)) == len(values)


def test_no_two_consumers_share_a_group() -> None:
    assert len({consumer.group for consumer in CONSUMERS}) == len(CONSUMERS)


def test_every_topic_is_sent_and_all_but_facts_for_others_are_read_by_a_worker() -> None:
    assert [topic.name for topic in BUSINESS_TOPICS if not topic.senders] == []
    unread = [topic.name for topic in BUSINESS_TOPICS if not topic.readers]
    assert [name for name in unread if not name.startswith("order.")] == ["inventory.low"]


def test_each_step_of_the_saga_reads_what_the_steps_before_it_and_workers_beside_it_send() -> None:
    sent = {topic for worker in WORKERS if not worker.saga_step for topic in worker.sends}
    for worker in SAGA:
        if isinstance(worker, Consumer):
            assert set(worker.reads) <= sent
        sent.update(worker.sends)
