"""The configuration of `deploy/prometheus/` made fit for a test: other targets, and less waiting."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from devtools.stack.spawn import PROJECT

DEPLOY = PROJECT / "deploy"
RULES = DEPLOY / "prometheus" / "rules"
ROUTES = DEPLOY / "alertmanager" / "alertmanager.yml"
_RANGE = re.compile(r"(?<=\[)\d+(?:ms|[smhdwy])(?=\])|(?<= offset )\d+(?:ms|[smhdwy])")
_DURATION = re.compile(r"^(\d+)(ms|[smhdwy])$")
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_SHORTEST_RANGE = 8_000
"""Milliseconds: a rate needs several scrapes, and a test scrapes every two seconds."""

Targets = Mapping[str, Sequence[str]]
"""By job, the addresses that are scraped, each as host:port."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a test changes. `faster` divides the for-times and ranges of all rules; `replaced` has texts of
    expressions with what stands there instead: `{"< 0.05": "< 0.5"}` raises a threshold."""

    targets: Targets
    faster: float = 1
    replaced: Mapping[str, str] = field(default_factory=dict)


def write_configuration(folder: Path, trial: Trial, *, alertmanager: str = "") -> Path:
    """Write configuration and rules for a test into the folder; returns the file for `--config.file`.

    `alertmanager` is the address of one, as host:port.

    Raises ValueError if a text that is to be replaced stands in no rule.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {rules.name: rules.read_text() for rules in RULES.glob("*.yml")}
    for old in trial.replaced:
        if not any(old in text for text in texts.values()):
            raise ValueError(f"no rule has {old!r}")
    for name, text in texts.items():
        (folder / name).write_text(yaml.safe_dump(rules_for(trial, text)))
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(_configuration(folder, trial, alertmanager)))
    return path


def write_routes(folder: Path, *, webhook: str, mail_server: str = "") -> Path:
    """Write the routes and inhibitions of Alertmanager for a test: all receivers tell this webhook.

    The path of the webhook gets the name of the receiver. Mails go to the mail server, at host:port, or
    nowhere. Returns the file for `--config.file`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = yaml.safe_load(ROUTES.read_text())
    document["global"]["smtp_smarthost"] = mail_server
    for receiver in document["receivers"]:
        receiver["webhook_configs"] = [{"url": f"{webhook}/{receiver['name']}", "send_resolved": True}]
        if not mail_server:
            del receiver["email_configs"]
    for route in _routes_of(document["route"]):
        route |= {"group_wait": "1s", "group_interval": "1s"}
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def _routes_of(route: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield route
    for child in route.get("routes", []):
        yield from _routes_of(child)


def rules_for(trial: Trial, text: str) -> dict[str, Any]:
    """The rules of a file as this trial has them."""
    document: dict[str, Any] = yaml.safe_load(text)
    for group in document["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = _RANGE.sub(lambda found: _shorter_range(found[0], trial), rule["expr"])
            for old, new in trial.replaced.items():
                rule["expr"] = rule["expr"].replace(old, new)
            for time in {"for", "keep_firing_for"} & rule.keys():
                rule[time] = _shorter(rule[time], trial.faster)
    return document


def _configuration(folder: Path, trial: Trial, alertmanager: str) -> dict[str, Any]:
    return {
        # On a loaded machine a scrape may take more than a second.
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / path.name) for path in sorted(RULES.glob("*.yml"))],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
        },
        "scrape_configs": [_job(name, addresses) for name, addresses in trial.targets.items()],
    }


def _job(name: str, addresses: Sequence[str]) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [{"targets": list(addresses)}]}


def _shorter_range(text: str, trial: Trial) -> str:
    return _shorter(text, trial.faster, at_least=min(_SHORTEST_RANGE, _milliseconds(text)))


def _shorter(text: str, factor: float, *, at_least: int = 1) -> str:
    return f"{max(round(_milliseconds(text) / factor), at_least)}ms"


def _milliseconds(duration: str) -> int:
    found = _DURATION.match(duration)
    if found is None:
        raise ValueError(f"{duration!r} is no duration with one unit")
    return int(found[1]) * _MILLISECONDS[found[2]]
