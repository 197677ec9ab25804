"""The steps of a document, by its headings."""

import re
from collections.abc import Sequence
from pathlib import Path

from tests.documents import COMMANDS, ROOT, blocks


def steps_of(document: str, heading: str) -> list[str]:
    """The blocks of commands below this heading of a document in docs, in their order."""
    path = ROOT / "docs" / document
    first, last = _lines_below(path, heading)
    found = [each for each in blocks() if each.document == path and each.language in COMMANDS]
    texts = [each.text for each in found if first < each.line < last]
    assert texts, f"{document}: no commands below {heading!r}"
    return texts


def _lines_below(path: Path, heading: str) -> tuple[int, int]:
    lines = path.read_text().splitlines()
    headings = [number for number, line in enumerate(lines, start=1) if re.match("## ", line)]
    first = next(number for number in headings if lines[number - 1] == f"## {heading}")
    return first, next((number for number in headings if number > first), len(lines) + 1)


def step_with(steps: Sequence[str], command: str) -> str:
    """The only step that has this command."""
    [found] = [step for step in steps if command in step]
    return found
