"""The Deployments of web, sockets and every worker of the table, and their budgets for disruptions."""

from collections.abc import Iterator
from dataclasses import replace

from kafka_workers.contract.manifests.pods import (
    METRICS_PORT,
    Manifest,
    Process,
    container,
    labels,
    pod,
    pod_labels,
)
from kafka_workers.contract.principals import DEAD_LETTERS
from kafka_workers.workers import GATEWAY, KAFKA, MONGODB, POSTGRESQL, WORKERS, Worker

WEB_PORT, SOCKETS_PORT = 8000, 8001
WORKER_MEMORY = "384Mi"
"""The largest was the relay, with 151 MiB on a backlog (docs/performance.md)."""
DRAIN_SECONDS = 5
"""So long, an ending pod still gets requests of those who have not heard yet that it ends."""
PAYMENT_SECRETS = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
_SECRETS_WITH = {"STRIPE_SECRET_KEY": PAYMENT_SECRETS}
"""By a setting that a worker needs, the secrets that it then has; otherwise that setting alone."""

WEB = Process(
    name="web",
    command=(
        *("python3", "-m", "web.server", "--host", "0.0.0.0", "--port", str(WEB_PORT)),  # noqa: S104 - in a pod
        "config.wsgi:application",
    ),
    needs=(POSTGRESQL, MONGODB, KAFKA, GATEWAY),
    principal=DEAD_LETTERS,
    secrets=(*PAYMENT_SECRETS, "MONITOR_TOKEN"),
)
SOCKETS = Process(
    name="sockets",
    command=(
        *("python3", "-m", "daphne", "-b", "0.0.0.0", "-p", str(SOCKETS_PORT)),  # noqa: S104 - in a pod
        *("-v", "0", "config.asgi:application"),
    ),
    needs=(POSTGRESQL,),
)


def _process_of(worker: Worker) -> Process:
    return Process(
        name=worker.name,
        command=("python3", "manage.py", worker.command),
        needs=worker.needs,
        principal=worker.principal,
        secrets=_SECRETS_WITH.get(worker.setting, (worker.setting,) if worker.setting else ()),
    )


_OF_WORKERS = tuple(map(_process_of, WORKERS))
PROCESSES = (WEB, SOCKETS, *_OF_WORKERS)


def processes() -> Iterator[Manifest]:
    """The Deployment of each."""
    yield _deployment(WEB, _web_container())
    yield _deployment(SOCKETS, _sockets_container())
    for process in _OF_WORKERS:
        yield _deployment(process, _container(process, WORKER_MEMORY, _own_health()))


def disruption_budget(name: str) -> Manifest:
    """One pod of a process may be evicted at a time, and at any time those that do not work."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "labels": labels(name)},
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": labels(name)},
        },
    }


def _deployment(process: Process, main: Manifest) -> Manifest:
    """It has no number of replicas, which is 1 then: overlays and autoscalers set it."""
    specification = pod(
        process, [main], [_wait_for_migrations(process)] if POSTGRESQL in process.needs else []
    )
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": process.name, "labels": labels(process.name)},
        "spec": {
            "revisionHistoryLimit": 5,
            # The new pod works before an old one ends.
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": labels(process.name)},
            "template": {
                "metadata": {"labels": pod_labels(process)},
                "spec": {"terminationGracePeriodSeconds": 60, **specification},
            },
        },
    }


def _wait_for_migrations(process: Process) -> Manifest:
    """New code meets no old tables: it waits until the Job of prepare.yaml has migrated them."""
    loop = "until python3 manage.py migrate --check >/dev/null; do echo waiting for prepare; sleep 3; done"
    without_its_secrets = replace(process, principal="", secrets=())
    return container(without_its_secrets, "wait-for-migrations", ("sh", "-c", loop), WORKER_MEMORY)


def _container(process: Process, memory: str, probes: Manifest, **ports: int) -> Manifest:
    ports["metrics"] = METRICS_PORT
    return {
        **container(process, process.name, process.command, memory),
        "ports": [{"name": name, "containerPort": port} for name, port in ports.items()],
        **probes,
    }


def _web_container() -> Manifest:
    # By the port of HTTP: a pod is ready while orders can be taken, even where its process waits for nothing.
    main = _container(WEB, "512Mi", _health("http"), http=WEB_PORT)
    main["env"] += [
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        # Probes come by the pod's address.
        {"name": "ALLOWED_HOSTS", "value": "$(SHOP_HOST),$(POD_IP)"},
    ]
    return main | {"lifecycle": _drain()}


def _sockets_container() -> Manifest:
    main = _container(SOCKETS, "512Mi", _own_health(), sockets=SOCKETS_PORT)
    main["env"].append({"name": "ALLOWED_HOSTS", "value": "$(SHOP_HOST)"})
    return main | {"lifecycle": _drain()}


def _drain() -> Manifest:
    return {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}}


def _own_health() -> Manifest:
    return _health("metrics")


def _health(port: str) -> Manifest:
    """Probes of a process: restarted when it gives no sign of work, and not when it waits for a server."""
    live, ready = ({"httpGet": {"path": f"/health/{path}", "port": port}} for path in ("live", "ready"))
    return {
        "startupProbe": {**live, "periodSeconds": 2, "failureThreshold": 60},
        "livenessProbe": {**live, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2},
    }
