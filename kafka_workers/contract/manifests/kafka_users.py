"""The users on the broker and their ACLs, as resources of Strimzi's user operator."""

from collections.abc import Iterator

from kafka_workers.contract.manifests.pods import Manifest
from kafka_workers.contract.principals import PURPOSES, all_permissions
from kafka_workers.runtime.broker.access import Operation, Permission, ResourceKind
from kafka_workers.runtime.group_topics import retry_number

CLUSTER = "stockbridge"
_KINDS = {
    ResourceKind.TOPIC: "topic",
    ResourceKind.GROUP: "group",
    ResourceKind.TRANSACTIONAL_ID: "transactionalId",
}


def kafka_users() -> Iterator[Manifest]:
    """A KafkaUser for each; its operator makes the password, in a Secret of the user's name."""
    permissions = all_permissions()
    for user in PURPOSES:
        yield {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaUser",
            "metadata": {"name": user, "labels": {"strimzi.io/cluster": CLUSTER}},
            "spec": {
                "authentication": {"type": "scram-sha-512"},
                "authorization": {
                    "type": "simple",
                    "acls": [*_rules([each for each in permissions if each.user == user])],
                },
            },
        }


def _rules(permissions: list[Permission]) -> Iterator[Manifest]:
    operations: dict[tuple[str, str, str], set[str]] = {}
    for permission in permissions:
        operations.setdefault(_resource(permission), set()).add(_operation(permission.operation))
    for (kind, name, pattern), allowed in operations.items():
        yield {
            "resource": {"type": kind, "name": name, "patternType": pattern},
            "operations": sorted(allowed),
        }


def _resource(permission: Permission) -> tuple[str, str, str]:
    """Its kind, name and pattern; of retry topics the prefix: a setting says how many there are."""
    kind, name = _KINDS[permission.kind], permission.name
    number = retry_number(name) if kind == "topic" else 0
    return (kind, name.removesuffix(str(number)), "prefix") if number else (kind, name, "literal")


def _operation(operation: Operation) -> str:
    """As Strimzi writes it: DESCRIBE_CONFIGS is DescribeConfigs."""
    return operation.replace("_", " ").title().replace(" ", "")
