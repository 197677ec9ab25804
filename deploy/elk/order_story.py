#!/usr/bin/env python3
"""Prints the whole story of an order from the stored log lines: `order_story.py NUMBER`.

ELASTICSEARCH_URL says where they are stored. The story has the lines about the order's id, and those of the
requests that concerned it alone, by their traces.
"""

import json
import os
import sys
import urllib.request
from typing import Any

INDEX = "logs-stockbridge-*"
MOST_LINES = 1000
SECONDS = 30
SHOWN = (
    *("http.request.method", "url.path", "http.response.status_code"),
    *("kafka.topic", "labels.type", "labels.outcome", "event.reason", "error.message"),
)
"""The fields of a line that are printed after its message."""

Line = dict[str, Any]


def main() -> None:
    """Print the story; exit code 1 where no order has this number."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: order_story.py NUMBER")
    lines = story(os.environ.get("ELASTICSEARCH_URL", "http://localhost:9200"), sys.argv[1])
    if not lines:
        sys.exit(f"no stored line names the order {sys.argv[1]}")
    print("\n".join(map(told, lines)))


def story(server: str, number: str) -> list[Line]:
    """The lines about the order with this number, the oldest first."""
    orders = {
        order
        for line in search(server, {"term": {"order.number": number}})
        for order, its_number in zip(as_list(line["order.id"]), as_list(line["order.number"]), strict=True)
        if its_number == number
    }
    if not orders:
        return []
    [order] = orders
    about = [of_order(line, order) for line in search(server, {"term": {"order.id": order}})]
    traces = sorted({trace for line in about for trace in as_list(line.get("trace.id", []))})
    either = [{"term": {"order.id": order}}, {"terms": {"trace.id": traces}}]
    found = search(server, {"bool": {"should": either, "minimum_should_match": 1}})
    return [of_order(line, order) for line in found]


def of_order(line: Line, order: str) -> Line:
    """Of a line about many orders what is about this one: its lists have a value for each order."""
    orders = line.get("order.id")
    if not isinstance(orders, list):
        return line
    at = [index for index, each in enumerate(orders) if each == order]
    listed = {name for name, value in line.items() if isinstance(value, list) and len(value) == len(orders)}
    return {
        name: sorted({value[index] for index in at}) if name in listed else value
        for name, value in line.items()
    }


def as_list(value: Any) -> list[Any]:
    """A field of a line about many orders is a list."""
    return value if isinstance(value, list) else [value]


def search(server: str, query: Line) -> list[Line]:
    """The lines that the query finds, the oldest first."""
    body = {"query": query, "size": MOST_LINES, "sort": [{"@timestamp": "asc"}]}
    request = urllib.request.Request(
        f"{server.rstrip('/')}/{INDEX}/_search",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return [flat(hit["_source"]) for hit in json.load(answer)["hits"]["hits"]]


def flat(source: Line, before: str = "") -> Line:
    """The fields by their whole names, however the line was stored."""
    fields: Line = {}
    for name, value in source.items():
        fields |= flat(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: value}
    return fields


def told(line: Line) -> str:
    """One line of the story."""
    facts = " ".join(str(value) for name in SHOWN for value in as_list(line.get(name, [])))
    beginning = f"{line['@timestamp'][:23]} {line.get('process.name', ''):<11}"
    return f"{beginning} {line['message']:<22} {facts}".rstrip()


if __name__ == "__main__":
    main()
