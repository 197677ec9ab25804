"""Takes log lines from a collector by OTLP, and stores them as its exporter for Elasticsearch does.

The modules of that exporter are not to be had everywhere; in its mode `bodymap` it stores the body of each
record as it is, with the operation `create` of the bulk API.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.local_server import LocalServer, Request

ELK = Path(__file__).parents[2] / "deploy" / "elk"
STREAM = "logs-stockbridge-default"

Line = dict[str, Any]


class LinesByOtlp(LocalServer):
    """The receiver, and what became of the lines."""

    def __init__(self, log_search: str) -> None:
        super().__init__()
        self.stored: list[Line] = []
        self.refused: list[tuple[Line, Line]] = []
        """Lines with the server's reasons."""
        self._log_search = log_search

    def post(self, request: Request) -> None:
        self._store(json.loads(request.body()))
        request.answer(b"{}", kind="application/json")

    def _store(self, export: Line) -> None:
        lines = list(lines_of(export))
        body = "".join(f'{{"create": {{}}}}\n{json.dumps(line)}\n' for line in self._ingested(lines))
        answer = httpx.post(
            f"{self._log_search}/{STREAM}/_bulk?refresh=true&pipeline=_none",
            content=body.encode(errors="backslashreplace"),
            headers={"Content-Type": "application/x-ndjson"},
            timeout=60,
        ).json()
        for line, item in zip(lines, answer["items"], strict=True):
            if item["create"]["status"] == 201:
                self.stored.append(line)
            else:
                self.refused.append((line, item["create"]["error"]))

    def _ingested(self, lines: Sequence[Line]) -> list[Line]:
        """What the pipeline makes of the lines; the server runs it, but is no ingest node."""
        pipeline = json.loads((ELK / "ingest-pipeline.json").read_text())
        answer = httpx.post(
            f"{self._log_search}/_ingest/pipeline/_simulate",
            json={"pipeline": pipeline, "docs": [{"_source": line} for line in lines]},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return [each["doc"]["_source"] for each in answer.json()["docs"]]


def lines_of(export: Line) -> Iterator[Line]:
    """The bodies of the records of an ExportLogsServiceRequest."""
    for resource in export["resourceLogs"]:
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                yield value_of(record["body"])


def value_of(value: Line) -> Any:
    """A value of OTLP as JSON has it."""
    [(kind, content)] = value.items()
    match kind:
        case "kvlistValue":
            return {each["key"]: value_of(each["value"]) for each in content.get("values", ())}
        case "arrayValue":
            return [value_of(each) for each in content.get("values", ())]
        case "intValue":
            return int(content)
        case _:
            return content
