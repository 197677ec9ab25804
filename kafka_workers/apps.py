"""The relay, the consumers and their tables as a Django app."""

from django.apps import AppConfig


class KafkaWorkersConfig(AppConfig):
    """Relay and consumers; its tables keep the parked events."""

    name = "kafka_workers"
    verbose_name = "Kafka workers"
