"""The code blocks of the documents, and what their marks say about running them.

A block of commands stands under one of these marks, which readers do not see:

    <!-- run -->                        tests/flows/test_documents.py runs it on the running system
    <!-- not run: REASON -->            nobody runs it
    <!-- commands run by tests/X.py --> somewhere in the document, or in the index of its folder: that test
                                        runs the blocks that have no mark of their own

Other blocks are data: JSON, YAML, Python, Mermaid, PromQL and plain text; or, as `diff`, changes of a file:

    +++ orders_app/event_data.py
     a line that is there
    -a line that goes
    +a line that comes
    @@ (stands between two places of the file)
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ("", "sh", "bash")
DATA = ("json", "yaml", "python", "mermaid", "promql", "text", "diff")
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)(?P<rest>[^\n`]*)$")
_MARK = re.compile(r"^ *<!-- (?P<kind>run|not run): ?(?P<reason>.*?) *-->$|^ *<!-- (?P<run>run) -->$")
_RUN_BY = re.compile(r"<!-- commands run by (\S+) -->")
_COMMAND = re.compile(
    r"^(?:\$ )?(?:\.venv/bin/python )?(?:python3? )?(?:\./)?manage\.py +(?P<arguments>[^#|>]+)"
)


@dataclass(frozen=True)
class Change:
    """What a guide changes in a file: at each place a text that stands there once, and what it becomes.

    A new file has one place, whose earlier text is empty.
    """

    path: str
    places: Sequence[tuple[str, str]]

    def fits(self, directory: Path) -> bool:
        """Whether the file is as the change expects it."""
        file = directory / self.path
        if not file.is_file():
            return [old for old, _ in self.places] == [""]
        text = file.read_text()
        return all(old and f"\n{text}".count(f"\n{old}") == 1 for old, _ in self.places)

    def make(self, directory: Path) -> None:
        """Change the file, or write the new one."""
        assert self.fits(directory), f"{self.path} is not as the guide says"
        file = directory / self.path
        text = f"\n{file.read_text()}" if file.is_file() else "\n"
        for old, new in self.places:
            text = text.replace(f"\n{old}", f"\n{new}")
        file.write_text(text.removeprefix("\n"))


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    document: Path
    line: int
    language: str
    text: str
    mark: str
    """`run`, `not run: …`, `run by …`, or nothing."""

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @cached_property
    def change(self) -> Change | None:
        """What it changes in a file, where it is a `diff`."""
        if self.language != "diff":
            return None
        first, *lines = self.text.splitlines()
        places = "\n".join(lines).split("\n@@\n")
        return Change(first.removeprefix("+++ "), [_place(place.splitlines()) for place in places])

    @property
    def management_commands(self) -> list[str]:
        """What follows `manage.py` on each of its lines."""
        joined = self.text.replace("\\\n", " ").splitlines()
        found = (_COMMAND.match(line.strip()) for line in joined)
        return [each["arguments"].strip() for each in found if each]


@cache
def documents() -> Sequence[Path]:
    """Every Markdown file of the project that people read."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])


@cache
def blocks() -> Sequence[Block]:
    """Every block of every document."""
    return [block for document in documents() for block in _blocks_of(document)]


def _place(lines: Sequence[str]) -> tuple[str, str]:
    """The text before and after; an empty line stands for one of both."""
    marked = [line or " " for line in lines]
    before = "".join(f"{line[1:]}\n" for line in marked if line[0] in " -")
    return before, "".join(f"{line[1:]}\n" for line in marked if line[0] in " +")


def _blocks_of(document: Path) -> Iterator[Block]:
    lines = document.read_text().splitlines()
    start, fence = 0, None
    for number, line in enumerate(lines):
        found = _FENCE.match(line)
        if found and not fence:
            start, fence = number, found
        elif fence and line.strip() == "```":
            text = "\n".join(each.removeprefix(fence["indent"]) for each in lines[start + 1 : number])
            mark = _mark_in(lines[start - 1]) if start else ""
            yield Block(document, start + 1, fence["language"], text, mark or _mark_of(document))
            fence = None
    assert fence is None, f"{document}:{start + 1}: a block without an end"


def _mark_in(line: str) -> str:
    found = _MARK.match(line)
    if not found:
        return ""
    return "run" if found["run"] else f"{found['kind']}: {found['reason']}"


def _mark_of(document: Path) -> str:
    for place in (document, document.parent / "index.md", document.parent / "README.md"):
        if place.is_file() and (found := _RUN_BY.search(place.read_text())):
            return f"run by {found[1]}"
    return ""
