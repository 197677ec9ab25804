"""The schema registry of the installation, by Confluent's client.

Importing this takes 0.2 s and some megabytes: only processes with a registry do.
"""

from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    RegisteredSchema,
    Schema,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
)
from confluent_kafka.schema_registry.serde import SchemaId

ANSWER_SECONDS = 5
_JSON_SCHEMA = "JSON"
_INCOMPATIBLE, _INVALID = 409, 422


class RegistryUnavailable(Exception):
    """The registry gives no answer, or none that can be used; another try may succeed."""


class SchemaRefused(Exception):
    """The registry does not take the schema: it is incompatible with the one before it, or invalid."""


class SchemaRegistry:
    """Registers schemas. `url` may hold a user and a password, or several addresses separated by commas."""

    def __init__(self, url: str) -> None:
        self._client = SchemaRegistryClient({"url": url, "timeout": ANSWER_SECONDS, "max.retries": 0})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def register(self, topic: str, schema: str) -> bytes:
        """Register the schema of a topic's values; the header that identifies it for Confluent's clients.

        Later schemas of the topic must be able to read what this one describes (BACKWARD). A schema that is
        registered already keeps its id. Raises SchemaRefused or RegistryUnavailable.
        """
        subject = f"{topic}-value"
        try:
            registered = self._register(subject, schema)
            # Afterwards: some registries know no rule for a subject without a schema.
            self._require_backward(subject)
            return _header(registered)
        except SchemaRefused:
            raise
        except Exception as error:  # of the registry, of HTTP, of TLS, or of an answer that is no registry's
            raise RegistryUnavailable(f"{type(error).__name__}: {error}") from error

    def _register(self, subject: str, schema: str) -> RegisteredSchema:
        try:
            return self._client.register_schema_full_response(subject, Schema(schema, _JSON_SCHEMA))
        except SchemaRegistryError as error:
            if error.http_status_code in (_INCOMPATIBLE, _INVALID):
                raise SchemaRefused(str(error)) from error
            raise

    def _require_backward(self, subject: str) -> None:
        level = ConfigCompatibilityLevel.BACKWARD
        try:
            self._client.set_config(subject, ServerConfig(level))
        except SchemaRegistryError:  # of two processes that set it at the same moment, one is refused
            if self._client.get_config(subject).compatibility_level != level:
                raise


def _header(registered: RegisteredSchema) -> bytes:
    """By the guid, as Confluent's serializers write it; by the id where the registry has no guids."""
    schema_id = SchemaId(_JSON_SCHEMA, registered.schema_id, registered.guid)
    header: bytes = schema_id.guid_to_bytes() if registered.guid else schema_id.id_to_bytes()
    return header
