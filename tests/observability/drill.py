"""What an operator has in the drill: the alert that calls, its runbook, a shell, and the two commands."""

import queue
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import CASH_ON_DELIVERY, CREDIT_CARD, PROCESSING, Shop
from devtools.monitoring.watching import Alert, Monitoring
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack
from tests.observability.webhook import Webhook
from tests.running_system import operator_path

_BLOCK = re.compile(r"^```sh[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OF_THE_MACHINE = "LatencyBudget"
"""How fast requests are answered depends on the machine on which the tests run."""


@dataclass
class Drill:
    """A running system that is watched; `told` has the names of all alerts that Alertmanager has sent."""

    stack: Stack
    shop: Shop
    kafka_client: KafkaClient
    monitoring: Monitoring
    webhook: Webhook

    def __post_init__(self) -> None:
        self.customer = self.shop.new_customer()
        self.product = self.shop.new_product(stock=1_000)

    def place(self, payment_token: str = "") -> str:
        """Places an order for one piece, prepaid with a token; returns its id."""
        self.customer.renew()
        method = CREDIT_CARD if payment_token else CASH_ON_DELIVERY
        order = self.customer.place((self.product, 1), payment_method=method, payment_token=payment_token)
        return str(order["id"])

    def wait_for_processing(self, order_id: str) -> None:
        """Waits until the order is settled, and paid where it is prepaid."""
        self.customer.wait_for_status(order_id, PROCESSING, 60)

    def wait_for_metric(self, expression: str, seconds: float = 60) -> None:
        """Waits until Prometheus has a series for which this holds."""
        self.monitoring.wait_until(
            lambda: bool(self.monitoring.query(expression)), lambda: f"never: {expression}", seconds
        )

    def runbook(self, alert: Alert) -> str:
        """The document to which the alert links."""
        with urllib.request.urlopen(alert.annotations["runbook_url"], timeout=5) as answer:
            return str(answer.read().decode())

    def command(self, alert: Alert, part: str) -> str:
        """The command of the alert's runbook that has this part."""
        lines = [line for block in _BLOCK.findall(self.runbook(alert)) for line in block.splitlines()]
        found: str | None = next((line for line in lines if part in line), None)
        assert found is not None, f"the runbook of {alert.name} has no command with {part!r}: {lines}"
        return found

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command as an operator does in the folder of the project."""
        return subprocess.run(
            ["bash", "-c", command.replace("http://localhost:8000", self.stack.urls["web"])],
            cwd=PROJECT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def mend(self, alert: Alert, part: str) -> None:
        """Runs the command of the runbook that has this part; it must succeed."""
        done = self.run(self.command(alert, part))
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def running(self, command: str) -> Iterator[None]:
        """Lets a command run that ends by Ctrl-C alone, such as a worker."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=PROJECT, env=self._environment, start_new_session=True
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)

    def lag(self) -> str:
        """What `consumer_lag` says, with its sentences."""
        done = self.run("manage.py consumer_lag")
        return done.stdout + done.stderr

    def status(self) -> str:
        """What `./start status` says, each sentence on one line."""
        text = self.run("./start status").stdout
        return re.sub(r"\n {4}", " ", text)

    def told(self) -> set[str]:
        """The alerts that Alertmanager has told of since the last call."""
        names: set[str] = set()
        while (notice := self._next_notice()) is not None:
            names |= {each["labels"]["alertname"] for each in notice["alerts"] if each["status"] == "firing"}
        return {name for name in names if not name.startswith(_OF_THE_MACHINE)}

    def wait_until_quiet(self, seconds: float = 90) -> None:
        """Waits until nothing fires, nor is about to."""
        self.monitoring.wait_until(
            lambda: not self._loud(), lambda: f"there are still {self.monitoring.alerts()}", seconds
        )

    def _loud(self) -> list[Alert]:
        return [each for each in self.monitoring.alerts() if not each.name.startswith(_OF_THE_MACHINE)]

    def _next_notice(self) -> dict[str, Any] | None:
        try:
            return self.webhook.next_notice(seconds=0.1).message
        except queue.Empty:
            return None

    @property
    def _environment(self) -> Mapping[str, str]:
        return {**self.stack.env, "PATH": operator_path()}
