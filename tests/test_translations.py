"""The translations: complete, as compiled, and with every sentence of the pages."""

import gettext
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(ROOT.glob("*/locale/*/LC_MESSAGES/django.po"))
PLACES = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).parts[0])
def test_every_sentence_is_translated_and_compiled_as_it_is_written(file: Path) -> None:
    with file.open("rb") as text, file.with_suffix(".mo").open("rb") as compiled:
        written, used = read_po(text), gettext.GNUTranslations(compiled)
    messages = [message for message in written if message.id]
    assert messages
    for message in messages:
        assert not message.fuzzy, f"{message.id} is marked fuzzy"
        for number, (sentence, translation) in enumerate(forms(message)):
            assert translation, f"{sentence} is not translated"
            assert places(translation) == places(sentence)
            assert compiled_form(used, message, number) == translation


def forms(message: Message) -> list[tuple[str, str]]:
    """A sentence and its translation; where it counts pieces, that for one and that for many."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    assert isinstance(message.string, tuple | list)
    return list(zip(message.id, message.string, strict=True))


def places(sentence: str) -> set[str]:
    """What is put into the sentence, and its markup."""
    return set(PLACES.findall(sentence))


def compiled_form(used: gettext.GNUTranslations, message: Message, number: int) -> str:
    if isinstance(message.id, str):
        return used.pgettext(message.context, message.id) if message.context else used.gettext(message.id)
    one, many = message.id
    return used.ngettext(one, many, 2 if number else 1)


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="there is no GNU gettext on this machine")
def test_no_sentence_of_a_page_is_missing_in_the_translations(tmp_path: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (source := ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run(
        ["devtools/update-translations.sh"], cwd=tmp_path, capture_output=True, check=True, timeout=100
    )
    for file in FILES:
        collected = sentences(tmp_path / file.relative_to(ROOT))
        assert collected == sentences(file), "run devtools/update-translations.sh, and translate what is new"


def sentences(file: Path) -> set[str]:
    """What the file has translations for, with the context where there is one."""
    with file.open("rb") as text:
        return {f"{message.context or ''} {message.id}" for message in read_po(text) if message.id}
