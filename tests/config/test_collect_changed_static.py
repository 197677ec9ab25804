"""Static files get names with fingerprints, once for each change."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.templatetags.static import static
from django.test import Client

storage: Any = staticfiles_storage


@pytest.fixture
def sources(tmp_path: Path, settings: Any) -> Path:
    """A folder with two modules, one of which imports the other, instead of the files of the apps."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "part.js").write_text("export const part = 1;\n")
    (folder / "whole.js").write_text('import { part } from "./part.js";\n')
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATICFILES_DIRS = [folder]
    settings.STATIC_ROOT = tmp_path / "collected"
    return folder


def collect() -> None:
    call_command("collect_changed_static", verbosity=0)
    storage._setup()


def test_a_file_has_its_own_name_until_files_are_collected_and_then_a_fingerprint(sources: Path) -> None:
    assert static("part.js") == "/static/part.js"
    collect()
    first = static("part.js")
    assert first.startswith("/static/part.")
    assert first != "/static/part.js"
    (sources / "part.js").write_text("export const part = 22;\n")
    collect()
    assert static("part.js") not in {first, "/static/part.js"}


def test_a_module_imports_another_by_its_fingerprint(sources: Path) -> None:
    collect()
    text = Path(storage.path(storage.stored_name("whole.js"))).read_text()
    assert static("part.js").removeprefix("/static/") in text


def test_nothing_is_collected_where_nothing_has_changed(sources: Path, settings: Any) -> None:
    collect()
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    before = manifest.stat().st_mtime_ns
    collect()
    assert manifest.stat().st_mtime_ns == before


def test_a_browser_keeps_a_file_with_a_fingerprint_for_good(sources: Path, settings: Any) -> None:
    collect()
    answer = Client().get(static("part.js"))
    assert b"".join(answer) == b"export const part = 1;\n"
    answer.close()
    assert "immutable" in answer["Cache-Control"]
