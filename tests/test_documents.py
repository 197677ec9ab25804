"""The documents keep their word: commands are run or say why not, data can be read, links lead somewhere."""

import json
import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from django.core.management import CommandError, get_commands, load_command_class

from tests.documents import COMMANDS, DATA, ROOT, Block, blocks, documents

MOST_NOT_RUN = 19
"""A new block that is not run needs a better reason than those that are there: this number only goes down."""
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\((?P<target>[^)\s]+)\)|!\[[^\]]*\]\((?P<picture>[^)\s]+)\)")

each_block = pytest.mark.parametrize("block", blocks(), ids=lambda block: block.place)
each_document = pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))


def of_commands() -> list[Block]:
    return [block for block in blocks() if block.language in COMMANDS]


def test_every_block_is_of_a_language_that_is_checked_here() -> None:
    assert [block.place for block in blocks() if block.language not in COMMANDS + DATA] == []


def test_every_block_of_commands_is_run_or_says_why_not() -> None:
    assert [block.place for block in of_commands() if not block.mark] == []
    reasons = [block.mark.partition(": ")[2] for block in of_commands() if block.mark.startswith("not run")]
    assert min(map(len, reasons), default=99) > len("no reason")


def test_no_more_blocks_are_left_out_than_before() -> None:
    left_out = [block.place for block in of_commands() if block.mark.startswith("not run")]
    assert len(left_out) <= MOST_NOT_RUN, left_out


def test_a_test_that_runs_commands_of_a_document_names_it() -> None:
    for block in of_commands():
        if block.mark.startswith("run by "):
            test = ROOT / block.mark.removeprefix("run by ")
            names = {block.document.name, block.document.parent.name}
            assert any(name in test.read_text() for name in names), f"{test} does not name {block.place}"


def test_plain_text_holds_no_commands() -> None:
    starts = ("manage.py ", "./", "curl ", "kubectl ", "docker ", ".venv/")
    texts = [block for block in blocks() if block.language == "text"]
    assert [each.place for each in texts for line in each.text.splitlines() if line.startswith(starts)] == []


@pytest.mark.parametrize(
    "block", [each for each in blocks() if each.management_commands], ids=lambda it: it.place
)
def test_its_management_commands_take_these_arguments(block: Block) -> None:
    for line in block.management_commands:
        name, *arguments = shlex.split(re.sub(r"[…<>]", "", line))
        if name == "help":
            continue
        assert name in get_commands(), f"there is no command {name}"
        command = load_command_class(get_commands()[name], name)
        if "--help" not in arguments:
            parse(command.create_parser("manage.py", name), arguments)


def parse(parser: object, arguments: list[str]) -> None:
    """Parses as the command does, and fails with its sentence where it refuses; files need not be there."""
    try:
        parser.parse_args(arguments)  # type: ignore[attr-defined]
    except (CommandError, SystemExit) as error:
        if "No such file" not in str(error):
            pytest.fail(f"{' '.join(arguments)}: {error}")


@pytest.mark.parametrize(
    "block",
    [each for each in blocks() if each.language in {"json", "yaml", "python"}],
    ids=lambda it: it.place,
)
def test_its_data_can_be_read(block: Block) -> None:
    match block.language:
        case "json":
            json.loads(block.text)
        case "yaml":
            assert list(yaml.safe_load_all(block.text))
        case "python":
            compile(block.text, block.place, "exec")


@pytest.mark.parametrize("block", [each for each in blocks() if each.change], ids=lambda it: it.place)
def test_its_change_is_one_of_a_file_as_it_is_or_of_a_new_one(block: Block) -> None:
    assert block.change
    assert block.change.fits(ROOT)


@each_document
def test_its_links_lead_to_files_and_headings_that_are_there(document: Path) -> None:
    wrong = [target for target in links_of(document) if not leads_somewhere(document, target)]
    assert wrong == []


def links_of(document: Path) -> list[str]:
    text = re.sub(r"^ *```.*?^ *```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    found = (each["target"] or each["picture"] for each in LINK.finditer(text))
    return [each for each in found if not re.match(r"[a-z]+:", each)]


def leads_somewhere(document: Path, target: str) -> bool:
    path, _, heading = unquote(target).partition("#")
    file = document if not path else (document.parent / path)
    if not file.exists():
        return False
    return not heading or file.suffix != ".md" or heading in anchors_of(file)


def anchors_of(file: Path) -> set[str]:
    """The anchors of its headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#{1,6} +(.+?)\s*$", file.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each)) for each in headings)
    return {each.strip().lower().replace(" ", "-") for each in plain}
