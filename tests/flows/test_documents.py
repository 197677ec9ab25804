"""The commands of the documents that are marked `run` work on the running system, as they stand there."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devtools.stack.stack import Stack
from tests.documents import ROOT, Block, blocks
from tests.running_system import operator_path

pytestmark = [pytest.mark.documents, pytest.mark.timeout(300)]

RUN = [block for block in blocks() if block.mark == "run"]
DOCUMENTS = sorted({block.document for block in RUN})


@pytest.fixture(scope="module")
def curl_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the settings of curl, by which it fails where the answer is an error."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    folder = tmp_path_factory.mktemp("curl")
    (folder / ".curlrc").write_text("fail-with-body\n")
    return folder


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_its_commands_work_one_after_the_other(document: Path, stack: Stack, curl_home: Path) -> None:
    done = subprocess.run(
        [
            "bash",
            "-euo",
            "pipefail",
            "-c",
            script([each for each in RUN if each.document == document], stack),
        ],
        cwd=ROOT,
        env=os.environ | stack.env | {"PATH": operator_path(), "CURL_HOME": str(curl_home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def script(of_document: list[Block], stack: Stack) -> str:
    """The blocks in one shell, each line shown before it runs, at the addresses of this system."""
    text = "\n".join(["set -v", *(each.text for each in of_document)])
    for name, port in (("web", 8000), ("sockets", 8001)):
        text = text.replace(f"localhost:{port}", urlsplit(stack.urls[name]).netloc)
    return text
