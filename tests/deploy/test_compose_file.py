"""docker-compose.yml runs what kafka_workers/workers.py lists, with no more rights than it needs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from jsonschema import Draft7Validator

from devtools.containers.make_secrets import FOLDERS, make_secrets
from devtools.stack.options import parse_start
from devtools.stack.ports import Ports
from devtools.stack.processes import all_processes
from devtools.stack.settings import documented_settings, make_settings
from foundation.secret_files import SECRETS
from kafka_workers.workers import EMAIL, GATEWAY, LAG_EXPORTER, MAIL_SERVER, PAYMENT, WORKERS, Worker
from tests.deploy.compose_file import CLUSTER, EXAMPLE, PATH, ROOT, names_used, read_compose, variables_of

COMPOSE = read_compose()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
JOBS = {name for name, service in SERVICES.items() if service["restart"] == "on-failure"}
OURS = {name for name, service in SERVICES.items() if service["image"] == "stockbridge:local"}
PROFILES = {"demo", "payments", "mail", "cluster", "observability", "tracing", "registry", "elk"}
STORES = {"kafka", "kafka-2", "kafka-3", "mongodb", "mongodb-2", "mongodb-3", "postgres"}

# Docker's files of logs are root's; Elasticsearch and Kibana write into folders of their programs.
ROOT_ALONE_CAN_READ = {"log-shipper"}
WRITE_BESIDE_THEIR_PROGRAM = {"elasticsearch", "kibana"}
# The image of the one has no program by which to ask, and the other no port.
CANNOT_BE_ASKED = {"log-shipper", "audits"}

each_service = pytest.mark.parametrize("name", SERVICES)
each_worker = pytest.mark.parametrize("worker", WORKERS, ids=lambda worker: worker.name)


def test_the_file_fits_the_schema_of_the_compose_specification() -> None:
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    faults = [
        f"{list(fault.path)}: {fault.message}" for fault in Draft7Validator(schema).iter_errors(COMPOSE)
    ]
    assert faults == []


@each_worker
def test_a_worker_has_a_service_of_its_name_that_runs_its_command(worker: Worker) -> None:
    assert SERVICES[worker.name]["command"] == ["python3", "manage.py", worker.command]


def test_no_service_runs_a_command_that_is_no_worker() -> None:
    commands = {name: service["command"] for name, service in SERVICES.items() if name in OURS - JOBS}
    run = {name: command[2] for name, command in commands.items() if command[1] == "manage.py"}
    assert run == {worker.name: worker.command for worker in WORKERS}


def test_web_and_sockets_are_the_applications_of_start(tmp_path: Path) -> None:
    stack = make_settings(tmp_path, ports=Ports.free(), servers={}, caller={})
    started = {process.name: process.command for process in all_processes(stack, parse_start([]).counts)}
    for name in ("web", "sockets"):
        command = SERVICES[name]["command"]
        assert command[1:3] == list(started[name][1:3])
        assert command[-1] == started[name][-1]


def test_the_relay_has_a_standby_and_web_a_second_process_for_rolling_restarts() -> None:
    assert {name: SERVICES[name]["deploy"]["replicas"] for name in ("relay", "web")} == {"relay": 2, "web": 2}


@each_worker
def test_a_worker_that_needs_a_setting_runs_by_a_profile_alone(worker: Worker) -> None:
    assert bool(SERVICES[worker.name].get("profiles")) == bool(worker.setting)


@each_worker
def test_a_worker_reaches_what_it_needs_and_nothing_else(worker: Worker) -> None:
    outside = {"outside"} if {GATEWAY, MAIL_SERVER} & {*worker.needs} else set()
    front = {"front"} if worker is LAG_EXPORTER else set()  # whose certificate it watches
    assert {*SERVICES[worker.name]["networks"]} == {"stores", "monitoring"} | outside | front


def test_the_reverse_proxy_shares_no_network_with_a_store() -> None:
    nginx = {*SERVICES["nginx"]["networks"]}
    assert [name for name in STORES if nginx & {*SERVICES[name]["networks"]}] == []
    assert COMPOSE["networks"]["stores"]["internal"] is True


@each_service
def test_a_service_has_no_right_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is (name not in WRITE_BESIDE_THEIR_PROGRAM)
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    user = service["user"].split(":")[0]
    assert user.isdecimal()
    assert int(user) > 0 or name in ROOT_ALONE_CAN_READ
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & service.keys()
    assert "docker.sock" not in str(service.get("volumes", ""))


@each_service
def test_a_service_that_ends_is_started_again_and_its_log_is_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == ("on-failure" if name in JOBS else "unless-stopped")
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - JOBS - CANNOT_BE_ASKED))
def test_a_service_that_runs_on_says_whether_it_is_healthy_and_is_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["deploy"]["resources"]["limits"].keys() == {"memory", "pids"}


@pytest.mark.parametrize("name", sorted(CANNOT_BE_ASKED))
def test_a_service_that_cannot_be_asked_has_no_health_check_that_is_waited_for(name: str) -> None:
    # With `disable: true` in place of none `docker compose up --wait` fails.
    assert "healthcheck" not in SERVICES[name]


def test_every_process_of_ours_is_asked_on_its_port_for_metrics() -> None:
    for name in [*(worker.name for worker in WORKERS), "web", "sockets"]:
        service = SERVICES[name]
        assert int(service["environment"]["METRICS_PORT"])
        assert service["healthcheck"]["test"] == ["CMD", "python3", "-m", "web.probe"]


@each_service
def test_an_image_is_pinned_and_only_one_service_builds_ours(name: str) -> None:
    service = SERVICES[name]
    assert ("build" in service) == (name == "secrets")
    if name not in OURS:
        assert re.search(r":v?\d+\.\d+[\w.-]*$", service["image"]), service["image"]


@each_service
def test_ports_are_published_on_this_machine_alone(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


def test_the_profiles_are_those_that_the_documents_name() -> None:
    assert {profile for service in SERVICES.values() for profile in service.get("profiles", [])} == PROFILES
    page = (ROOT / "docs" / "containers.md").read_text()
    assert [profile for profile in PROFILES if f"| `{profile}` |" not in page] == []


def test_secrets_come_from_files_that_the_job_makes(tmp_path: Path) -> None:
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
    make_secrets(tmp_path, mongodb_members="mongodb:27017")
    made = {path.name for path in (tmp_path / "app").iterdir()}
    for name in OURS - JOBS | {"prepare"}:
        environment = SERVICES[name].get("environment", {})
        assert [key for key in SECRETS if environment.get(key)] in ([], ["EMAIL_URL"])
        files = {value for key, value in environment.items() if key.endswith("_FILE") and value}
        assert {Path(file).name for file in files} <= made
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/password"
    assert (tmp_path / "postgres" / "password").exists()


def test_every_setting_is_one_that_the_settings_page_has() -> None:
    known = {*documented_settings(), *(f"{name}_FILE" for name in SECRETS)}
    assert SERVICES["lag"]["environment"].keys() - known == set()


def test_the_example_sets_the_variables_of_the_file_and_no_others() -> None:
    named = set(re.findall(r"^#?([A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert named - {"COMPOSE_PROFILES"} == names_used()


def test_the_example_names_the_images_that_hold_without_it() -> None:
    defaults = dict(re.findall(r"\$\{([A-Z0-9_]+_IMAGE):-([^}]+)\}", PATH.read_text()))
    named = dict(re.findall(r"^#([A-Z0-9_]+_IMAGE)=(.+)$", EXAMPLE.read_text(), re.MULTILINE))
    assert len(named) > 10
    assert named == defaults


def test_the_documents_name_no_version_of_an_image_but_that_of_the_compose_file() -> None:
    images = {service["image"] for service in SERVICES.values()}
    names = "|".join(re.escape(image.rpartition(":")[0]) for image in images)
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    named = {
        found for page in pages for found in re.findall(rf"\b(?:{names}):v?\d+\.\d[\w.-]*", page.read_text())
    }
    assert named - images == set()


def test_the_example_is_a_demo_on_this_machine() -> None:
    chosen = variables_of(EXAMPLE)
    assert chosen["COMPOSE_PROFILES"].split(",") == ["demo"]
    environment = read_compose(chosen)["services"]["web"]["environment"]
    assert environment["STRIPE_API_BASE"] == "http://payment-sandbox:12111"
    assert (environment["DEMO"], environment["PLAIN_HTTP"]) == ("true", "true")
    for worker in (PAYMENT, EMAIL):
        assert "demo" in SERVICES[worker.name]["profiles"]


def test_the_cluster_has_three_brokers_and_three_members_that_know_each_other() -> None:
    services = read_compose(variables_of(CLUSTER))["services"]
    brokers = ["kafka", "kafka-2", "kafka-3"]
    voters = ",".join(f"{number}@{name}:9093" for number, name in enumerate(brokers, 1))
    for number, name in enumerate(brokers, 1):
        environment = services[name]["environment"]
        assert (environment["NODE"], environment["HOST_NAME"]) == (str(number), name)
        assert (environment["VOTERS"], environment["REPLICATION"], environment["MIN_IN_SYNC"]) == (
            voters,
            "3",
            "2",
        )
    assert services["web"]["environment"]["KAFKA_BROKERS"] == ",".join(f"{name}:9092" for name in brokers)
    assert services["prepare"]["environment"]["KAFKA_REPLICATION_FACTOR"] == "3"
    members = "mongodb:27017,mongodb-2:27017,mongodb-3:27017"
    assert services["mongodb-replica-set"]["command"][-1] == services["secrets"]["command"][-1] == members


def test_what_is_mounted_from_the_project_is_there() -> None:
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    sources = {mount.split(":")[0] for mount in mounts if mount.startswith("./")}
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_every_volume_is_declared_and_used() -> None:
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if mount[0] not in "./"}
    assert named == COMPOSE["volumes"].keys()


def test_bodies_may_be_as_large_at_the_reverse_proxy_as_behind_it() -> None:
    reverse_proxy = (PATH.parent / "deploy" / "nginx" / "http.conf").read_text()
    assert f"client_max_body_size {django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE};" in reverse_proxy
