"""Reads the manifests of deploy/kubernetes, and resolves the variables of a container as a cluster does."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "deploy" / "kubernetes"
CUSTOM_KINDS = {
    "Cluster",
    "Kafka",
    "KafkaNodePool",
    "KafkaUser",
    "PerconaServerMongoDB",
    "PodMonitor",
    "PrometheusRule",
    "ScaledObject",
    "TriggerAuthentication",
}
"""Kinds of operators, of which Kubernetes itself knows nothing."""

Manifest = dict[str, Any]


def manifests_in(*paths: str) -> list[Manifest]:
    """The documents of these files under deploy/kubernetes."""
    return [
        document for path in paths for document in yaml.safe_load_all((FOLDER / path).read_text()) if document
    ]


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Those of this kind, by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def pod_of(manifest: Manifest) -> Manifest:
    """The specification of the pods of a Deployment, a Job or a CronJob."""
    pod: Manifest = template_of(manifest)["spec"]
    return pod


def template_of(manifest: Manifest) -> Manifest:
    """The template of its pods."""
    jobs = manifest["spec"].get("jobTemplate", manifest)
    template: Manifest = jobs["spec"]["template"]
    return template


def containers_of(manifest: Manifest) -> Iterator[Manifest]:
    """Every container of its pods, those that must end first included."""
    pod = pod_of(manifest)
    yield from [*pod.get("initContainers", ()), *pod["containers"]]


def environment_of(container: Manifest, settings_map: Mapping[str, str], secret: str) -> dict[str, str]:
    """The variables of a container; every key of every Secret holds the value `secret`.

    `$(NAME)` is the value of a variable that stands before it under `env`, as in Kubernetes.
    """
    own: dict[str, str] = {}
    for variable in container["env"]:
        own[variable["name"]] = _expand(_value_of(variable, settings_map, secret), own)
    return {**settings_map, **own}


def _value_of(variable: Manifest, settings_map: Mapping[str, str], secret: str) -> str:
    match variable:
        case {"value": str(value)}:
            return value
        case {"valueFrom": {"configMapKeyRef": {"key": str(key)}}}:
            return settings_map[key]
        case {"valueFrom": {"secretKeyRef": {"key": "uri"}}}:
            return "postgresql://stockbridge:word@stockbridge-postgresql-rw.stockbridge:5432/stockbridge"
        case {"valueFrom": {"secretKeyRef": _}}:
            return secret
        case {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}:
            return "10.1.2.3"
    raise AssertionError(f"no value for {variable}")


def _expand(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda found: known[found[1]], text)
