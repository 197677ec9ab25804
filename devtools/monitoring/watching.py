"""A Prometheus with our rules and, on request, an Alertmanager with our routes: what they say."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from devtools.driver.patience import PATIENCE_SECONDS
from devtools.monitoring.configuration import Trial, write_configuration, write_routes
from devtools.monitoring.servers import AlertmanagerServer, PrometheusServer
from devtools.stack.ports import free_ports
from devtools.stack.server import HOST

_POLL_SECONDS = 0.3


class NotSeen(AssertionError):
    """What was waited for did not come; the text says what was there instead."""


@dataclass(frozen=True)
class Alert:
    """An alert of Prometheus; `state` is pending or firing."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: str


@dataclass(frozen=True)
class Sample:
    """A series of an answer, with its value now."""

    labels: Mapping[str, str]
    value: float


class Monitoring:
    """Both servers while they run. Use it in a `with`, which stops them.

    With a webhook there is an Alertmanager, which sends it what it has to tell; with a mail server it sends
    mails too. Raises NoProgram, ServerNotHealthy.
    """

    def __init__(self, folder: Path, trial: Trial, *, webhook: str = "", mail_server: str = "") -> None:
        prometheus_port, alertmanager_port = free_ports(2)
        self.alertmanager: AlertmanagerServer | None = None
        if webhook:
            routes = write_routes(folder / "routes", webhook=webhook, mail_server=mail_server)
            self.alertmanager = AlertmanagerServer(folder / "alertmanager", alertmanager_port, routes)
        address = f"{HOST}:{alertmanager_port}" if webhook else ""
        configuration = write_configuration(folder / "rules", trial, alertmanager=address)
        self.prometheus = PrometheusServer(folder / "prometheus", prometheus_port, configuration)

    def __enter__(self) -> Self:
        try:
            if self.alertmanager is not None:
                self.alertmanager.start()
            self.prometheus.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End both; allowed at any time."""
        self.prometheus.stop()
        if self.alertmanager is not None:
            self.alertmanager.stop()

    def query(self, expression: str) -> list[Sample]:
        """The series that an expression gives now. Raises OSError, which says what Prometheus refuses."""
        answer = self.prometheus.get("/api/v1/query", query=expression)
        found = answer["data"]["result"]
        if answer["data"]["resultType"] == "scalar":
            return [Sample({}, float(found[1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in found]

    def alerts(self) -> list[Alert]:
        """The alerts that are pending or firing in Prometheus."""
        found = self.prometheus.get("/api/v1/alerts")["data"]["alerts"]
        return [
            Alert(each["labels"]["alertname"], each["labels"], each["annotations"], each["state"])
            for each in found
        ]

    def firing(self) -> set[str]:
        """The names of the alerts that fire in Prometheus, those that a cause inhibits included."""
        return {alert.name for alert in self.alerts() if alert.state == "firing"}

    def told(self) -> set[str]:
        """The names of the alerts that Alertmanager tells: those that fire and are not inhibited."""
        assert self.alertmanager is not None, "this one has no Alertmanager"
        found = self.alertmanager.get(
            "/api/v2/alerts", active="true", silenced="false", inhibited="false", unprocessed="false"
        )
        return {each["labels"]["alertname"] for each in found}

    def wait_for_scrape(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until each target has been scraped. Raises NotSeen."""
        self.wait_until(
            lambda: bool(found := self.query("up")) and all(each.value == 1 for each in found),
            lambda: f"targets: {self.query('up')}",
            seconds,
        )

    def wait_for_alert(self, name: str, seconds: float = PATIENCE_SECONDS) -> Alert:
        """Wait until this alert fires, and return it. Raises NotSeen."""
        self.wait_until(
            lambda: name in self.firing(), lambda: f"{name} does not fire: {self.alerts()}", seconds
        )
        return next(alert for alert in self.alerts() if alert.name == name)

    def wait_for_end(self, name: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until this alert does not fire any more. Raises NotSeen."""
        self.wait_until(lambda: name not in self.firing(), lambda: f"{name} fires still", seconds)

    def wait_until(self, is_so: Callable[[], bool], found: Callable[[], str], seconds: float) -> None:
        """Wait until it is so; a server that does not answer yet is asked again. Raises NotSeen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(OSError):
                if is_so():
                    return
            time.sleep(_POLL_SECONDS)
        raise NotSeen(found())
