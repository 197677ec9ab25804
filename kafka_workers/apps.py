"""The bridge as a Django app."""

from django.apps import AppConfig


class KafkaWorkersConfig(AppConfig):
    """Relay and consumers; keeps the events that could not be published."""

    name = "kafka_workers"
    verbose_name = "Kafka workers"
