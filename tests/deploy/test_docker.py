"""The image is built, and the services of the compose file run with it; stand-ins for images of others."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devtools.driver.shop import CREDIT_CARD, PROCESSING, Shop, eventually
from devtools.stack.ports import free_ports
from kafka_workers.workers import WORKERS
from tests.deploy.compose_file import CLUSTER, EXAMPLE, PATH, names_used, variables_of
from tests.deploy.engine import (
    CACHE,
    COMPOSE,
    Engine,
    build_ours,
    build_stand_ins,
    import_base,
    require_compose,
    require_docker,
    run,
)
from tests.deploy.load import under_load
from tests.deploy.test_compose_file import PROFILES

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

IMAGE = "stockbridge:tests"
PORTS = ("WEB_PORT", "TLS_PORT", "KAFKA_PORT", "MAIL_PORT")
SERVICES = ("nginx", *(worker.name for worker in WORKERS), "payment-sandbox", "mail-catcher")
"""Those that are started, and with them all that they depend on. For the others there is no stand-in."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    require_docker()
    engine = Engine(CACHE / "docker" / "engine")
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="module")
def images(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables that put the images into the compose file."""
    import_base(engine)
    build_ours(engine, IMAGE)
    return {"STOCKBRIDGE_IMAGE": IMAGE, **build_stand_ins(engine, tmp_path_factory.mktemp("images"))}


class Composition:
    """The services of the compose file, with the settings of the example."""

    def __init__(self, engine: Engine, variables: dict[str, str]) -> None:
        self._engine = engine
        # The servers of the tests themselves are in the environment too.
        others = {name: value for name, value in engine.env.items() if name not in names_used()}
        self._env = others | variables_of(EXAMPLE) | variables

    def compose(self, *arguments: str, timeout: float = 300) -> str:
        """What this command of Docker Compose prints."""
        return run(
            [COMPOSE, "-f", PATH, "-p", "stockbridge-tests", *arguments], env=self._env, timeout=timeout
        )

    def port(self, name: str) -> str:
        """The port of this machine at which a service is published."""
        return self._env[name]

    def execute(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the container of a service."""
        return subprocess.run(
            ["docker", "exec", self.containers(service)[0]["Id"], *command],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def containers(self, *services: str) -> list[dict[str, Any]]:
        """What Docker knows of the containers of these services, or of all."""
        ids = self.compose("ps", "--all", "--quiet", *services).split()
        found: list[dict[str, Any]] = json.loads(self._engine.docker("inspect", *ids))
        return found


@pytest.fixture(scope="module")
def system(engine: Engine, images: dict[str, str]) -> Iterator[Composition]:
    """The running system, without what an earlier run may have left."""
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    system = Composition(engine, images | ports)
    system.compose("down", "--volumes", "--timeout", "5")
    try:
        system.compose("up", "--detach", "--wait", "--no-build", *SERVICES, timeout=400)
        yield system
    finally:
        system.compose("--profile", "*", "down", "--volumes", "--timeout", "20")


@pytest.fixture(scope="module")
def shop(system: Composition) -> Iterator[Shop]:
    """The shop at its reverse proxy."""
    address = f"localhost:{system.port('WEB_PORT')}"
    key = system.execute("web", "cat", "/run/secrets/service_api_key").stdout.strip()
    shop = Shop(f"http://{address}", f"ws://{address}/ws/orders/", key)
    yield shop
    shop.http.close()


@pytest.mark.parametrize("profile", [*sorted(PROFILES), "*"])
def test_docker_compose_understands_the_file_with_this_profile(profile: str) -> None:
    require_compose()
    run([COMPOSE, "-f", PATH, "--profile", profile, "config", "--quiet"], env=os.environ)


@pytest.mark.parametrize("path", [EXAMPLE, CLUSTER], ids=["example", "cluster"])
def test_docker_compose_understands_the_file_with_these_variables(path: Path) -> None:
    require_compose()
    run([COMPOSE, "-f", PATH, "--env-file", path, "config", "--quiet"], env=os.environ)


def test_the_image_tells_what_is_in_it_and_has_no_root(engine: Engine, images: dict[str, str]) -> None:
    def printed(*command: str) -> str:
        return engine.docker("run", "--rm", "--network", "none", images["STOCKBRIDGE_IMAGE"], *command)

    parts = json.loads(printed("cat", "/opt/stockbridge/share/sbom/python.cdx.json"))["components"]
    names = {part["name"].lower() for part in parts}
    assert {"django", "confluent-kafka", "pymongo", "psycopg"} <= names
    assert "Apache License" in printed("cat", "/opt/stockbridge/share/sbom/licences.txt")
    assert printed("id", "-u").strip() == "10001"
    assert printed("sh", "-c", "command -v pip || true") == ""


def test_an_order_is_paid_told_and_mailed_through_the_reverse_proxy(system: Composition, shop: Shop) -> None:
    product, customer = shop.new_product(stock=5), shop.new_customer()
    with customer.listening() as listener:
        order = customer.place((product, 2), payment_method=CREDIT_CARD, payment_token="pm_card_visa")
        listener.wait_for("order:payment", order["id"], seconds=60)
    assert customer.wait_for_status(order["id"], PROCESSING)["status"] == PROCESSING
    shop.wait_for_stock(product, 3)
    inbox = f"http://localhost:{system.port('MAIL_PORT')}/api/messages"
    eventually(lambda: order["orderNumber"] in httpx.get(inbox).text, "the mail is there", 60)


def test_every_container_is_healthy_and_every_job_has_succeeded(system: Composition) -> None:
    for container in system.containers():
        state = container["State"]
        if container["HostConfig"]["RestartPolicy"]["Name"] == "on-failure":
            assert (state["Status"], state["ExitCode"]) == ("exited", 0), container["Name"]
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
    for service, found in (("web", True), ("nginx", False)):
        for store in ("postgres", "mongodb", "kafka"):
            assert (system.execute(service, "getent", "hosts", store).returncode == 0) is found


def test_a_worker_that_is_killed_comes_back_and_goes_on(system: Composition, shop: Shop) -> None:
    product, customer = shop.new_product(stock=5), shop.new_customer()
    [container] = system.containers("inventory")
    os.kill(container["State"]["Pid"], signal.SIGKILL)
    order = customer.place((product, 1))
    customer.wait_for_status(order["id"], PROCESSING, seconds=60)
    [after] = system.containers("inventory")
    assert after["RestartCount"] == 1


def test_web_containers_are_restarted_one_by_one_without_one_failed_request(
    engine: Engine, system: Composition, shop: Shop
) -> None:
    product, customer = shop.new_product(stock=1_000_000), shop.new_customer()
    with under_load(customer, shop.web_url, product, callers=2) as load:
        for container in [each["Id"] for each in system.containers("web")]:
            engine.docker("restart", container)

            def is_healthy(container: str = container) -> bool:
                status = engine.docker("inspect", "--format", "{{.State.Health.Status}}", container)
                return status.strip() == "healthy"

            eventually(is_healthy, "the container is healthy again", 90)
    assert load.failures == []
    assert customer.call("GET", "orders/").json()["count"] == load.placed
