"""`manage.py create_topics`."""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser

from foundation.operator_command import OperatorCommand
from kafka_workers.contract.topics import BUSINESS_TOPICS
from kafka_workers.runtime.broker.topics import (
    Topic,
    add_partitions,
    business_topic,
    create_topics,
    topics_of_group,
)
from kafka_workers.runtime.exceptions import TopicNotCreated
from kafka_workers.workers import GROUPS


class Command(OperatorCommand):
    """Creates the topics that are missing, and adds partitions on request."""

    help = (
        "Create the Kafka topics that are missing, with the settings' partitions, replication and retention, "
        "and correct the retention of existing ones. Safe to run again; prints what it did and what differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--add-partitions",
            action="store_true",
            help="give existing topics with fewer than KAFKA_PARTITIONS as many; orders then move to other "
            "partitions, so read docs/partitions.md first. Partitions cannot be taken away again",
        )

    def handle(self, *_: object, **options: Any) -> None:
        topics = [business_topic(topic.name) for topic in BUSINESS_TOPICS]
        if options["add_partitions"]:
            for sentence in add_partitions(topics):
                self.stdout.write(sentence)
        topics += [topic for group in GROUPS for topic in topics_of_group(group)]
        self._create(topics)

    def _create(self, topics: Sequence[Topic]) -> None:
        try:
            report = create_topics(topics)
        except TopicNotCreated as error:
            raise CommandError(str(error)) from error
        for name in report.created:
            self.stdout.write(f"created {name}")
        for sentence in report.altered:
            self.stdout.write(sentence)
        for sentence in report.differing:
            self.stdout.write(self.style.WARNING(sentence))
        self.stdout.write(f"{len(topics)} topics, {len(report.created)} of them new")
