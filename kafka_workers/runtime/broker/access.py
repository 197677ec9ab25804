"""Users and access control lists (ACLs) on the broker: comparing and granting them."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from enum import StrEnum
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)
from msgspec import Struct

from kafka_workers.runtime.broker.client_config import client_config
from kafka_workers.runtime.broker.timeouts import ANSWER_SECONDS
from kafka_workers.runtime.broker.topic_reader import require_answer
from kafka_workers.runtime.exceptions import BrokerUnavailable

T = TypeVar("T")

SCRAM_ITERATIONS = 8192


class ResourceKind(StrEnum):
    """What a permission is about; the names are librdkafka's."""

    TOPIC = "TOPIC"
    GROUP = "GROUP"
    TRANSACTIONAL_ID = "TRANSACTIONAL_ID"


class Operation(StrEnum):
    """What is permitted; the names are librdkafka's. READ and WRITE imply DESCRIBE."""

    READ = "READ"
    WRITE = "WRITE"
    CREATE = "CREATE"
    DESCRIBE = "DESCRIBE"
    DESCRIBE_CONFIGS = "DESCRIBE_CONFIGS"
    ALTER_CONFIGS = "ALTER_CONFIGS"
    ALTER = "ALTER"


class Permission(Struct, frozen=True, order=True):
    """A user may do this to the topic, group or transactional id of this name, from any host."""

    user: str
    kind: ResourceKind
    name: str
    operation: Operation

    def __str__(self) -> str:
        return f"User:{self.user} may {self.operation} the {self.kind.replace('_', ' ').lower()} {self.name}"


class AccessControlRejected(Exception):
    """The broker rejects a request about users or permissions, or does not support it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"users and permissions cannot be managed: {reason}")
        self.reason = reason


class AccessReport(Struct, frozen=True):
    """Permissions that were missing, and a sentence for each further ACL of these users."""

    missing: list[Permission]
    others: list[str]


class AccessControl:
    """Manages users and permissions, as the user of the settings.

    All methods raise BrokerUnavailable and AccessControlRejected.
    """

    def __init__(self) -> None:
        self._admin = AdminClient(client_config("kafka-access"))

    def compare(self, permissions: Sequence[Permission]) -> AccessReport:
        """Which permissions are missing on the broker, and which others the same users have."""
        require_answer(self._admin)
        users = {permission.user for permission in permissions}
        wanted = {AclBinding(*acl_of(permission)): permission for permission in permissions}
        existing = {binding for user in users for binding in self._existing(user)}
        missing = sorted(permission for binding, permission in wanted.items() if binding not in existing)
        return AccessReport(missing, sorted(_sentence(binding) for binding in existing - wanted.keys()))

    def grant(self, permissions: Sequence[Permission]) -> None:
        """Create these permissions; existing ones stay."""
        if bindings := [AclBinding(*acl_of(permission)) for permission in permissions]:
            _await(self._admin.create_acls(bindings, request_timeout=ANSWER_SECONDS).values())

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Create users, or change their passwords, for SCRAM-SHA-512; open connections stay open."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ITERATIONS)
        changes: list[UserScramCredentialAlteration] = [
            UserScramCredentialUpsertion(user, info, password.encode())
            for user, password in passwords.items()
        ]
        if changes:
            require_answer(self._admin)
            answers = self._admin.alter_user_scram_credentials(changes, request_timeout=ANSWER_SECONDS)
            _await(answers.values())

    def _existing(self, user: str) -> list[AclBinding]:
        any_acl = AclBindingFilter(
            ResourceType.ANY,
            None,  # type: ignore[arg-type] # any name, as the client's documentation says
            ResourcePatternType.ANY,
            f"User:{user}",
            None,  # type: ignore[arg-type] # any host
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        request: Future[list[AclBinding]] = self._admin.describe_acls(any_acl, request_timeout=ANSWER_SECONDS)
        return _await([request])[0]


def acl_of(
    permission: Permission,
) -> tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]:
    """The permission as arguments of the client's AclBinding and AclBindingFilter."""
    return (
        ResourceType[permission.kind],
        permission.name,
        ResourcePatternType.LITERAL,
        f"User:{permission.user}",
        "*",
        AclOperation[permission.operation],
        AclPermissionType.ALLOW,
    )


def _sentence(binding: AclBinding) -> str:
    verb = "may" if binding.permission_type == AclPermissionType.ALLOW else "must not"
    kind = ResourceType(binding.restype).name.replace("_", " ").lower()
    operation = AclOperation(binding.operation).name
    return f"{binding.principal} {verb} {operation} the {kind} {binding.name} from {binding.host}"


def _await(futures: Iterable[Future[T]]) -> list[T]:
    """The results of all requests. Raises BrokerUnavailable and AccessControlRejected."""
    try:
        return [future.result() for future in futures]
    except KafkaException as exception:
        error: KafkaError = exception.args[0]
        if error.retriable() or error.code() < 0:
            raise BrokerUnavailable(error.str()) from exception
        raise AccessControlRejected(error.str()) from exception
