"""Services of the compose file, run by an engine of the tests with images of the tests."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from devtools.driver.shop import Shop
from devtools.stack.ports import free_ports
from tests.deploy import images
from tests.deploy.compose_file import names_used
from tests.deploy.engine import Engine, run

UP_SECONDS = 600


class Composition:
    """The services of the compose file with these variables, under a project name of their own."""

    def __init__(self, engine: Engine, name: str, variables: Mapping[str, str]) -> None:
        self._engine = engine
        # The servers of the tests themselves are in the environment too.
        others = {name: value for name, value in engine.env.items() if name not in names_used()}
        ports = [name for name in names_used() if name.endswith("_PORT")]
        free = dict(zip(ports, map(str, free_ports(len(ports))), strict=True))
        # No .env of the folder counts, which may be there for a shop of its own.
        project = {"COMPOSE_PROJECT_NAME": name, "COMPOSE_DISABLE_ENV_FILE": "true"}
        self._env = others | project | dict(variables) | images.variables() | free

    def up(self, *services: str) -> None:
        """Starts these services and all that they depend on, and waits until they are healthy."""
        self.compose("up", "--detach", "--wait", "--no-build", *services, timeout=UP_SECONDS)

    def down(self) -> None:
        """Ends all services; their data is gone."""
        self.compose("--profile", "*", "down", "--volumes", "--timeout", "20")

    def compose(self, *arguments: str, timeout: float = 120) -> str:
        """What this command of Docker Compose prints."""
        return self.run(["docker", "compose", *arguments], timeout=timeout)

    def run(self, command: Sequence[str], *, timeout: float = 120, **variables: str) -> str:
        """What a command prints for which `docker compose` is about these services; fails where it does.

        `variables` are of the compose file, for this command alone.
        """
        return run(command, env=self._env | variables, timeout=timeout)

    def address(self, port: str) -> str:
        """Where this machine reaches a service: `port` is the variable of its port."""
        return f"localhost:{self._env[port]}"

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

    def output_of_python(self, service: str, code: str) -> str:
        """What this code prints in the container of a service of ours; fails where it fails."""
        done = self.execute(service, "python3", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def containers(self, *services: str) -> list[dict[str, Any]]:
        """What Docker knows of the containers of these services, or of all."""
        ids = self.compose("ps", "--all", "--quiet", *services).split()
        found: list[dict[str, Any]] = json.loads(self._engine.docker("inspect", *ids))
        return found

    def kill(self, service: str) -> None:
        """Kills the process of a service's one container by `kill -9`, as a crash ends it."""
        [container] = self.containers(service)
        os.kill(container["State"]["Pid"], signal.SIGKILL)


@contextmanager
def running(composition: Composition, *services: str) -> Iterator[Composition]:
    """These services and what they depend on, without what an earlier run may have left."""
    composition.down()
    try:
        composition.up(*services)
        yield composition
    finally:
        composition.down()


@contextmanager
def shop_of(composition: Composition) -> Iterator[Shop]:
    """The shop at its reverse proxy."""
    address = composition.address("WEB_PORT")
    key = composition.execute("web", "cat", "/run/secrets/service_api_key").stdout.strip()
    shop = Shop(f"http://{address}", f"ws://{address}/ws/orders/", key)
    with closing(shop.http):
        yield shop
