"""Reference pages that follow from the code: workers, topics, Kafka access, metrics, JSON Schemas, AsyncAPI.

Nothing here depends on the environment, so the same code always gives the same text.
"""

from collections.abc import Iterable, Iterator

import yaml
from prometheus_client import Counter, Gauge, Histogram

from foundation import metrics
from kafka_workers.contract.asyncapi import HEADERS, OPTIONAL_HEADERS, asyncapi
from kafka_workers.contract.principals import PURPOSES, all_permissions
from kafka_workers.contract.schemas import schema_text
from kafka_workers.contract.topics import BUSINESS_TOPICS
from kafka_workers.runtime.group_topics import retry_number
from kafka_workers.workers import CONSUMERS, WORKERS, Consumer, Worker

GENERATED = "Written by `manage.py generate_docs`: change the code that it describes, not this file."


def pages() -> dict[str, str]:
    """Every generated file: its path under `docs/`, and its text."""
    return {
        **{f"schemas/{topic.schema_name}.json": schema_text(topic) for topic in BUSINESS_TOPICS},
        "asyncapi.yaml": f"# {GENERATED}\n"
        + yaml.safe_dump(asyncapi("./schemas/"), sort_keys=False, width=110),
        "workers.md": "\n".join(_workers_page()) + "\n",
        "topics.md": "\n".join(_topics_page()) + "\n",
        "metrics.md": "\n".join(_metrics_page()) + "\n",
        "kafka-access.md": "\n".join(_access_page()) + "\n",
    }


def _workers_page() -> Iterator[str]:
    yield from ("# Workers", "", f"<!-- {GENERATED} -->", "")
    yield "The processes that run beside the web processes and daphne, from the table in"
    yield "`kafka_workers/workers.py`. A worker runs until SIGTERM, then finishes its batch and ends with"
    yield "exit code 0. While a server that it needs is unavailable, it waits."
    yield from ("", "| worker | purpose | reads | sends | needs |", "|---|---|---|---|---|")
    for worker in WORKERS:
        needs = ", ".join(worker.needs)
        yield f"| {worker.title} | {worker.summary} | {_reads(worker)} | {_code(worker.sends)} | {needs} |"
    yield from ("", "## Commands and code", "")
    yield "*User*: its ACLs are in [kafka-access.md](kafka-access.md). *Step*: an order passes the workers"
    yield "with a number in this order, and [audit_stock](audit.md) waits for them one after the other."
    yield from (
        "",
        "| worker | command | option of `./start` | code | user | step |",
        "|---|---|---|---|---|---|",
    )
    for worker in WORKERS:
        option, user, step = f"--{worker.name}-workers", _code([worker.principal]), worker.saga_step or ""
        yield f"| {worker.title} | `{worker.command}` | `{option}` | `{worker.runs}` | {user} | {step} |"


def _reads(worker: Worker) -> str:
    return f"{_code(worker.reads)} as `{worker.group}`" if isinstance(worker, Consumer) else ""


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names if name)


def _topics_page() -> Iterator[str]:
    yield from ("# Topics", "", f"<!-- {GENERATED} -->", "")
    yield "The settings `KAFKA_PARTITIONS`, `KAFKA_REPLICATION_FACTOR` and `KAFKA_RETENTION_DAYS` apply to"
    yield "each topic. Messages with the same key stay in order."
    yield from ("", "| topic | value | key | sent by | read by |", "|---|---|---|---|---|")
    for topic in BUSINESS_TOPICS:
        senders = ", ".join(worker.title for worker in topic.senders)
        schema = f"[{topic.value.__name__}](schemas/{topic.schema_name}.json)"
        readers = _code(consumer.group for consumer in topic.readers) or "external services"
        yield f"| `{topic.name}` | {schema}: {topic.value.__doc__} | `{topic.key}` | {senders} | {readers} |"
    yield from ("", "## Topics of the groups", "", "| group | retry topics | dead letters |", "|---|---|---|")
    for group in (consumer.group for consumer in CONSUMERS):
        yield f"| `{group}` | `{group}.retry.1`, `.2`, … | `{group}.dlq` |"
    yield from ("", "There is one retry topic for each delay of `RETRY_DELAYS_SECONDS`")
    yield from ("([failures.md](failures.md)).", "", "## Headers", "")
    yield from ("| header | present | meaning or value |", "|---|---|---|")
    for name, header in HEADERS.items():
        presence = "optional" if name in OPTIONAL_HEADERS else "always"
        yield f"| `{name}` | {presence} | {header.get('description') or header['const']} |"
    yield from ("", "A message without these headers is accepted if its value is valid for the topic;")
    yield "its coordinates (topic/partition/offset) are then its id."


def _access_page() -> Iterator[str]:
    yield from ("# Kafka users and their ACLs", "", f"<!-- {GENERATED} -->", "")
    yield "`manage.py kafka_access` creates these ACLs ([kafka-security.md](kafka-security.md)). Each one"
    yield "allows an operation from any host on exactly this name. There is one retry topic for each delay of"
    yield "`RETRY_DELAYS_SECONDS`."
    for user, purpose in PURPOSES.items():
        yield from ("", f"## `{user}`", "", f"For {purpose}.", "", "| on | may |", "|---|---|")
        rights: dict[str, set[str]] = {}
        for permission in all_permissions():
            if permission.user == user:
                what = f"{permission.kind.replace('_', ' ').lower()} `{_any_retry(permission.name)}`"
                rights.setdefault(what, set()).add(permission.operation)
        for what, operations in rights.items():
            yield f"| {what} | {', '.join(sorted(operations))} |"


def _any_retry(topic: str) -> str:
    number = retry_number(topic)
    return topic.removesuffix(str(number)) + "<n>" if number else topic


def _metrics_page() -> Iterator[str]:
    yield from ("# Metrics", "", f"<!-- {GENERATED} -->", "")
    yield "Served at `/metrics`, and on `METRICS_PORT` where it is set"
    yield "([operations.md](operations.md#metrics))."
    yield from ("", "| metric | kind | labels | meaning |", "|---|---|---|---|")
    for metric in vars(metrics).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            (family,) = metric.describe()
            name = f"{family.name}_total" if isinstance(metric, Counter) else family.name
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 - no public reader
            yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"
    yield from (
        "",
        "## Labels",
        "",
        "Each value of a label is a series, so that each list of values has an end.",
        "",
    )
    yield from ("| label | values |", "|---|---|")
    for label, values in metrics.LABELS.items():
        yield f"| `{label}` | {values} |"
