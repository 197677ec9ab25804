"""The Job that prepares the stores for a version of the code: tables, collections, service key, topics."""

from kafka_workers.contract.manifests.pods import Manifest, Process, container, labels, pod, pod_labels
from kafka_workers.contract.principals import TOPICS
from kafka_workers.workers import KAFKA, MONGODB, POSTGRESQL

STEPS = ("migrate", "create_collections", "register_service_key", "create_topics")
"""The management commands, one after the other; each may run again."""
PREPARE = Process(
    name="prepare",
    command=(),
    needs=(POSTGRESQL, MONGODB, KAFKA),
    principal=TOPICS,
    secrets=("SERVICE_API_KEY",),
)


def prepare_job() -> Manifest:
    """The Job. A step that fails, as one whose store is not there yet, is tried again."""
    *first, last = (
        container(PREPARE, step.replace("_", "-"), ("python3", "manage.py", step), "384Mi") for step in STEPS
    )
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": PREPARE.name, "labels": labels(PREPARE.name)},
        "spec": {
            "backoffLimit": 30,
            "ttlSecondsAfterFinished": 3600,
            "template": {
                "metadata": {"labels": pod_labels(PREPARE)},
                "spec": {"restartPolicy": "OnFailure", **pod(PREPARE, [last], first)},
            },
        },
    }
