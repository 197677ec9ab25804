"""Errors of the Kafka client, as exceptions and as sentences that an operator can act on."""

from confluent_kafka import KafkaError
from django.conf import settings

from kafka_workers.runtime.exceptions import AccessDenied, BrokerUnavailable

_RESOURCES = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "group",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "transactional id",
    # The error of an idempotent producer that may write to no topic at all.
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "topic",
}
UNKNOWN_TOPIC = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.UNKNOWN_TOPIC_ID}
"""What a broker answers about a topic that is not there."""
# When an error makes the client unusable, its text is all that the client tells about it.
_FATAL_GROUP = "Group authorization failed"


def principal() -> str:
    """The user that the broker knows this process by."""
    if settings.KAFKA_SASL_USERNAME:
        return f"User:{settings.KAFKA_SASL_USERNAME}"
    if settings.KAFKA_SSL_CERTIFICATE:
        return f"The holder of {settings.KAFKA_SSL_CERTIFICATE}"
    return "User:ANONYMOUS"


def error_code(error: KafkaError) -> int:
    """The error's code; for a client that became unusable by a missing group ACL, the code of that."""
    if error.code() == KafkaError._FATAL and _FATAL_GROUP in error.str():  # noqa: SLF001
        return KafkaError.GROUP_AUTHORIZATION_FAILED
    return error.code()


def is_missing_acl(error: KafkaError) -> bool:
    """Whether the cause is an ACL that does not exist."""
    return error_code(error) in _RESOURCES


def describe_missing_acl(error: KafkaError, operation: str, name: str) -> str:
    """The sentence about an error for which `is_missing_acl` holds: who may not do what."""
    return f"{principal()} may not {operation} the {_RESOURCES[error_code(error)]} {name}: no ACL allows it"


def exception_for(error: KafkaError, operation: str, name: str) -> BrokerUnavailable:
    """The exception for an error of this operation on the resource of this name."""
    if is_missing_acl(error):
        return AccessDenied(describe_missing_acl(error, operation, name))
    return BrokerUnavailable(error.str())


def describe_connection_error(error: KafkaError) -> str:
    """The sentence about a failed attempt to connect, with the setting that is likely to be wrong."""
    text = error.str()
    if error.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001
        return (
            f"Kafka does not let {principal()} in: KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD or "
            "KAFKA_SASL_MECHANISM is not what the brokers know"
        )
    if error.code() == KafkaError._SSL and "certificate verify failed" in text:  # noqa: SLF001
        trusted = settings.KAFKA_SSL_CA or "those of this machine"
        return f"The brokers' certificate is not signed by the authority of KAFKA_SSL_CA ({trusted})"
    if settings.KAFKA_SSL_CERTIFICATE:
        # A broker that rejects a client's certificate closes the connection without a reason.
        ours = settings.KAFKA_SSL_CERTIFICATE
        return f"{text}, or do not take the certificate of KAFKA_SSL_CERTIFICATE ({ours})"
    return text
