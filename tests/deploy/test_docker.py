"""The image is built, and the services of the compose file run with it; stand-ins for images of others."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from devtools.driver.shop import CREDIT_CARD, PROCESSING, Shop, eventually
from devtools.monitoring.programs import NoProgram
from kafka_workers.workers import WORKERS
from tests.deploy.compose_file import CLUSTER, EXAMPLE, PATH, ROOT, variables_of
from tests.deploy.composition import Composition, running, shop_of
from tests.deploy.engine import COMPOSE, Engine, require_compose, run
from tests.deploy.images import MONITORING, OURS, build_stand_ins
from tests.deploy.load import under_load
from tests.deploy.test_compose_file import CANNOT_BE_ASKED, PROFILES
from tests.documents import COMMANDS, blocks

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

SERVICES = ("nginx", *(worker.name for worker in WORKERS), "audits", "payment-sandbox", "mail-catcher")
"""Those that are started, and with them all that they depend on."""
DOCS = ROOT / "docs"


def commands_of(document: str) -> list[str]:
    """The blocks of commands in this document that are run here."""
    return [
        block.text
        for block in blocks()
        if block.document == DOCS / document
        and block.language in COMMANDS
        and block.mark.startswith("run by")
    ]


LOOK, RESTART, CONTENTS = commands_of("containers.md")
[UPGRADE] = commands_of("upgrading.md")
NEW_VERSION = "stockbridge:new"
SEEN = ("(healthy)", "orders-service-group", "inventory-1")
"""A part of what each command of LOOK prints."""


@pytest.fixture(scope="module")
def system(engine_with_images: Engine) -> Iterator[Composition]:
    """The running system, with the variables of the example."""
    composition = Composition(engine_with_images, "stockbridge-tests", variables_of(EXAMPLE))
    with running(composition, *SERVICES) as system:
        yield system


@pytest.fixture(scope="module")
def shop(system: Composition) -> Iterator[Shop]:
    with shop_of(system) as shop:
        yield shop


@pytest.mark.parametrize("profile", [*sorted(PROFILES), "*"])
def test_docker_compose_understands_the_file_with_this_profile(profile: str) -> None:
    require_compose()
    run([COMPOSE, "-f", PATH, "--profile", profile, "config", "--quiet"], env=os.environ)


@pytest.mark.parametrize("path", [EXAMPLE, CLUSTER], ids=["example", "cluster"])
def test_docker_compose_understands_the_file_with_these_variables(path: Path) -> None:
    require_compose()
    run([COMPOSE, "-f", PATH, "--env-file", path, "config", "--quiet"], env=os.environ)


def test_a_cluster_has_the_profiles_of_the_example_too() -> None:
    require_compose()
    files: list[str | Path] = ["--env-file", EXAMPLE, "--env-file", CLUSTER]
    services = run([COMPOSE, "-f", PATH, *files, "config", "--services"], env=os.environ).split()
    assert {"kafka-2", "kafka-3", "mongodb-2", "mongodb-3", "payment-sandbox", "demo"} <= {*services}
    assert "prometheus" not in services


def test_the_image_tells_what_is_in_it_and_has_no_root(engine_with_images: Engine) -> None:
    def printed(*command: str) -> str:
        return engine_with_images.docker("run", "--rm", "--network", "none", OURS, *command)

    shown = run(["bash", "-euc", CONTENTS], env=engine_with_images.env)
    parts = json.loads(shown)["components"]
    names = {part["name"].lower() for part in parts}
    assert {"django", "confluent-kafka", "pymongo", "psycopg"} <= names
    licences = printed("cat", "/opt/stockbridge/share/sbom/licences.txt")
    assert "Apache License" in licences
    assert [name for name in names if name not in licences.lower()] == []
    assert printed("id", "-u").strip() == "10001"
    assert printed("sh", "-c", "command -v pip || true") == ""


def test_an_order_is_paid_told_and_mailed_through_the_reverse_proxy(system: Composition, shop: Shop) -> None:
    product, customer = shop.new_product(stock=5), shop.new_customer()
    with customer.listening() as listener:
        order = customer.place((product, 2), payment_method=CREDIT_CARD, payment_token="pm_card_visa")
        listener.wait_for("order:payment", order["id"], seconds=60)
    assert customer.wait_for_status(order["id"], PROCESSING)["status"] == PROCESSING
    shop.wait_for_stock(product, 3)
    inbox = f"http://{system.address('MAIL_PORT')}/api/messages"
    eventually(lambda: order["orderNumber"] in httpx.get(inbox).text, "the mail is there", 60)


@pytest.mark.parametrize(("command", "seen"), [*zip(LOOK.splitlines(), SEEN, strict=True)])
def test_a_command_of_the_document_works(system: Composition, command: str, seen: str) -> None:
    assert seen in system.run(["bash", "-euc", command])


def test_every_container_is_healthy_and_every_job_has_succeeded(system: Composition) -> None:
    for container in system.containers():
        state = container["State"]
        if container["HostConfig"]["RestartPolicy"]["Name"] == "on-failure":
            assert (state["Status"], state["ExitCode"]) == ("exited", 0), container["Name"]
        elif container["Config"]["Labels"]["com.docker.compose.service"] in CANNOT_BE_ASKED:
            assert state["Status"] == "running", container["Name"]
        else:
            assert state["Health"]["Status"] == "healthy", container["Name"]


def test_no_secret_is_in_what_docker_shows_of_a_container(system: Composition) -> None:
    files = system.execute("web", "sh", "-c", "cat /run/secrets/*").stdout.split()
    assert len(files) == 6
    shown = json.dumps(system.containers())
    assert [secret for secret in files if secret in shown] == []


@pytest.mark.parametrize("service", ["web", "inventory", "nginx", "kafka", "mongodb", "postgres"])
def test_a_container_writes_nowhere_but_where_it_may(system: Composition, service: str) -> None:
    assert system.execute(service, "id", "-u").stdout.strip() != "0"
    assert system.execute(service, "sh", "-c", "echo > /tmp/there").returncode == 0
    refused = system.execute(service, "sh", "-c", "echo > /usr/bin/there").stderr
    assert "Read-only file system" in refused


def test_the_reverse_proxy_finds_no_store(system: Composition) -> None:
    assert system.execute("nginx", "getent", "hosts", "web").returncode == 0
    for service, found in (("web", True), ("nginx", False)):
        for store in ("postgres", "mongodb", "kafka"):
            assert (system.execute(service, "getent", "hosts", store).returncode == 0) is found


def test_a_worker_that_is_killed_comes_back_and_goes_on(system: Composition, shop: Shop) -> None:
    product, customer = shop.new_product(stock=5), shop.new_customer()
    system.kill("inventory")
    order = customer.place((product, 1))
    customer.wait_for_status(order["id"], PROCESSING, seconds=60)
    [after] = system.containers("inventory")
    assert after["RestartCount"] == 1


def test_web_containers_are_restarted_one_by_one_without_one_failed_request(
    system: Composition, shop: Shop
) -> None:
    product, customer = shop.new_product(stock=1_000_000), shop.new_customer()
    with under_load(customer, shop.web_url, product, callers=2) as load:
        system.run(["bash", "-euc", RESTART], timeout=200)
    assert load.failures == [], system.compose("logs", "--no-log-prefix", "nginx")
    assert load.placed > 0
    assert customer.call("GET", "orders/").json()["count"] == load.placed


def test_a_new_version_takes_over_step_by_step_without_one_failed_request(
    engine_with_images: Engine, system: Composition, shop: Shop
) -> None:
    engine_with_images.docker("tag", OURS, NEW_VERSION)
    product, customer = shop.new_product(stock=1_000_000), shop.new_customer()
    with under_load(customer, shop.web_url, product, callers=2) as load:
        system.run(["bash", "-euc", UPGRADE], timeout=400, STOCKBRIDGE_IMAGE=NEW_VERSION)
    assert load.failures == [], system.compose("logs", "--no-log-prefix", "nginx")
    assert customer.call("GET", "orders/").json()["count"] == load.placed > 0
    processes = system.containers("web", "sockets", *(worker.name for worker in WORKERS))
    assert {container["Config"]["Image"] for container in processes} == {NEW_VERSION}
    assert len(system.containers("web")) == 2


@pytest.fixture(scope="module")
def prometheus(
    engine: Engine, system: Composition, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """Prometheus of the profile `observability`, with Alertmanager."""
    try:
        build_stand_ins(engine, MONITORING, tmp_path_factory.mktemp("monitoring"))
    except NoProgram as error:
        pytest.skip(str(error))
    system.up(*MONITORING)
    with httpx.Client(base_url=f"http://{system.address('PROMETHEUS_PORT')}") as client:
        yield client


def test_prometheus_scrapes_every_process_and_knows_alertmanager(
    system: Composition, prometheus: httpx.Client
) -> None:
    scraped = sum(len(system.containers(name)) for name in ("web", "sockets", *(it.name for it in WORKERS)))

    def value_of(query: str) -> int:
        result = prometheus.get("/api/v1/query", params={"query": query}).json()["data"]["result"]
        return int(result[0]["value"][1]) if result else 0

    eventually(lambda: value_of('sum(up{job="stockbridge"})') == scraped, "all processes are scraped", 60)
    assert value_of('count(up{job="stockbridge"})') == scraped
    found = prometheus.get("/api/v1/alertmanagers").json()["data"]["activeAlertmanagers"]
    assert [each["url"] for each in found] == ["http://alertmanager:9093/api/v2/alerts"]


def test_prometheus_has_the_rules_and_serves_the_runbooks(prometheus: httpx.Client) -> None:
    groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if rule["type"] == "alerting"]
    assert len(alerts) > 10
    assert [rule["name"] for rule in alerts if rule["health"] == "err"] == []
    assert "KafkaDown" in prometheus.get("/user/runbooks/KafkaDown.md").raise_for_status().text
