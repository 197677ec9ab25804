"""What the broker does not let us do, in one sentence: who lacks which right on what."""

from confluent_kafka import KafkaError
from django.conf import settings

from kafka_workers.runtime.exceptions import AccessDenied, BrokerUnavailable

_KINDS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "group",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "transactional id",
    # What an idempotent producer is told that may write to no topic at all.
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "topic",
}
# All that a client tells of the first error that made it unusable is its text.
_FATAL_GROUP = "Group authorization failed"


def principal() -> str:
    """Who we are to the broker."""
    if settings.KAFKA_SASL_USERNAME:
        return f"User:{settings.KAFKA_SASL_USERNAME}"
    if settings.KAFKA_SSL_CERTIFICATE:
        return f"The holder of {settings.KAFKA_SSL_CERTIFICATE}"
    return "User:ANONYMOUS"


def code_of(error: KafkaError) -> int:
    """The error's code; of a group that turned us out the code of that, not of the client's end."""
    if error.code() == KafkaError._FATAL and _FATAL_GROUP in error.str():  # noqa: SLF001
        return KafkaError.GROUP_AUTHORIZATION_FAILED
    return error.code()


def is_denial(error: KafkaError) -> bool:
    """Whether an ACL is what is missing."""
    return code_of(error) in _KINDS


def denial(error: KafkaError, operation: str, name: str) -> str:
    """The sentence about an error for which `is_denial` holds."""
    return f"{principal()} may not {operation} the {_KINDS[code_of(error)]} {name}: no ACL allows it"


def unavailable(error: KafkaError, operation: str, name: str) -> BrokerUnavailable:
    """The exception for an error met while doing this to what has that name."""
    if is_denial(error):
        return AccessDenied(denial(error, operation, name))
    return BrokerUnavailable(error.str())


def locked_out(error: KafkaError) -> str:
    """The sentence about a connection that did not come about."""
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
        # A broker that does not take a certificate hangs up, and says no more.
        ours = settings.KAFKA_SSL_CERTIFICATE
        return f"{text}, or do not take the certificate of KAFKA_SSL_CERTIFICATE ({ours})"
    return text
