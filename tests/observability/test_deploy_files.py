"""The files of Prometheus and Alertmanager in `deploy/` fit each other, the workers and the documents."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devtools.monitoring.configuration import DEPLOY, ROUTES, RULES
from devtools.stack.spawn import PROJECT
from kafka_workers.workers import GROUPS, WORKERS
from tests.documents import blocks

PROMETHEUS = DEPLOY / "prometheus"
RUNBOOKS = PROJECT / "docs" / "runbooks"
METRICS = PROJECT / "docs" / "metrics.md"
DOCUMENT = PROJECT / "docs" / "alerts.md"
SEVERITIES = ("critical", "warning")
RESTART_SECONDS = 60
"""A rolling restart of a process takes less."""
RUNBOOK_URL = re.compile(r"^\{\{ \$externalURL \}\}/user/runbooks/(\w+)\.md$")


def rules() -> Iterator[dict[str, Any]]:
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


ALERTS = [rule for rule in rules() if "alert" in rule]
NAMES = {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_says_what_it_means_how_grave_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    found = RUNBOOK_URL.match(rule["annotations"]["runbook_url"])
    assert found is not None
    assert found[1] == rule["alert"]
    assert (RUNBOOKS / f"{found[1]}.md").is_file()


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def test_no_alert_fires_for_what_lasts_no_longer_than_a_restart() -> None:
    assert [rule["alert"] for rule in ALERTS if seconds(rule["for"]) < RESTART_SECONDS] == []


def test_each_runbook_is_of_an_alert_and_in_the_index() -> None:
    index = (RUNBOOKS / "README.md").read_text()
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == NAMES
    assert [name for name in sorted(NAMES) if f"]({name}.md)" not in index] == []


def test_expressions_name_only_metrics_that_there_are() -> None:
    known = set(re.findall(r"`(stockbridge_\w+)`", METRICS.read_text()))
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    named = {name for rule in rules() for name in re.findall(r"\bstockbridge[\w:]+", rule["expr"])}
    suffixes = re.compile(r"_(bucket|count|sum)$")
    assert {name for name in named - recorded if suffixes.sub("", name) not in known} == set()


def test_inhibitions_name_only_alerts_that_there_are() -> None:
    text = ROUTES.read_text()
    matchers = re.findall(r'alertname=~?"([^"]+)"', text)
    patterns = {name for matcher in matchers for name in matcher.split("|")}
    assert len(patterns) > 10, "the search finds no alerts"
    assert [each for each in patterns if not any(re.fullmatch(each, name) for name in NAMES)] == []


def matched(matchers: list[str], severity: str) -> set[str]:
    """The alerts of this severity that these matchers may match."""
    by_label: dict[str, str] = dict(re.findall(r'(\w+)=~?"(.*)"', "\n".join(matchers)))
    if by_label.get("severity", severity) != severity:
        return set()
    names = {rule["alert"] for rule in ALERTS if rule["labels"]["severity"] == severity}
    return {name for name in names if re.fullmatch(by_label.get("alertname", ".+"), name)}


@pytest.mark.parametrize("rule", yaml.safe_load(ROUTES.read_text())["inhibit_rules"], ids=str)
def test_a_warning_silences_no_critical_alert(rule: dict[str, Any]) -> None:
    if matched(rule["source_matchers"], "warning"):
        assert matched(rule["target_matchers"], "critical") == set()


def test_prometheus_scrapes_each_worker() -> None:
    [job, *_] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    [discovery] = job["dns_sd_configs"]
    assert sorted(discovery["names"]) == sorted(["web", "sockets", *(worker.name for worker in WORKERS)])


def test_the_names_of_our_groups_end_as_the_rules_expect() -> None:
    assert [group for group in GROUPS if not re.fullmatch(".+-service-group", group)] == []


def commands() -> list[str]:
    [block] = [each for each in blocks() if each.document == DOCUMENT and each.language == "sh"]
    return [line for line in block.text.splitlines() if line]


@pytest.mark.prometheus
@pytest.mark.parametrize("command", commands())
def test_promtool_and_amtool_find_no_fault(command: str, promtool: Path, amtool: Path) -> None:
    path = os.pathsep.join([str(promtool.parent), str(amtool.parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=PROJECT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
