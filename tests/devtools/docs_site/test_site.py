"""The documents as a site: built without a warning, complete, drawn, and without any other host."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from devtools.docs_site.mermaid import NoMermaid, mermaid_script
from tests.chromium import chromium
from tests.documents import ROOT, blocks, documents

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the site, its diagrams included."""
    try:
        mermaid_script()
    except NoMermaid as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("site")
    # In a process of its own: the warnings of Sphinx about Python are not ours.
    command = [sys.executable, "-m", "devtools.docs_site", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page()


def test_every_document_is_a_page_that_the_navigation_leads_to(site: Path) -> None:
    index = (site / "docs" / "index.html").read_text()
    navigation = index[index.index("sidebar-tree") :]
    pages = [
        path.relative_to(ROOT).with_suffix(".html") for path in documents() if path.parent != ROOT / "deploy"
    ]
    assert [page for page in pages if not (site / page).is_file()] == []
    of_index = {path for path in pages if path.parts[0] != "docs" or path.parent == Path("docs")}
    missing = [path for path in of_index if path.name not in navigation and path.name != "index.html"]
    assert missing == []


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    loads = re.compile(
        r"""(?:src|href)=["'](https?:)?//[^"']+["'][^>]*(?:rel=["']stylesheet|></script)|<script[^>]+src=["']https?:"""
    )
    assert [page.name for page in site.rglob("*.html") if loads.search(page.read_text())] == []


def test_every_diagram_is_drawn(site: Path, page: Page) -> None:
    drawn: dict[Path, int] = {}
    for block in blocks():
        if block.language == "mermaid":
            drawn[block.document] = drawn.get(block.document, 0) + 1
    assert drawn
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for document, number in drawn.items():
        page.goto((site / document.relative_to(ROOT).with_suffix(".html")).as_uri())
        page.wait_for_function(f"() => document.querySelectorAll('pre.mermaid svg').length >= {number}")
        assert page.locator("svg[aria-roledescription=error]").count() == 0
    assert [url for url in asked if not url.startswith("file:")] == []
