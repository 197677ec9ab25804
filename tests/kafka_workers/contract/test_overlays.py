"""The overlays of deploy/kubernetes as kustomize renders them; operators' resources by their own schemas."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from devtools.go_programs import NoGoProgram
from devtools.kustomize import render
from devtools.strimzi_schemas import NoStrimziSchemas, strimzi_schemas
from tests.kafka_workers.contract.kubernetes_manifests import (
    CUSTOM_KINDS,
    FOLDER,
    Manifest,
    containers_of,
    manifests_in,
    of_kind,
)
from tests.kafka_workers.contract.test_manifests import DEPLOYMENTS, KUBERNETES, OVERLAYS
from tests.node_packages import installed

STRIMZI = "kafka.strimzi.io/v1"
OPERATORS = Path(__file__).parent / "operators"


@pytest.fixture(scope="module", params=OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> list[Manifest]:
    """Everything that an overlay applies."""
    try:
        return [*yaml.safe_load_all(render(FOLDER / "overlays" / request.param))]
    except NoGoProgram as error:
        pytest.skip(str(error))


@pytest.mark.go
@pytest.mark.timeout(900)
def test_everything_is_valid_for_kubernetes_and_in_one_namespace(rendered: list[Manifest]) -> None:
    assert {each["kind"] for each in rendered} > {"Deployment", "Job", "Ingress", "Kafka", "NetworkPolicy"}
    for manifest in rendered:
        if manifest["kind"] not in CUSTOM_KINDS:
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
        if manifest["kind"] != "Namespace":
            assert manifest["metadata"]["namespace"] == "stockbridge"


@pytest.mark.go
@pytest.mark.timeout(900)
def test_every_process_has_the_image_of_the_overlay_and_its_settings(rendered: list[Manifest]) -> None:
    deployments = of_kind(rendered, "Deployment")
    assert deployments.keys() == DEPLOYMENTS.keys()
    maps = of_kind(rendered, "ConfigMap")
    with_pods = [*deployments.values(), *(it for it in rendered if it["kind"] in {"Job", "CronJob"})]
    for manifest in with_pods:
        for container in containers_of(manifest):
            assert container["image"] == "registry.example.com/stockbridge:0.1.0"
            assert container["envFrom"][0]["configMapRef"]["name"] in maps


@pytest.mark.go
@pytest.mark.timeout(900)
def test_the_host_of_the_settings_is_that_of_the_front_door(rendered: list[Manifest]) -> None:
    [host] = [
        each["data"]["SHOP_HOST"]
        for each in of_kind(rendered, "ConfigMap").values()
        if "SHOP_HOST" in each["data"]
    ]
    door = of_kind(rendered, "Ingress")["shop"]["spec"]
    assert (door["rules"][0]["host"], door["tls"][0]["hosts"]) == (host, [host])


@pytest.mark.go
@pytest.mark.timeout(900)
def test_kafka_and_its_users_are_valid_for_strimzi(rendered: list[Manifest]) -> None:
    try:
        schemas = strimzi_schemas(STRIMZI)
    except NoStrimziSchemas as error:
        pytest.skip(str(error))
    of_strimzi = [each for each in rendered if each["apiVersion"] == STRIMZI]
    assert {each["kind"] for each in of_strimzi} == schemas.keys()
    for manifest in of_strimzi:
        jsonschema.validate(manifest, closed(schemas[manifest["kind"]]), jsonschema.Draft202012Validator)


def closed(schema: Any) -> Any:
    """The same schema, in which an object has no other fields than those that it names."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    is_object = schema.get("type") == "object" and isinstance(schema.get("properties"), Mapping)
    if is_object and schema["properties"] and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found["additionalProperties"] = False
    return found


@pytest.mark.node
@pytest.mark.timeout(400)
def test_autoscalers_of_consumers_and_alerts_are_valid_for_keda_and_the_prometheus_operator() -> None:
    monitoring = ("components/monitoring/pod-monitors.yaml", "components/monitoring/prometheus-rules.yaml")
    manifests = manifests_in("overlays/production/scaled-consumers.yaml", *monitoring)
    of_operators = [each for each in manifests if each["kind"] in CUSTOM_KINDS]
    kinds = {"ScaledObject", "TriggerAuthentication", "PodMonitor", "PrometheusRule"}
    assert {each["kind"] for each in of_operators} == kinds
    done = subprocess.run(
        ["node", "validate.mjs"],
        cwd=installed(OPERATORS),
        input=json.dumps(of_operators),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
