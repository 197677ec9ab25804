"""The pod of every process of ours: without rights, on a read-only file system, its secrets by reference.

Names that the operators of Kafka, MongoDB and PostgreSQL give to services and secrets are those of
deploy/kubernetes/stores.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from foundation import secret_files
from kafka_workers.workers import GATEWAY, KAFKA, MAIL_SERVER, MONGODB, POSTGRESQL

Manifest = dict[str, Any]

APPLICATION = "stockbridge"
IMAGE = "stockbridge"
SETTINGS = "stockbridge-settings"
"""The ConfigMap with what is no secret."""
SECRETS = "stockbridge-secrets"
"""The Secret that the people of the installation make; all others come from the operators of the stores."""
METRICS_PORT = 9100
USER_ID = 10001

_REACHES = {
    POSTGRESQL: "postgresql",
    MONGODB: "mongodb",
    KAFKA: "kafka",
    MAIL_SERVER: "mail-server",
    GATEWAY: "payment-gateway",
}
"""By a dependency, the end of the label with which network-policies.yaml lets a pod reach it."""
_CERTIFICATES = "/etc/stockbridge/certificates"
_AUTHORITIES = {
    "postgresql.crt": "stockbridge-postgresql-ca",
    "mongodb.crt": "stockbridge-mongodb-ssl",
    "kafka.crt": "stockbridge-cluster-ca-cert",
}
"""By a file, the secret with the authority that signed the certificates of a store."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """What makes a pod of one process different from the others."""

    name: str
    command: Sequence[str]
    needs: Sequence[str]
    """Dependencies, as the table of workers names them."""
    principal: str = ""
    """The user on the broker; empty where the process does not use Kafka."""
    secrets: Sequence[str] = ()
    """Settings whose values are in the Secret, besides SECRET_KEY."""


def labels(name: str) -> dict[str, str]:
    """What identifies the pods of a process."""
    return {"app.kubernetes.io/name": APPLICATION, "app.kubernetes.io/component": name}


def pod_labels(process: Process) -> dict[str, str]:
    """The same, and what the pods may reach."""
    return labels(process.name) | {f"reaches-{_REACHES[each]}": "true" for each in process.needs}


def pod(process: Process, containers: Sequence[Manifest], first: Sequence[Manifest] = ()) -> Manifest:
    """The specification of a pod with these containers, after those that must end `first`."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            "fsGroup": USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            _spread(process.name, "topology.kubernetes.io/zone"),
            _spread(process.name, "kubernetes.io/hostname"),
        ],
        **({"initContainers": list(first)} if first else {}),
        "containers": list(containers),
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "certificates", "projected": {"sources": [*_authorities()]}},
        ],
    }


def container(process: Process, name: str, command: Sequence[str], memory: str) -> Manifest:
    """A container of a pod; `memory` is what it may take, and half of that is kept for it."""
    return {
        "name": name,
        "image": IMAGE,
        "command": list(command),
        "envFrom": [{"configMapRef": {"name": SETTINGS}}],
        "env": environment(process),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        # No limit of CPU: a process alone on its node may use all of it; otherwise requests share it out.
        "resources": {"requests": {"cpu": "100m", "memory": _half(memory)}, "limits": {"memory": memory}},
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of the container alone
            {"name": "certificates", "mountPath": _CERTIFICATES, "readOnly": True},
        ],
    }


def environment(process: Process) -> list[Manifest]:
    """Its variables besides those of the ConfigMap; one may use those before it."""
    return [
        {"name": "SHOP_HOST", "valueFrom": {"configMapKeyRef": {"name": SETTINGS, "key": "SHOP_HOST"}}},
        _value("PUBLIC_URL", "https://$(SHOP_HOST)"),
        _secret("POSTGRESQL_URI", "stockbridge-postgresql-app", "uri"),
        _value(
            "DATABASE_URL",
            f"$(POSTGRESQL_URI)?sslmode=verify-full&sslrootcert={_CERTIFICATES}/postgresql.crt",
        ),
        _secret("MONGODB_PASSWORD", "stockbridge-mongodb-user", "password"),
        _value(
            "MONGODB_URI",
            "mongodb://stockbridge:$(MONGODB_PASSWORD)@stockbridge-mongodb-rs0:27017/stockbridge"
            f"?replicaSet=rs0&authSource=admin&tls=true&tlsCAFile={_CERTIFICATES}/mongodb.crt",
        ),
        *(_kafka(process.principal) if process.principal else ()),
        _value("METRICS_PORT", str(METRICS_PORT)),
        *(_secret(name, SECRETS, name) for name in ("SECRET_KEY", *process.secrets)),
        *map(_optional_secret, _fallbacks("SECRET_KEY", *process.secrets)),
    ]


def _kafka(principal: str) -> list[Manifest]:
    return [
        _value("KAFKA_SECURITY_PROTOCOL", "SASL_SSL"),
        _value("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512"),
        _value("KAFKA_SSL_CA", f"{_CERTIFICATES}/kafka.crt"),
        _value("KAFKA_SASL_USERNAME", principal),
        _secret("KAFKA_SASL_PASSWORD", principal, "password"),
    ]


def _value(name: str, value: str) -> Manifest:
    return {"name": name, "value": value}


def _secret(name: str, secret: str, key: str) -> Manifest:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _fallbacks(*names: str) -> list[str]:
    """The settings with what is accepted beside these secrets while they are replaced (docs/rotation.md)."""
    return [fallbacks for name in names if (fallbacks := f"{name}_FALLBACKS") in secret_files.SECRETS]


def _optional_secret(name: str) -> Manifest:
    """A secret that is there only while another one is replaced."""
    reference = {"name": SECRETS, "key": name, "optional": True}
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}


def _spread(name: str, topology: str) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": topology,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels(name)},
    }


def _authorities() -> Iterable[Manifest]:
    for file, secret in _AUTHORITIES.items():
        yield {"secret": {"name": secret, "items": [{"key": "ca.crt", "path": file}]}}


def _half(memory: str) -> str:
    return f"{int(memory.removesuffix('Mi')) // 2}Mi"
