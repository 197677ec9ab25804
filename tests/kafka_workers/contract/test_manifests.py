"""The manifests of deploy/kubernetes: valid, true to the table of workers, their settings accepted."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from django.conf import settings

from kafka_workers.contract.manifests.prepare import STEPS
from kafka_workers.contract.principals import PURPOSES, all_permissions
from kafka_workers.runtime.broker.access import Permission
from kafka_workers.workers import CONSUMERS, WORKERS, Worker
from tests.deploy.compose_file import variables_of
from tests.kafka_workers.contract.kubernetes_manifests import (
    CUSTOM_KINDS,
    FOLDER,
    Manifest,
    containers_of,
    environment_of,
    manifests_in,
    of_kind,
    pod_of,
    template_of,
)

KUBERNETES = "1.37"
OVERLAYS = ("one-node", "production")
DEPLOYMENTS = of_kind(manifests_in("base/processes.yaml"), "Deployment")
JOB = of_kind(manifests_in("base/prepare.yaml"), "Job")["prepare"]
AUDITS = of_kind(manifests_in("base/audits.yaml"), "CronJob")
WITH_PODS = [*DEPLOYMENTS.values(), JOB, *AUDITS.values()]
KUSTOMIZATIONS = sorted(path.parent for path in FOLDER.rglob("kustomization.yaml"))
SETTINGS_MAP = variables_of(FOLDER / "base" / "settings.env")

each_worker = pytest.mark.parametrize("worker", WORKERS, ids=lambda worker: worker.name)
each_with_pods = pytest.mark.parametrize("manifest", WITH_PODS, ids=lambda each: each["metadata"]["name"])
each_kustomization = pytest.mark.parametrize("folder", KUSTOMIZATIONS, ids=lambda folder: folder.name)


def resource_files(folder: Path) -> list[str]:
    """The files of a kustomization that hold whole resources, as it lists them."""
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    return [each for each in listed if each.endswith(".yaml")]


@each_kustomization
def test_every_resource_is_valid_for_kubernetes(folder: Path) -> None:
    manifests = manifests_in(*(str((folder / each).relative_to(FOLDER)) for each in resource_files(folder)))
    assert manifests
    for manifest in manifests:
        if manifest["kind"] not in CUSTOM_KINDS:
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


@each_kustomization
def test_every_file_is_a_resource_or_a_patch_of_its_kustomization(folder: Path) -> None:
    text = (folder / "kustomization.yaml").read_text()
    files = {path.name for path in folder.glob("*") if path.is_file()} - {"kustomization.yaml"}
    assert {name for name in files if not re.search(rf"\b{re.escape(name)}\b", text)} == set()


def test_every_worker_has_a_deployment_and_nothing_else_besides_web_and_sockets() -> None:
    assert [*DEPLOYMENTS] == ["web", "sockets", *(worker.name for worker in WORKERS)]


@each_worker
def test_its_deployment_runs_its_command_as_its_user(worker: Worker) -> None:
    (container,) = pod_of(DEPLOYMENTS[worker.name])["containers"]
    assert container["command"] == ["python3", "manage.py", worker.command]
    users = [each["value"] for each in container["env"] if each["name"] == "KAFKA_SASL_USERNAME"]
    assert users == ([worker.principal] if worker.principal else [])
    assert not worker.setting or worker.setting in {each["name"] for each in container["env"]}


def test_every_consumer_is_scaled_by_the_lag_of_each_of_its_topics_and_nothing_else_is() -> None:
    scaled = of_kind(manifests_in("overlays/production/scaled-consumers.yaml"), "ScaledObject")
    found = {
        name: [
            (each["metadata"]["consumerGroup"], each["metadata"]["topic"]) for each in it["spec"]["triggers"]
        ]
        for name, it in scaled.items()
    }
    assert found == {each.name: [(each.group, topic) for topic in each.reads] for each in CONSUMERS}
    assert all(each["spec"]["scaleTargetRef"]["name"] == name for name, each in scaled.items())


def test_the_alerts_of_the_prometheus_operator_are_those_of_prometheus() -> None:
    [rules] = manifests_in("components/monitoring/prometheus-rules.yaml")
    files = (Path(settings.BASE_DIR) / "deploy" / "prometheus" / "rules").glob("*.yml")
    groups = [group for path in sorted(files) for group in yaml.safe_load(path.read_text())["groups"]]
    assert len(groups) >= 4
    assert rules["spec"]["groups"] == groups


def test_the_prometheus_operator_scrapes_the_pods_that_have_metrics_and_no_others() -> None:
    [monitor] = manifests_in("components/monitoring/pod-monitors.yaml")
    selector = monitor["spec"]["selector"]
    [excluded] = selector["matchExpressions"]
    assert (excluded["key"], excluded["operator"]) == ("app.kubernetes.io/component", "NotIn")
    scraped = {
        manifest["metadata"]["name"]
        for manifest in WITH_PODS
        if selector["matchLabels"].items() <= (labels := template_of(manifest)["metadata"]["labels"]).items()
        and labels[excluded["key"]] not in excluded["values"]
    }
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    ports = {
        manifest["metadata"]["name"]
        for manifest in WITH_PODS
        for port in pod_of(manifest)["containers"][0].get("ports", ())
        if port["name"] == endpoint["port"]
    }
    assert scraped == ports == {*DEPLOYMENTS}


def test_no_number_of_replicas_stands_where_an_autoscaler_sets_it() -> None:
    production = yaml.safe_load((FOLDER / "overlays/production/kustomization.yaml").read_text())
    fixed = {each["name"] for each in production["replicas"]}
    scaled = {"web", *(consumer.name for consumer in CONSUMERS)}
    assert fixed | scaled == {*DEPLOYMENTS}
    assert fixed & scaled == set()
    assert [name for name, each in DEPLOYMENTS.items() if "replicas" in each["spec"]] == []


def test_the_users_on_the_broker_may_do_what_the_permissions_say_and_no_more() -> None:
    users = of_kind(manifests_in("stores/kafka-users.yaml"), "KafkaUser")
    assert [*users] == [*PURPOSES]
    granted = {
        (name, rule["resource"]["type"], rule["resource"]["name"], operation)
        for name, user in users.items()
        for rule in user["spec"]["authorization"]["acls"]
        for operation in rule["operations"]
    }
    assert granted == {in_words_of_strimzi(each) for each in all_permissions()}


def in_words_of_strimzi(permission: Permission) -> tuple[str, str, str, str]:
    kinds = {"TOPIC": "topic", "GROUP": "group", "TRANSACTIONAL_ID": "transactionalId"}
    operations = {"DESCRIBE_CONFIGS": "DescribeConfigs", "ALTER_CONFIGS": "AlterConfigs"}
    operation = operations.get(permission.operation, permission.operation.capitalize())
    name = re.sub(r"\.retry\.[0-9]+$", ".retry.", permission.name)
    return permission.user, kinds[permission.kind], name, operation


@each_with_pods
def test_its_pods_keep_to_the_restricted_standard_for_pods(manifest: Manifest) -> None:
    pod = pod_of(manifest)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] != 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert {kind for volume in pod["volumes"] for kind in volume if kind != "name"} <= {
        "emptyDir",
        "projected",
    }
    for container in containers_of(manifest):
        context = container["securityContext"]
        assert (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"]) == (False, True)
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_its_pods_are_probed_and_may_be_evicted_one_at_a_time(name: str) -> None:
    (container,) = pod_of(DEPLOYMENTS[name])["containers"]
    ports = {port["name"] for port in container["ports"]}
    for probe, path in (("startup", "live"), ("liveness", "live"), ("readiness", "ready")):
        asked = container[f"{probe}Probe"]["httpGet"]
        assert asked["path"] == f"/health/{path}"
        assert asked["port"] in ports
    budget = of_kind(manifests_in("base/budgets.yaml"), "PodDisruptionBudget")[name]
    template = DEPLOYMENTS[name]["spec"]["template"]["metadata"]["labels"]
    assert budget["spec"]["selector"]["matchLabels"].items() <= template.items()
    assert budget["spec"]["maxUnavailable"] == 1


SECRET = "m8Nf2vQ0.x" + "7Rk3Lp9W" * 5
CERTIFICATES = "/etc/stockbridge/certificates"
READ_SETTINGS = """
import json, os, sys
import csp.constants, environ, foundation.logging  # once, for all
for name, environment in json.load(sys.stdin).items():
    if os.fork() == 0:
        os.environ.clear()
        os.environ.update(environment)
        import config.settings as read
        print(name, read.PUBLIC_URL, read.METRICS_PORT, flush=True)
        os._exit(0)
    os.wait()
