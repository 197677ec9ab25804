"""The outbox relay: publishes the events of the order log to Kafka."""
