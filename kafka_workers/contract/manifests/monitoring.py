"""The rules of deploy/prometheus as a resource of the Prometheus operator."""

from pathlib import Path

import yaml

from kafka_workers.contract.manifests.pods import APPLICATION, Manifest

_RULES = Path(__file__).resolve().parents[3] / "deploy" / "prometheus" / "rules"


def prometheus_rules() -> Manifest:
    """A PrometheusRule with the groups of all files of rules, as they are."""
    groups = [
        group
        for path in sorted(_RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    ]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": APPLICATION, "labels": {"app.kubernetes.io/name": APPLICATION}},
        "spec": {"groups": groups},
    }