"""


def environment_of_main_container(manifest: Manifest, folder: Path) -> dict[str, str]:
    *_, container = containers_of(manifest)
    found = environment_of(container, SETTINGS_MAP, SECRET)
    if "EMAIL_URL" in found:
        found["EMAIL_URL"] = "smtp+tls://user:word@mail.example.com:587"
    return {name: text.replace(CERTIFICATES, str(folder)) for name, text in found.items()}


def test_the_settings_of_every_pod_are_documented_and_accepted(tmp_path: Path) -> None:
    environments = {
        each["metadata"]["name"]: environment_of_main_container(each, tmp_path) for each in WITH_PODS
    }
    documented = (Path(settings.BASE_DIR) / "docs" / "settings.md").read_text()
    helpers = {"SHOP_HOST", "POD_IP", "POSTGRESQL_URI", "MONGODB_PASSWORD"}
    used = {name for environment in environments.values() for name in environment}
    assert {name for name in used if f"`{name}`" not in documented} == helpers
    (tmp_path / "kafka.crt").touch()
    done = subprocess.run(
        [sys.executable, "-c", READ_SETTINGS],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "STACK_DIR": str(tmp_path)},
        input=json.dumps({name: each | {"STACK_DIR": str(tmp_path)} for name, each in environments.items()}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    read = done.stdout.splitlines()
    assert read == [f"{name} https://shop.example.com 9100" for name in environments], done.stderr


def test_both_audits_run_every_day_and_a_difference_is_not_tried_again() -> None:
    commands = {name: pod_of(each)["containers"][0]["command"][-1] for name, each in AUDITS.items()}
    assert commands == {"audit-stock": "audit_stock", "audit-payments": "audit_payments"}
    for audit in AUDITS.values():
        assert re.fullmatch(r"\d+ \d+ \* \* \*", audit["spec"]["schedule"])
        assert audit["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0


def test_each_pod_may_reach_what_it_needs_by_a_policy_of_that_label() -> None:
    policies = of_kind(manifests_in("base/network-policies.yaml"), "NetworkPolicy").values()
    selected = {label for each in policies for label in each["spec"]["podSelector"]["matchLabels"]}
    worn = {label for each in WITH_PODS for label in template_of(each)["metadata"]["labels"]}
    assert {label for label in worn if label.startswith("reaches-")} == {
        label for label in selected if label.startswith("reaches-")
    }


def test_the_policies_and_services_name_ports_that_pods_have() -> None:
    manifests = manifests_in("base/network-policies.yaml", "base/services.yaml")
    named = set(re.findall(r"'(?:port|targetPort)': '([a-z]+)'", str(manifests)))
    ports = {port["name"] for each in DEPLOYMENTS.values() for port in pod_of(each)["containers"][0]["ports"]}
    assert named == ports == {"http", "sockets", "metrics"}


def test_the_job_prepares_the_stores_by_the_commands_of_the_documents() -> None:
    commands = [container["command"] for container in containers_of(JOB)]
    assert commands == [["python3", "manage.py", step] for step in STEPS]
    documented = (Path(settings.BASE_DIR) / "docs" / "operations.md").read_text()
    assert [step for step in STEPS if f"manage.py {step}" not in documented] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_asks_for_no_more_replicas_than_there_are_brokers(overlay: str) -> None:
    text = (FOLDER / "overlays" / overlay / "kustomization.yaml").read_text()
    copies = int(re.findall(r"KAFKA_REPLICATION_FACTOR=(\d+)", text)[0])
    patch = FOLDER / "overlays" / overlay / "kafka.yaml"
    pools = manifests_in(
        str((patch if patch.is_file() else FOLDER / "stores" / "kafka.yaml").relative_to(FOLDER))
    )
    assert of_kind(pools, "KafkaNodePool")["broker"]["spec"]["replicas"] == copies


def secrets_of_pods(*, optional: bool) -> set[tuple[str, str]]:
    """Name and key of the secrets that pods read; those that they start without, or the others."""
    references = [
        each["valueFrom"]["secretKeyRef"]
        for manifest in WITH_PODS
        for container in containers_of(manifest)
        for each in container["env"]
        if "secretKeyRef" in each.get("valueFrom", {})
    ]
    return {(each["name"], each["key"]) for each in references if each.get("optional", False) is optional}


def test_secrets_are_made_by_operators_of_stores_or_named_in_the_document() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "kubernetes.md").read_text()
    used = secrets_of_pods(optional=False)
    of_operators = {(user, "password") for user in PURPOSES} | {("stockbridge-postgresql-app", "uri")}
    assert {
        (name, key) for name, key in used - of_operators if name not in text or f"{key}=" not in text
    } == set()


def test_secrets_beside_those_in_use_are_named_in_the_document_about_replacing_them() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "rotation.md").read_text()
    keys = {key for _, key in secrets_of_pods(optional=True)}
    assert keys == {"SECRET_KEY_FALLBACKS", "MONITOR_TOKEN_FALLBACKS", "STRIPE_WEBHOOK_SECRET_FALLBACKS"}
    assert all(f"`{key}`" in text for key in keys)
