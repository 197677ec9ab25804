"""KEDA's resources that give each consumer as many pods as its lag asks for."""

from collections.abc import Iterator

from kafka_workers.contract.manifests.kafka_users import CLUSTER
from kafka_workers.contract.manifests.pods import Manifest, labels
from kafka_workers.workers import CONSUMERS, LAG_EXPORTER, Consumer

FEWEST, MOST = 2, 12
"""More pods than KAFKA_PARTITIONS of the production overlay would have nothing to read."""
UNREAD_EACH = 1000
"""For so many unread messages of a topic, one pod. Mails are slowest: eight seconds (docs/performance.md)."""
_ACCESS = "kafka-lag"


def scaled_consumers() -> Iterator[Manifest]:
    """The access of KEDA to the brokers, as the lag exporter's user, and a ScaledObject for each consumer."""
    yield {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _ACCESS},
        "data": {"username": LAG_EXPORTER.principal},
    }
    yield {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": {"name": _ACCESS},
        "spec": {
            "configMapTargetRef": [{"parameter": "username", "name": _ACCESS, "key": "username"}],
            "secretTargetRef": [
                {"parameter": "password", "name": LAG_EXPORTER.principal, "key": "password"},
                {"parameter": "ca", "name": f"{CLUSTER}-cluster-ca-cert", "key": "ca.crt"},
            ],
        },
    }
    yield from map(_scaled, CONSUMERS)


def _scaled(consumer: Consumer) -> Manifest:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": consumer.name, "labels": labels(consumer.name)},
        "spec": {
            "scaleTargetRef": {"name": consumer.name},
            "minReplicaCount": FEWEST,
            "maxReplicaCount": MOST,
            "pollingInterval": 15,
            "fallback": {"failureThreshold": 4, "replicas": FEWEST},
            # Each change makes the group share out its partitions anew: it shrinks slowly.
            "advanced": {
                "horizontalPodAutoscalerConfig": {
                    "behavior": {
                        "scaleDown": {
                            "stabilizationWindowSeconds": 300,
                            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
                        }
                    }
                }
            },
            # By topic, since messages in the group's retry topics wait for their time.
            "triggers": [_trigger(consumer, topic) for topic in consumer.reads],
        },
    }


def _trigger(consumer: Consumer, topic: str) -> Manifest:
    return {
        "type": "kafka",
        "metadata": {
            "bootstrapServers": f"{CLUSTER}-kafka-bootstrap:9093",
            "consumerGroup": consumer.group,
            "topic": topic,
            "lagThreshold": str(UNREAD_EACH),
            "offsetResetPolicy": "earliest",
            "sasl": "scram_sha512",
            "tls": "enable",
        },
        "authenticationRef": {"name": _ACCESS},
    }
