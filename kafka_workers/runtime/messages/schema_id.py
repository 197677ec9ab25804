"""The header with the id of a value's schema. Web processes import it too, without the Kafka client."""

SCHEMA_ID_HEADER = "__value_schema_id"
"""As Confluent's serializers write it and its deserializers read it."""
