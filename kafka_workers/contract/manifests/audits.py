"""The audits of stock and of payments, once a day: a Job that fails has found a difference."""

from collections.abc import Iterator

from kafka_workers.contract.manifests.pods import Manifest, Process, container, labels, pod, pod_labels
from kafka_workers.contract.manifests.processes import PAYMENT_SECRETS
from kafka_workers.contract.principals import LAG
from kafka_workers.workers import GATEWAY, KAFKA, MONGODB, POSTGRESQL

STOCK = Process(
    name="audit-stock",
    command=("python3", "manage.py", "audit_stock"),
    needs=(POSTGRESQL, MONGODB, KAFKA),
    principal=LAG,
)
PAYMENTS = Process(
    name="audit-payments",
    command=("python3", "manage.py", "audit_payments"),
    needs=(POSTGRESQL, GATEWAY),
    secrets=PAYMENT_SECRETS,
)
_LONGEST_SECONDS = 4 * 3600


def audits() -> Iterator[Manifest]:
    """A CronJob for each, at different hours of the night."""
    yield _daily(STOCK, "17 2 * * *")
    yield _daily(PAYMENTS, "17 3 * * *")


def _daily(process: Process, schedule: str) -> Manifest:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": process.name, "labels": labels(process.name)},
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {
                "spec": {
                    # Not tried again: its log has what it found.
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": _LONGEST_SECONDS,
                    "template": {
                        "metadata": {"labels": pod_labels(process)},
                        "spec": {
                            "restartPolicy": "Never",
                            **pod(process, [container(process, process.name, process.command, "512Mi")]),
                        },
                    },
                }
            },
        },
    }
