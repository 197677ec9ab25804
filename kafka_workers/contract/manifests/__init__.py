"""The manifests of deploy/kubernetes that follow from the code and from the rules of Prometheus.

Nothing here depends on the environment, so the same code always gives the same files.
"""

from collections.abc import Iterable
from typing import Any

import yaml

from kafka_workers.contract.manifests.audits import audits
from kafka_workers.contract.manifests.kafka_users import kafka_users
from kafka_workers.contract.manifests.monitoring import prometheus_rules
from kafka_workers.contract.manifests.prepare import prepare_job
from kafka_workers.contract.manifests.processes import PROCESSES, disruption_budget, processes
from kafka_workers.contract.manifests.scaling import scaled_consumers

GENERATED = (
    "# Written by `manage.py generate_docs`: change kafka_workers/contract/manifests, not this file.\n"
)


def manifests() -> dict[str, str]:
    """Every generated manifest: its path under `deploy/kubernetes/`, and its text."""
    return {
        "base/processes.yaml": _text(processes()),
        "base/prepare.yaml": _text([prepare_job()]),
        "base/audits.yaml": _text(audits()),
        "base/budgets.yaml": _text(disruption_budget(process.name) for process in PROCESSES),
        "stores/kafka-users.yaml": _text(kafka_users()),
        "overlays/production/scaled-consumers.yaml": _text(scaled_consumers()),
        "components/monitoring/prometheus-rules.yaml": _text([prometheus_rules()]),
    }


class _Dumper(yaml.SafeDumper):
    """Writes each value in full: an alias to an earlier one would be hard to read and to patch."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(documents: Iterable[dict[str, Any]]) -> str:
    return GENERATED + "".join(
        "---\n" + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=110) for document in documents
    )
